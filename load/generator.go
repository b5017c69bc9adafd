package load

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"headway/internal/alarm"
	"headway/record"
	"headway/workload"
)

// Generator runs plans on a target. It may run several plans one after the
// other (warm-up, then the measurement), on one clock; not two at once.
type Generator struct {
	Target Target
	Sink   record.Sink
	Clock  record.Clock
	// Aside is called on the goroutine that hands Records to the Sink, before
	// the first of them. It may lock the goroutine to its thread and lower that
	// thread's priority: what the Sink does delays no request. When more than
	// about 200 MB of Records wait, another goroutine goes on, without Aside,
	// so that memory does not grow with a processor that is full. Nil does
	// nothing.
	Aside func()
	// Room is about how many bytes of Records may wait for the Sink; 0 is a
	// gigabyte. Above it, and with more of them than there are slots, nothing
	// new is sent until the Sink has caught up: memory would grow without end.
	// Requests in flight go on, and are counted against it from then on.
	// Outcome.Backlog says whether that happened; a request that was
	// held back keeps its planned time.
	Room int

	// wait sleeps until an instant or until the context ends; tests replace
	// its fine part, which real time needs and a fake clock cannot drive.
	wait func(ctx context.Context, until time.Time) bool

	// Handover is called when the measured requests of a plan begin, before
	// the first of them is sent and on the goroutine that sends it. Nil does
	// nothing.
	Handover func()

	inFlight, waiting, concurrency atomic.Int64
	counts                         atomic.Pointer[tally] // of the phase under way
}

// tally counts the requests of a phase.
type tally struct{ planned, sent, finished, failed, dropped atomic.Int64 }

// Snapshot is the state of a run while it goes. Its counts are those of the
// phase under way: of a plan's warm-up until it hands over, then of what is
// measured.
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
	s := Snapshot{InFlight: g.inFlight.Load(), Waiting: g.waiting.Load(), Concurrency: g.concurrency.Load()}
	if n := g.counts.Load(); n != nil {
		s.Planned, s.Sent = n.planned.Load(), n.sent.Load()
		s.Finished, s.Failed, s.Dropped = n.finished.Load(), n.failed.Load(), n.dropped.Load()
	}
	return s
}

// Outcome says how a plan ended.
type Outcome struct {
	// Begin is when the measured requests began; where the run ended before
	// them, when it began itself.
	Begin, End record.Time
	// Warmup is how the plan's Warmup went, nil where it has none.
	Warmup *record.Warmup
	// Cooldown is how many requests of the plan's Cooldown were sent.
	Cooldown int
	// Cancelled is set when the context ended the run.
	Cancelled bool
	// Aborted says why the run ended itself early; empty when it did not.
	Aborted string
	Backlog Backlog
}

// Backlog is how finished Records waited for the Sink.
type Backlog struct {
	// Records and Bytes (in memory, about) are those of the moment when the
	// most waited; Room is the bound of the bytes.
	Records, Bytes, Room int
	// HeldRequests were sent later, or not at all, since there was no room;
	// Held is the time in which at least one of them waited.
	HeldRequests int
	Held         time.Duration
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
		a := alarm.New()
		defer a.Close()
		g.wait = func(ctx context.Context, until time.Time) bool { return waitUntil(ctx, a, until) }
		defer func() { g.wait = nil }()
	}
	g.inFlight.Store(0)
	g.waiting.Store(0)
	r := newRun(g, p)
	return r.drive(ctx)
}

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
	stopTimes func() // disarms the plan's duration; nil before the handover
	endedBy   string // what ended the warm-up
	paced     bool   // a schedule says when requests are sent
	start     start

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

// slot is one place of a closed loop: it runs session after session. It
// returns while a request is in flight and goes on when that has ended.
func (r *run) slot(o opening) {
	if !r.slots.take(r.stop) {
		r.unsent(o, 0)
		r.wg.Done()
		return
	}
	r.enter(o.phase, time.Now())
	r.session(o, r.Clock.Now(), func() {
		r.slots.give()
		r.leave(o.phase)
		next, ok := r.next()
		if !ok {
			r.wg.Done()
			return
		}
		r.slot(next)
	})
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
			at = o.phase.begin
		}
		r.enter(o.phase, at)
		at = o.phase.begin.Add(o.session[0].At)
		planned := r.Clock.At(at)
		if !r.wait(r.stop, at) {
			r.unsent(o, planned)
			return
		}
		r.queue.room()
		if !r.slots.take(r.stop) {
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

// session runs the turns of a session one after the other and then calls
// then. A turn whose predecessor failed is dropped: its history would not be
// the planned one.
func (r *run) session(o opening, planned record.Time, then func()) {
	c := &conversation{run: r, phase: o.phase, first: o.first, turns: o.session, ready: o.ready, then: then}
	c.step(planned)
}

// conversation is a session under way. It has no goroutine while a request is
// in flight: of ten thousand that wait for a slow server, each would keep a
// stack for nothing.
type conversation struct {
	*run
	phase *phase
	first bool // the first of its slot
	turns []workload.Request
	turn  int    // the one under way
	ready *ready // the first turn's request where it was made before, until it is sent
	// replied is when the reply before it ended: what this side did since then
	// is lateness, and no part of the planned pause.
	replied record.Time
	then    func()
}

// step waits for the present turn's time, which the first one's caller has
// done, and starts it.
func (c *conversation) step(planned record.Time) {
	req := c.turns[c.turn]
	if c.turn > 0 {
		at := c.Clock.Wall(c.replied).Add(req.Delay)
		if req.Timed {
			at = c.phase.begin.Add(req.At)
		}
		planned = c.Clock.At(at)
		if !waitTimer(c.stop, at) {
			c.drop(planned)
			return
		}
	}
	c.queue.room()
	if !c.prefill.take(c.stop) {
		c.drop(planned)
		return
	}
	c.request(req, planned)
}

// drop ends the session without the present turn and those after it. What is
// not measured and has no end was never planned.
func (c *conversation) drop(planned record.Time) {
	if c.phase == c.main || !c.phase.endless {
		c.dropAll(c.phase, c.turns, c.turn, planned)
	}
	c.then()
}

// request starts one request. What follows its end runs on a goroutine of its
// own: the target may be in the middle of reading others.
func (c *conversation) request(req workload.Request, planned record.Time) {
	told := func() {}
	if c.phase == c.warm {
		told = c.start.request()
	}
	if c.turn == len(c.turns)-1 {
		c.turns, c.turn = nil, -1 // nothing of it is needed again
	}
	c.phase.sent.Add(1)
	c.inFlight.Add(1)
	c.waiting.Add(1)
	if made := c.ready; made != nil {
		c.ready, made.of, made.told = nil, c, told
		made.tape.Planned = planned
		made.start(c.live)
		return
	}
	started := c.firstText(&told)
	tape := record.NewTape(c.Clock, blank(req, planned), started)
	c.Target.Start(c.live, req, tape, func() {
		go c.ended(tape, started)
	})
}

// firstText is what a request's first text does, or else its end. told is set
// when it is sent.
func (r *run) firstText(told *func()) func() {
	return sync.OnceFunc(func() { r.waiting.Add(-1); r.prefill.give(); (*told)() })
}

// ended makes the Record of the request that ended and goes on.
func (c *conversation) ended(tape *record.Tape, started func()) {
	started()
	c.inFlight.Add(-1)
	ok := tape.Outcome == record.OK
	if !ok {
		c.phase.failed.Add(1)
	}
	if c.replied = tape.Done; !c.replied.Known() {
		c.replied = c.Clock.Now()
	}
	c.finish(c.phase, &tape.Record)
	c.turn++
	switch {
	case !ok:
		c.drop(0)
	case c.turn == len(c.turns):
		c.then()
	default:
		c.step(0)
	}
}

func blank(req workload.Request, planned record.Time) record.Record {
	return record.Record{
		Index: req.Index, Warmup: req.Phase == workload.Warmup,
		Session: req.Session, Turn: req.Turn, Planned: planned,
		WantIn: req.Prompt.Length(), WantOut: req.OutputTokens,
	}
}

// Dropped is the Record of a request that was not sent. planned is 0 where it
// had no time yet.
func Dropped(req workload.Request, planned record.Time) *record.Record {
	rec := blank(req, planned)
	rec.TokensIn, rec.TokensOut, rec.TokensReasoning = -1, -1, -1
	return &rec
}

// finish hands a Record on and ends a run in which too many of a phase fail.
func (r *run) finish(p *phase, rec *record.Record) {
	n := p.finished.Add(1)
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
