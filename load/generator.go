package load

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"headway/record"
	"headway/workload"
)

// Generator runs plans on a target. It may run several plans one after the
// other (warm-up, then the measurement), on one clock; not two at once.
type Generator struct {
	Target Target
	Sink   record.Sink
	Clock  record.Clock

	// wait sleeps until an instant or until the context ends; tests replace
	// its fine part, which real time needs and a fake clock cannot drive.
	wait func(ctx context.Context, until time.Time) bool

	planned, sent, inFlight, waiting, finished, failed, dropped atomic.Int64
	concurrency                                                 atomic.Int64
}

// Snapshot is the state of a run while it goes.
type Snapshot struct {
	// Planned is how many requests the plan has, 0 where that is open.
	Planned int64
	Sent    int64
	// InFlight requests have been sent and not finished; Waiting ones of
	// these have had no text yet.
	InFlight, Waiting int64
	// Finished counts every Record made, Failed and Dropped those among them.
	Finished, Failed, Dropped int64
	// Concurrency is the limit of open sessions now, 0 without one.
	Concurrency int64
}

// Snapshot may be called from any goroutine at any time.
func (g *Generator) Snapshot() Snapshot {
	return Snapshot{
		Planned: g.planned.Load(), Sent: g.sent.Load(),
		InFlight: g.inFlight.Load(), Waiting: g.waiting.Load(),
		Finished: g.finished.Load(), Failed: g.failed.Load(), Dropped: g.dropped.Load(),
		Concurrency: g.concurrency.Load(),
	}
}

// Outcome says how a plan ended.
type Outcome struct {
	Begin, End record.Time
	// Cancelled is set when the context ended the run.
	Cancelled bool
	// Aborted says why the run ended itself early; empty when it did not.
	Aborted string
}

// errAbort carries the reason of an early end through a context.
type errAbort struct{ reason string }

func (e errAbort) Error() string { return e.reason }

// errStopped marks the end of sending that a plan's duration brings.
var errStopped = errors.New("the duration of the run is over")

// Run drives the plan to its end and returns when every Record has been taken
// by the Sink. When ctx ends, nothing more is sent, requests in flight are
// cancelled, and every request of a plan with an end still gets its
// Record. The error is that of the Source or of the Sink.
func (g *Generator) Run(ctx context.Context, p workload.Plan) (Outcome, error) {
	if g.wait == nil {
		g.wait = waitUntil
	}
	g.planned.Store(int64(p.Requests))
	for _, c := range []*atomic.Int64{&g.sent, &g.inFlight, &g.waiting, &g.finished, &g.failed, &g.dropped} {
		c.Store(0)
	}
	r := newRun(g, p)
	return r.drive(ctx)
}

// run is one plan being driven.
type run struct {
	*Generator
	plan     workload.Plan
	sessions chan []workload.Request
	slots    *limit // open sessions
	prefill  *limit // requests without a first token
	queue    *queue // finished Records on their way to the Sink
	begin    time.Time

	stop    context.Context // ends when nothing more may be sent
	endSend context.CancelCauseFunc
	live    context.Context // ends when requests in flight must be given up
	kill    context.CancelCauseFunc
	wg      sync.WaitGroup // sessions under way

	readErr error // of the Source; read after the feeder has ended
}

func newRun(g *Generator, p workload.Plan) *run {
	// The look-ahead lets a slow Source (a tokenizer, a disk) work while
	// requests run. It holds a barrier's worth, so that all slots of a closed
	// loop have their first request in hand when they are released.
	return &run{Generator: g, plan: p, sessions: make(chan []workload.Request, max(64, p.Concurrency)),
		slots: newLimit(p.Concurrency), prefill: newLimit(p.PrefillConcurrency)}
}

func (r *run) drive(ctx context.Context) (Outcome, error) {
	r.live, r.kill = context.WithCancelCause(ctx)
	defer r.kill(nil)
	r.stop, r.endSend = context.WithCancelCause(r.live)
	defer r.endSend(nil)
	r.queue = newQueue(r.Sink, func(err error) { r.kill(err) })

	fed := make(chan struct{})
	feed, endFeed := context.WithCancel(r.live)
	defer endFeed()
	go func() { defer close(fed); r.feed(feed) }()

	first, ok := r.gather()
	r.begin = time.Now()
	out := Outcome{Begin: r.Clock.At(r.begin)}
	ends := r.limitTime()
	if ok {
		r.release(first)
	}
	r.wg.Wait()
	ends()
	out.Cancelled = ctx.Err() != nil
	var abort errAbort
	if errors.As(context.Cause(r.stop), &abort) {
		out.Aborted = abort.reason
	}
	r.drain(endFeed, fed)
	err := r.queue.close()
	out.End = r.Clock.Now()
	return out, errors.Join(r.readErr, err)
}

// gather waits until every slot of a closed loop has a session in hand.
func (r *run) gather() ([][]workload.Request, bool) {
	n := max(1, r.plan.Concurrency)
	var first [][]workload.Request
	for len(first) < n {
		s, ok := <-r.sessions
		if !ok {
			break
		}
		first = append(first, s)
		if s[0].Timed {
			break
		}
	}
	return first, len(first) > 0
}

// release starts the load: slots of their own in a closed loop, the schedule
// where the first session has a time.
func (r *run) release(first [][]workload.Request) {
	r.slots.ramp(r.stop, r.plan.ConcurrencyRamp, r.begin)
	r.prefill.ramp(r.stop, r.plan.PrefillRamp, r.begin)
	r.concurrency.Store(int64(r.plan.Concurrency))
	if first[0][0].Timed {
		r.pace(first[0])
		return
	}
	barrier := make(chan struct{})
	for _, s := range first {
		r.wg.Add(1)
		go func() {
			defer r.wg.Done()
			<-barrier
			r.slot(s)
		}()
	}
	close(barrier)
}

// slot is one place of a closed loop: it runs session after session.
func (r *run) slot(s []workload.Request) {
	for {
		if !r.slots.take(r.stop) {
			// In a plan without an end this one was only read ahead.
			if !r.plan.Endless {
				r.dropAll(s, 0, 0)
			}
			return
		}
		r.session(s, r.Clock.Now())
		r.slots.give()
		var ok bool
		if s, ok = <-r.sessions; !ok {
			return
		}
	}
}

// pace starts sessions at their planned times. Times are absolute, so that a
// late start moves nothing after it and nothing is skipped.
func (r *run) pace(s []workload.Request) {
	for {
		at := r.begin.Add(s[0].At)
		planned := r.Clock.At(at)
		if !r.wait(r.stop, at) || !r.slots.take(r.stop) {
			r.dropAll(s, 0, planned)
			return
		}
		r.wg.Add(1)
		go func(s []workload.Request) {
			defer r.wg.Done()
			defer r.slots.give()
			r.session(s, planned)
		}(s)
		var ok bool
		if s, ok = <-r.sessions; !ok {
			return
		}
	}
}

// session runs the turns of a session one after the other. A turn whose
// predecessor failed is dropped: its history would not be the planned one.
func (r *run) session(s []workload.Request, planned record.Time) {
	for i, req := range s {
		if i > 0 {
			at := time.Now().Add(req.Delay)
			if req.Timed {
				at = r.begin.Add(req.At)
			}
			planned = r.Clock.At(at)
			if !waitTimer(r.stop, at) {
				r.dropAll(s, i, planned)
				return
			}
		}
		if !r.prefill.take(r.stop) {
			r.dropAll(s, i, planned)
			return
		}
		if !r.request(req, planned) {
			r.dropAll(s, i+1, 0)
			return
		}
	}
}

// request runs one request to its end and reports whether it was answered.
func (r *run) request(req workload.Request, planned record.Time) bool {
	started := sync.OnceFunc(func() { r.waiting.Add(-1); r.prefill.give() })
	tape := record.NewTape(r.Clock, blank(req, planned), started)
	done := make(chan struct{})
	r.sent.Add(1)
	r.inFlight.Add(1)
	r.waiting.Add(1)
	r.Target.Start(r.live, req, tape, func() { close(done) })
	<-done
	started()
	r.inFlight.Add(-1)
	ok := tape.Outcome == record.OK
	if !ok {
		r.failed.Add(1)
	}
	r.finish(&tape.Record)
	return ok
}

func blank(req workload.Request, planned record.Time) record.Record {
	return record.Record{
		Index: req.Index, Warmup: req.Phase == workload.Warmup,
		Session: req.Session, Turn: req.Turn, Planned: planned,
		WantIn: req.Prompt.Tokens + req.Prompt.Prefix.Tokens, WantOut: req.OutputTokens,
	}
}

// finish hands a Record on and ends a run in which too many fail.
func (r *run) finish(rec *record.Record) {
	n := r.finished.Add(1)
	r.queue.put(rec)
	t := r.plan.FailedThreshold
	if t > 0 && n >= int64(max(r.plan.Concurrency, 10)) && float64(r.failed.Load()) > t*float64(n) {
		r.endSend(errAbort{"more than the allowed share of requests failed"})
	}
}

// dropAll makes the Records of the turns from i on that will not be sent.
func (r *run) dropAll(s []workload.Request, i int, planned record.Time) {
	for _, req := range s[min(i, len(s)):] {
		rec := blank(req, planned)
		rec.TokensIn, rec.TokensOut, rec.TokensReasoning = -1, -1, -1
		r.dropped.Add(1)
		r.finish(&rec)
	}
}
