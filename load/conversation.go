package load

import (
	"sync"

	"headway/record"
	"headway/workload"
)

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
	if !c.prefill.take(c.stop) || !c.sends() {
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
