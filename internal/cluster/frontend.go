package cluster

import (
	"errors"
	"fmt"
	"math"
	"time"

	"headway/internal/engine"
	"headway/record"
	"headway/workload"
)

// DefaultFrontend is the mean delay of the front end in closed loops: about
// what the real-time mocker of NVIDIA Dynamo takes between a client's request
// and the router's decision.
const DefaultFrontend = 500 * time.Microsecond

// AutoFrontend, as Config.Frontend, is [DefaultFrontend] where requests follow
// replies, and none where they do not: the plan has times of its own, or it is
// one cohort that starts together and is not replaced.
const AutoFrontend time.Duration = -1

// frontend is how long a request is on its way to the router.
//
// Without it a closed loop in virtual time runs in lock-step: replies of one
// step end in the same nanosecond, the requests that follow them come in that
// nanosecond, share the next step too, and are routed on one and the same state
// of the workers. No real client and server do that. The delays are exponential,
// so that they scatter as much as they delay, and are named by the request's
// place in the plan, so that two routers meet the same ones.
type frontend struct {
	mean time.Duration
	key  workload.Key
}

// newFrontend is the front end of the plan that is about to begin. The calls
// made on the cluster before tell it from those of the plans before.
func (r *replay) newFrontend() frontend {
	f := frontend{mean: r.cfg.Frontend, key: r.cfg.Seed.Named("front end").Index(int(r.lastID))}
	if f.mean == AutoFrontend {
		f.mean = 0
		if r.follows() && r.cfg.API == nil {
			f.mean = DefaultFrontend
		}
	}
	return f
}

// follows says whether replies set the pace of the plan.
func (r *replay) follows() bool {
	if r.paced || r.head == nil {
		return false
	}
	cohort := r.plan.Requests > 0 && r.plan.Requests <= r.places.limit
	return !cohort || len(r.head.turns) > 1
}

// delay is that of the request with an index in the plan.
func (f frontend) delay(index int) time.Duration {
	if f.mean == 0 {
		return 0
	}
	return time.Duration(math.Round(float64(f.mean) * f.key.Index(index).Rand().ExpFloat64()))
}

// send makes a session's next request and gives it to the front end.
func (r *replay) send(s *session) error {
	c, err := r.newCall(s)
	if err != nil {
		return err
	}
	r.calls[c.job.id] = c
	req := c.request()
	if req.Cancel {
		r.at(r.now+req.CancelAfter, timer{kind: timeCancel, id: c.job.id})
	}
	if d := r.front.delay(req.Index); d > 0 {
		r.at(r.now+d, timer{kind: timeArrive, id: c.job.id})
		return nil
	}
	return r.arrive(c.job.id)
}

// arrive gives a request to the cluster, unless it was given up on its way.
func (r *replay) arrive(id uint64) error {
	c := r.calls[id]
	if c == nil {
		return nil
	}
	c.rec.Ack = stamp(r.now)
	err := r.fleet.submit(r.base+r.now, &c.job)
	if err == nil {
		r.facts.sent(c)
		r.out.Reached.see(c.job.tokens, c.job.output)
		return nil
	}
	message := err.Error()
	var long *engine.TooLongError
	if errors.As(err, &long) {
		r.out.TooLong++
		r.out.TooLongTokens = max(r.out.TooLongTokens, long.Tokens)
		message = fmt.Sprintf("a prompt of %d tokens and an output of %d are more than the %d tokens that fit",
			c.job.tokens, c.job.output, r.fleet.capacity)
	}
	return r.fail(c, &record.Failure{Class: record.ClassHTTP4, Code: 400, Type: "BadRequest", Message: message})
}
