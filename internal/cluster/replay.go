package cluster

import (
	"context"
	"errors"
	"math"
	"time"

	"headway/internal/engine"
	"headway/record"
	"headway/workload"
)

// Outcome says how a replay ended. Begin is always 1, the first real
// [record.Time]; End is when the last reply was complete.
type Outcome struct {
	Begin, End record.Time
	// Cancelled is set when the context ended the replay.
	Cancelled bool
	// Aborted says why the replay ended itself early; empty when it did not.
	Aborted string
	// TooLong counts the requests that no worker could ever run, and TooLongTokens
	// is the longest of them, prompt and output together; Capacity is how many
	// tokens a request can have.
	TooLong, TooLongTokens, Capacity int
	// Reached is what the load came to.
	Reached Reached
}

// Replay runs a plan on a simulated cluster in virtual time and hands the sink
// one Record for every planned request, as the load generator does on a live
// endpoint: closed loops, timed schedules, sessions with their turns and
// pauses, ramps, durations, graces and cancellations have the same meaning.
// Record times begin at 1.
//
// There are no sockets and no goroutines, and the network takes no time: a
// request is sent when it starts, is at the router after the front end's delay
// (see [Config]), and its reply's head is there then. The same configuration
// and plan give the same bytes. What the cluster did comes back
// beside the Records.
//
// The error is that of the configuration, the Source or the Sink. A ctx that
// ends is no error: what was in flight is then cancelled, and what was not
// sent dropped.
func Replay(ctx context.Context, c Config, p workload.Plan, sink record.Sink) (record.Cluster, Outcome, error) {
	s, err := Start(c)
	if err != nil {
		return record.Cluster{}, Outcome{Begin: 1, End: 1}, err
	}
	s.once = true
	return s.Replay(ctx, p, sink)
}

// stamp turns a time of the simulation into one of a Record.
func stamp(t time.Duration) record.Time { return 1 + record.Time(t) }

// replay is a plan being run.
type replay struct {
	plan   workload.Plan
	cfg    Config
	fleet  *fleet
	sink   record.Sink
	reader reader
	facts  *facts
	front  frontend
	lora   *adapterBook // nil without adapters
	out    Outcome

	once      bool          // nothing comes after this plan
	base      time.Duration // when the plan began, on the workers' timeline
	now, last time.Duration // since base; last is when the last Record was done
	timers    timerQueue
	seq       uint64        // of the next timer
	armed     time.Duration // of the dispatch timer for head, 0 where none is set
	source    sessions
	head      *session // to be started next
	paced     bool     // the first session has a time: the schedule sets the pace
	places    gate     // of open sessions
	prefill   gate     // of requests without a first token
	pending   []*session
	open      int  // sessions begun that have several turns
	stopped   bool // nothing more may be sent

	calls  map[uint64]*call // in flight
	lastID uint64
	free   []*call

	finished, failed int
}

// run drives the plan to its end.
func (r *replay) run(ctx context.Context) error {
	if err := r.begin(); err != nil {
		return err
	}
	for n := 0; ; n++ {
		if n&1023 == 0 && ctx.Err() != nil {
			r.out.Cancelled = true
			return r.endAll()
		}
		at, busy := r.fleet.next()
		at -= r.base
		if r.timers.Len() > 0 && (!busy || r.timers[0].at < at) {
			if err := r.tick(); err != nil {
				return err
			}
			continue
		}
		if !busy {
			return r.endAll()
		}
		if err := r.work(at); err != nil {
			return err
		}
		if r.facts.err != nil {
			return r.facts.err
		}
	}
}

// work lets the workers go on: for one instant, or up to the next timer where
// none of their events can lead to a request before it.
func (r *replay) work(at time.Duration) error {
	if r.open > 0 || r.places.limit > 0 || r.prefill.limit > 0 || r.plan.FailedThreshold > 0 || !r.fleet.leaps() {
		return r.fleet.advance(r.base+at, r.observe)
	}
	until := time.Duration(math.MaxInt64 / 2)
	switch {
	case r.timers.Len() > 0:
		until = r.timers[0].at
	case !r.once:
		// Workers that were swept to the end of time could do nothing after it.
		return r.fleet.advance(r.base+at, r.observe)
	}
	return r.fleet.leap(r.base+until, r.observe)
}

// begin reads the first session and arms the plan's times.
func (r *replay) begin() error {
	if err := r.advanceHead(); err != nil {
		return err
	}
	r.paced = r.head != nil && r.head.turns[0].Timed
	if !r.paced && r.plan.Concurrency == 0 {
		r.places = newGate(1, 0)
	}
	r.front, r.lora = r.newFrontend(), r.newAdapters()
	r.facts.frontend = r.front.mean
	if d := r.plan.Duration; d > 0 {
		r.at(d, timer{kind: timeStop})
		if r.plan.Grace >= 0 {
			r.at(d+r.plan.Grace, timer{kind: timeKill})
		}
	}
	r.places.arm(r, timeDispatch)
	r.prefill.arm(r, timeGate)
	r.at(0, timer{kind: timeDispatch})
	return nil
}

// tick does everything that timers want at their next instant.
func (r *replay) tick() error {
	r.now = r.timers[0].at
	for r.timers.Len() > 0 && r.timers[0].at == r.now {
		t := r.timers.pop()
		var err error
		switch t.kind {
		case timeKill:
			err = r.kill()
		case timeStop:
			err = r.stop()
		case timeCancel:
			err = r.cancelPlanned(t.id)
		case timeArrive:
			err = r.arrive(t.id)
		case timeTurn:
			err = r.turn(t.session)
		case timeGate:
			err = r.openGate()
		case timeDispatch:
			err = r.dispatch()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *replay) at(t time.Duration, x timer) {
	x.at, x.seq = t, r.seq
	r.seq++
	r.timers.push(x)
}

// dispatch starts sessions while there are places and their time has come.
func (r *replay) dispatch() error {
	for r.head != nil && !r.stopped {
		s, planned := r.head, r.now
		if r.paced {
			if planned = s.turns[0].At; planned > r.now {
				if r.armed != planned {
					r.armed = planned
					r.at(planned, timer{kind: timeDispatch})
				}
				return nil
			}
		}
		if !r.places.take(r.now) {
			return nil
		}
		s.planned = planned
		if len(s.turns) > 1 {
			r.open++
		}
		if err := r.advanceHead(); err != nil {
			return err
		}
		if err := r.turn(s); err != nil {
			return err
		}
	}
	return nil
}

func (r *replay) advanceHead() (err error) {
	r.head, err = r.source.next()
	return err
}

// turn sends a session's next request, or lets it wait for its turn to
// prefill.
func (r *replay) turn(s *session) error {
	if r.stopped {
		return r.drop(s, stamp(s.planned))
	}
	if len(r.pending) > 0 || !r.prefill.take(r.now) {
		r.pending = append(r.pending, s)
		return nil
	}
	return r.send(s)
}

// openGate sends what waits to prefill, as far as that is allowed now.
func (r *replay) openGate() error {
	for len(r.pending) > 0 && !r.stopped && r.prefill.take(r.now) {
		s := r.pending[0]
		r.pending = r.pending[1:]
		if err := r.send(s); err != nil {
			return err
		}
	}
	return nil
}

// observe takes an event of a request in flight. What follows from it is left
// to timers of the same instant, since the fleet must not be called here.
func (r *replay) observe(j *job, e engine.Event) {
	c := r.calls[j.id]
	if c == nil {
		return
	}
	e.At -= r.base
	r.now = max(r.now, e.At)
	c.take(r.fleet, e)
	if e.Kind == engine.Token && e.Token == 1 {
		r.first(c)
	}
	if e.Kind == engine.Finished {
		r.facts.keep(r.complete(c))
	}
}

// first lets the next request prefill.
func (r *replay) first(c *call) {
	if !c.started {
		c.started = true
		r.prefill.give()
		if len(r.pending) > 0 {
			r.at(r.now, timer{kind: timeGate})
		}
	}
}

// complete ends a request that was answered, and plans what comes after it.
func (r *replay) complete(c *call) error {
	s := c.session
	c.rec.Outcome = record.OK
	r.facts.answered(c)
	s.talk.remember(c.request(), c.job.tokens, c.job.output, c.job.blocks)
	apart(s.talk.blocks, c.job.adapter) // the next turn's are named anew
	err := r.finish(c)
	s.turn++
	if s.turn == len(s.turns) {
		r.leave(s)
		return err
	}
	next := s.turns[s.turn]
	s.planned = r.now + next.Delay
	if next.Timed {
		s.planned = next.At
	}
	r.at(max(s.planned, r.now), timer{kind: timeTurn, session: s})
	return err
}

// leave gives a session's place to the next one.
func (r *replay) leave(s *session) {
	r.places.give()
	if len(s.turns) > 1 {
		r.open--
	}
	if r.head != nil && !r.stopped && r.places.limit > 0 {
		r.at(r.now, timer{kind: timeDispatch})
	}
}

// fail ends a request that has no usable reply, and with it its session.
func (r *replay) fail(c *call, why *record.Failure) error {
	c.rec.Outcome, c.rec.Failure = record.Failed, why
	if why.Class == record.ClassCancelled {
		c.rec.Outcome = record.Cancelled
	}
	r.first(c)
	s := c.session
	r.failed++
	err := r.finish(c)
	s.turn++
	return errors.Join(err, r.drop(s, 0))
}
