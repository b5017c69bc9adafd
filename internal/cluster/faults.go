package cluster

import (
	"sync/atomic"

	"headway/workload"
)

// faults draws what goes wrong with which request, by order of arrival.
type faults struct {
	cfg   ServerConfig
	key   workload.Key
	count atomic.Int64
}

// fate is what goes wrong with one request.
type fate struct {
	fail    bool // answered with 500
	cut     bool // the stream breaks off
	abort   bool // and takes its connection along
	garbage bool // the stream has an event that is not JSON
}

func (f *faults) draw() fate {
	rng := f.key.Index(int(f.count.Add(1))).Rand()
	// Every number is drawn, whether it is needed or not: raising one rate
	// must not change whom another hits.
	hit := func(percent float64) bool { return rng.Float64()*100 < percent }
	return fate{
		fail:    hit(f.cfg.ErrorRate),
		cut:     hit(f.cfg.CutRate),
		garbage: hit(f.cfg.GarbageRate),
		abort:   hit(50),
	}
}
