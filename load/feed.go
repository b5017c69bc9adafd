package load

import (
	"context"
	"time"

	"headway/workload"
)

// feed reads the Source ahead of need and hands out whole sessions.
func (p *phase) feed(ctx context.Context) {
	defer close(p.fed)
	defer p.end()
	var session []workload.Request
	send := func() bool {
		if len(session) == 0 {
			return true
		}
		if p.lanes != nil {
			s := session
			session = nil
			if p.endless {
				return p.lanes.put(ctx, s)
			}
			return p.lanes.put(context.Background(), s) // drain empties them
		}
		select {
		case p.sessions <- session:
		case <-ctx.Done():
			// The Source may still be read for the Records of what is not
			// sent; drain empties the channel, so this does not block.
			if p.endless {
				return false
			}
			p.sessions <- session
		}
		session = nil
		return true
	}
	for req, err := range p.source {
		if err != nil {
			p.readErr = err
			break
		}
		if len(session) > 0 && session[0].Session != req.Session && !send() {
			return
		}
		session = append(session, req)
		if req.Turn == req.Turns-1 && !send() {
			return
		}
	}
	send()
}

// drain makes Records of what a plan with an end did not send, and ends the
// feeders. Nothing is being measured any more, so that it may wait for the
// Sink: millions of requests that were never sent need not stand in memory at
// once.
func (r *run) drain(endFeed context.CancelFunc) {
	endFeed()
	for _, p := range r.phases {
		for s := p.rest(); s != nil; s = p.rest() {
			r.unsent(opening{session: s, phase: p}, 0)
			r.queue.settle()
		}
		<-p.fed
	}
}

// end is called when the Source has given its last session.
func (p *phase) end() {
	close(p.sessions)
	if p.lanes != nil {
		p.lanes.end()
	}
}

// rest is a session that no slot took; nil after the last.
func (p *phase) rest() []workload.Request {
	if p.lanes != nil {
		return p.lanes.rest()
	}
	return <-p.sessions
}

// limitTime arms the plan's duration and grace; the function it returns
// disarms them.
func (r *run) limitTime() func() {
	if r.plan.Duration <= 0 {
		return func() {}
	}
	end := time.Now().Add(r.plan.Duration)
	r.end.Store(&end)
	stop := time.AfterFunc(time.Until(end), func() { r.endSend(errStopped) })
	if r.plan.Grace < 0 {
		return func() { stop.Stop() }
	}
	kill := time.AfterFunc(r.plan.Duration+r.plan.Grace, func() { r.kill(errStopped) })
	return func() { stop.Stop(); kill.Stop() }
}
