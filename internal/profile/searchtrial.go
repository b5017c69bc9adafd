package profile

import "fmt"

// Trial is a load that was put on a candidate, and what came of it.
type Trial struct {
	// Concurrency is how many requests ran at a time.
	Concurrency int `json:"concurrency"`
	// TTFT and ITL are in seconds. A decode's TTFT is that of prompts that are
	// in the cache, and a prefill's ITL that of its few tokens.
	TTFT Figure `json:"ttft_s"`
	ITL  Figure `json:"itl_s,omitzero"`
	// Throughput is in tokens per second and GPU: prompt tokens of a prefill,
	// generated ones of a decode.
	Throughput Figure `json:"tokens_per_second_per_gpu"`
	// Failed is how many requests the engine failed. A failed request has an
	// infinite latency, so that the trial meets no target.
	Failed int `json:"failed_requests,omitempty"`
	// Seconds is what it took in the engine's time, warm-up included.
	Seconds float64 `json:"seconds"`
	// CountedBy is whose counts of tokens ITL and Throughput are made of, client
	// or server; empty of a simulated engine.
	CountedBy string `json:"tokens_counted_by,omitempty"`
	// Invalid says why a run of the trial is not valid, since the client was not
	// good enough for it; empty where all are.
	Invalid string `json:"invalid,omitempty"`
	// Basis says what the figures rest on; nil in files of earlier versions.
	Basis    *Basis   `json:"basis,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
	Observed
}

// latency is the one that the phase's target bounds.
func (t Trial) latency(p Phase) Figure {
	if p == Prefill {
		return t.TTFT
	}
	return t.ITL
}

// meets reports whether the trial keeps a phase's target (seconds).
func (t Trial) meets(p Phase, target float64) bool {
	return t.Failed == 0 && t.latency(p).Mean <= target
}

// keepsBoth reports whether the trial of whole requests keeps both targets.
func (t Trial) keepsBoth(target SLO) bool {
	return t.meets(Prefill, target.TTFT) && t.meets(Decode, target.ITL)
}

// lost counts requests that failed.
func (t *Trial) lost(failed, sent int, why string) {
	if failed > 0 {
		t.Failed += failed
		t.warn("%d of %d requests failed, so that the load meets no target: %s", failed, sent, why)
	}
}

// hear takes what there is to say of a run.
func (t *Trial) hear(p *probe, run *tally) {
	t.lost(run.sent-run.valid, run.sent, run.failure)
	for _, text := range run.remarks {
		t.warn("%s", text)
	}
	t.Invalid, t.Observed = p.said.invalid, p.said.observed.sum()
}

// loadName names so many requests at a time.
func loadName(n int) string { return fmt.Sprintf("c%d", n) }

func (t *Trial) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for _, w := range t.Warnings {
		if w == text {
			return
		}
	}
	t.Warnings = append(t.Warnings, text)
}
