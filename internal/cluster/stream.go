package cluster

import (
	"context"
	"sync"
	"time"

	"headway/internal/engine"
)

// stream is a request between the driver, which counts tokens into it, and the
// handler, which writes them out. It never blocks the driver: a token is a
// count, so there is nothing that could be full.
type stream struct {
	id     uint64
	reason string // why the text will end
	whole  bool   // the handler wants to be woken at the end only
	chosen int    // the worker that the router chose at once, else -1
	wake   chan struct{}

	mu       sync.Mutex
	ready    []int // tokens that the handler has not seen, by the steps that brought them
	finished bool
	timeline
	seat
}

// seat says who works on a request: workers by number, -1 until known, and how
// much of the prompt they had.
type seat struct {
	worker, prefill, cached int
	tiered                  [engine.MaxTiers]int
}

// follow notes where a job is.
func (s *stream) follow(j *job) {
	if j.on == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.worker, s.prefill, s.cached = j.on.number, j.on.number, max(j.cached, 0)
	s.tiered = j.tiered
	if j.prefill != nil {
		s.prefill = j.prefill.number
	}
}

// at is who works on the request now.
func (s *stream) at() seat {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seat
}

// timeline is when a request reached its stations, on the engine's timeline.
// Those after submitted are 0 until they happened.
type timeline struct {
	submitted, admitted, first, last, finish time.Duration
}

// take notes an event and reports whether it was the last one.
func (s *stream) take(e engine.Event) (last bool) {
	s.mu.Lock()
	switch e.Kind {
	case engine.Admitted:
		if s.admitted == 0 {
			s.admitted = e.At
		}
	case engine.Token:
		s.ready = append(s.ready, 1+e.Drafted)
		s.last = e.At
		if e.Token == 1 {
			s.first = e.At
		}
	case engine.Finished:
		s.finished = true
		s.finish = e.At
	}
	last = s.finished
	s.mu.Unlock()
	if last || (e.Kind == engine.Token && !s.whole) {
		notify(s.wake)
	}
	return last
}

// wait adds to steps how many tokens each of those brought that came since the last
// call: at least one unless the stream has finished, and all of them where the handler
// wants the whole. The error is ctx's.
func (s *stream) wait(ctx context.Context, steps []int) (_ []int, finished bool, err error) {
	for {
		s.mu.Lock()
		steps = append(steps, s.ready...)
		s.ready, finished = s.ready[:0], s.finished
		s.mu.Unlock()
		if finished || (len(steps) > 0 && !s.whole) {
			return steps, finished, nil
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
	}
}

// times returns the timeline so far.
func (s *stream) times() timeline {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.timeline
}
