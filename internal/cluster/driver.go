package cluster

import (
	"sync"
	"time"

	"headway/internal/engine"
)

// driver runs an engine by the clock and hands its tokens to the streams that
// wait for them.
//
// It waits for absolute times on the engine's timeline, so lateness does not
// add up. A wait ends up to about a millisecond late: the Go runtime sleeps in
// whole milliseconds. Spinning for the rest would be exact and would cost a
// core that the client under test needs. Nobody is misled by it: the server's
// log has the times of the writes themselves.
type driver struct {
	start time.Time
	wake  chan struct{} // the engine has something new to plan

	mu      sync.Mutex
	eng     *engine.Engine
	streams map[uint64]*stream
	nextID  uint64
	stats   stats
}

func newDriver(eng *engine.Engine) *driver {
	return &driver{
		start:   time.Now(),
		wake:    make(chan struct{}, 1),
		eng:     eng,
		streams: map[uint64]*stream{},
		stats:   newStats(),
	}
}

// now is the time on the engine's timeline.
func (d *driver) now() time.Duration { return time.Since(d.start) }

// wall turns a time of the engine's timeline into wall time.
func (d *driver) wall(t time.Duration) time.Time { return d.start.Add(t) }

// submit hands a request to the engine. The stream must be closed
// with closeStream.
func (d *driver) submit(promptTokens int, p plan, whole bool) (*stream, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.nextID++
	st := &stream{id: d.nextID, reason: p.reason, whole: whole, wake: make(chan struct{}, 1)}
	st.submitted = d.now()
	err := d.eng.Submit(st.submitted, engine.Request{ID: st.id, PromptTokens: promptTokens, MaxTokens: p.tokens})
	if err != nil {
		return nil, err
	}
	d.streams[st.id] = st
	notify(d.wake)
	return st, nil
}

// closeStream ends a handler's interest in a stream: what has not finished is
// cancelled, and its place in the batch is free.
func (d *driver) closeStream(st *stream) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, running := d.streams[st.id]; !running {
		return
	}
	delete(d.streams, st.id)
	d.stats.aborted++
	d.eng.Cancel(d.now(), st.id)
	notify(d.wake)
}

// run steps the engine until stop is closed.
func (d *driver) run(stop <-chan struct{}) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		wait := time.Hour // nothing to do but to be woken
		if next, busy := d.step(); busy {
			wait = next - d.now()
		}
		if wait <= 0 {
			continue // the work took longer than the step it simulates
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-d.wake:
		case <-stop:
			return
		}
	}
}

// step advances the engine to now and tells the streams what happened.
func (d *driver) step() (next time.Duration, busy bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	events, next, busy := d.eng.Step(d.now())
	for _, e := range events {
		st := d.streams[e.ID]
		if st == nil {
			continue // cancelled by its handler
		}
		d.stats.observe(st, e)
		if st.take(e) {
			delete(d.streams, e.ID)
		}
	}
	return next, busy
}

// notify wakes whoever waits on c, which has room for one.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
