package load

import (
	"context"
	"runtime"
	"time"

	"headway/record"
	"headway/workload"
)

// opening is what a slot begins with: a session, and its first request where
// that was made before the barrier.
type opening struct {
	session []workload.Request
	phase   *phase
	slot    int    // of the loop, from 0
	first   bool   // the first of its slot
	ready   *ready // nil where it was not
}

// ready is a request that only has to be sent.
type ready struct {
	tape  *record.Tape
	start func(context.Context)
	of    *conversation // set when it is sent
	told  func()        // set when it is sent
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
		o, ok := r.next(len(first))
		switch {
		case !ok:
			return first
		case o.session[0].Timed:
			return append(first, o)
		}
		o.first, o.ready = true, r.prepare(o.session[0])
		first = append(first, o)
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
	started := r.firstText(&made.told)
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

// begin starts the load: slots of their own in a closed loop, the schedule where
// there is one.
func (r *run) begin(first []opening, schedule *ahead) {
	now := time.Now()
	if r.warm != nil {
		r.warm.begin = now
	} else {
		r.enter(r.main, now)
	}
	switch {
	case r.stop.Err() != nil && schedule == nil:
		for _, o := range first {
			r.unsent(o, 0)
			r.queue.settle()
		}
	case len(first) > 0:
		r.release(first, schedule, now)
	}
}

func (r *run) release(first []opening, schedule *ahead, begin time.Time) {
	r.slots.ramp(r.stop, r.plan.ConcurrencyRamp, r.plan.ConcurrencyPlaces, begin)
	r.prefill.ramp(r.stop, r.plan.PrefillRamp, r.plan.PrefillPlaces, begin)
	r.concurrency.Store(int64(r.plan.Concurrency))
	if schedule != nil {
		r.pace(schedule)
		return
	}
	r.wg.Add(len(first))
	if w := r.plan.Warmup; w != nil && w.Settle {
		r.start.arm(w.Block)
	}
	// One goroutine for each processor starts its share of the slots one after
	// the other. A goroutine for each slot would have to be scheduled and to
	// grow its stack before it sends.
	share := runtime.GOMAXPROCS(0)
	for i := range min(share, len(first)) {
		r.wg.Go(func() {
			for k := i; k < len(first); k += share {
				o := first[k]
				first[k] = opening{}
				r.slot(o, r.openSlot(o.slot, begin))
			}
		})
	}
}
