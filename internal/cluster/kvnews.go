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

// hear takes a KV event of a worker to the router, at once or later.
func (f *fleet) hear(m *member, e engine.KVEvent) {
	ev := router.Event{Kind: router.Stored, Parent: e.Parent, HasParent: e.HasParent, Blocks: e.Blocks}
	if e.Removed {
		ev.Kind = router.Removed
	}
	if f.cfg.EventDelay == 0 {
		f.keep(m.index, ev)
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

// news is KV events that the router has not been told of yet, in order. They
// wait until the router is asked for something: telling it at once would have
// its index and the caches of the workers push each other out of the
// processor's cache, which doubles the time of a replay.
type news struct {
	events []router.Event // without Blocks
	from   []newsPlace
	blocks []uint64
}

// newsPlace is whose event it is and where its blocks end.
type newsPlace struct{ worker, end int }

// newsLimit bounds how many blocks wait.
const newsLimit = 1 << 16

// keep notes an event. The engine uses its slice again, so it is copied.
func (f *fleet) keep(worker int, e router.Event) {
	n := &f.news
	n.blocks = append(n.blocks, e.Blocks...)
	e.Blocks = nil
	n.events, n.from = append(n.events, e), append(n.from, newsPlace{worker, len(n.blocks)})
	if len(n.blocks) > newsLimit {
		f.flush()
	}
}

// flush tells the router of what was kept. It comes before every decision and
// before anybody looks at the router.
func (f *fleet) flush() {
	n, begin := &f.news, 0
	for i, e := range n.events {
		e.Blocks = n.blocks[begin:n.from[i].end]
		f.apply(n.from[i].worker, e)
		begin = n.from[i].end
	}
	n.events, n.from, n.blocks = n.events[:0], n.from[:0], n.blocks[:0]
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
