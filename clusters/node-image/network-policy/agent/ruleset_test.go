package main

import (
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

var (
	udp     = corev1.ProtocolUDP
	http    = intstr.FromInt32(80)
	named   = intstr.FromString("web")
	endPort = int32(90)
	appIs   = func(app string) *metav1.LabelSelector {
		return &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}}
	}
	teamIs = func(team string) *metav1.LabelSelector {
		return &metav1.LabelSelector{MatchLabels: map[string]string{"team": team}}
	}
	anything = &metav1.LabelSelector{}
)

func aPod(namespace, app, node string, ips ...string) *corev1.Pod {
	pod := &corev1.Pod{}
	pod.Namespace, pod.Name, pod.UID = namespace, app, types.UID(namespace+"-"+app)
	pod.Labels = map[string]string{"app": app}
	pod.Spec.NodeName = node
	pod.Spec.Containers = []corev1.Container{{Ports: []corev1.ContainerPort{{Name: "web", ContainerPort: 8080, Protocol: corev1.ProtocolTCP}}}}
	for _, ip := range ips {
		pod.Status.PodIPs = append(pod.Status.PodIPs, corev1.PodIP{IP: ip})
	}
	return pod
}

// aState has two pods of namespace shop, one of them here, and a client in namespace web.
func aState(policies ...*networkingv1.NetworkPolicy) State {
	return State{
		Node: "here",
		Pods: []*corev1.Pod{
			aPod("shop", "db", "here", "10.0.0.1", "fd00::1"),
			aPod("shop", "api", "there", "10.0.1.1"),
			aPod("web", "client", "there", "10.0.1.2"),
		},
		Namespaces: map[string]labels.Set{"shop": {"team": "a"}, "web": {"team": "b"}},
		Policies:   policies,
	}
}

func ingress(from []networkingv1.NetworkPolicyPeer, ports ...networkingv1.NetworkPolicyPort) *networkingv1.NetworkPolicy {
	policy := denyAll(networkingv1.PolicyTypeIngress)
	policy.Spec.Ingress = []networkingv1.NetworkPolicyIngressRule{{From: from, Ports: ports}}
	return policy
}

func egress(to []networkingv1.NetworkPolicyPeer, ports ...networkingv1.NetworkPolicyPort) *networkingv1.NetworkPolicy {
	policy := denyAll(networkingv1.PolicyTypeEgress)
	policy.Spec.Egress = []networkingv1.NetworkPolicyEgressRule{{To: to, Ports: ports}}
	return policy
}

func denyAll(kinds ...networkingv1.PolicyType) *networkingv1.NetworkPolicy {
	policy := &networkingv1.NetworkPolicy{}
	policy.Namespace, policy.Name = "shop", "policy"
	policy.Spec.PolicyTypes = kinds
	return policy
}

// accepted is what the only policy of a ruleset lets through.
func accepted(ruleset string) []string {
	_, chain, _ := strings.Cut(ruleset, "-policy-0 {\n")
	chain, _, _ = strings.Cut(chain, "  }\n")
	var lines []string
	for _, line := range strings.Split(chain, "\n") {
		if text, ok := strings.CutSuffix(strings.TrimSpace(line), "accept"); ok {
			lines = append(lines, strings.TrimSpace(text))
		}
	}
	return lines
}

func TestRules(t *testing.T) {
	block := func(cidr string, except ...string) networkingv1.NetworkPolicyPeer {
		return networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: cidr, Except: except}}
	}
	pods := func(pod, namespace *metav1.LabelSelector) networkingv1.NetworkPolicyPeer {
		return networkingv1.NetworkPolicyPeer{PodSelector: pod, NamespaceSelector: namespace}
	}
	peers := func(peers ...networkingv1.NetworkPolicyPeer) []networkingv1.NetworkPolicyPeer { return peers }
	port := func(port *intstr.IntOrString) networkingv1.NetworkPolicyPort {
		return networkingv1.NetworkPolicyPort{Port: port}
	}

	for name, test := range map[string]struct {
		policy *networkingv1.NetworkPolicy
		want   []string
	}{
		"an empty rule allows everything":         {ingress(nil), []string{""}},
		"a pod of the policy's own namespace":     {ingress(peers(pods(appIs("api"), nil))), []string{"ip saddr { 10.0.1.1 }"}},
		"a pod elsewhere needs its namespace":     {ingress(peers(pods(appIs("client"), nil))), nil},
		"a namespace by its labels":               {ingress(peers(pods(nil, teamIs("b")))), []string{"ip saddr { 10.0.1.2 }"}},
		"a pod in a namespace, both have to fit":  {ingress(peers(pods(appIs("client"), teamIs("a")))), nil},
		"every pod of the cluster, both families": {ingress(peers(pods(nil, anything))), []string{"ip saddr { 10.0.0.1, 10.0.1.1, 10.0.1.2 }", "ip6 saddr { fd00::1 }"}},
		"egress looks at the destination":         {egress(peers(pods(appIs("api"), nil)), port(&http)), []string{"ip daddr { 10.0.1.1 } tcp dport 80"}},
		"addresses outside the cluster":           {egress(peers(block("172.18.0.7/16", "172.18.0.1/32"))), []string{"ip daddr 172.18.0.0/16 ip daddr != 172.18.0.1/32"}},
		"a block of IPv6":                         {egress(peers(block("fd01::/64"))), []string{"ip6 daddr fd01::/64"}},
		"ports alone":                             {ingress(nil, port(&http), networkingv1.NetworkPolicyPort{Protocol: &udp}), []string{"tcp dport 80", "meta l4proto udp"}},
		"a range of ports":                        {ingress(nil, networkingv1.NetworkPolicyPort{Port: &http, EndPort: &endPort}), []string{"tcp dport 80-90"}},
		"a named port of the pods themselves":     {ingress(peers(block("10.9.0.0/16")), port(&named)), []string{"ip saddr 10.9.0.0/16 ip daddr { 10.0.0.1, 10.0.1.1 } tcp dport 8080"}},
		"a named port of the pods called":         {egress(peers(pods(appIs("api"), nil)), port(&named)), []string{"ip daddr { 10.0.1.1 } ip daddr { 10.0.0.1, 10.0.1.1, 10.0.1.2 } tcp dport 8080"}},
	} {
		t.Run(name, func(t *testing.T) {
			ruleset := Ruleset(aState(test.policy))
			if got := accepted(ruleset); strings.Join(got, "\n") != strings.Join(test.want, "\n") {
				t.Errorf("got %q, want %q in\n%s", got, test.want, ruleset)
			}
			nftAccepts(t, ruleset)
		})
	}
}

// nftAccepts lets nft read the rules without putting them into force, where there is an nft that may.
func nftAccepts(t *testing.T, ruleset string) {
	t.Helper()
	if exec.Command("nft", "list", "tables").Run() != nil {
		return
	}
	command := exec.Command("nft", "--check", "-f", "-")
	command.Stdin = strings.NewReader(ruleset)
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("nft: %s\n%s", output, ruleset)
	}
}

func TestNoTableWithoutAnIsolatedPodOfThisNode(t *testing.T) {
	elsewhere := aState(denyAll(networkingv1.PolicyTypeIngress))
	elsewhere.Node = "there is no pod of shop"
	hostNetwork := aState(denyAll(networkingv1.PolicyTypeIngress))
	hostNetwork.Pods[0].Spec.HostNetwork = true
	ended := aState(denyAll(networkingv1.PolicyTypeIngress))
	ended.Pods[0].Status.Phase = corev1.PodSucceeded
	for name, state := range map[string]State{"no policy": aState(), "another node": elsewhere, "host network": hostNetwork, "ended": ended} {
		if ruleset := Ruleset(state); strings.Contains(ruleset, "chain") || !strings.Contains(ruleset, "delete table") {
			t.Errorf("%s:\n%s", name, ruleset)
		}
	}
}

func TestIsolatesOnlyTheDirectionsThatThePolicyNames(t *testing.T) {
	ruleset := Ruleset(aState(denyAll(networkingv1.PolicyTypeEgress)))
	if !strings.Contains(ruleset, "ip saddr vmap { 10.0.0.1 : jump egress-10.0.0.1 }") || strings.Contains(ruleset, "ingress") {
		t.Error(ruleset)
	}
	both := Ruleset(aState(denyAll(networkingv1.PolicyTypeEgress, networkingv1.PolicyTypeIngress)))
	if strings.Count(both, "type filter hook forward") != 2 || strings.Count(both, "counter drop") != 4 {
		t.Error(both)
	}
}

func TestAnyPolicyMayAllow(t *testing.T) {
	allow, deny := ingress(nil), denyAll(networkingv1.PolicyTypeIngress)
	deny.Name = "another"
	ruleset := Ruleset(aState(allow, deny))
	want := "    jump ingress-policy-0\n    jump ingress-policy-1\n    counter drop\n"
	if !strings.Contains(ruleset, want) {
		t.Error(ruleset)
	}
	nftAccepts(t, ruleset)
}

func TestAnnouncedAddressesReplaceWhatTheStatusSays(t *testing.T) {
	state := aState(denyAll(networkingv1.PolicyTypeIngress))
	state.Announced = map[string][]netip.Addr{"shop-db": {netip.MustParseAddr("10.0.0.9")}}
	ruleset := Ruleset(state)
	if !strings.Contains(ruleset, "ip daddr vmap { 10.0.0.9 : jump ingress-10.0.0.9 }") || strings.Contains(ruleset, "10.0.0.1") {
		t.Error(ruleset)
	}
}
