package cluster

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// hints are what a request says to the router in its body's nvext object, as
// Dynamo reads it.
type hints struct {
	// priority is how many seconds the request jumps ahead in the queue:
	// agent_hints.priority, in older releases latency_sensitivity.
	priority float64
	// output is agent_hints.osl, the length that the reply will have; 0 is
	// not known.
	output int
	// worker is backend_instance_id, the worker to send the request to; -1
	// is none. (Dynamo's ids are opaque; here they are the workers' numbers.)
	worker int
	// ignoreEOS is ignore_eos. A simulated model never stops early, so it
	// changes nothing.
	ignoreEOS bool
	// tellWorkers and tellTiming say that extra_fields asks for them in the reply.
	tellWorkers, tellTiming bool
	// class is the policy family that the request asks for: the header
	// X-Dynamo-Meta-Policy-Class, which no body has.
	class string
}

// parseHints reads the nvext member of a JSON object. What is not there is not
// hinted.
func parseHints(body []byte) (hints, error) {
	h := hints{worker: -1}
	if len(body) == 0 {
		return h, nil
	}
	var b struct {
		NVExt *struct {
			IgnoreEOS  *bool    `json:"ignore_eos"`
			Instance   *uint64  `json:"backend_instance_id"`
			Tell       []string `json:"extra_fields"`
			AgentHints *struct {
				Priority    *float64 `json:"priority"`
				Sensitivity *float64 `json:"latency_sensitivity"`
				OSL         *int     `json:"osl"`
			} `json:"agent_hints"`
		} `json:"nvext"`
	}
	if err := json.Unmarshal(body, &b); err != nil {
		return h, fmt.Errorf("reading nvext: %w", err)
	}
	x := b.NVExt
	if x == nil {
		return h, nil
	}
	if x.Instance != nil {
		if *x.Instance > math.MaxInt32 {
			return h, fmt.Errorf("nvext.backend_instance_id %d: workers are numbered from 0", *x.Instance)
		}
		h.worker = int(*x.Instance)
	}
	h.tellWorkers, h.tellTiming = slices.Contains(x.Tell, tellWorkers), slices.Contains(x.Tell, tellTiming)
	h.ignoreEOS = x.IgnoreEOS != nil && *x.IgnoreEOS
	if a := x.AgentHints; a != nil {
		if a.Sensitivity != nil {
			h.priority = *a.Sensitivity
		}
		if a.Priority != nil {
			h.priority = *a.Priority
		}
		if a.OSL != nil && *a.OSL > 0 {
			h.output = *a.OSL
		}
	}
	return h, nil
}

// apply puts the hints into a job.
func (h hints) apply(j *job) {
	j.route.Priority, j.route.ExpectedOutput, j.route.Direct = h.priority, h.output, h.worker
	j.route.Class = h.class
	j.priority = int(max(-1e9, min(h.priority, 1e9)))
}
