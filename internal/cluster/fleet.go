package cluster

import (
	"fmt"
	"time"

	"headway/internal/engine"
	"headway/internal/router"
)

// fleet is workers behind a router, on one timeline and without a clock: jobs
// go in, events of the workers come out. Replay and the server drive the same
// one, so that they decide alike.
//
// Everything happens in the order of time; at one instant workers go by
// number. A worker's news (a cache changed, a prompt is done, a reply has
// ended) reaches the router before the next decision.
type fleet struct {
	cfg      Config
	members  []*member
	due      memberHeap
	front    *pool // who computes prompts: all workers, or the prefill ones
	back     *pool // who decodes after another computed the prompt; nil where nobody does
	jobs     map[uint64]*job
	delayed  []delayedEvent // for front's router, in order of time
	capacity int
	regret   *regret // nil where nobody asks
	tiers    tiers
	links    links

	news    news   // for front's router, where they come at once
	merged  []told // scratch space of leap
	refused error  // the first KV event that a router did not take
}

// pool is equal workers behind one router.
type pool struct {
	router  *router.Router
	members []*member
}

// member is a worker in its pool.
type member struct {
	number int // in the fleet
	index  int // in the pool, as the router numbers it
	eng    *engine.Engine
	out    *engine.Link   // of keys and values to decode workers; nil where nobody waits for it
	desk   *desk          // in front of it; nil where there is none
	step   []engine.Event // scratch space of stepBehind

	at   time.Duration // when it has to be stepped next, while in the heap
	heap int           // index in the heap, -1 while not in it

	jobs   int           // on the worker
	most   int           // of jobs
	since  time.Duration // when jobs rose above 0
	busy   time.Duration // with jobs, up to since
	totals memberTotals
}

// memberTotals is what a worker did.
type memberTotals struct {
	requests               int
	prompt, cached, output int64
	onboarded              [engine.MaxTiers]int64 // of cached, from tiers
}

func newFleet(c Config) (*fleet, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	f := &fleet{cfg: c, jobs: map[uint64]*job{}, capacity: c.capacity()}
	role, frontSize := engine.Aggregated, c.Workers
	if c.PrefillWorkers > 0 {
		back, err := f.newPool(c.backRouter(), c.Workers, engine.DecodeOnly, false)
		if err != nil {
			return nil, err
		}
		f.back, role, frontSize = back, engine.PrefillOnly, c.PrefillWorkers
	}
	var err error
	if f.tiers, err = c.newTiers(frontSize); err != nil {
		return nil, err
	}
	front, err := f.newPool(c.routerConfig(frontSize), frontSize, role, true)
	if err != nil {
		return nil, err
	}
	f.front = front
	if c.Regret {
		f.regret = &regret{}
	}
	return f, nil
}

// newPool adds workers to the fleet.
func (f *fleet) newPool(rc router.Config, n int, role engine.Role, events bool) (*pool, error) {
	r, err := router.New(rc)
	if err != nil {
		return nil, err
	}
	p := &pool{router: r}
	listens := events && rc.Mode == router.KV && rc.UseKVEvents
	for i := range n {
		m := &member{number: len(f.members), index: i, heap: -1}
		ec := f.cfg.engineConfig(m.number, role)
		switch role {
		case engine.DecodeOnly:
			ec.Inbound = f.links.way(f.cfg, &f.links.in, i)
		case engine.PrefillOnly:
			m.out = f.links.way(f.cfg, &f.links.out, i)
		}
		if role != engine.DecodeOnly {
			ec.Tiers = f.tiers.of(f.cfg, i, n)
		}
		if listens {
			ec.OnKV = func(e engine.KVEvent) { f.hear(m, e) }
		}
		if m.eng, err = engine.New(ec); err != nil {
			return nil, err
		}
		if f.cfg.API != nil {
			m.desk = &desk{cost: *f.cfg.API, all: f.cfg.everyToken}
		}
		p.members, f.members = append(p.members, m), append(f.members, m)
	}
	return p, nil
}

// backRouter chooses decode workers by load: their caches hold what was
// transferred, and the prompt is not computed again whatever they hold.
func (c Config) backRouter() router.Config {
	r := c.routerConfig(c.Workers)
	r.OverlapScoreCredit = 0
	r.HostCredit = 0
	r.DiskCredit = 0
	r.QueueThreshold, r.Profile = 0, nil
	r.UseKVEvents, r.TrackPrefillTokens = true, false
	return r
}

// errTooLong tells of a request that no worker could ever run.
func (f *fleet) errTooLong(j *job) error {
	return &engine.TooLongError{Tokens: j.tokens + j.output, Capacity: f.capacity}
}

// submit takes a job in. A job that could never run is refused with an
// *engine.TooLongError.
func (f *fleet) submit(now time.Duration, j *job) error {
	if j.tokens+j.output > f.capacity {
		return f.errTooLong(j)
	}
	j.cached = -1
	j.route.ID, j.route.Blocks, j.route.Tokens = j.id, j.blocks, j.tokens
	if f.cfg.ExpectedOutput {
		j.route.ExpectedOutput = j.output
	}
	f.tell(now)
	f.flush()
	if err := f.release(now); err != nil {
		return err
	}
	if n := j.route.Direct; n >= 0 && f.cfg.Router.Mode != router.Direct {
		// Who names a worker gets it whatever the router would say. The
		// router does not count what it did not decide.
		if n >= len(f.front.members) {
			return fmt.Errorf("worker %d was asked for: there are %d, from 0", n, len(f.front.members))
		}
		f.jobs[j.id] = j
		return f.place(now, j, n)
	}
	d, err := f.front.router.Route(now, j.route)
	if err != nil {
		return err
	}
	f.jobs[j.id] = j
	if d.Queued {
		return nil
	}
	return f.decided(now, j, d)
}

// decided gives a job to the worker that the router chose.
func (f *fleet) decided(now time.Duration, j *job, d router.Decision) error {
	if f.regret != nil {
		f.regret.observe(now, f, j, d)
	}
	return f.place(now, j, d.Worker)
}

// place gives a job to a worker of the front.
func (f *fleet) place(now time.Duration, j *job, worker int) error {
	m := f.front.members[worker]
	m.totals.requests++
	return f.give(now, j, m)
}

// request is a job as a worker is asked for it.
func (f *fleet) request(j *job) engine.Request {
	r := engine.Request{ID: j.id, PromptTokens: j.tokens, MaxTokens: j.output, Blocks: j.blocks, Adapter: j.adapter}
	if j.prefill != nil {
		r.Outbound = j.prefill.out
	}
	if j.said != nil {
		r.Blocks = j.said
	}
	if f.cfg.PriorityScheduling {
		r.Priority = j.priority
	}
	return r
}

// give submits a job to a worker.
func (f *fleet) give(now time.Duration, j *job, m *member) error {
	at := now
	if j.prefill == nil {
		at += f.cfg.Outside
	}
	if m.desk != nil && j.prefill == nil {
		m.desk.accept(at, j)
	} else if err := m.eng.Submit(at, f.request(j)); err != nil {
		return fmt.Errorf("worker %d: %w", m.number, err)
	}
	j.on = m
	if m.jobs++; m.jobs == 1 {
		m.since = now
	}
	m.most = max(m.most, m.jobs)
	f.due.set(m, now)
	return nil
}

// cancel takes a job out at once, wherever it stands, and reports whether it
// was there.
func (f *fleet) cancel(now time.Duration, id uint64) bool {
	j := f.jobs[id]
	if j == nil {
		return false
	}
	if j.on == nil {
		f.front.router.Finished(id)
		delete(f.jobs, id)
		return true
	}
	m := j.on
	m.eng.Cancel(now, id)
	f.due.set(m, now)
	f.end(now, j)
	return true
}

// next is when something happens without new jobs.
func (f *fleet) next() (time.Duration, bool) {
	at, ok := time.Duration(0), false
	if len(f.due) > 0 {
		at, ok = f.due[0].at, true
	}
	if len(f.delayed) > 0 && (!ok || f.delayed[0].at < at) {
		at, ok = f.delayed[0].at, true
	}
	return at, ok
}

// advance does what is due at the time now and before, in order, and calls see
// with each event of a job that is still there. see must not call the fleet.
func (f *fleet) advance(now time.Duration, see func(*job, engine.Event)) error {
	for {
		at, ok := f.next()
		if !ok || at > now {
			return f.refused
		}
		f.tell(at)
		for len(f.due) > 0 && f.due[0].at == at {
			if err := f.step(f.due[0], at, see); err != nil {
				return err
			}
		}
		if err := f.release(at); err != nil {
			return err
		}
	}
}

// step advances one worker.
func (f *fleet) step(m *member, at time.Duration, see func(*job, engine.Event)) error {
	if m.desk != nil {
		return f.stepBehind(m, at, see)
	}
	events, next, busy := m.eng.Step(at)
	if busy {
		f.due.set(m, next)
	} else {
		f.due.remove(m)
	}
	for _, e := range events {
		if err := f.hand(m, e, see); err != nil {
			return err
		}
	}
	return nil
}

// hand passes an event on, unless its request was cancelled.
func (f *fleet) hand(m *member, e engine.Event, see func(*job, engine.Event)) error {
	j := f.jobs[e.ID]
	if j == nil || j.on != m {
		return nil
	}
	if err := f.observe(j, e); err != nil {
		return err
	}
	see(j, e)
	return nil
}

// observe keeps the account and the router informed.
func (f *fleet) observe(j *job, e engine.Event) error {
	m := j.on
	switch e.Kind {
	case engine.Admitted:
		if j.cached < 0 {
			j.cached = e.Cached
			m.totals.prompt += int64(j.tokens)
			m.totals.cached += int64(e.Cached)
			j.tiered = e.Onboarded
			for i, n := range e.Onboarded {
				m.totals.onboarded[i] += int64(n)
			}
		}
	case engine.Token, engine.Finished, engine.Preempted:
		f.produced(j, e.Token)
		if e.Kind == engine.Finished {
			f.end(e.At, j)
		}
	case engine.HandedOver:
		return f.handOver(e.At, j)
	}
	return nil
}

// handOver sends a job whose prompt has been computed to a decode worker.
func (f *fleet) handOver(at time.Duration, j *job) error {
	f.leave(at, j)
	d, err := f.back.router.Route(at, j.route)
	if err != nil {
		return err
	}
	f.back.router.PrefillDone(j.id)
	j.prefill = j.on
	m := f.back.members[d.Worker]
	m.totals.requests++
	return f.give(at, j, m)
}

// release places jobs that waited in the router's queue, as far as workers
// have room now.
func (f *fleet) release(now time.Duration) error {
	if f.front.router.Waiting() > 0 {
		f.flush()
	}
	for f.front.router.Waiting() > 0 {
		id, d, ok := f.front.router.Release(now)
		if !ok {
			return nil
		}
		if err := f.decided(now, f.jobs[id], d); err != nil {
			return err
		}
	}
	return nil
}
