package openai

import (
	"context"
	"sync"
	"time"
)

// watch ends exchanges over a pool whose time is up or whose context ended. A
// timer and an entry in the context for each stream would take more memory
// than the stream: all requests of a target may take equally long, so that one
// list in the order of their starts and one timer serve those of a context.
type watch struct {
	timeout time.Duration

	mu     sync.Mutex
	groups map[<-chan struct{}]*group // by the contexts' Done
}

// group is what runs under one context, the oldest first.
type group struct {
	key         <-chan struct{}
	first, last *overPool
	timer       *time.Timer
	stop        func() bool // forgets the context
}

// watched is an exchange's place in a group.
type watched struct {
	group      *group // nil when in none
	prev, next *overPool
	deadline   time.Time
}

// add begins to watch v.
func (w *watch) add(ctx context.Context, v *overPool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	g := w.groups[ctx.Done()]
	if g == nil {
		g = &group{key: ctx.Done()}
		if w.groups == nil {
			w.groups = make(map[<-chan struct{}]*group)
		}
		w.groups[g.key] = g
		g.timer = time.AfterFunc(w.timeout, func() { w.expire(g) })
		g.stop = context.AfterFunc(ctx, func() { w.end(g, context.Cause(ctx)) })
	}
	v.watched = watched{group: g, prev: g.last, deadline: time.Now().Add(w.timeout)}
	if g.last != nil {
		g.last.watched.next = v
	} else {
		g.first = v
	}
	g.last = v
}

// remove ends the watch over v, if there is one.
func (w *watch) remove(v *overPool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if v.watched.group != nil {
		w.unlink(v)
	}
}

func (w *watch) unlink(v *overPool) {
	g, prev, next := v.watched.group, v.watched.prev, v.watched.next
	v.watched = watched{}
	if prev != nil {
		prev.watched.next = next
	} else {
		g.first = next
	}
	if next != nil {
		next.watched.prev = prev
	} else {
		g.last = prev
	}
	if g.first == nil {
		g.timer.Stop()
		g.stop()
		delete(w.groups, g.key)
	}
}

// expire gives up what has had its time.
func (w *watch) expire(g *group) {
	w.mu.Lock()
	var over []*overPool
	for now := time.Now(); g.first != nil && !g.first.watched.deadline.After(now); {
		over = append(over, g.first)
		w.unlink(g.first)
	}
	if g.first != nil {
		g.timer.Reset(time.Until(g.first.watched.deadline))
	}
	w.mu.Unlock()
	for _, v := range over {
		v.giveUp(errTimeUp)
	}
}

// end gives up all that ran under a context which has ended.
func (w *watch) end(g *group, cause error) {
	w.mu.Lock()
	var over []*overPool
	for g.first != nil {
		over = append(over, g.first)
		w.unlink(g.first)
	}
	w.mu.Unlock()
	for _, v := range over {
		v.giveUp(cause)
	}
}
