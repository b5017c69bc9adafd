package profile

import (
	"encoding/json"
	"math"
	"slices"

	"headway/internal/interp"
)

// Reading is a value between measured ones, and what it is worth.
type Reading struct {
	Value float64
	// Measured says that the place lies among the measured points. Outside, the
	// value is that of the nearest end or point.
	Measured bool
	// Error is the root mean square of what the curve misses by at each of its
	// inner points when it is drawn without it; NearestError what it misses by
	// at the inner point nearest to the place. Both are NaN where no point can
	// be left out.
	Error, NearestError float64
}

// sure says that a target is further from the value than the error of reading it; an
// error that is not known is none.
func (r Reading) sure(target float64) bool {
	return math.IsNaN(r.Error) || abs(r.Value-target) > r.Error
}

// MarshalJSON writes null for an error that is not known.
func (r Reading) MarshalJSON() ([]byte, error) {
	known := func(v float64) *float64 {
		if math.IsNaN(v) {
			return nil
		}
		return &v
	}
	return json.Marshal(struct {
		Value        float64  `json:"value"`
		Measured     bool     `json:"measured"`
		Error        *float64 `json:"error"`
		NearestError *float64 `json:"nearest_error"`
	}{r.Value, r.Measured, known(r.Error), known(r.NearestError)})
}

// Better reads TTFT (ms) off a curve that stays between its points, and makes the
// throughput (tokens/s/GPU) of it: ISL over TTFT, times what that product came to
// where it was measured, which is nearly the same at all lengths. A curve through the
// throughputs themselves, which bend sharply where prompts are short, misses by
// several times as much. Neither is beyond what was measured.
func (t *PrefillTable) Better(isl float64) (ttft, rate Reading) {
	lo, hi := t.ours.Range()
	inside := isl >= lo && isl <= hi
	ttft = Reading{Value: t.ours.Clamped(isl), Measured: inside}
	at := min(max(isl, lo), hi)
	rate = Reading{Value: t.workCurve.Clamped(at) * at / ttft.Value, Measured: inside}
	rate.Value = min(max(rate.Value, slices.Min(t.rate)), slices.Max(t.rate))
	x := t.ours.Places()
	distance := func(i int) float64 { return math.Abs(x[i] - isl) }
	ttft.Error, ttft.NearestError = misses(t.ttftErrors, distance)
	rate.Error, rate.NearestError = misses(t.rateErrors, distance)
	return ttft, rate
}

// Better reads ITL (ms) and throughput (tokens/s/GPU) where they are asked for, and
// not at a cell nearby; see itlAt and rateAt.
func (t *DecodeTable) Better(usage, context float64) (itl, rate Reading) {
	p := interp.Point{X: usage, Y: context}
	v, inside := t.itlAt(p)
	itl = Reading{Value: v, Measured: inside}
	rate = Reading{Value: t.rateAt(p), Measured: inside}
	// Near means near in the picture, where both axes are as long.
	longest := t.context[plannerGrid-1]
	distance := func(i int) float64 {
		return math.Hypot(t.points[i].X-usage, (t.points[i].Y-context)/longest)
	}
	itl.Error, itl.NearestError = misses(t.itlErrors, distance)
	rate.Error, rate.NearestError = misses(t.rateErrors, distance)
	return itl, rate
}

// misses is the root mean square of the residuals inside, and the one that is
// nearest.
func misses(residuals []interp.Residual, distance func(i int) float64) (rms, near float64) {
	sum, n, best := 0.0, 0.0, math.Inf(1)
	near = math.NaN()
	for i, r := range residuals {
		if !r.Inside {
			continue
		}
		sum, n = sum+r.Off()*r.Off(), n+1
		if d := distance(i); d < best {
			best, near = d, math.Abs(r.Off())
		}
	}
	return math.Sqrt(sum / n), near
}

// fineness is in how many steps the share of the cache is searched.
const fineness = 2000

// Best is the most throughput at this context with an ITL (ms) of at most the
// target, over the shares of the cache that were measured at it and hold at least
// one request: where the surface says so, not at the nearest cell, and never outside
// the measured points. A context outside is taken for the nearest that was measured, and the
// readings are then not Measured. ok is false where no share meets the target;
// the readings are then those of the least ITL.
func (t *DecodeTable) Best(itl, context float64) (rate, atITL Reading, usage float64, ok bool) {
	low, high := t.contexts()
	at := min(max(context, low), high)
	best := math.Inf(-1)
	least := math.Inf(1)
	bestAt := -1.0
	leastAt := -1.0
	for i := range fineness + 1 {
		p := interp.Point{X: float64(i) / fineness, Y: at}
		v, inside := t.itl.Linear(p)
		if !inside || p.X*t.KVTokens < at {
			continue
		}
		if v < least {
			least, leastAt = v, p.X
		}
		if r := t.rateAt(p); v <= itl && r > best {
			best, bestAt = r, p.X
		}
	}
	if usage, ok = leastAt, bestAt >= 0; ok {
		usage = bestAt
	}
	if usage < 0 {
		// The points at this context are so close that no step falls between
		// them.
		_, v, x := t.PlannerBest(itl, at)
		usage, ok = x, v <= itl
	}
	atITL, rate = t.Better(usage, at)
	atITL.Measured, rate.Measured = atITL.Measured && at == context, rate.Measured && at == context
	return rate, atITL, usage, ok
}

// contexts are the shortest and the longest that were measured.
func (t *DecodeTable) contexts() (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, p := range t.points {
		low, high = min(low, p.Y), max(high, p.Y)
	}
	return low, high
}
