// A chained CNI plugin: holds a pod back until the policies that select it are in force.
//
// The API server learns a pod's address only after its containers have started, so without this a pod could connect to anything in its
// first second. Where there is no agent, the pod starts as if there were no policies. Where there is one that cannot put them into force in
// time, the sandbox fails and the kubelet makes it anew: a pod that gets through before its policy is worse than one that is late.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"kindproof.dev/network-policy/wire"
)

// patience is how long a pod waits for its rules: longer than the agent waits for its own view of the pod.
const patience = 15 * time.Second

func main() {
	switch os.Getenv("CNI_COMMAND") {
	case "VERSION":
		fmt.Println(`{"cniVersion":"1.0.0","supportedVersions":["0.3.0","0.3.1","0.4.0","1.0.0"]}`)
	case "ADD":
		if err := add(os.Stdin, os.Stdout, os.Getenv("CNI_ARGS")); err != nil {
			fmt.Printf(`{"cniVersion":"1.0.0","code":6,"msg":%q}`, err.Error())
			os.Exit(1)
		}
	}
}

func add(stdin io.Reader, stdout io.Writer, args string) error {
	var config struct {
		PrevResult json.RawMessage `json:"prevResult"`
	}
	if err := json.NewDecoder(stdin).Decode(&config); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	var result struct {
		IPs []struct {
			Address string `json:"address"`
		} `json:"ips"`
	}
	if err := json.Unmarshal(config.PrevResult, &result); err != nil {
		return fmt.Errorf("prevResult: %w (this plugin has to be chained)", err)
	}
	announcement := wire.Announcement{UID: podUID(args)}
	for _, ip := range result.IPs {
		address, _, _ := strings.Cut(ip.Address, "/")
		announcement.Addresses = append(announcement.Addresses, address)
	}
	connection, err := net.DialTimeout("unix", wire.Socket, patience)
	if err != nil {
		fmt.Fprintln(os.Stderr, "network-policy:", err)
	} else if err := announce(connection, announcement); err != nil {
		return fmt.Errorf("network-policy: the rules of pod %s are not in force: %w", announcement.UID, err)
	}
	_, err = stdout.Write(config.PrevResult)
	return err
}

func podUID(args string) string {
	for _, pair := range strings.Split(args, ";") {
		if uid, found := strings.CutPrefix(pair, "K8S_POD_UID="); found {
			return uid
		}
	}
	return ""
}

func announce(connection net.Conn, announcement wire.Announcement) error {
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if err := json.NewEncoder(connection).Encode(announcement); err != nil {
		return err
	}
	answer, err := io.ReadAll(connection)
	if err != nil {
		return err
	}
	if string(answer) != wire.Done {
		return fmt.Errorf("the agent answered %q", answer)
	}
	return nil
}
