package sla

import (
	"context"
	"fmt"
	"math"
	"time"

	"headway/internal/deploy"
	"headway/internal/deploy/dgdr"
	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/profile"
)

// shares are the parts of a latency from end to end that are tried for TTFT.
var shares = []float64{.02, .05, .1, .15, .2, .25, .3, .4, .5, .6, .7, .8, .9}

// divided are the targets of the search. One of a request from end to end is divided
// into a TTFT and an ITL, which the search needs: as the cheapest deployment of a
// simulated search has them. Whatever meets both meets the whole.
func (q Asked) divided(ctx context.Context, r *dgdr.Request, search profile.Search) (profile.SLO, error) {
	if r == nil || r.Latency == 0 {
		return search.SLO, nil
	}
	d := division{search: search, latency: r.Latency, demand: profile.Demand{ISL: q.ISL, OSL: q.OSL,
		RequestRate: q.Rate, TotalGPUs: q.TotalGPUs, GPUHour: q.GPUHour}}
	d.search.Bench = &deploy.Sim{Setup: search.Space.Setup, Fitted: q.fitted}
	d.search.Dir, d.search.Resume, d.search.Method = "", false, profile.Fast
	best, err := d.best(ctx)
	if err != nil {
		return best, fmt.Errorf("dividing %s: %w", r.At("sla.e2eLatency"), err)
	}
	q.TTFT, q.ITL = milliseconds(best.TTFT), milliseconds(best.ITL)
	q.Note("%s", fault.Text(q.Name, "note: %s %g is divided into %s %.1f and %s %.2f, with which a simulated "+
		"search has the cheapest deployment; %s and %s divide it otherwise",
		r.At("sla.e2eLatency"), r.Latency*1e3, ttft, best.TTFT*1e3, itl, best.ITL*1e3, ttft, itl))
	return best, nil
}

func milliseconds(seconds float64) options.Milliseconds {
	return options.Milliseconds(seconds * float64(time.Second))
}

// division looks for the targets that a latency is best divided into.
type division struct {
	search  profile.Search
	latency float64 // seconds
	demand  profile.Demand
}

// best is the division with the lowest cost, or where nothing meets any the one that
// is missed by the least.
//
// Replies have two tokens at least, which the space has been checked for.
func (d division) best(ctx context.Context) (slo profile.SLO, err error) {
	cost, miss := math.Inf(1), math.Inf(1)
	for _, share := range shares {
		one := profile.SLO{TTFT: share * d.latency, ITL: (1 - share) * d.latency / float64(d.demand.OSL-1)}
		c, m, err := d.try(ctx, one)
		if err != nil {
			return slo, err
		}
		if c < cost || math.IsInf(cost, 1) && m < miss {
			slo, cost, miss = one, c, m
		}
	}
	return slo, nil
}

// try is the cost of what is found for targets, infinite where they are missed, and
// by how much the worse of them is.
func (d division) try(ctx context.Context, slo profile.SLO) (cost, miss float64, err error) {
	d.search.SLO = slo
	r, err := d.search.Run(ctx)
	cost, miss = math.Inf(1), math.Inf(1)
	if err != nil || r.Prefill.Pick == nil || r.Decode.Pick == nil {
		return cost, miss, err
	}
	p, q := r.Prefill.Pick, r.Decode.Pick
	miss = max(p.Trial.TTFT.Mean/slo.TTFT, q.Trial.ITL.Mean/slo.ITL)
	if found := profile.Match(r, slo, d.demand); found != nil && found.Met && !found.Short {
		cost = found.Per1000Requests
	}
	return cost, miss, nil
}
