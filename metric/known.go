package metric

import (
	"fmt"
	"slices"

	"headway/record"
)

// knownShare is the share of replies that must have a count for a sum of it to
// be the run's. Below it a sum, and every rate made of it, would be that of
// some replies over the time of all.
const knownShare = 0.99

// mostly reports whether n of all are enough for a sum over all.
func mostly(n, all int) bool { return float64(n) >= knownShare*float64(all) }

// countedOut reports whether anybody counted the reply's output tokens.
func countedOut(r *record.Record) bool { return r.TokensOut >= 0 || r.TokensReasoning >= 0 }

// summable reports whether the sum of a metric's values is that of the run: n
// is how many Records have one. Counts that servers leave out while they are
// zero are known wherever the reply has a usage at all.
func (c *Collector) summable(tag string, n int) bool {
	switch {
	case tag == "input_sequence_length":
		return mostly(n, c.totals.OK)
	case slices.Contains([]string{"output_sequence_length", "output_token_count", "reasoning_token_count"}, tag):
		return mostly(c.totals.OK-c.seen.uncountedOut, c.totals.OK)
	case tag == "error_isl":
		return mostly(n, c.totals.Errors)
	case slices.Contains([]string{"usage_prompt_tokens", "usage_completion_tokens", "usage_total_tokens"}, tag):
		return mostly(n, c.totals.OK)
	case slices.ContainsFunc(usageCounts[:], func(u usageCount) bool { return "usage_"+u.key == tag }):
		return mostly(c.seen.withUsage, c.totals.OK)
	}
	return true
}

// bothSides reports whether both sides counted the prompt and the completion.
func bothSides(r *record.Record) bool {
	_, prompt := usagePairs[0].diff(r)
	_, completion := usagePairs[1].diff(r)
	return prompt && completion
}

// lacks reports whether a valid Record has no value of a metric because an
// input of it was not recorded, and not because there is none: a reply of one
// token has no inter-token latency, one whose tokens nobody counted has one
// that nobody knows.
func lacks(r *record.Record, tag string, first func(*record.Record) int) bool {
	switch tag {
	case "inter_token_latency", "output_token_throughput_per_user":
		return !countedOut(r) || unread(r, first(r))
	case "output_sequence_length", "output_token_count", "e2e_output_token_throughput":
		return !countedOut(r)
	case "input_sequence_length", "prefill_throughput_per_user":
		return r.TokensIn < 0
	case "time_to_second_token":
		return r.Sparse
	}
	return false
}

// lack counts the replies of which an input of curves is not known.
type lack struct{ valid, input, output, sparse int }

func (l *lack) add(r *record.Record) {
	l.valid++
	if r.TokensIn < 0 {
		l.input++
	}
	if !countedOut(r) {
		l.output++
	}
	if r.Sparse {
		l.sparse++
	}
}

// in, out and chunks report whether prompts' tokens, replies' tokens and the
// times of chunks are known.
func (l *lack) in() bool     { return mostly(l.valid-l.input, l.valid) }
func (l *lack) out() bool    { return mostly(l.valid-l.output, l.valid) }
func (l *lack) chunks() bool { return l.sparse == 0 }

// counts notes what of a valid reply was not recorded.
func (e *evidence) counts(r *record.Record) {
	if r.TokensIn < 0 {
		e.uncountedIn++
	}
	if !countedOut(r) {
		e.uncountedOut++
	}
	if len(r.Usage) > 0 {
		e.withUsage++
	}
}

// absences say once why figures are missing.
func (e *evidence) absences(r *Result, warn func(bool, string, string, ...any)) {
	uncounted := max(e.uncountedIn, e.uncountedOut)
	left := "totals and rates of tokens are absent"
	if mostly(r.OK-uncounted, r.OK) {
		left = "totals and rates of tokens leave them out"
	}
	warn(uncounted > 0, "tokens_unknown",
		"nobody counted the output tokens of %d and the input tokens of %d of %d replies (where the server is to "+
			"count, it has to send usage): %s",
		e.uncountedOut, e.uncountedIn, r.OK, left)
	warn(e.sparse > 0, "sparse_arrivals",
		"only the first and the last token of a reply have times: time_to_second_token, inter_chunk_latency, "+
			"tokens_in_flight and curves of decode are absent (sim replay --token-arrivals keeps every token's time)")
	p := r.Pace
	rest := fmt.Sprintf("inter_token_latency and speed per user are of the other %d", p.Timed-p.Unread)
	switch {
	case e.kept:
		rest = "their inter_token_latency and speed per user, which aiperf's keys hold, mean nothing"
	case !p.Known():
		rest = "inter_token_latency and speed per user are not figures here and are absent"
	}
	warn(p.Unread > 0, "itl_collapsed",
		"%d of %d replies of several tokens came in too few reads to tell the pace of their tokens (fewer than %d "+
			"after the first, of more than %d tokens each), or in under %.0f µs a token; %s",
		p.Unread, p.Timed, fewReads, stepTokens, instant*1e6, rest)
	if why, yes := r.Meaningless("goodput"); yes {
		warn(true, "goodput_undecided", "%s, so that there is no goodput", why)
	}
}

// goodput reports whether a record meets the objectives, and counts it, or that
// it is not known.
func (c *Collector) goodput(r *record.Record) bool {
	met, undecided := c.options.good(r, c.goals)
	if met {
		c.totals.Good++
	}
	if undecided {
		c.totals.Undecided++
	}
	return met
}

// hides reports whether a figure is left out of the result.
func (c *Collector) hides(r *Result, tag string) bool {
	_, yes := r.Meaningless(tag)
	return yes && !c.options.AsAiperf
}
