package profile

import (
	"fmt"

	"headway/internal/model"
)

// Pick is a worker and the load at which it was chosen.
type Pick struct {
	Phase    Phase
	Mapping  model.Mapping
	GPUs     int
	KVTokens int
	Trial    Trial
	// Met says that the target was met; Warning what to know where it was not.
	Met     bool
	Warning string
	// Simulated says that no real engine was measured.
	Simulated bool
}

// AttentionDP is how many ranks share the worker's sequences.
func (p Pick) AttentionDP() int { return max(p.Mapping.AttentionDP(), 1) }

// RequestRate is how many requests per second a worker of the pick takes at the
// most: prompts of isl tokens for a prefill, replies of osl for a decode.
func (p Pick) RequestRate(isl, osl int) float64 {
	n := osl
	if p.Phase == Prefill {
		n = isl
	}
	return p.Trial.Throughput.Mean * float64(p.GPUs) / float64(n)
}

// SelectPhase chooses as Dynamo's profiler of 2025 does: of all points that
// meet the target (latency at most target, in seconds) the first with the
// highest throughput per GPU; where none does, the first with the lowest
// latency, with a warning. It is false where nothing was measured.
func SelectPhase(p Phase, outcomes []Outcome, target float64) (Pick, bool) {
	var best, nearest *Pick
	for _, o := range outcomes {
		c, err := o.Candidate()
		if err != nil || o.Status != Measured && o.Status != Dead {
			continue
		}
		for _, t := range o.Trials {
			pick := &Pick{Phase: p, Mapping: c.Mapping, GPUs: o.GPUs, KVTokens: o.KVTokens, Trial: t,
				Simulated: o.Simulated}
			if nearest == nil || nearer(p, t, nearest.Trial) {
				nearest = pick
			}
			if t.meets(p, target) && (best == nil || t.Throughput.Mean > best.Trial.Throughput.Mean) {
				best = pick
			}
		}
	}
	switch {
	case best != nil:
		best.Met = true
		return *best, true
	case nearest == nil:
		return Pick{}, false
	}
	nearest.Warning = fmt.Sprintf("no %s candidate meets the target %s of %.4g ms: the nearest, %s, has %.4g ms",
		p, latencyName(p), target*1e3, nearest.Mapping, nearest.Trial.latency(p).Mean*1e3)
	if nearest.Trial.Failed > 0 {
		nearest.Warning += " and failed requests"
	}
	return *nearest, true
}

// nearer reports whether a trial is nearer to a target that it misses than
// another: one in which no request failed, then the lower latency.
func nearer(p Phase, t, other Trial) bool {
	if (t.Failed > 0) != (other.Failed > 0) {
		return t.Failed == 0
	}
	return t.latency(p).Mean < other.latency(p).Mean
}

// latencyName is the latency that a phase's target bounds.
func latencyName(p Phase) string {
	if p == Prefill {
		return "TTFT"
	}
	return "ITL"
}
