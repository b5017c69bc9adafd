package profile

import (
	"math"
	"slices"
)

// Demand is what the workers together are to do.
type Demand struct {
	// ISL and OSL are the tokens of a request.
	ISL, OSL int
	// RequestRate is how many requests per second are to be served, TotalGPUs
	// how many GPUs there are. With both 0 the pools are made as small as they
	// can be while no worker idles much; with both the rate is served on at
	// most so many GPUs, or as much of it as they can.
	RequestRate float64
	TotalGPUs   int
	// GPUHour is what a GPU costs for an hour.
	GPUHour float64
}

// What of their rates matched pools reach at the most: what one pool hands over
// the other does not take at once. The shares are those of AISimulate's
// rate matching (sdk/picking.py, formerly AIConfigurator's).
const (
	prefillShare = 0.9
	decodeShare  = 0.92
)

// mostWorkers bounds a pool where nothing else does, as in AISimulate.
const mostWorkers = 32

// nearlyBest is the share of the best rate per GPU that suffices for a smaller
// deployment to be preferred.
const nearlyBest = 0.9

// queueing is the mean wait, in service times, of Poisson arrivals at so many
// servers that each take a constant time and are busy so much of it: Sakasegawa's
// approximation of M/G/c with the variation of constant service,
//
//	busy^(√(2(c+1))−1) / (2c(1−busy))
//
// (H. Sakasegawa, An approximation formula, Ann. Inst. Statist. Math. 29, 1977).
func queueing(servers int, busy float64) float64 {
	c := float64(servers)
	return math.Pow(busy, math.Sqrt(2*(c+1))-1) / (2 * c * (1 - busy))
}

// busiest is how busy the prefill pool may be for TTFT, queueing included, to
// meet a target on average; 0 where the prompt alone misses it. All times are in
// seconds.
func busiest(servers int, ttft, target float64) float64 {
	if ttft > target {
		return 0
	}
	if ttft*(1+queueing(servers, prefillShare)) <= target {
		return prefillShare
	}
	lo, hi := 0.0, prefillShare
	for range 50 {
		if mid := (lo + hi) / 2; ttft*(1+queueing(servers, mid)) <= target {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// Pool is equal workers.
type Pool struct {
	Mapping string `json:"mapping"`
	Workers int    `json:"workers"`
	GPUs    int    `json:"gpus"` // of all of them
	// Concurrency is that of a worker, AlwaysBusy what the pool would serve in
	// requests per second if no worker ever waited, RequestRate how much of that
	// is counted on, Busy the share of RequestRate which the deployment asks for.
	Concurrency int     `json:"concurrency"`
	AlwaysBusy  float64 `json:"request_rate_always_busy"`
	RequestRate float64 `json:"request_rate"`
	Busy        float64 `json:"busy"`
	// AlwaysBusyRange is nil where the point was measured once.
	AlwaysBusyRange *Range `json:"request_rate_always_busy_range,omitempty"`
}

// Deployment is workers that serve whole requests together.
type Deployment struct {
	// Prefill and Decode are set for a disaggregated one, Aggregated for one
	// whose workers do both.
	Prefill    *Pool `json:"prefill,omitempty"`
	Decode     *Pool `json:"decode,omitempty"`
	Aggregated *Pool `json:"aggregated,omitempty"`
	GPUs       int   `json:"gpus"`
	// RequestRate is what it can serve, Served what it does: no more than is
	// asked for. Both are requests per second.
	RequestRate float64 `json:"request_rate"`
	Served      float64 `json:"served_request_rate"`
	// TTFT and ITL are in seconds and means; TTFT has the wait for a worker in
	// it when requests arrive at random (Poisson) at the served rate.
	TTFT float64 `json:"ttft_s"`
	ITL  float64 `json:"itl_s"`
	// Met says that both targets are.
	Met bool `json:"targets_met"`
	// The costs are of what is served: for 1000 requests, and for a million
	// tokens of prompts and replies, and of replies alone.
	Per1000Requests  float64 `json:"cost_per_1000_requests"`
	PerMillionTokens float64 `json:"cost_per_million_tokens"`
	PerMillionOutput float64 `json:"cost_per_million_output_tokens"`
	// Short says that the GPUs do not suffice for the rate.
	Short bool `json:"short,omitempty"`
	// The ranges of RequestRate, Served and Per1000Requests; the other costs are
	// as wide in proportion. Nil where a point that the deployment follows from
	// was measured once.
	RequestRateRange *Range `json:"request_rate_range,omitempty"`
	ServedRange      *Range `json:"served_request_rate_range,omitempty"`
	CostRange        *Range `json:"cost_per_1000_requests_range,omitempty"`

	prefill, decode Pick // what it follows from, where it is disaggregated
}

// points are the trials of a phase as picks: those that meet the target, or
// where none does the pick alone.
func (r PhaseResult) points(target float64) []Pick {
	var list []Pick
	for _, o := range r.Outcomes {
		for _, t := range o.Trials {
			if !t.meets(r.Phase, target) {
				continue
			}
			one := o
			one.Trials = []Trial{t}
			if p, ok := SelectPhase(r.Phase, []Outcome{one}, target); ok {
				list = append(list, p)
			}
		}
	}
	if len(list) == 0 && r.Pick != nil {
		list = append(list, *r.Pick)
	}
	return list
}

// Match is the cheapest disaggregated deployment for a demand: of all pairs of
// a prefill and a decode point that meet the targets, and all sizes of the two
// pools. A prefill pool takes as much as its TTFT, queueing included, allows. It
// is nil where a phase has no pick, one worker of each does not fit the GPUs, or
// a target is missed and nothing says how large the pools are to be: the nearest
// miss is a worker with hardly any load, to which a prefill worker is matched by
// hundreds.
func Match(r Result, t SLO, d Demand) *Deployment {
	var all []Deployment
	for _, p := range r.Prefill.points(t.TTFT) {
		for _, q := range r.Decode.points(t.ITL) {
			if d.sized() || p.Met && q.Met {
				all = append(all, d.pair(p, q, t)...)
			}
		}
	}
	best := d.choose(all)
	if best != nil {
		d.within(best, t)
	}
	return best
}

// sized says that the demand itself bounds the pools.
func (d Demand) sized() bool { return d.RequestRate > 0 || d.TotalGPUs > 0 }

// choose is the best of some deployments; nil where there is none.
func (d Demand) choose(all []Deployment) *Deployment {
	met := func(x Deployment) bool { return x.Met }
	if slices.ContainsFunc(all, met) {
		all = slices.DeleteFunc(all, func(x Deployment) bool { return !x.Met })
	}
	if !d.sized() {
		most := 0.0
		for _, x := range all {
			most = max(most, x.RequestRate/float64(x.GPUs))
		}
		all = slices.DeleteFunc(all, func(x Deployment) bool { return x.RequestRate/float64(x.GPUs) < nearlyBest*most })
	}
	var best *Deployment
	for _, x := range all {
		if best == nil || d.better(x, *best) {
			best = &x
		}
	}
	return best
}

// better says that x is to be preferred to y. With a demand it is the one that
// serves more, then the one with fewer GPUs; without, fewer GPUs come first.
func (d Demand) better(x, y Deployment) bool {
	if d.sized() {
		if math.Abs(x.Served-y.Served) > 1e-9*y.Served {
			return x.Served > y.Served
		}
	}
	if x.GPUs != y.GPUs {
		return x.GPUs < y.GPUs
	}
	return x.RequestRate > y.RequestRate
}

// pair is the deployments of two points that are worth a look: for every size
// of one pool the sizes of the other that match it.
func (d Demand) pair(p, q Pick, t SLO) []Deployment {
	var list []Deployment
	most := mostWorkers
	if d.TotalGPUs > 0 {
		most = d.TotalGPUs / p.GPUs
	}
	rq := q.RequestRate(d.ISL, d.OSL) * decodeShare
	for n := 1; n <= most; n++ {
		rp := d.prefillRate(p, n, t)
		if rp <= 0 {
			continue // the target leaves no room for waiting
		}
		wanted := rp
		if d.RequestRate > 0 {
			wanted = min(wanted, d.RequestRate)
		}
		for m := max(int(wanted/rq), 1); m <= int(math.Ceil(wanted/rq-1e-9)); m++ {
			if d.TotalGPUs > 0 {
				m = min(m, (d.TotalGPUs-n*p.GPUs)/q.GPUs)
			}
			if m >= 1 {
				list = append(list, d.deployment(p, q, n, m, rp, rq))
			}
			if d.TotalGPUs > 0 && (m+1)*q.GPUs > d.TotalGPUs-n*p.GPUs {
				break
			}
		}
		if d.RequestRate > 0 {
			if rp >= d.RequestRate {
				break
			}
			most = max(most, n+1) // a rate is served by as many as it takes
			if d.TotalGPUs > 0 && (n+1)*p.GPUs > d.TotalGPUs || n > 1<<16 {
				break
			}
		}
	}
	return list
}

// prefillRate is how many requests per second so many prefill workers take. Where
// the prompt alone misses the target no load meets it, and the queue is let be.
func (d Demand) prefillRate(p Pick, workers int, t SLO) float64 {
	share := prefillShare
	if p.Met {
		share = busiest(workers*p.AttentionDP(), p.Trial.TTFT.Mean, t.TTFT)
	}
	return float64(workers) * p.RequestRate(d.ISL, d.OSL) * share
}

func (d Demand) deployment(p, q Pick, n, m int, rp, rq float64) Deployment {
	x := Deployment{
		Prefill: &Pool{Mapping: p.Mapping.String(), Workers: n, GPUs: n * p.GPUs, Concurrency: p.Trial.Concurrency,
			AlwaysBusy: float64(n) * p.RequestRate(d.ISL, d.OSL), RequestRate: rp},
		Decode: &Pool{Mapping: q.Mapping.String(), Workers: m, GPUs: m * q.GPUs, Concurrency: q.Trial.Concurrency,
			AlwaysBusy: float64(m) * q.RequestRate(d.ISL, d.OSL), RequestRate: float64(m) * rq},
		ITL: q.Trial.ITL.Mean, Met: p.Met && q.Met, prefill: p, decode: q,
	}
	x.GPUs, x.RequestRate = x.Prefill.GPUs+x.Decode.GPUs, min(x.Prefill.RequestRate, x.Decode.RequestRate)
	d.price(&x)
	busy := x.Served / x.Prefill.AlwaysBusy
	x.TTFT = p.Trial.TTFT.Mean * (1 + queueing(n*p.AttentionDP(), busy))
	return x
}

// price fills in what follows from GPUs and RequestRate.
func (d Demand) price(x *Deployment) {
	x.Served = x.RequestRate
	if d.RequestRate > 0 {
		x.Served = min(x.Served, d.RequestRate)
		x.Short = x.RequestRate < d.RequestRate*(1-1e-9)
	}
	for _, p := range []*Pool{x.Prefill, x.Decode, x.Aggregated} {
		if p != nil {
			p.Busy = x.Served / p.RequestRate
		}
	}
	request := float64(x.GPUs) * d.GPUHour / 3600 / x.Served
	x.Per1000Requests = 1000 * request
	x.PerMillionTokens = 1e6 * request / float64(d.ISL+d.OSL)
	x.PerMillionOutput = 1e6 * request / float64(d.OSL)
}
