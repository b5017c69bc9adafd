package sla

import (
	"math"

	"headway/internal/profile"
)

// sizeByConcurrency makes a rate of so many requests in flight, by Little's law: the
// rate at which that many are on their way at the latencies of the pools that serve
// it. Those depend on the rate, so both are found together.
func (s *Search) sizeByConcurrency() {
	if s.InFlight == 0 {
		return
	}
	r, demand := s.found.Result, s.Demand
	latency := s.lasts(s.Search.SLO.TTFT, s.Search.SLO.ITL)
	for range 30 {
		before := demand.RequestRate
		demand.RequestRate = s.InFlight / latency
		if math.Abs(demand.RequestRate-before) < 1e-6*before {
			break
		}
		best := profile.Match(r, s.Search.SLO, demand)
		if best == nil {
			break // there are no pools for any rate, which is told elsewhere
		}
		latency = s.lasts(best.TTFT, best.ITL)
	}
	s.Demand = demand
	s.found.Demand = demand
}

// lasts is how long a request takes from end to end, in seconds.
func (s *Search) lasts(ttft, itl float64) float64 {
	return ttft + float64(s.space().OSL-1)*itl
}
