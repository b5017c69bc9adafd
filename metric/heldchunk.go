package metric

import (
	"fmt"

	"headway/record"
)

// A first token can be held back on its way: a server with Nagle's algorithm on
// that writes the head of a reply apart from its first chunk keeps the chunk
// until the head is acknowledged, and whoever reads may wait 40 ms with that
// once the connection has carried a request (RFC 1122, 4.2.3.2; Linux's
// TCP_ATO_MIN). The next tokens then come in the same read. Our own side
// acknowledges at once where it can (wire.Dialer); a proxy between need not, nor
// other systems than Linux.
const (
	heldShare     = 0.2 // of the replies, from which on it is worth a warning
	heldLeast     = 0.020
	delayedAckMin = 0.035 // seconds
	delayedAckMax = 0.060
	heldFresh     = 5 // replies on new connections, from which on they are evidence
)

// heldChunks counts replies whose first token came together with the next one,
// well after the head.
type heldChunks struct{ reused, fresh heldCount }

type heldCount struct{ n, held, timed int }

func (h *heldChunks) add(r *record.Record) {
	first, reads := firstRead(r)
	if reads < 2 {
		return // whatever came in one piece
	}
	c := &h.fresh
	if r.HTTP.Reused {
		c = &h.reused
	}
	c.n++
	gap, ok := between(r.Ack, r.Arrivals[first].At)
	next := first + 1
	if !ok || gap < heldLeast || !r.Arrivals[next].Coalesced {
		return
	}
	c.held++
	if gap >= delayedAckMin && gap <= delayedAckMax {
		c.timed++
	}
}

// HeldFirstChunks is in how many of the replies the first token came together with
// the next one, as long after the head as an acknowledgement may be delayed.
func HeldFirstChunks(replies []*record.Record) int {
	var h heldChunks
	for _, r := range replies {
		h.add(r)
	}
	return h.reused.timed + h.fresh.timed
}

// firstRead is the first arrival with text, and in how many reads text came.
func firstRead(r *record.Record) (first, reads int) {
	for i := range r.Arrivals {
		if r.Arrivals[i].Kind.Text() {
			return i, textReads(r, len(r.Arrivals))
		}
	}
	return 0, 0
}

func (c heldCount) share() float64 { return float64(c.held) / float64(max(1, c.n)) }

// warning names the cause, where it is that: replies on connections that had
// been used are held, and those on new ones are not. Where there are none of the
// latter, which is so of connections that were opened ahead, the wait itself has
// to be that of an acknowledgement.
func (h *heldChunks) warning() (record.Warning, bool) {
	c := h.reused
	if c.held == 0 || c.share() < heldShare {
		return record.Warning{}, false
	}
	beside := ""
	switch {
	case h.fresh.n >= heldFresh && h.fresh.share() > c.share()/2:
		return record.Warning{}, false // the server sends its first tokens so
	case h.fresh.n >= heldFresh:
		beside = fmt.Sprintf(", and of %d on new ones %d", h.fresh.n, h.fresh.held)
	case 5*c.timed < 4*c.held:
		return record.Warning{}, false
	}
	return record.Warning{Code: "first_chunk_held", Text: fmt.Sprintf(
		"of %d replies on connections that were open before, %d had their first token together with the next, "+
			"long after the head%s: the server, or a proxy before it, has Nagle's algorithm on and holds the "+
			"first chunk "+
			"until the head is acknowledged, up to 40 ms; TTFT is too long by that "+
			"and inter_token_latency too short. Set TCP_NODELAY on the server's connections",
		c.n, c.held, beside)}, true
}
