package load

import (
	"context"
	"runtime"

	"headway/record"
	"headway/workload"
)

// opening is what a slot begins with: a session, and its first request where
// that was made before the barrier.
type opening struct {
	session []workload.Request
	ready   *ready // nil where it was not
}

// ready is a request that only has to be sent.
type ready struct {
	tape  *record.Tape
	start func(context.Context)
	of    *conversation // set when it is sent
}

// burst is the number of slots from which on their first requests are made
// before the barrier, and garbage is collected there. Below it all are sent
// within a millisecond or two anyway.
const burst = 64

// bursts reports whether the plan sends many requests at one moment.
func (r *run) bursts() bool {
	return r.plan.Concurrency >= burst && r.plan.ConcurrencyRamp <= 0
}

// gather waits until every slot of a closed loop has a session in hand, until
// the Source has ended, or until the run has: making the text of ten thousand
// first requests takes a while.
func (r *run) gather() []opening {
	n := max(1, r.plan.Concurrency)
	var first []opening
	for len(first) < n {
		select {
		case s, ok := <-r.sessions:
			if !ok {
				return first
			}
			if s[0].Timed {
				return append(first, opening{session: s})
			}
			first = append(first, opening{s, r.prepare(s[0])})
		case <-r.stop.Done():
			return first
		}
	}
	return first
}

// prepare makes the request of a slot of a burst; nil where there is none.
func (r *run) prepare(req workload.Request) *ready {
	if !r.bursts() {
		return nil
	}
	return r.makeReady(req)
}

// makeReady makes a request, where the target can do that apart from sending
// it; nil otherwise.
func (r *run) makeReady(req workload.Request) *ready {
	t, can := r.Target.(Preparer)
	if !can {
		return nil
	}
	made := &ready{}
	started := r.firstText()
	made.tape = record.NewTape(r.Clock, blank(req, 0), started)
	made.start = t.Prepare(req, made.tape, func() {
		go made.of.ended(made.tape, started)
	})
	return made
}

// hush collects garbage before a burst: the prompts were just made, and a
// collection in the middle of the burst would make its end late by as much as
// it takes.
func (r *run) hush(made int) {
	if made >= burst && r.stop.Err() == nil {
		runtime.GC()
	}
}

// release starts the load: slots of their own in a closed loop, the schedule
// where there is one.
func (r *run) release(first []opening, schedule *ahead) {
	r.slots.ramp(r.stop, r.plan.ConcurrencyRamp, r.begin)
	r.prefill.ramp(r.stop, r.plan.PrefillRamp, r.begin)
	r.concurrency.Store(int64(r.plan.Concurrency))
	if schedule != nil {
		r.pace(schedule)
		return
	}
	// One goroutine for each processor starts its share of the slots one after
	// the other. A goroutine for each slot would have to be scheduled and to
	// grow its stack before it sends.
	r.wg.Add(len(first))
	share := runtime.GOMAXPROCS(0)
	for i := range min(share, len(first)) {
		r.wg.Go(func() {
			for k := i; k < len(first); k += share {
				o := first[k]
				first[k] = opening{}
				r.slot(o)
			}
		})
	}
}
