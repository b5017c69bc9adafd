package study

import (
	"testing"

	"headway/internal/cluster"
	"headway/internal/router"
	"headway/record"
	"headway/workload"
)

// Priorities on a simulated cluster without a queue are said to be idle, and those
// that have one are not.
func TestIdlePriorities(t *testing.T) {
	kv := func(threshold float64, scheduling bool) cluster.Config {
		c := cluster.Defaults()
		c.Workers, c.Router.Mode, c.Router.QueueThreshold = 2, router.KV, threshold
		c.PriorityScheduling = scheduling
		return c
	}
	robin := kv(1, false)
	robin.Router.Mode = router.RoundRobin
	const hint, none = `{"nvext":{"agent_hints":{"priority":3}}}`, `{"nvext":{"agent_hints":{"priority":0,"osl":4}}}`
	for name, tt := range map[string]struct {
		cluster cluster.Config
		extra   string
		idle    bool
	}{
		"off": {kv(0, false), hint, true}, "a queue": {kv(1, false), hint, false},
		"workers": {kv(0, true), hint, false},
		"not kv":  {robin, hint, true}, "no priority": {kv(0, false), none, false},
		"no hints":   {kv(0, false), "", false},
		"older name": {kv(0, false), `{"nvext":{"agent_hints":{"latency_sensitivity":0.5}}}`, true},
	} {
		src := func(yield func(workload.Request, error) bool) {
			yield(workload.Request{Session: "s", Turns: 1, Prompt: workload.Prompt{Tokens: 70}, OutputTokens: 2,
				Extra: []byte(tt.extra)}, nil)
		}
		s := Simulation{Cluster: tt.cluster, Plan: workload.Plan{Source: src, Concurrency: 1},
			Header: record.Header{ID: "x"}}
		rep, err := s.Run(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		idle := false
		for _, w := range rep.Run.Warnings {
			idle = idle || w.Code == "priorities_idle"
		}
		if idle != tt.idle {
			t.Errorf("%s: %+v", name, rep.Run.Warnings)
		}
	}
}
