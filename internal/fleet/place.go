package fleet

import (
	"fmt"
	"math"
	"time"

	"headway/record"
)

// Place brings a worker's Record on to the common timeline. All its times are moved by the
// same amount, so that no latency changes: each was measured on one host, and stays that.
// Within the error that is returned each of the times is right; it is 0 where there is no
// time. The Record is as it was where there is an error of the other kind.
func (c *Clock) Place(r *record.Record) (within time.Duration, err error) {
	first, last := record.Time(math.MaxInt64), record.Time(0)
	times(r, func(t *record.Time) { first, last = min(first, *t), max(last, *t) })
	if last == 0 {
		return 0, nil
	}
	start := first
	if r.Start.Known() {
		start = r.Start
	}
	at, err := c.Common(start)
	if err != nil {
		return 0, err
	}
	by := at.At - start
	if first+by <= 0 {
		return 0, fmt.Errorf("request %d was planned or sent before time 0 of the common timeline: begin the "+
			"coordinator's clock before the workers are started", r.Index)
	}
	for _, t := range []record.Time{first, last} {
		m, err := c.Common(t)
		if err != nil {
			return 0, err
		}
		within = max(within, time.Duration(m.At-t-by).Abs()+m.Error)
	}
	// Between two moments a clock is beside the line through them by less than this: from
	// either it may have wandered by the distance, weighted with that to the other.
	within += time.Duration(math.Ceil(c.drift.Wander * float64(last-first) / 2))
	times(r, func(t *record.Time) { *t += by })
	return within, nil
}

// times hands out those of a Record that are known.
func times(r *record.Record, take func(*record.Time)) {
	h := &r.HTTP
	all := [...]*record.Time{&r.Planned, &r.Start, &r.Sent, &r.Ack, &r.Done, &h.DNSStart, &h.DNSDone, &h.ConnectStart,
		&h.ConnectDone, &h.TLSStart, &h.TLSDone, &h.GotConn, &h.HeadersSent, &h.FirstByte, &h.FirstBody, &h.End,
		&h.FirstRead}
	for _, t := range all {
		if t.Known() {
			take(t)
		}
	}
	for i := range r.Arrivals {
		if t := &r.Arrivals[i].At; t.Known() {
			take(t)
		}
	}
	if r.Raw == nil {
		return
	}
	for i := range r.Raw.Parts {
		if t := &r.Raw.Parts[i].At; t.Known() {
			take(t)
		}
	}
}
