package cluster

import (
	"fmt"
	"slices"
	"time"

	"headway/internal/engine"
	"headway/internal/router"
)

// delayedEvent is a KV event on its way to the router.
type delayedEvent struct {
	at     time.Duration
	worker int
	event  router.Event
}

// hear takes a KV event of a worker: to the router, at once or later, and to
// the model of regret, which always knows the truth.
func (f *fleet) hear(m *member, e engine.KVEvent, listens bool) {
	ev := router.Event{Kind: router.Stored, Parent: e.Parent, HasParent: e.HasParent, Blocks: e.Blocks}
	if e.Removed {
		ev.Kind = router.Removed
	}
	if f.regret != nil {
		f.regret.hear(m.index, ev)
	}
	if !listens {
		return
	}
	if f.cfg.EventDelay == 0 {
		f.apply(m.index, ev)
		return
	}
	// The engine uses the slice again.
	ev.Blocks = slices.Clone(ev.Blocks)
	d := delayedEvent{at: e.At + f.cfg.EventDelay, worker: m.index, event: ev}
	// Workers are stepped in order of time, but one of them may tell of
	// several instants at once.
	i := len(f.delayed)
	for i > 0 && f.delayed[i-1].at > d.at {
		i--
	}
	f.delayed = slices.Insert(f.delayed, i, d)
}

// tell brings the router the events that have arrived by now.
func (f *fleet) tell(now time.Duration) {
	n := 0
	for n < len(f.delayed) && f.delayed[n].at <= now {
		f.apply(f.delayed[n].worker, f.delayed[n].event)
		n++
	}
	if n > 0 {
		clear(f.delayed[:n])
		f.delayed = f.delayed[n:]
	}
}

func (f *fleet) apply(worker int, e router.Event) {
	if err := f.front.router.Apply(worker, e); err != nil && f.refused == nil {
		f.refused = fmt.Errorf("telling the router what worker %d caches: %w", worker, err)
	}
}
