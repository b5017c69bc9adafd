package restate

import (
	"headway/record"
)

// kept is what a tool keeps of requests, times in seconds.
type kept struct {
	// sent is how many requests there are, ok those that the tool calls successful.
	sent, ok int
	// begin and end bound the tool's duration: the first start and the last end by its
	// definitions; 0 where there was none.
	begin, end record.Time
	// opened and closed are the first start and the last end of all requests that were
	// sent.
	opened, closed record.Time
	// final is the end of the request that was sent last.
	last, final record.Time
	in, out     float64 // tokens, as the tool counts them
	of          map[string][]float64
	spans       []span

	// Of all replies that were answered:
	sparse, whole, merged, chunks int
	roles, tails, uncounted       int
}

// span is a successful request in flight.
type span struct{ from, to record.Time }

func newKept() *kept { return &kept{of: map[string][]float64{}} }

// seen counts what is peculiar about a request, whatever the tool.
func (k *kept) seen(r *record.Record) {
	k.sent++
	if r.Outcome != record.OK {
		return
	}
	switch {
	case !r.Streamed:
		k.whole++
	case r.Sparse:
		k.sparse++
	}
	for i, a := range events(r) {
		switch {
		case a.Kind.Text():
			k.chunks++
			if a.Coalesced {
				k.merged++
			}
		case a.Kind == record.Usage:
		case i == 0:
			k.roles++
		default:
			k.tails++
		}
	}
}

// events are the chunks of a reply without the end marker of its stream ([DONE]), which
// is the last arrival there and carries nothing.
func events(r *record.Record) []record.Arrival {
	n := len(r.Arrivals)
	if r.Streamed && n > 0 && r.Arrivals[n-1].Kind == 0 {
		return r.Arrivals[:n-1]
	}
	return r.Arrivals
}

// put keeps a value.
func (k *kept) put(name string, v float64) { k.of[name] = append(k.of[name], v) }

// bound widens the tool's duration.
func (k *kept) bound(from, to record.Time) {
	if k.begin == 0 || from < k.begin {
		k.begin = from
	}
	k.end = max(k.end, to)
}

// frame widens the time of all requests.
func (k *kept) frame(r *record.Record) {
	if r.Start == 0 {
		return // not sent
	}
	if k.opened == 0 || r.Start < k.opened {
		k.opened = r.Start
	}
	k.closed = max(k.closed, ended(r))
}

// seconds is the tool's duration.
func (k *kept) seconds() float64 { return since(k.begin, k.end) }

// failed is how many requests were not successful.
func (k *kept) failed() int { return k.sent - k.ok }

// since is the time from a to b in seconds.
func since(a, b record.Time) float64 { return float64(b-a) / 1e9 }

// ended is when nothing more came of a request: the end marker of a stream or of the
// body, and of a reply without either its last chunk.
func ended(r *record.Record) record.Time {
	switch {
	case r.Done.Known():
		return r.Done
	case len(r.Arrivals) > 0:
		return r.Arrivals[len(r.Arrivals)-1].At
	}
	return r.Start
}

// marked is when the end marker of a stream came, after which a client may stop reading;
// of a reply without one, when it ended.
func marked(r *record.Record) record.Time {
	if n := len(r.Arrivals); n > len(events(r)) {
		return r.Arrivals[n-1].At
	}
	return ended(r)
}

// withText are the times of chunks that carried text of any of the kinds.
func withText(r *record.Record, kinds record.Kind) (all []record.Time) {
	for _, a := range r.Arrivals {
		if a.Kind&kinds != 0 {
			all = append(all, a.At)
		}
	}
	return all
}

const (
	anyText   = record.Content | record.Reasoning | record.ToolCall
	noTools   = record.Content | record.Reasoning
	onlyReply = record.Content
)

// withChoices are the times of chunks whose choices are not empty: those with text, that
// with the role alone, that with the finish_reason alone. A chunk with usage and no text
// has none, as servers that follow OpenAI's API send it.
func withChoices(r *record.Record) (all []record.Time) {
	for _, a := range events(r) {
		if a.Kind != record.Usage {
			all = append(all, a.At)
		}
	}
	return all
}

// gaps keeps the times between chunks, those of a reply of which all are known.
func (k *kept) gaps(name string, r *record.Record, at []record.Time) {
	if r.Sparse || !r.Streamed {
		return
	}
	for i := 1; i < len(at); i++ {
		k.put(name, since(at[i-1], at[i]))
	}
}

// serverSaid is a count of the server's usage; false where it said none.
func serverSaid(r *record.Record, name string) (float64, bool) {
	n, ok := r.Usage[name]
	return float64(n), ok
}

// clientCount is how many output tokens this side counted; false where nobody did.
func clientCount(r *record.Record) (float64, bool) {
	if r.TokensOut < 0 && r.TokensReasoning < 0 {
		return 0, false
	}
	return float64(max(0, r.TokensOut) + max(0, r.TokensReasoning)), true
}

// tokensIn and tokensOut are the server's count, else this side's.
func tokensIn(r *record.Record) float64 {
	if n, ok := serverSaid(r, "prompt_tokens"); ok {
		return n
	}
	return float64(max(0, r.TokensIn))
}

func (k *kept) tokensOut(r *record.Record) float64 {
	if n, ok := serverSaid(r, "completion_tokens"); ok {
		return n
	}
	return k.counted(r)
}

// counted is this side's count of output tokens, 0 where nobody counted.
func (k *kept) counted(r *record.Record) float64 {
	n, ok := clientCount(r)
	if !ok {
		k.uncounted++
	}
	return n
}
