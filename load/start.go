package load

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// start opens the slots of a closed loop gradually and knows when its start has
// passed; see [workload.LeadIn]. One that was not armed does nothing.
type start struct {
	begin   time.Time
	slots   int
	free    chan struct{} // slots that may open
	replied chan struct{} // closed when the first reply has ended
	once    sync.Once

	waiting atomic.Int64 // slots without a first token
	early   atomic.Int64 // requests without one that were sent while there were such
	passed  atomic.Bool
}

// opened is which part of the slots opens at first: one of so many. Larger
// parts leave more in step, smaller ones take longer than one latency.
const opened = 25

// arm begins to follow so many slots.
func (s *start) arm(slots int, begin time.Time) {
	s.begin, s.slots = begin, slots
	s.free, s.replied = make(chan struct{}, 2*slots), make(chan struct{})
	s.waiting.Store(int64(slots))
	s.allow(s.width())
}

// width is how many slots open at first.
func (s *start) width() int { return (s.slots + opened - 1) / opened }

// allow lets so many slots more open.
func (s *start) allow(n int) {
	for range n {
		select {
		case s.free <- struct{}{}:
		default: // as many as there are
			return
		}
	}
}

// open starts the slots in order, each when it may. What the run's end keeps
// from opening is started too: a slot knows what becomes of it then.
func (s *start) open(stop context.Context, slots []opening, slot func(opening)) {
	opening, done := context.WithCancel(stop)
	var widening sync.WaitGroup
	widening.Go(func() { s.widen(opening) })
	for _, o := range slots {
		select {
		case <-s.free:
		case <-stop.Done():
		}
		slot(o)
	}
	done()
	widening.Wait()
}

// widen lets more slots open where the opening takes long: prompts that take
// most of the latency would let few in.
func (s *start) widen(opening context.Context) {
	select {
	case <-s.replied:
	case <-opening.Done():
		return
	}
	latency := max(time.Since(s.begin), time.Millisecond)
	for n, at := s.width(), s.begin.Add(2*latency); waitTimer(opening, at); n, at = 2*n, at.Add(latency) {
		s.allow(n)
	}
}

// sent is called before a request is sent, and what it returns when it has its
// first token or has ended without. first says that it is the first of a slot.
func (s *start) sent(first bool) (told func()) {
	if s.waiting.Load() <= 0 {
		return func() {}
	}
	s.early.Add(1)
	return func() {
		if first {
			s.waiting.Add(-1)
			s.allow(1)
		}
		if s.early.Add(-1) == 0 && s.waiting.Load() == 0 {
			s.passed.Store(true)
		}
	}
}

// reply is called when the first request of a slot has ended.
func (s *start) reply() {
	if s.replied != nil {
		s.once.Do(func() { close(s.replied) })
	}
}
