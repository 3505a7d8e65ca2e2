package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

const table = "inet kindproof-network-policy"

// State is everything that the rules of one node follow from.
type State struct {
	Node       string
	Pods       []*corev1.Pod
	Namespaces map[string]labels.Set
	Policies   []*networkingv1.NetworkPolicy
	// Announced has addresses that the CNI plugin gave and the API server may not know yet, by UID.
	Announced map[string][]netip.Addr
}

// pod is a pod that has addresses of its own: not one of the host's network, and not one that has ended.
type pod struct {
	*corev1.Pod
	addresses []netip.Addr
}

type direction struct {
	name          string
	local, remote string
	priority      string
}

// A packet between two pods of one node passes both chains, because "accept" ends only the chain of its own hook.
var directions = []direction{
	{name: "egress", local: "saddr", remote: "daddr", priority: "filter - 2"},
	{name: "ingress", local: "daddr", remote: "saddr", priority: "filter - 1"},
}

// match is a part of a rule. Parts of different IP families never belong to one rule; family 0 fits both.
type match struct {
	text   string
	family int
}

// Ruleset is what nft has to be given: one transaction that replaces the table. Without a policy for a pod of this node there is no table.
//
// Only what is forwarded is judged: traffic between a pod and its own node (the kubelet's probes) is always allowed, as Kubernetes
// documents it. Services are translated before this hook, so rules see the pods (or whatever addresses) behind them.
func Ruleset(state State) string {
	pods := podsWithAddresses(state)
	var body strings.Builder
	for _, direction := range directions {
		chains := newChains(direction)
		for index, policy := range sortedPolicies(state.Policies) {
			if !appliesTo(policy, direction) {
				continue
			}
			selected := selectedPods(policy, pods)
			local := filter(selected, func(pod pod) bool { return pod.Spec.NodeName == state.Node })
			if len(local) > 0 {
				chains.add(index, policy, local, allowed(policy, direction, selected, pods, state.Namespaces))
			}
		}
		chains.render(&body)
	}
	replace := fmt.Sprintf("table %s\ndelete table %s\n", table, table)
	if body.Len() == 0 {
		return replace
	}
	return fmt.Sprintf("%stable %s {\n%s}\n", replace, table, body.String())
}

func podsWithAddresses(state State) []pod {
	var pods []pod
	for _, object := range state.Pods {
		phase := object.Status.Phase
		if object.Spec.HostNetwork || phase == corev1.PodSucceeded || phase == corev1.PodFailed {
			continue
		}
		addresses, announced := state.Announced[string(object.UID)]
		if !announced {
			for _, ip := range object.Status.PodIPs {
				if address, err := netip.ParseAddr(ip.IP); err == nil {
					addresses = append(addresses, address)
				}
			}
		}
		if len(addresses) > 0 {
			pods = append(pods, pod{object, addresses})
		}
	}
	slices.SortFunc(pods, func(a, b pod) int { return a.addresses[0].Compare(b.addresses[0]) })
	return pods
}

func sortedPolicies(policies []*networkingv1.NetworkPolicy) []*networkingv1.NetworkPolicy {
	return slices.SortedFunc(slices.Values(policies), func(a, b *networkingv1.NetworkPolicy) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
}

func appliesTo(policy *networkingv1.NetworkPolicy, direction direction) bool {
	return slices.ContainsFunc(policy.Spec.PolicyTypes, func(kind networkingv1.PolicyType) bool {
		return strings.EqualFold(string(kind), direction.name)
	})
}

func selectedPods(policy *networkingv1.NetworkPolicy, pods []pod) []pod {
	selector := parseSelector(&policy.Spec.PodSelector)
	return filter(pods, func(pod pod) bool {
		return pod.Namespace == policy.Namespace && selector.Matches(labels.Set(pod.Labels))
	})
}

// parseSelector selects nothing for a selector that the API server should not have let in.
func parseSelector(selector *metav1.LabelSelector) labels.Selector {
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return labels.Nothing()
	}
	return parsed
}

// allowed is the list of matches of which each one is let through.
func allowed(policy *networkingv1.NetworkPolicy, direction direction, selected, pods []pod, namespaces map[string]labels.Set) []string {
	var lines []string
	add := func(peers []networkingv1.NetworkPolicyPeer, ports []networkingv1.NetworkPolicyPort, destinations []pod) {
		for _, peer := range peerMatches(peers, policy.Namespace, direction, pods, namespaces) {
			for _, port := range portMatches(ports, destinations) {
				if peer.family == 0 || port.family == 0 || peer.family == port.family {
					lines = append(lines, strings.Join(strings.Fields(peer.text+" "+port.text), " "))
				}
			}
		}
	}
	if direction.name == "ingress" {
		for _, rule := range policy.Spec.Ingress {
			add(rule.From, rule.Ports, selected)
		}
	} else {
		for _, rule := range policy.Spec.Egress {
			add(rule.To, rule.Ports, pods)
		}
	}
	return lines
}

func peerMatches(peers []networkingv1.NetworkPolicyPeer, namespace string, direction direction, pods []pod, namespaces map[string]labels.Set) []match {
	if len(peers) == 0 {
		return []match{{}}
	}
	var matches []match
	var addresses []netip.Addr
	for _, peer := range peers {
		if peer.IPBlock != nil {
			matches = append(matches, blockMatch(peer.IPBlock, direction)...)
			continue
		}
		inNamespace := func(name string) bool { return name == namespace }
		if peer.NamespaceSelector != nil {
			selector := parseSelector(peer.NamespaceSelector)
			inNamespace = func(name string) bool { return selector.Matches(namespaces[name]) }
		}
		selector := labels.Everything()
		if peer.PodSelector != nil {
			selector = parseSelector(peer.PodSelector)
		}
		for _, pod := range pods {
			if inNamespace(pod.Namespace) && selector.Matches(labels.Set(pod.Labels)) {
				addresses = append(addresses, pod.addresses...)
			}
		}
	}
	return append(matches, addressMatches(direction.remote, addresses)...)
}

func blockMatch(block *networkingv1.IPBlock, direction direction) []match {
	prefix, err := netip.ParsePrefix(block.CIDR)
	if err != nil {
		return nil
	}
	family, field := fieldOf(prefix.Addr(), direction.remote)
	text := fmt.Sprintf("%s %s", field, prefix.Masked())
	for _, exception := range block.Except {
		except, err := netip.ParsePrefix(exception)
		if err != nil {
			return nil
		}
		text += fmt.Sprintf(" %s != %s", field, except.Masked())
	}
	return []match{{text, family}}
}

// addressMatches is one match for each IP family that the addresses have.
func addressMatches(side string, addresses []netip.Addr) []match {
	sorted := slices.Compact(slices.SortedFunc(slices.Values(addresses), netip.Addr.Compare))
	var matches []match
	for _, v4 := range []bool{true, false} {
		var same []string
		for _, address := range sorted {
			if address.Is4() == v4 {
				same = append(same, address.String())
			}
		}
		if len(same) > 0 {
			family, field := fieldOf(netip.MustParseAddr(same[0]), side)
			matches = append(matches, match{fmt.Sprintf("%s { %s }", field, strings.Join(same, ", ")), family})
		}
	}
	return matches
}

func fieldOf(address netip.Addr, side string) (int, string) {
	if address.Is4() {
		return 4, "ip " + side
	}
	return 6, "ip6 " + side
}

func portMatches(ports []networkingv1.NetworkPolicyPort, destinations []pod) []match {
	if len(ports) == 0 {
		return []match{{}}
	}
	var matches []match
	for _, port := range ports {
		protocol := corev1.ProtocolTCP
		if port.Protocol != nil {
			protocol = *port.Protocol
		}
		name := strings.ToLower(string(protocol))
		switch {
		case port.Port == nil:
			matches = append(matches, match{text: "meta l4proto " + name})
		case port.Port.StrVal != "":
			matches = append(matches, namedPortMatches(port.Port.StrVal, protocol, destinations)...)
		case port.EndPort != nil:
			matches = append(matches, match{text: fmt.Sprintf("%s dport %d-%d", name, port.Port.IntVal, *port.EndPort)})
		default:
			matches = append(matches, match{text: fmt.Sprintf("%s dport %d", name, port.Port.IntVal)})
		}
	}
	return matches
}

// namedPortMatches looks the name up in the pods that the traffic may go to: each may mean another number by it.
func namedPortMatches(name string, protocol corev1.Protocol, destinations []pod) []match {
	addresses := map[int32][]netip.Addr{}
	var numbers []int32
	for _, pod := range destinations {
		for _, container := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
			for _, port := range container.Ports {
				if port.Name != name || port.Protocol != protocol {
					continue
				}
				if !slices.Contains(numbers, port.ContainerPort) {
					numbers = append(numbers, port.ContainerPort)
				}
				addresses[port.ContainerPort] = append(addresses[port.ContainerPort], pod.addresses...)
			}
		}
	}
	slices.Sort(numbers)
	var matches []match
	for _, number := range numbers {
		for _, to := range addressMatches("daddr", addresses[number]) {
			to.text += fmt.Sprintf(" %s dport %d", strings.ToLower(string(protocol)), number)
			matches = append(matches, to)
		}
	}
	return matches
}

func filter(pods []pod, keep func(pod) bool) []pod {
	var kept []pod
	for _, pod := range pods {
		if keep(pod) {
			kept = append(kept, pod)
		}
	}
	return kept
}
