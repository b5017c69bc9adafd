package load

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"headway/record"
	"headway/workload"
)

// phase is the part of a plan that has a Source of its own: its warm-up, what is
// measured, or what keeps the load up after that.
type phase struct {
	tally
	source   workload.Source
	endless  bool
	sessions chan []workload.Request
	lanes    *lanes        // take the place of sessions where slots have their own
	fed      chan struct{} // closed when the feeder has ended
	readErr  error         // of the Source; read after fed
	begin    time.Time     // what its planned times count from; set by enter
	open     atomic.Int64  // sessions that were taken out of it and have not ended
	empty    atomic.Bool   // there is nothing more to be taken out
}

// newPhase makes a phase for so many slots. The look-ahead lets a slow Source
// (a tokenizer, a disk) work while requests run. It holds a barrier's worth, so
// that all slots of a closed loop have their first request in hand when they
// are released.
func newPhase(src workload.Source, endless bool, requests int, plan workload.Plan) *phase {
	p := &phase{source: src, endless: endless, fed: make(chan struct{}),
		sessions: make(chan []workload.Request, max(64, plan.Concurrency))}
	if plan.Bound {
		p.lanes = newLanes(max(1, plan.Concurrency))
	}
	p.planned.Store(int64(requests))
	return p
}

// phases makes those of a plan, in order, and says which is measured.
func phases(p workload.Plan) (all []*phase, main *phase) {
	if w := p.Warmup; w != nil {
		all = append(all, newPhase(w.Source, w.Endless, w.Requests, p))
	}
	main = newPhase(p.Source, p.Endless, p.Requests, p)
	all = append(all, main)
	if p.Cooldown != nil {
		all = append(all, newPhase(p.Cooldown, true, 0, p))
	}
	return all, main
}

// next is what a free slot, counted from 0, goes on with; false when there is
// nothing more, or when the run ends.
func (r *run) next(slot int) (opening, bool) {
	for _, p := range r.phases {
		if p == r.warm && r.warmed() {
			continue
		}
		p.open.Add(1)
		s, empty := p.take(r.stop, slot)
		if s != nil {
			return opening{session: s, phase: p, slot: slot}, true
		}
		if r.stop.Err() != nil {
			return opening{}, false
		}
		if empty {
			p.empty.Store(true)
		}
		r.leave(p)
	}
	return opening{}, false
}

// take is the next session for a slot, and waits for it; nil when there is none or
// stop has ended. Empty says that no slot has one.
func (p *phase) take(stop context.Context, slot int) (s []workload.Request, empty bool) {
	if p.lanes != nil {
		return p.lanes.take(stop, slot)
	}
	select {
	case s, ok := <-p.sessions:
		return s, !ok
	case <-stop.Done():
		return nil, false
	}
}

// leave is called when a session of a phase has ended. After the last measured
// one, what kept the load up is given up.
func (r *run) leave(p *phase) {
	if p.open.Add(-1) == 0 && p == r.main && p.empty.Load() && r.plan.Cooldown != nil {
		r.endSend(errStopped)
		r.kill(errStopped)
	}
}

// warmed says that no more warm-up requests are to be sent, though there are
// some. A schedule ends by itself, and what of it is late is still to be sent.
func (r *run) warmed() bool {
	w := r.plan.Warmup
	if w.Settle && r.start.passed.Load() {
		return true
	}
	return w.Duration > 0 && !r.paced && !r.warm.begin.IsZero() && time.Since(r.warm.begin) >= w.Duration
}

// enter is called before a session of a phase is sent. The first of the
// measured ones ends the warm-up: at is what their times count from.
func (r *run) enter(p *phase, at time.Time) {
	if p != r.main {
		return
	}
	r.handed.Do(func() {
		p.begin, r.endedBy = at, r.whyNow()
		r.counts.Store(&p.tally)
		r.stopTimes = r.limitTime()
		if r.Handover != nil {
			r.Handover()
		}
	})
}

// outcome is what is known of the phases when no session is under way.
func (r *run) outcome() Outcome {
	begin := r.main.begin
	if begin.IsZero() {
		begin = r.phases[0].begin
	}
	o := Outcome{Begin: r.Clock.At(begin)}
	if r.plan.Cooldown != nil {
		o.Cooldown = int(r.phases[len(r.phases)-1].sent.Load())
	}
	if r.warm == nil {
		return o
	}
	o.Warmup = &record.Warmup{Requests: int(r.warm.sent.Load())}
	if r.main.begin.IsZero() {
		return o
	}
	o.Warmup.Seconds, o.Warmup.EndedBy = r.main.begin.Sub(r.warm.begin).Seconds(), r.endedBy
	if r.endedBy == record.WarmupLimit {
		o.Warmup.Drift = r.start.drift()
	}
	return o
}

// whyNow says what ends the warm-up.
func (r *run) whyNow() string {
	switch w := r.plan.Warmup; {
	case w == nil:
		return ""
	case w.Settle && r.start.passed.Load():
		return record.WarmupSettled
	case w.Settle:
		return record.WarmupLimit
	case w.Duration > 0:
		return record.WarmupDuration
	}
	return record.WarmupRequests
}

// readErr is what went wrong with the Sources; the feeders have ended.
func (r *run) readErr() error {
	var errs []error
	for _, p := range r.phases {
		errs = append(errs, p.readErr)
	}
	return errors.Join(errs...)
}
