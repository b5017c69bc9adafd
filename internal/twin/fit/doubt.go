package fit

import (
	"fmt"

	"headway/record"
)

// Shares of requests, and of prompt tokens, from which on a load is doubted.
const (
	fewLost   = 0.01
	fewCached = 0.05
)

// isWhole says that a request is one that a fit compares.
func isWhole(r *record.Record) bool {
	return r.Outcome == record.OK && r.Streamed && len(r.Arrivals) > 0
}

// doubt says why a load is not quite what a simulation of it will be: in holds what
// the file says beside its Records.
func (l *Load) doubt(all []*record.Record, in *record.Reader) {
	say := func(format string, args ...any) { l.Doubts = append(l.Doubts, fmt.Sprintf(format, args...)) }
	if lost := sent(all) - len(l.Requests); float64(lost) > fewLost*float64(sent(all)) {
		say("%d of %d requests have no whole streamed reply; they were on the server, and the simulation is without "+
			"them", lost, sent(all))
	}
	if share := cachedShare(all); share > fewCached {
		say("%.0f %% of the prompt tokens were in the server's cache; the simulation computes them", 100*share)
	}
	if n, faults := in.Skipped(); n > 0 {
		say("%d lines could not be read, the first: %v", n, faults[0])
	}
	t, ended := in.Trailer()
	switch {
	case !ended:
		say("the run did not come to its end")
	case t.Audit != nil && t.Audit.Verdict == record.AuditInvalid:
		say("the client was the bottleneck, by the verdict of the run")
	}
}

// sent is how many requests reached for the server.
func sent(all []*record.Record) int {
	n := 0
	for _, r := range all {
		if r.Outcome != record.Dropped {
			n++
		}
	}
	return n
}

// cachedShare is the share of prompt tokens that the server found in its cache, as
// far as it says so.
func cachedShare(all []*record.Record) float64 {
	cached, prompt := 0, 0
	for _, r := range all {
		if isWhole(r) {
			in, _, _ := r.ServerTokens()
			cached, prompt = cached+max(r.Usage["prompt_cache_read_tokens"], 0), prompt+max(in, 0)
		}
	}
	return float64(cached) / float64(max(prompt, 1))
}
