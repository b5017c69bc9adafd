package router

import (
	"errors"
	"math"
	"strings"
	"testing"

	"headway/workload"
)

func TestDefaultsAreValid(t *testing.T) {
	if err := Defaults().Validate(); err != nil {
		t.Error(err)
	}
}

func TestValidateListsEveryFault(t *testing.T) {
	c := Config{
		Mode: 99, OverlapScoreCredit: -0.5, CreditDecay: -1, HostCredit: -0.1, DiskCredit: math.NaN(),
		PrefillLoadScale: math.Inf(1),
		RequestWeight:    -1, Temperature: math.NaN(), PruneTarget: 1.1, TrackOutputBlocks: true, QueueThreshold: 1,
		QueuePolicy: 9,
	}
	_, err := New(c)
	if err == nil {
		t.Fatal("no error")
	}
	for _, option := range []string{
		"router-mode", "workers", "block-size", "router-kv-overlap-score-credit ",
		"router-kv-overlap-score-credit-decay",
		"router-host-cache-hit-weight", "router-disk-cache-hit-weight", "router-prefill-load-scale",
		"router-decode-active-request-weight",
		"router-temperature", "router-ttl-secs", "router-max-tree-size", "router-prune-target-ratio",
		"router-track-output-blocks",
		"max-num-batched-tokens", "router-queue-policy",
	} {
		if !strings.Contains(err.Error(), option) {
			t.Errorf("%s is not named in:\n%v", option, err)
		}
	}
	if got := strings.Count(err.Error(), "\n") + 1; got != 16 {
		t.Errorf("%d faults, want 16:\n%v", got, err)
	}
}

func TestValidateQueueNeedsPrefill(t *testing.T) {
	c := Defaults()
	c.TrackPrefillTokens = false
	if err := c.Validate(); err != nil {
		t.Errorf("round-robin has no queue: %v", err)
	}
	c.Mode, c.QueueThreshold = KV, AnyPrefill
	if err := c.Validate(); err == nil {
		t.Error("a queue that can never hold anything is taken")
	}
	c.QueueThreshold = 0
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}

func TestNames(t *testing.T) {
	for m := RoundRobin; m <= KV; m++ {
		var back Mode
		if text, err := m.MarshalText(); err != nil || back.UnmarshalText(text) != nil || back != m {
			t.Errorf("%v comes back as %v", m, back)
		}
	}
	for p := FCFS; p <= WSPT; p++ {
		var back QueuePolicy
		if text, err := p.MarshalText(); err != nil || back.UnmarshalText(text) != nil || back != p {
			t.Errorf("%v comes back as %v", p, back)
		}
	}
	if m, err := ParseMode("power_of_two"); err != nil || m != PowerOfTwo {
		t.Errorf("power_of_two: %v, %v", m, err)
	}
	if _, err := ParseMode("device-aware-weighted"); !errors.Is(err, workload.ErrNotBuilt) {
		t.Errorf("device-aware-weighted: %v, want one that says it is not built", err)
	}
	for _, s := range []string{"", "KV", "kv-aware"} {
		if _, err := ParseMode(s); err == nil || !strings.Contains(err.Error(), "least-loaded") {
			t.Errorf("mode %q: %v, want an error that names the modes", s, err)
		}
	}
	if _, err := ParseQueuePolicy("lifo"); err == nil {
		t.Error("policy lifo is taken")
	}
	if got := Mode(77).String(); got != "Mode(77)" {
		t.Error(got)
	}
}

func TestRouteRefuses(t *testing.T) {
	c := mode(Direct, 3)
	r := mustNew(t, c)
	mustRoute(t, r, Request{ID: 7, Tokens: 1})
	for name, q := range map[string]Request{
		"runs already":       {ID: 7, Tokens: 1},
		"prompt of 0 tokens": {ID: 1},
		"16777217 tokens":    {ID: 1, Tokens: workload.MaxTokens + 1},
		"full blocks only":   {ID: 1, Tokens: 127, Blocks: chain(1, 2)},
		"expected output":    {ID: 1, Tokens: 1, ExpectedOutput: -1},
		"priority of NaN":    {ID: 1, Tokens: 1, Priority: math.NaN()},
		"priority of +Inf":   {ID: 1, Tokens: 1, Priority: math.Inf(1)},
		"from 0 to 2":        {ID: 1, Tokens: 1, Direct: 3},
		"not -1":             {ID: 1, Tokens: 1, Direct: -1},
	} {
		if d, err := r.Route(0, q); err == nil || !strings.Contains(err.Error(), name) || d.Worker != -1 {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
	if r.Load(0).Requests != 1 || len(r.known) != 1 {
		t.Error("a refused request is counted")
	}
}
