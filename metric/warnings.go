package metric

import (
	"fmt"
	"strings"

	"headway/record"
)

// notable is the share of arrivals above which a weakness of their times is
// worth a warning.
const notable = 0.05

// evidence is what the warnings of a run rest on. It is sums, minima and
// maxima only, so that it does not depend on the order of records.
type evidence struct {
	prompt, completion gap
	arrivals           int // with text, of valid streamed replies
	coalesced, user    int
	whole              int // valid replies that should have streamed and did not
	unsplit            int // replies without usable usage at the first chunk
	skipped, garbled   int // chunks that were no JSON, and replies that had such
	output             int // replies whose output counts differ by more than a tenth
	decoded            decoded
	kept               bool // figures that the reads say nothing of are shown
	// replies that nobody counted tokens of, that have a usage of the server's,
	// and that have the times of their first and last text alone
	uncountedIn, uncountedOut, withUsage, sparse int
	tokens                                       tokenGap
	held                                         heldChunks
}

// gap is the range of server's count − ours.
type gap struct{ n, least, most int }

func (g *gap) add(d int) {
	if g.n == 0 {
		g.least, g.most = d, d
	}
	g.n++
	g.least, g.most = min(g.least, d), max(g.most, d)
}

// constant reports whether the difference is the same in at least two replies.
func (g *gap) constant() bool { return g.n > 1 && g.least == g.most }

func (e *evidence) add(r *record.Record, o Options) {
	if !Valid(r) {
		return
	}
	e.counts(r)
	if r.Skipped > 0 {
		e.skipped += r.Skipped
		e.garbled++
	}
	e.tokens.add(r, o)
	ours := clientOf(r)
	if server, ok := r.Usage["prompt_tokens"]; ok && ours.TokensIn >= 0 {
		e.prompt.add(server - ours.TokensIn)
	}
	if worst, ok := usageDiff(r, usagePairs[1:]); ok && worst > discrepancy {
		e.output++
	}
	if osl, ok := OSL(ours); ok {
		if server, ok := r.Usage["completion_tokens"]; ok {
			e.completion.add(server - int(osl))
		}
		if o.PerChunkUsage && osl > 1 && !usageSplits(r) {
			e.unsplit++
		}
	}
	if !r.Streamed {
		if o.Streaming {
			e.whole++
		}
		return
	}
	e.decoded.add(r, o.firstTokens(r))
	e.held.add(r)
	if r.Sparse {
		e.sparse++
		return
	}
	count, coalesced, user := arrivals(r)
	e.arrivals, e.coalesced, e.user = e.arrivals+count, e.coalesced+coalesced, e.user+user
}

// warnings are what a reader of the figures must know, in a fixed order.
func (e *evidence) warnings(r *Result, t Totals) []record.Warning {
	var list []record.Warning
	warn := func(when bool, code, format string, args ...any) {
		if when {
			list = append(list, record.Warning{Code: code, Text: fmt.Sprintf(format, args...)})
		}
	}
	if few := fewQuantiles(r.OK); r.OK > 0 && len(few) > 0 {
		replies := "1 reply"
		if r.OK > 1 {
			replies = fmt.Sprintf("%d replies", r.OK)
		}
		warn(true, "few_samples", "with %s %s of per-request metrics have fewer than %d values beyond them: send "+
			"more requests",
			replies, strings.Join(few, ", "), enough)
	}
	// Of a run that ended before its first reply there is nothing to warn of.
	if s := r.Steady; s != nil && s.Level > 0 && r.OK+r.Failed > 0 {
		warn(!s.Reached, "level_not_reached",
			"nine tenths of the asked concurrency of %d were never in flight: there is no steady part, and the "+
				"figures are of a lower load", s.Level)
	}
	warn(e.whole > 0, "not_streamed",
		"%d of %d replies did not come as a stream although one was asked for; they have no time to first token",
		e.whole, r.OK)
	warn(e.garbled > 0, "garbage_chunks",
		"%d chunks of %d replies were not JSON and were skipped: what they held is in no count", e.skipped, e.garbled)
	warn(e.unsplit > 0, "chunk_usage_missing",
		"%d replies have no usable usage at their first chunk; their inter-token latency is divided by the output "+
			"tokens less one", e.unsplit)
	e.tokenWarnings(r, t, warn)
	warn(t.Mismatched > 0, "osl_mismatch",
		"%d of %d replies miss the asked output length by more than 5 %% or 50 tokens: levels may not be comparable",
		t.Mismatched, t.Asked)
	warn(above(e.coalesced, e.arrivals), "shared_reads",
		"%.1f %% of chunks were read together with another: %s", percent(e.coalesced, e.arrivals),
		sharedReads(r.Chunks))
	if w, found := e.held.warning(); found {
		list = append(list, w)
	}
	e.absences(r, warn)
	warn(r.Chunks.Error > 0, "gaps_counted",
		"the run has %d gaps between chunks, more than the %d that are kept: quantiles of inter_chunk_latency are "+
			"of a histogram and within %.4f %%, and curves of decode and of tokens in flight spread a reply's "+
			"tokens over its decode as a whole",
		r.Chunks.Gaps, GapLimit, 100*r.Chunks.Error)
	warn(above(e.user, e.arrivals), "user_stamps",
		"%.1f %% of chunks have the time of their read and not that of the kernel's receipt: client load "+
			"can delay them", percent(e.user, e.arrivals))
	return list
}

// sharedReads says what reading chunks together does to the figures.
func sharedReads(c Chunks) string {
	if c.Rule == ChunkSpread {
		return fmt.Sprintf("the times of %d were spread evenly up to the read, so that inter_chunk_latency is in "+
			"part assumed", c.Spread)
	}
	return "their gaps are shorter than on the wire, and inter_chunk_latency is of the reads"
}

// tokenWarnings compare both sides' counts.
func (e *evidence) tokenWarnings(r *Result, t Totals, warn func(bool, string, string, ...any)) {
	template := e.prompt.constant() && e.prompt.least > 0
	warn(template, "template_tokens",
		"the server counts %d prompt tokens more than the prompt's text has in every request: the chat "+
			"template's share", e.prompt.least)
	warn(e.prompt.least != e.prompt.most, "usage_prompt_varies",
		"the server's prompt tokens differ from ours by %+d to %+d: the tokenizer may not be the server's",
		e.prompt.least, e.prompt.most)
	if r.Tokens.Source == TokensServer {
		return // that ours differ from them makes no figure wrong
	}
	warn(e.completion.constant() && e.completion.least != 0, "completion_offset",
		"the server counts %+d output tokens beside ours in every request: %s", e.completion.least,
		offsetCause(e.completion.least))
	warn(e.completion.least != e.completion.most, "usage_completion_varies",
		"the server's output tokens differ from ours by %+d to %+d: the tokenizer may not be the server's, or text "+
			"does not encode to the tokens that made it",
		e.completion.least, e.completion.most)
	// A template is a large share of a short prompt and no fault of the counts.
	off := t.Discrepant
	if template {
		off = e.output
	}
	warn(off > 0, "usage_discrepancy",
		"the server's token counts differ from ours by more than 10 %% in %d of %d requests", off, t.Compared)
}

// offsetCause is the likely cause of a difference that is the same in every
// reply. One or two tokens are the marks around a reply; no model writes more of
// them.
func offsetCause(tokens int) string {
	if tokens >= -2 && tokens <= 2 {
		return "most often the end mark"
	}
	return "the tokenizer may not be the server's, or it counts what is not in the text, such as reasoning"
}

// fewQuantiles names the quantiles that n values are too few for.
func fewQuantiles(n int) []string {
	var names []string
	for _, p := range percents {
		if n*min(p, 100-p) < 100*enough {
			names = append(names, fmt.Sprintf("p%d", p))
		}
	}
	return names
}

func above(part, whole int) bool { return float64(part) > notable*float64(whole) }

func percent(part, whole int) float64 { return 100 * float64(part) / float64(max(1, whole)) }
