package profile

import (
	"fmt"

	"headway/internal/interp"
)

// decodeReading reads ITL and throughput between measured points of KV usage and
// context, in whatever unit they were given.
type decodeReading struct {
	points    []interp.Point // KV usage, context
	itl, rate *interp.Surface
	work      *interp.Surface // of rate·ITL over the load; see rateAt
	low, high float64         // the least and the most throughput that was measured
}

func newDecodeReading(points []interp.Point, itl, rate []float64) (decodeReading, error) {
	r := decodeReading{points: points}
	var err error
	if r.itl, err = interp.NewSurface(points, itl); err != nil {
		return r, fmt.Errorf("z_itl over x_kv_usage and y_context_length: %w", err)
	}
	if r.rate, err = interp.NewSurface(points, rate); err != nil {
		return r, fmt.Errorf("z_thpt_per_gpu over x_kv_usage and y_context_length: %w", err)
	}
	work := make([]float64, len(points))
	r.low, r.high = rate[0], rate[0]
	for i, l := range load(points) {
		work[i] = rate[i] * itl[i] / l
		r.low, r.high = min(r.low, rate[i]), max(r.high, rate[i])
	}
	if r.work, err = interp.NewSurface(points, work); err != nil {
		return r, fmt.Errorf("z_thpt_per_gpu times z_itl over x_kv_usage and y_context_length: %w", err)
	}
	return r, nil
}

// load is for each point a number that is proportional to its requests.
func load(points []interp.Point) []float64 {
	out := make([]float64, len(points))
	for i, p := range points {
		out[i] = p.X / p.Y
	}
	return out
}

// itlAt is ITL at a place, linear between the three points around it and so never
// beyond them, and whether there are three. Outside it is that of the nearest point.
func (r *decodeReading) itlAt(p interp.Point) (float64, bool) {
	if v, inside := r.itl.Linear(p); inside {
		return v, true
	}
	return r.itl.Nearest(p), false
}

// rateAt is the throughput: the load over ITL, times what that came to where it was
// measured, which is nearly the same everywhere. A surface through the throughputs
// themselves would bend sharply where there are few requests; the planner's falls
// below zero there. It is never beyond what was measured.
func (r *decodeReading) rateAt(p interp.Point) float64 {
	work, inside := r.work.Linear(p)
	if !inside {
		return r.rate.Nearest(p)
	}
	itl, _ := r.itl.Linear(p)
	return min(max(work*p.X/p.Y/itl, r.low), r.high)
}
