package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/cache"

	"kindproof.dev/network-policy/wire"
)

// patience is how long a pod that the kubelet is starting may still be unknown to this agent's watch.
const patience = 10 * time.Second

// Enforcer keeps the rules of the node as its view of the cluster says.
type Enforcer struct {
	node                       string
	apply                      func(ruleset string) error
	pods, namespaces, policies cache.Store

	mutex     sync.Mutex
	announced map[string][]netip.Addr
	// applied is what nft was last given; empty before the first time, when there may be rules of an agent before this one.
	applied string
}

func newEnforcer(node string, apply func(string) error) *Enforcer {
	return &Enforcer{node: node, apply: apply, announced: map[string][]netip.Addr{}}
}

// Enforce puts rules into force that fit the present state; it does nothing when they have not changed.
func (e *Enforcer) Enforce() error {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	state := State{Node: e.node, Namespaces: map[string]labels.Set{}, Announced: e.announced}
	for _, object := range e.pods.List() {
		state.Pods = append(state.Pods, object.(*corev1.Pod))
	}
	for _, object := range e.namespaces.List() {
		namespace := object.(*corev1.Namespace)
		state.Namespaces[namespace.Name] = namespace.Labels
	}
	for _, object := range e.policies.List() {
		state.Policies = append(state.Policies, object.(*networkingv1.NetworkPolicy))
	}
	ruleset := Ruleset(state)
	if ruleset == e.applied {
		return nil
	}
	if err := e.apply(ruleset); err != nil {
		return err
	}
	e.applied = ruleset
	return nil
}

// Announce takes the addresses of a pod that is about to start, and returns when its rules are in force.
func (e *Enforcer) Announce(announcement wire.Announcement) error {
	addresses := make([]netip.Addr, 0, len(announcement.Addresses))
	for _, text := range announcement.Addresses {
		address, err := netip.ParseAddr(text)
		if err != nil {
			return err
		}
		addresses = append(addresses, address)
	}
	for start := time.Now(); !e.knows(announcement.UID); time.Sleep(10 * time.Millisecond) {
		if time.Since(start) > patience {
			return fmt.Errorf("no pod with the UID %s", announcement.UID)
		}
	}
	e.mutex.Lock()
	e.announced[announcement.UID] = addresses
	e.mutex.Unlock()
	return e.Enforce()
}

func (e *Enforcer) knows(uid string) bool {
	for _, object := range e.pods.List() {
		if string(object.(*corev1.Pod).UID) == uid {
			return true
		}
	}
	return false
}

// forget drops what was announced of a pod that was deleted.
func (e *Enforcer) forget(object any) {
	if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = gone.Obj
	}
	if pod, ok := object.(*corev1.Pod); ok {
		e.mutex.Lock()
		delete(e.announced, string(pod.UID))
		e.mutex.Unlock()
	}
}

// applyWithNft gives nft one transaction: either all of it takes effect or nothing does.
func applyWithNft(ruleset string) error {
	command := exec.Command("nft", "-f", "-")
	command.Stdin = strings.NewReader(ruleset)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Run(); err != nil {
		return fmt.Errorf("nft: %w: %s\n%s", err, output.String(), ruleset)
	}
	return nil
}

// listen serves the CNI plugin until the context ends.
func listen(ctx context.Context, enforcer *Enforcer) error {
	if err := os.MkdirAll(filepath.Dir(wire.Socket), 0o755); err != nil {
		return err
	}
	_ = os.Remove(wire.Socket)
	listener, err := net.Listen("unix", wire.Socket)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(connection, enforcer)
		}
	}()
	return nil
}

func serve(connection net.Conn, enforcer *Enforcer) {
	defer connection.Close()
	var announcement wire.Announcement
	err := json.NewDecoder(connection).Decode(&announcement)
	if err == nil {
		err = enforcer.Announce(announcement)
	}
	if err != nil {
		log.Printf("announcement: %v", err)
		return
	}
	_, _ = connection.Write([]byte(wire.Done))
}
