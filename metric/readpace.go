package metric

import (
	"fmt"
	"slices"

	"headway/record"
)

// A reply's inter-token latency is the time from its first text to its last
// over the tokens between. That is the pace of the tokens only where the reads
// in which they came are spread over the decode like the tokens are. A server,
// a proxy or a busy client that holds text back delivers the rest of a reply
// in a read or two, and the quotient is then the time between two reads over
// however many tokens were held.
const (
	// fewReads is the number of reads after the first at which their ends say
	// the time of the tokens to a fifth, however many tokens each brought.
	fewReads = 5
	// stepTokens is the most tokens a read that a single step of an engine
	// can have made: drafts of speculative decoding are of up to seven.
	stepTokens = 8
	// instant is the inter-token latency in seconds below which it is that of a
	// buffer being emptied and not of a model: 25,000 tokens/s for one user,
	// where the fastest hardware known gives 17,000.
	instant = 40e-6
)

// unread reports whether a reply of several tokens came in too few reads, or
// too fast, to have an inter-token latency; first is the number of tokens that
// its first chunk is taken for. The arrivals of a Sparse Record are no reads.
func unread(r *record.Record, first int) bool {
	osl, ok := OSL(r)
	d, streamed := DecodeDuration(r)
	after := int(osl) - first
	if !ok || !streamed || osl < 2 || after <= 0 {
		return false
	}
	if d < instant*float64(after) {
		return true
	}
	if r.Sparse {
		return false
	}
	reads := textReads(r, fewReads+1) - 1
	return reads < fewReads && after > stepTokens*reads
}

// textReads is the number of reads that brought text, counted up to most: of a
// long reply nobody asks for all. Chunks of one read may have different times,
// since some are taken as each is looked at.
func textReads(r *record.Record, most int) int {
	reads, counted := 0, false
	for i := range r.Arrivals {
		if reads == most {
			break
		}
		a := &r.Arrivals[i]
		if !a.Coalesced {
			counted = false
		}
		if a.Kind.Text() && !counted {
			reads, counted = reads+1, true
		}
	}
	return reads
}

// ReadPace says of how many replies the pace of their tokens could be read.
type ReadPace struct {
	// Timed counts valid streamed replies of two tokens and more, Unread those
	// of them whose tokens after the first came in too few reads, or in no time.
	Timed, Unread int
}

// Add counts a Record; first is the number of tokens that its first chunk is
// taken for.
func (p *ReadPace) Add(r *record.Record, first int) {
	osl, ok := OSL(r)
	if _, streamed := DecodeDuration(r); !ok || !streamed || osl < 2 {
		return
	}
	p.Timed++
	if unread(r, first) {
		p.Unread++
	}
}

// Why says what is wrong with the replies whose pace is not known.
func (p ReadPace) Why() string {
	return fmt.Sprintf("%d of %d replies brought the tokens after their first in too few reads to tell their pace",
		p.Unread, p.Timed)
}

// Known reports whether more than half of the replies have a pace.
func (p ReadPace) Known() bool { return 2*p.Unread < p.Timed }

// pacedTags are the figures that say how fast tokens followed on each other.
var pacedTags = []string{
	"inter_token_latency", "adj_inter_token_latency", "output_token_throughput_per_user", "decode_speed_per_user",
	"active_decode_throughput", "active_decode_throughput_per_user", "effective_decode_throughput_per_user",
}

// Meaningless reports whether a figure says nothing in this result although
// its inputs are there, and why. Such a figure is in no Summary and no Scalar;
// whoever asks for one, a target or a search, has to leave the question open.
func (r *Result) Meaningless(tag string) (why string, yes bool) {
	switch {
	case slices.Contains(pacedTags, tag) && r.Pace.Timed > 0 && !r.Pace.Known():
		return r.Pace.Why(), true
	case slices.Contains(goodTags, tag) && r.Undecided > 0 && !mostly(r.OK-r.Undecided, r.OK):
		return fmt.Sprintf("for %d of %d replies it is not known whether they meet the goodput objectives",
			r.Undecided, r.OK), true
	}
	return "", false
}

// decoded sums up the decodes whose pace is known, exactly in any order.
type decoded struct {
	tokens int64 // after the first of each reply
	time   record.Time
	pace   ReadPace
}

// add counts a valid reply; first is the number of tokens that its first chunk
// is taken for.
func (d *decoded) add(r *record.Record, first int) {
	d.pace.Add(r, first)
	if _, ok := perToken(r, first); !ok {
		return
	}
	osl, _ := OSL(r)
	begin, _ := firstOf(r, anyText)
	d.tokens += int64(osl) - int64(first)
	d.time += lastText(r) - begin
}

// firstTokens is the number of tokens that a reply's first chunk is taken for.
func (o Options) firstTokens(r *record.Record) int {
	if o.PerChunkUsage && usageSplits(r) {
		return r.FirstUsage
	}
	return 1
}

// decodeSpeed is what one user gets while a reply is being decoded.
//
// The mean of output_token_throughput_per_user, aiperf's, is one of
// reciprocals: a single reply that came in a burst can own it. Here every token
// and every second of decode weighs alike.
func decodeSpeed() Metric {
	return rate(Metric{
		Tag: "decode_speed_per_user", Header: "Decode Speed Per User", Unit: "tokens/sec/user", Kind: Derived,
		Console: true, Streaming: true, Source: ours,
		Formula: "Σ(output_sequence_length − 1) / Σ decode_duration (seconds) of replies with an " +
			"inter_token_latency; with per-chunk usage completion_tokens at the first chunk in place of 1",
		Where: "readpace.go",
		derive: func(t *Totals) (float64, bool) {
			return float64(t.decoded.tokens) / seconds(t.decoded.time), t.decoded.time > 0 && t.decoded.pace.Known()
		},
	})
}
