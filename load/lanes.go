package load

import (
	"context"
	"sync"

	"headway/workload"
)

// lanes deal the sessions of a phase to the slots that they are bound to, see
// [workload.Plan]. A session is read when a lane is empty, so that no slot waits
// for another; a lane holds as many sessions as its slot is behind the fastest.
type lanes struct {
	mu     sync.Mutex
	change sync.Cond // of anything below
	queues [][][]workload.Request
	next   int // the lane of the next session
	filled int // lanes that are not empty
	dealt  bool
}

func newLanes(slots int) *lanes {
	l := &lanes{queues: make([][][]workload.Request, slots)}
	l.change.L = &l.mu
	return l
}

// put adds a session, and waits before that until a lane is empty; false when ctx
// ended first.
func (l *lanes) put(ctx context.Context, s []workload.Request) bool {
	defer context.AfterFunc(ctx, l.wake)()
	l.mu.Lock()
	defer l.mu.Unlock()
	if s[0].Timed {
		l.queues, l.next = l.queues[:1], 0 // a schedule is one lane
	}
	for l.filled == len(l.queues) && ctx.Err() == nil {
		l.change.Wait()
	}
	if ctx.Err() != nil {
		return false
	}
	if len(l.queues[l.next]) == 0 {
		l.filled++
	}
	l.queues[l.next] = append(l.queues[l.next], s)
	l.next = (l.next + 1) % len(l.queues)
	l.change.Broadcast()
	return true
}

// end is called after the last session.
func (l *lanes) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dealt = true
	l.change.Broadcast()
}

// take is the next session of a slot, and waits for it; nil when there is none or
// ctx has ended. Empty says that no slot has one.
func (l *lanes) take(ctx context.Context, slot int) (s []workload.Request, empty bool) {
	defer context.AfterFunc(ctx, l.wake)()
	l.mu.Lock()
	defer l.mu.Unlock()
	for slot < len(l.queues) && len(l.queues[slot]) == 0 && !l.dealt && ctx.Err() == nil {
		l.change.Wait()
	}
	if ctx.Err() != nil {
		return nil, false
	}
	return l.pop(slot), l.dealt && l.filled == 0
}

// rest is any session that was not taken, and waits for it; nil after the last.
func (l *lanes) rest() []workload.Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.filled == 0 && !l.dealt {
		l.change.Wait()
	}
	for slot := range l.queues {
		if s := l.pop(slot); s != nil {
			return s
		}
	}
	return nil
}

func (l *lanes) pop(slot int) []workload.Request {
	if slot >= len(l.queues) || len(l.queues[slot]) == 0 {
		return nil
	}
	q := l.queues[slot]
	s := q[0]
	q[0] = nil
	if l.queues[slot] = q[1:]; len(q) == 1 {
		l.queues[slot] = nil
		l.filled--
	}
	l.change.Broadcast()
	return s
}

func (l *lanes) wake() {
	l.mu.Lock() // not between another's look and its wait
	defer l.mu.Unlock()
	l.change.Broadcast()
}
