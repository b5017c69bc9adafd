package cluster

import (
	"context"
	"errors"
	"iter"
	"time"

	"headway/record"
	"headway/workload"
)

// Standing is a simulated cluster that stands while several plans run on it,
// one after the other: a plan finds in the caches what those before it left
// there. [Replay] is one plan on a cluster of its own.
type Standing struct {
	cfg   Config
	fleet *fleet
	now   time.Duration // on the workers' timeline
	calls uint64        // made so far
	once  bool          // there is one plan
}

// Start makes a cluster of idle workers with empty caches. The error lists
// every fault of the configuration.
func Start(c Config) (*Standing, error) {
	f, err := newFleet(c)
	if err != nil {
		return nil, err
	}
	return &Standing{cfg: c, fleet: f}, nil
}

// errPart is of plans that only the load generator drives.
var errPart = errors.New("a plan with bound slots, or a part of a plan, is not simulated: simulate the whole plan")

// Replay runs a plan as the function Replay does. Record times begin at 1 in
// every plan. What the account of the cluster says of workers and of the hit
// rate counts from Start, its offered and completed rates are this plan's. It
// must not be called twice at once.
func (s *Standing) Replay(ctx context.Context, p workload.Plan, sink record.Sink) (record.Cluster, Outcome, error) {
	c := s.cfg
	if p.Bound || p.ConcurrencyPlaces != (workload.Places{}) || p.PrefillPlaces != (workload.Places{}) {
		return record.Cluster{}, Outcome{}, errPart
	}
	r := &replay{
		plan: p, cfg: c, fleet: s.fleet, sink: sink, calls: map[uint64]*call{}, once: s.once, base: s.now,
		lastID: s.calls,
		reader: reader{block: c.BlockSize(), tokenizer: c.Tokenizer},
		places: newGate(p.Concurrency, p.ConcurrencyRamp), prefill: newGate(p.PrefillConcurrency, p.PrefillRamp),
		facts: newFacts(c),
	}
	next, stop := iter.Pull2(p.Source)
	defer stop()
	r.source.pull = next
	err := r.run(ctx)
	r.out.Begin, r.out.End, r.out.Capacity = 1, stamp(max(r.last, 0)), s.fleet.capacity
	r.out.Reached.Requests = s.fleet.most()
	s.now, s.calls = s.now+max(r.now, r.last, 0), r.lastID
	return r.facts.cluster(s.fleet, s.now), r.out, err
}
