package metric

import (
	"cmp"
	"slices"

	"headway/internal/series"
	"headway/record"
)

// SendLateness is the time in seconds from a request's planned time to the
// first bytes of it on the wire, less the time that looking the host up,
// connecting and the TLS handshake took: those are the network's and the
// server's. The wait for a processor, for a free slot of a limit on requests
// in flight, and the making of the request are in it. Where nothing went over
// the wire it ends with the start. False for a request that was not sent.
func SendLateness(r *record.Record) (seconds float64, ok bool) {
	late, ok := lateness(r)
	return float64(late) / 1e9, ok
}

func lateness(r *record.Record) (record.Time, bool) {
	if r.Outcome == record.Dropped || !r.Planned.Known() || !r.Start.Known() {
		return 0, false
	}
	gone, network, connect := departure(r)
	return max(0, max(gone-network-connect, r.Start)-r.Planned), true
}

// departure is when the first bytes of a request went to the wire, its start
// where nothing did, and how much of the time until then looking the host up
// with TLS, and connecting took.
func departure(r *record.Record) (gone, network, connect record.Time) {
	h := &r.HTTP
	gone = r.Start
	switch {
	case h.HeadersSent.Known():
		gone = h.HeadersSent
	case r.Sent.Known():
		gone = r.Sent
	}
	span := func(from, to record.Time) record.Time {
		if from.Known() && to > from && to <= gone {
			return to - from
		}
		return 0
	}
	return gone, span(h.DNSStart, h.DNSDone) + span(h.TLSStart, h.TLSDone), span(h.ConnectStart, h.ConnectDone)
}

// Pace gathers from the Records of a run how the client kept to its plan:
// lateness, spans, what was in flight, and how arrivals were read. It keeps 40
// bytes a request. It is a record.Sink and not safe for concurrent use.
type Pace struct {
	late    []float64 // seconds
	changes []change
	warm    []flown // of a warm-up

	first, last     record.Time // planned, of what was sent
	began, finished record.Time // the same as it was
	sent, good      int

	count, coalesced, user int
}

// flown is the time of a request in flight.
type flown struct{ start, end record.Time }

// change is a request that came into flight or left it.
type change struct {
	at record.Time
	by int
}

// Take adds a Record. What was never sent is left out, and so is warm-up but for
// what of it was still in flight when the measured phase began. It never fails.
func (p *Pace) Take(r *record.Record) error {
	if r.Outcome == record.Dropped || !r.Start.Known() {
		return nil
	}
	if r.Warmup {
		p.warm = append(p.warm, flown{r.Start, r.Done})
		return nil
	}
	p.sent++
	if r.Outcome == record.OK {
		p.good++
	}
	if late, ok := lateness(r); ok {
		p.late = append(p.late, seconds(late))
		at := r.Planned + late
		if len(p.late) == 1 {
			p.first = r.Planned
			p.last = r.Planned
			p.began = at
			p.finished = at
		}
		p.first, p.last = min(p.first, r.Planned), max(p.last, r.Planned)
		p.began, p.finished = min(p.began, at), max(p.finished, at)
	}
	if r.Done >= r.Start {
		p.changes = append(p.changes, change{r.Start, 1}, change{r.Done, -1})
	}
	count, coalesced, user := arrivals(r)
	p.count, p.coalesced, p.user = p.count+count, p.coalesced+coalesced, p.user+user
	return nil
}

// arrivals counts the chunks of a reply with text: all of them, those that were
// read in one read with another with text, of which each but the last has a
// time that is later than its own, and those with a stamp of user space.
func arrivals(r *record.Record) (count, coalesced, user int) {
	group := 0
	for i := range r.Arrivals {
		a := &r.Arrivals[i]
		if !a.Coalesced {
			group = 0
		}
		if !a.Kind.Text() {
			continue
		}
		count++
		if a.UserspaceStamp {
			user++
		}
		switch group++; group {
		case 1:
		case 2:
			coalesced += 2
		default:
			coalesced++
		}
	}
	return count, coalesced, user
}

// Kept is what a Pace has gathered. Times are in seconds.
type Kept struct {
	// Sent counts the requests that were sent, Good those that were answered.
	Sent, Good int
	// Late is how late they were, sorted.
	Late []float64
	// Planned and Achieved are the times from the first send to the last, as
	// planned and as they were.
	Planned, Achieved float64
	// Busy is the time from the first start to the last end, Mean and Peak
	// what was in flight in it.
	Busy, Mean float64
	Peak       int
	// Arrivals counts those with text, Coalesced those of them that were read
	// in one read with another, UserspaceStamps those with a stamp of user space.
	Arrivals, Coalesced, UserspaceStamps int
}

// Kept sums up what was taken so far.
func (p *Pace) Kept() Kept {
	k := Kept{Sent: p.sent, Good: p.good, Late: slices.Sorted(slices.Values(p.late)), Arrivals: p.count,
		Coalesced: p.coalesced, UserspaceStamps: p.user,
		Planned: seconds(p.last - p.first), Achieved: seconds(p.finished - p.began)}
	changes := p.withWarm()
	// What ends at an instant leaves before the next comes: a slot that is
	// handed on at once is not taken twice.
	slices.SortFunc(changes, func(a, b change) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.by, b.by)) })
	flying, area := 0, 0.0
	for i, c := range changes {
		if i > 0 {
			area += float64(flying) * seconds(c.at-changes[i-1].at)
		}
		flying += c.by
		k.Peak = max(k.Peak, flying)
	}
	if n := len(changes); n > 0 {
		if k.Busy = seconds(changes[n-1].at - changes[0].at); k.Busy > 0 {
			k.Mean = area / k.Busy
		}
	}
	return k
}

// withWarm are the changes of what was measured, and those of the warm-up and of
// what kept the load up between the first and the last of them.
func (p *Pace) withWarm() []change {
	changes := slices.Clone(p.changes)
	if len(changes) == 0 {
		return nil
	}
	at := func(a, b change) int { return cmp.Compare(a.at, b.at) }
	from, until := slices.MinFunc(changes, at).at, slices.MaxFunc(changes, at).at
	for _, f := range p.warm {
		if start, end := max(f.start, from), min(f.end, until); start < end {
			changes = append(changes, change{start, 1}, change{end, -1})
		}
	}
	return changes
}

// Percentile is that of a sorted sample by linear interpolation, as all
// quantiles here; 0 of an empty one. p is from 0 to 100. Other packages take
// theirs from here, so that two tables of the same values agree.
func Percentile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return series.Percentile(sorted, p)
}
