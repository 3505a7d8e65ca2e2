package main

import (
	"errors"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/client-go/tools/cache"

	"kindproof.dev/network-policy/wire"
)

// anEnforcer knows aState's pods and keeps what it would have given to nft.
func anEnforcer(t *testing.T, apply func(string) error) *Enforcer {
	t.Helper()
	enforcer := newEnforcer("here", apply)
	enforcer.pods = cache.NewStore(cache.MetaNamespaceKeyFunc)
	enforcer.namespaces = cache.NewStore(cache.MetaNamespaceKeyFunc)
	enforcer.policies = cache.NewStore(cache.MetaNamespaceKeyFunc)
	state := aState(denyAll(networkingv1.PolicyTypeIngress))
	for _, pod := range state.Pods {
		_ = enforcer.pods.Add(pod)
	}
	_ = enforcer.policies.Add(state.Policies[0])
	return enforcer
}

func TestAppliesOnlyWhatChanged(t *testing.T) {
	var applied []string
	enforcer := anEnforcer(t, func(ruleset string) error { applied = append(applied, ruleset); return nil })
	for range 2 {
		if err := enforcer.Enforce(); err != nil {
			t.Fatal(err)
		}
	}
	if len(applied) != 1 {
		t.Errorf("applied %d times", len(applied))
	}
}

func TestTriesAgainWhatNftRefused(t *testing.T) {
	calls := 0
	enforcer := anEnforcer(t, func(string) error {
		calls++
		if calls == 1 {
			return errors.New("refused")
		}
		return nil
	})
	if enforcer.Enforce() == nil {
		t.Error("the first time has to fail")
	}
	if err := enforcer.Enforce(); err != nil || calls != 2 {
		t.Errorf("%v after %d calls", err, calls)
	}
}

func TestIsolatesAPodBeforeItStarts(t *testing.T) {
	var last string
	enforcer := anEnforcer(t, func(ruleset string) error { last = ruleset; return nil })
	starting := aPod("shop", "job", "here")
	_ = enforcer.pods.Add(starting)
	if err := enforcer.Announce(wire.Announcement{UID: string(starting.UID), Addresses: []string{"10.0.0.7"}}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(last, "10.0.0.7 : jump") {
		t.Error(last)
	}
	enforcer.forget(starting)
	if err := enforcer.Enforce(); err != nil || strings.Contains(last, "10.0.0.7") {
		t.Error(last)
	}
}
