package cluster

import (
	"sync"
	"time"

	"headway/internal/alarm"
	"headway/internal/engine"
)

// driver runs the workers by the clock and hands their tokens to the streams
// that wait for them.
//
// It waits for absolute times on the workers' timeline, so lateness does not
// add up. What is left of it is the scheduler's, some tens of microseconds on a
// machine with a core to spare; spinning would be exact and would cost a core
// that the client under test needs. Nobody is misled by it: the server's log
// has the times of the writes themselves.
type driver struct {
	start time.Time
	wake  chan struct{} // the workers have something new to plan
	alarm *alarm.Alarm  // for the last part of a wait; nil sleeps by the timer alone

	mu      sync.Mutex
	told    time.Duration // how far the workers have been advanced
	fleet   *fleet
	streams map[uint64]*stream
	nextID  uint64
	stats   []stats // by worker
	failed  error   // the first error of the fleet
}

func newDriver(f *fleet) *driver {
	d := &driver{
		start:   time.Now(),
		wake:    make(chan struct{}, 1),
		fleet:   f,
		streams: map[uint64]*stream{},
	}
	for range f.members {
		d.stats = append(d.stats, newStats())
	}
	return d
}

// now is the time on the workers' timeline.
func (d *driver) now() time.Duration { return time.Since(d.start) }

// wall turns a time of the workers' timeline into wall time.
func (d *driver) wall(t time.Duration) time.Time { return d.start.Add(t) }

// submit routes a request that was received so long ago and hands it to a
// worker. To the worker it comes when it was received, unless that lies before
// what the workers were told already: our own reading and counting of a prompt
// is no part of what is simulated. The stream must be closed with closeStream.
func (d *driver) submit(ago time.Duration, promptTokens int, p plan, whole bool) (*stream, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.nextID++
	st := &stream{id: d.nextID, reason: p.reason, whole: whole, wake: make(chan struct{}, 1),
		seat: seat{worker: -1, prefill: -1}}
	st.submitted = max(d.now()-max(ago, 0), d.told)
	j := &job{id: st.id, tokens: promptTokens, output: p.tokens, blocks: p.blocks, said: p.said}
	p.hints.apply(j)
	j.ask(p.adapter)
	// What has happened by now the router has to know first.
	d.advance(st.submitted)
	if err := d.fleet.submit(st.submitted, j); err != nil {
		return nil, err
	}
	st.follow(j)
	st.chosen = st.worker // no one else has the stream yet
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
	d.stats[max(st.at().worker, 0)].aborted++
	d.fleet.cancel(d.now(), st.id)
	notify(d.wake)
}

// run steps the workers until stop is closed.
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
		if d.alarm != nil {
			if wait <= alarm.Coarse {
				d.alarm.Sleep(wait) // who comes meanwhile waits for its end
				continue
			}
			wait -= alarm.Coarse
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

// step advances the workers to now.
func (d *driver) step() (next time.Duration, busy bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.advance(d.now())
	return d.fleet.next()
}

// advance tells the streams what happened up to now.
func (d *driver) advance(now time.Duration) {
	d.told = max(d.told, now)
	err := d.fleet.advance(now, func(j *job, e engine.Event) {
		st := d.streams[e.ID]
		if st == nil {
			return // closed by its handler
		}
		d.stats[j.on.number].observe(st, e)
		st.follow(j)
		if st.take(e) {
			delete(d.streams, e.ID)
		}
	})
	if err != nil && d.failed == nil {
		d.failed = err
	}
}

// notify wakes whoever waits on c, which has room for one.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
