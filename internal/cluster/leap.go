package cluster

import (
	"cmp"
	"slices"
	"time"

	"headway/internal/engine"
)

// told is an event on its way to the router and to whoever watches.
type told struct {
	member *member
	event  engine.Event
}

// leap does what advance does, for a time in which nobody can submit anything:
// it steps each worker to the end at once, so that steps in which nothing
// happens are taken together, and puts the events in order afterwards. It is
// right only while no event can lead to a decision before the end, so not while
// the router holds requests back or prompts are handed over.
func (f *fleet) leap(until time.Duration, see func(*job, engine.Event)) error {
	f.merged = f.merged[:0]
	for len(f.due) > 0 && f.due[0].at <= until {
		m := f.due[0]
		events, next, busy := m.eng.Step(until)
		if busy {
			f.due.set(m, next)
		} else {
			f.due.remove(m)
		}
		for _, e := range events {
			f.merged = append(f.merged, told{m, e})
		}
	}
	f.tell(until)
	// Those of one worker are in order, and stay so.
	slices.SortStableFunc(f.merged, func(a, b told) int {
		if c := cmp.Compare(a.event.At, b.event.At); c != 0 {
			return c
		}
		return cmp.Compare(a.member.number, b.member.number)
	})
	for _, t := range f.merged {
		if err := f.hand(t.member, t.event, see); err != nil {
			return err
		}
	}
	// Events that are on their way to the router count as work to be done;
	// none is asked for before the end, so all may arrive there.
	f.tell(until)
	return f.refused
}

// leaps says whether leap may be used now. Workers that share a store for KV blocks
// have to go on together.
func (f *fleet) leaps() bool {
	return f.cfg.API == nil && !f.tiers.shared && f.back == nil && f.front.router.Waiting() == 0
}
