package step

import (
	"math"
	"slices"
)

// Front is what decode points say of the front end.
type Front struct {
	// Bound says of each point whether the front end made its ITL and not the engine.
	Bound []bool
	// PerToken is what it takes for a token that it writes, in seconds; 0 where no
	// point is bound.
	PerToken float64
}

// Any says whether a point is bound.
func (f Front) Any() bool { return slices.Contains(f.Bound, true) }

const (
	// beyondEngine is how much more than the engine's work ITL is at a point that the
	// front end bounds.
	beyondEngine = 1.25
	// sameCost is how far the cost of a token may differ among such points.
	sameCost = 0.2
	// fewestFree is how many points the engine's own times are read from at least.
	fewestFree = 4
	// otherContext is the ratio of two contexts that tell the engine's work from the
	// front end's, where nothing is known of prompts.
	otherContext = 1.5
)

// FindFront finds the points whose ITL grows with the number of requests alone,
// whatever their contexts are: there a front end writes tokens one after the other
// and takes longer for those of a step than the engine for the step.
//
// Those are the points with the most requests. What the engine would take at them is
// read from the others; an engine that is bound by its arithmetic also takes a time
// for each request, so that compute, the time of one prompt token in seconds, has to
// be known. Where it is not (0), only points of different contexts that cost the same
// for a request are taken for bound.
func FindFront(points []Decode, compute float64) Front {
	none := Front{Bound: make([]bool, len(points))}
	var numbers []int
	for _, p := range points {
		numbers = append(numbers, p.Requests)
	}
	slices.Sort(numbers)
	for _, from := range slices.Compact(numbers) {
		f := Front{Bound: make([]bool, len(points))}
		var free, bound []Decode
		for i, p := range points {
			if f.Bound[i] = p.Requests >= from; f.Bound[i] {
				bound = append(bound, p)
			} else {
				free = append(free, p)
			}
		}
		if perToken, ok := writes(free, bound, compute); ok {
			f.PerToken = perToken
			return f
		}
	}
	return none
}

// writes is what the front end takes for a token if it bounds the one points and not
// the others, and whether it does.
func writes(free, bound []Decode, compute float64) (float64, bool) {
	if len(free) < fewestFree {
		return 0, false
	}
	engine := fitPlane(free)
	least, most, sum := math.Inf(1), 0.0, 0.0
	for _, p := range bound {
		work := engine.at(p.Requests, float64(p.Requests)*p.Context)
		work += max(compute*float64(p.Requests)-engine.weights, 0)
		if p.ITL < beyondEngine*work {
			return 0, false
		}
		cost := p.ITL / float64(p.Requests)
		least, most, sum = min(least, cost), max(most, cost), sum+cost
	}
	if most-least > sameCost*most || compute == 0 && !contextsDiffer(bound) {
		return 0, false
	}
	for _, p := range free {
		if least*float64(p.Requests) > p.ITL {
			return 0, false // it would bound this one, too
		}
	}
	return sum / float64(len(bound)), true
}

func contextsDiffer(points []Decode) bool {
	shortest, longest := math.Inf(1), 0.0
	for _, p := range points {
		shortest, longest = min(shortest, p.Context), max(longest, p.Context)
	}
	return longest >= otherContext*shortest
}

// Compute is the time of one more prompt token in seconds, as the points say it; 0
// where there are none.
func Compute(points []Prefill) float64 { return fitPrompts(points, 0).token }
