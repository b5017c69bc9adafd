package load

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"headway/record"
	"headway/workload"
)

// run is one plan being driven.
type run struct {
	*Generator
	plan    workload.Plan
	phases  []*phase
	warm    *phase // nil where the plan has no Warmup
	main    *phase // what is measured
	slots   *limit // open sessions
	prefill *limit // requests without a first token
	queue   *queue // finished Records on their way to the Sink

	handed    sync.Once
	stopTimes func()                    // disarms the plan's duration; nil before the handover
	end       atomic.Pointer[time.Time] // of the plan's duration; nil before the handover, and without one
	endedBy   string                    // what ended the warm-up
	paced     bool                      // a schedule says when requests are sent
	start     start
	refused   refusals

	stop    context.Context // ends when nothing more may be sent
	endSend context.CancelCauseFunc
	live    context.Context // ends when requests in flight must be given up
	kill    context.CancelCauseFunc
	wg      sync.WaitGroup // sessions under way
}

func newRun(g *Generator, p workload.Plan) *run {
	r := &run{Generator: g, plan: p, slots: newLimit(p.Concurrency), prefill: newLimit(p.PrefillConcurrency)}
	if r.phases, r.main = phases(p); p.Warmup != nil {
		r.warm = r.phases[0]
	}
	g.counts.Store(&r.phases[0].tally)
	return r
}

func (r *run) drive(ctx context.Context) (Outcome, error) {
	r.live, r.kill = context.WithCancelCause(ctx)
	defer r.kill(nil)
	r.stop, r.endSend = context.WithCancelCause(r.live)
	defer r.endSend(nil)
	r.queue = newQueue(r.Sink, r.Aside, r.Room, r.plan.Concurrency, r.inFlight.Load, func(err error) { r.kill(err) })
	defer context.AfterFunc(r.stop, r.queue.free)()

	feed, endFeed := context.WithCancel(r.live)
	defer endFeed()
	for _, ph := range r.phases {
		go ph.feed(feed)
	}
	first := r.gather()
	schedule, scheduled := r.readyUp(first)
	r.begin(first, schedule)
	r.wg.Wait()
	if r.stopTimes != nil {
		r.stopTimes()
	}
	scheduled()
	out := r.outcome()
	out.Cancelled = ctx.Err() != nil
	var abort errAbort
	if errors.As(context.Cause(r.stop), &abort) {
		out.Aborted = abort.reason
	}
	r.drain(endFeed)
	err := r.queue.close()
	out.Backlog = r.queue.backlog
	out.End = r.Clock.Now()
	readErr := r.readErr()
	switch {
	case out.Aborted != "":
	case readErr != nil:
		out.Aborted = "a request could not be made: " + readErr.Error()
	case err != nil:
		out.Aborted = "a result could not be kept: " + err.Error()
	}
	return out, errors.Join(readErr, err)
}

// openSlot waits until a slot that has its own sessions opens, and reports false when
// the run ended first. Where any slot may take any place it does not wait.
func (r *run) openSlot(slot int, begin time.Time) bool {
	if !r.plan.Bound {
		return true
	}
	at := r.plan.ConcurrencyPlaces.Opens(slot, r.plan.Concurrency, r.plan.ConcurrencyRamp)
	return at == 0 || waitTimer(r.stop, begin.Add(at))
}

// sends says that something may still be sent. At the end of the plan's duration
// nothing is: what falls on that very instant, as a place of a ramp, a planned time or a
// reply does in virtual time, would otherwise be sent or not as timers happen to fire.
func (r *run) sends() bool {
	end := r.end.Load()
	return r.stop.Err() == nil && (end == nil || time.Now().Before(*end))
}

// slot is one place of a closed loop: it runs session after session. It
// returns while a request is in flight and goes on when that has ended.
func (r *run) slot(o opening, open bool) {
	if !open || !r.place() {
		r.unsent(o, 0)
		r.wg.Done()
		return
	}
	r.enter(o.phase, time.Now())
	r.session(o, r.Clock.Now(), func() {
		if !r.plan.Bound {
			r.slots.give()
		}
		r.leave(o.phase)
		next, ok := r.next(o.slot)
		if !ok {
			r.wg.Done()
			return
		}
		r.slot(next, true)
	})
}

// place waits for one of the places of the loop; a slot that has its own sessions
// has its own place.
func (r *run) place() bool {
	return (r.plan.Bound || r.slots.take(r.stop)) && r.sends()
}

// pace starts sessions at their planned times. Times are absolute, so that a
// late start moves nothing after it and nothing is skipped. The times of a
// phase that follows another count from the last planned time of that one: the
// gap after it is the schedule's own.
func (r *run) pace(schedule *ahead) {
	var at time.Time
	for {
		o, ok := schedule.next()
		if !ok {
			return
		}
		if at.IsZero() {
			at = r.phases[0].begin
		}
		if w := r.plan.Warmup; o.phase == r.main && w != nil && w.Handover > 0 {
			at = r.warm.begin.Add(w.Handover)
		}
		r.enter(o.phase, at)
		at = o.phase.begin.Add(o.session[0].At)
		planned := r.Clock.At(at)
		if !r.wait(r.stop, at) {
			r.unsent(o, planned)
			return
		}
		r.queue.room()
		if !r.slots.take(r.stop) || !r.sends() {
			r.unsent(o, planned)
			return
		}
		r.wg.Add(1)
		phase := o.phase
		go r.session(o, planned, func() {
			r.slots.give()
			r.leave(phase)
			r.wg.Done()
		})
		// The session goes first where there is one processor: it would wait
		// through the next request's pause otherwise.
		runtime.Gosched()
	}
}

func blank(req workload.Request, planned record.Time) record.Record {
	return record.Record{
		Index: req.Index, Warmup: req.Phase == workload.Warmup,
		Session: req.Session, Turn: req.Turn, Planned: planned,
		PlannedISL: req.Prompt.Length(), PlannedOSL: req.OutputTokens,
	}
}

// Dropped is the Record of a request that was not sent. planned is 0 where it
// had no time yet.
func Dropped(req workload.Request, planned record.Time) *record.Record {
	rec := blank(req, planned)
	rec.TokensIn, rec.TokensOut, rec.TokensReasoning = -1, -1, -1
	return &rec
}

// finish hands a Record on and ends a run in which too many of a phase fail, or
// whose requests the endpoint refuses.
func (r *run) finish(p *phase, rec *record.Record) {
	n := p.finished.Add(1)
	if r.plan.FailFast {
		if why := r.refused.saw(rec, r.inFlight.Load()); why != "" {
			r.endSend(errAbort{why})
		}
	}
	r.queue.put(rec)
	t := r.plan.FailedThreshold
	if t > 0 && n >= int64(max(r.plan.Concurrency, 10)) && float64(p.failed.Load()) > t*float64(n) {
		r.endSend(errAbort{"more than the allowed share of requests failed"})
	}
}

// dropAll makes the Records of the turns from i on that will not be sent.
func (r *run) dropAll(p *phase, s []workload.Request, i int, planned record.Time) {
	for _, req := range s[min(i, len(s)):] {
		p.dropped.Add(1)
		r.finish(p, Dropped(req, planned))
	}
}

// unsent makes the Records of a session that will not be sent. In a phase
// without an end it was only read ahead.
func (r *run) unsent(o opening, planned record.Time) {
	if !o.phase.endless {
		r.dropAll(o.phase, o.session, 0, planned)
	}
}
