package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
)

// chains are the chains of one direction: one for each policy, and one for each address of an isolated pod that asks its policies.
type chains struct {
	direction direction
	policies  strings.Builder
	addresses []netip.Addr
	owner     map[netip.Addr]string
	asks      map[netip.Addr][]string
}

func newChains(direction direction) *chains {
	return &chains{direction: direction, owner: map[netip.Addr]string{}, asks: map[netip.Addr][]string{}}
}

func (c *chains) add(index int, policy *networkingv1.NetworkPolicy, isolated []pod, allowed []string) {
	name := fmt.Sprintf("%s-policy-%d", c.direction.name, index)
	fmt.Fprintf(&c.policies, "  chain %s {\n    comment %s\n", name, comment(policy.Namespace, policy.Name))
	for _, match := range allowed {
		fmt.Fprintf(&c.policies, "    %s\n", strings.TrimSpace(match+" accept"))
	}
	c.policies.WriteString("  }\n")
	for _, pod := range isolated {
		for _, address := range pod.addresses {
			if c.owner[address] == "" {
				c.addresses = append(c.addresses, address)
			}
			c.owner[address] = comment(pod.Namespace, pod.Name)
			c.asks[address] = append(c.asks[address], name)
		}
	}
}

// render writes the chains in the order in which they refer to each other.
func (c *chains) render(body *strings.Builder) {
	if len(c.addresses) == 0 {
		return
	}
	slices.SortFunc(c.addresses, netip.Addr.Compare)
	body.WriteString(c.policies.String())
	jumps := map[string][]string{}
	for _, address := range c.addresses {
		chain := fmt.Sprintf("%s-%s", c.direction.name, strings.ReplaceAll(address.String(), ":", "-"))
		_, local := fieldOf(address, c.direction.local)
		_, remote := fieldOf(address, c.direction.remote)
		fmt.Fprintf(body, "  chain %s {\n    comment %s\n", chain, c.owner[address])
		// A pod may always talk to itself, through a Service as well.
		fmt.Fprintf(body, "    %s %s accept\n", remote, address)
		for _, policy := range c.asks[address] {
			fmt.Fprintf(body, "    jump %s\n", policy)
		}
		body.WriteString("    counter drop\n  }\n")
		jumps[local] = append(jumps[local], fmt.Sprintf("%s : jump %s", address, chain))
	}
	fmt.Fprintf(body, "  chain %s {\n    type filter hook forward priority %s; policy accept;\n", c.direction.name, c.direction.priority)
	body.WriteString("    ct state established,related accept\n")
	for _, field := range []string{"ip " + c.direction.local, "ip6 " + c.direction.local} {
		if len(jumps[field]) > 0 {
			fmt.Fprintf(body, "    %s vmap { %s }\n", field, strings.Join(jumps[field], ", "))
		}
	}
	body.WriteString("  }\n")
}

// comment says whose a chain is; nft allows 128 characters.
func comment(namespace, name string) string {
	text := namespace + "/" + name
	return fmt.Sprintf("%q", text[:min(len(text), 120)])
}
