// Package wire is what the CNI plugin and the agent of one node say to each other.
package wire

// Socket is where the agent listens once its first rules are in force. No socket, no enforcement: the plugin then lets the pod start.
const Socket = "/run/kindproof/network-policy.sock"

// Done is the agent's answer: the rules of this pod are in force.
const Done = "done"

// Announcement tells the addresses of a pod whose containers have not started yet. One JSON value for each connection.
type Announcement struct {
	UID       string   `json:"uid"`
	Addresses []string `json:"addresses"`
}
