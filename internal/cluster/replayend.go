package cluster

import (
	"slices"

	"headway/record"
	"headway/workload"
)

// finish hands a Record on, and ends a replay in which too many fail.
func (r *replay) finish(c *call) error {
	rec := c.close(r.fleet, r.now)
	r.last = max(r.last, r.now)
	r.facts.finished(rec, c.request().Cancel)
	delete(r.calls, c.job.id)
	if rec.Outcome == record.OK {
		// What was cancelled the worker lets go of only at its next step.
		r.reader.give(c.job.blocks)
	}
	r.recycle(c)
	return r.take(rec)
}

func (r *replay) take(rec *record.Record) error {
	r.finished++
	t := r.plan.FailedThreshold
	if t > 0 && !r.stopped && r.finished >= max(r.plan.Concurrency, 10) && float64(r.failed) > t*float64(r.finished) {
		r.out.Aborted = "more than the allowed share of requests failed"
		r.at(r.now, timer{kind: timeStop})
	}
	return r.sink.Take(rec)
}

// drop makes the Records of the turns of a session that will not be sent, and
// gives its place back. planned is that of the first of them.
func (r *replay) drop(s *session, planned record.Time) error {
	defer r.leave(s)
	return r.dropTurns(s.turns[min(s.turn, len(s.turns)):], planned)
}

func (r *replay) dropTurns(turns []workload.Request, planned record.Time) error {
	for i := range turns {
		rec := blank(&turns[i], planned)
		rec.TokensIn, rec.TokensOut, rec.TokensReasoning = -1, -1, -1
		r.facts.finished(&rec, turns[i].Cancel)
		if err := r.take(&rec); err != nil {
			return err
		}
	}
	return nil
}

// stop ends sending. Who waits to prefill is dropped now, who waits for a time
// when it comes, and who was not begun at the end.
func (r *replay) stop() error {
	r.stopped = true
	for _, s := range r.pending {
		if err := r.drop(s, stamp(s.planned)); err != nil {
			return err
		}
	}
	r.pending = nil
	return nil
}

// kill gives up what is in flight, in order of sending.
func (r *replay) kill() error {
	ids := make([]uint64, 0, len(r.calls))
	for id := range r.calls {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		if err := r.giveUp(r.calls[id], "cancelled: the run ended before the reply did"); err != nil {
			return err
		}
	}
	return nil
}

// cancelPlanned drops a request as its plan says, unless it is over.
func (r *replay) cancelPlanned(id uint64) error {
	if c := r.calls[id]; c != nil {
		return r.giveUp(c, "cancelled after sending, as planned")
	}
	return nil
}

func (r *replay) giveUp(c *call, why string) error {
	// What begins or ends a reply was handed on at its time: only tokens between
	// are left.
	if c.job.on != nil {
		if err := r.fleet.catchUp(c.job.on, r.base+r.now, r.observe); err != nil {
			return err
		}
	}
	c.cut(r.fleet)
	r.fleet.cancel(r.base+r.now, c.job.id)
	return r.fail(c, &record.Failure{Class: record.ClassCancelled, Code: 499, Type: "RequestCancellationError",
		Message: why})
}

// endAll gives up what is in flight and makes the Records of what was not
// sent. Of a plan without an end, what was only read ahead was never planned.
func (r *replay) endAll() error {
	if err := r.stop(); err != nil {
		return err
	}
	if err := r.kill(); err != nil {
		return err
	}
	for r.timers.Len() > 0 {
		if t := r.timers.pop(); t.kind == timeTurn {
			if err := r.drop(t.session, stamp(t.session.planned)); err != nil {
				return err
			}
		}
	}
	for r.head != nil && !r.plan.Endless {
		planned := record.Time(0)
		if r.paced {
			planned = stamp(r.head.turns[0].At)
		}
		if err := r.dropTurns(r.head.turns, planned); err != nil {
			return err
		}
		if err := r.advanceHead(); err != nil {
			return err
		}
	}
	return nil
}
