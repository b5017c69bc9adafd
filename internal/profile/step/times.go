package step

import (
	"fmt"
	"math"
	"strings"
	"time"

	"headway/internal/interp"
)

// Times is what steps take by the points of a profile.
type Times struct {
	// Outside is what a request takes outside of the engine, before its first step.
	Outside time.Duration
	// Front is what the decode points say of the front end.
	Front Front

	prompts prompts
	decode  plane
	beside  *beside // nil where the points lie on the plane, or on one line
}

// New reads steps from points. It takes two prompt lengths and two loads that decode,
// different ones: of one alone nothing follows for another, and it would cost the same.
func New(prefill []Prefill, decode []Decode) (*Times, error) {
	lengths := different(prefill, func(p Prefill) int { return p.ISL })
	loads := different(decode, func(d Decode) Decode { return Decode{Requests: d.Requests, Context: d.Context} })
	if lengths < 2 || loads < 2 {
		return nil, fmt.Errorf("%d prompt lengths and %d decode points that differ: 2 of each are needed at least",
			lengths, loads)
	}
	for _, p := range prefill {
		if p.ISL < 1 || !(p.TTFT > 0 && p.TTFT < 1e6) {
			return nil, fmt.Errorf("a prompt of %d tokens with a TTFT of %v s: both must be above 0", p.ISL, p.TTFT)
		}
	}
	for _, d := range decode {
		if d.Requests < 1 || !(d.Context > 0 && d.Context < 1e9) || !(d.ITL > 0 && d.ITL < 1e6) {
			return nil, fmt.Errorf("%d requests of %v tokens with an ITL of %v s: all must be above 0", d.Requests,
				d.Context, d.ITL)
		}
	}
	t := &Times{Front: FindFront(decode, Compute(prefill))}
	var free []Decode
	for i, d := range decode {
		if !t.Front.Bound[i] {
			free = append(free, d)
		}
	}
	t.decode = fitPlane(free)
	t.prompts = fitPrompts(prefill, t.decode.weights)
	t.beside = newBeside(t.decode, free)
	t.Outside = time.Duration(math.Round(1e9 * t.outside(prefill)))
	return t, nil
}

// different is how many keys points have.
func different[P any, K comparable](points []P, key func(P) K) int {
	keys := map[K]bool{}
	for _, p := range points {
		keys[key(p)] = true
	}
	return len(keys)
}

// Flat says which times do not grow with the load by the points, so that any load costs
// the same; empty where all do.
func (t *Times) Flat() string {
	var flat []string
	if t.prompts.token == 0 && t.prompts.pair == 0 {
		flat = append(flat, "TTFT does not grow with prompts, so that steps take no time for those of any length")
	}
	if t.decode.kv == 0 && t.decode.sequence == 0 {
		flat = append(flat, "ITL does not grow with requests or contexts, so that steps take no time for more of them")
	}
	return strings.Join(flat, ", ")
}

// outside is what is left of the TTFT of prompts when their steps are taken off, as
// least squares of relative errors have it.
func (t *Times) outside(points []Prefill) float64 {
	left, weight := 0.0, 0.0
	for _, p := range points {
		w := 1 / (p.TTFT * p.TTFT)
		left += w * (p.TTFT - t.seconds(p.ISL, pairs(p.ISL), 0, 0))
		weight += w
	}
	return max(left/weight, 0)
}

// Pass is the time of a step of promptTokens tokens of prompts, with promptPairs
// pairs of them and the tokens that each attends to, and one token for each of
// sequences whose contexts are contexts tokens together. It is an engine.StepFunc.
func (t *Times) Pass(promptTokens, promptPairs, sequences, contexts int) time.Duration {
	return time.Duration(1e9*t.seconds(promptTokens, float64(promptPairs), sequences, contexts) + 0.5)
}

func (t *Times) seconds(promptTokens int, promptPairs float64, sequences, contexts int) float64 {
	s := t.decode.weights
	if sequences > 0 {
		s = t.decode.at(sequences, float64(contexts)) * t.beside.factor(sequences, contexts)
	}
	if promptTokens > 0 {
		// Arithmetic goes on while the weights are read: only what takes longer counts.
		idle := max(t.decode.weights-t.prompts.token*float64(sequences), 0)
		s += max(t.prompts.token*float64(promptTokens)-idle, 0) + t.prompts.pair*promptPairs
	}
	return max(s, t.Front.PerToken*float64(sequences))
}

// beside is how the decode points differ from their plane: a factor for a load, over
// the tokens in the cache and the mean context, on a grid.
type beside struct {
	kv, context []float64 // tokens
	factors     []float64 // of kv[i] and context[j] at i·len(context) + j
}

// besideGrid is how many places the grid has along each axis.
const besideGrid = 50

// newBeside is nil where the points make no surface: the plane is all there is then.
func newBeside(p plane, points []Decode) *beside {
	most, longest := 0.0, 0.0
	for _, d := range points {
		most, longest = max(most, float64(d.Requests)*d.Context), max(longest, d.Context)
	}
	places, off := make([]interp.Point, len(points)), make([]float64, len(points))
	for i, d := range points {
		places[i] = interp.Point{X: float64(d.Requests) * d.Context / most, Y: d.Context / longest}
		if off[i] = p.off(d); math.IsInf(off[i], 0) {
			return nil
		}
	}
	surface, err := interp.NewSurface(places, off)
	if err != nil {
		return nil
	}
	axis := interp.Linspace(0, 1, besideGrid)
	b := &beside{kv: interp.Linspace(0, most, besideGrid), context: interp.Linspace(0, longest, besideGrid)}
	hull := interp.Hull(places)
	for _, x := range axis {
		for _, y := range axis {
			b.factors = append(b.factors, 1+linear(surface, hull, interp.Point{X: x, Y: y}))
		}
	}
	return b
}

// linear is the surface between its points, and beyond them that of the nearest place
// on their hull.
func linear(s *interp.Surface, hull []interp.Point, p interp.Point) float64 {
	if v, inside := s.Linear(p); inside {
		return v
	}
	v, inside := s.Linear(interp.Onto(hull, p))
	if !inside {
		v = s.Nearest(p) // an edge of the hull, rounded to its outside
	}
	return v
}

// factor is that of a load; loads beyond the grid have that of its edge.
func (b *beside) factor(sequences, contexts int) float64 {
	if b == nil {
		return 1
	}
	n := float64(besideGrid - 1)
	x := min(float64(contexts)/b.kv[besideGrid-1], 1) * n
	y := min(float64(contexts)/float64(sequences)/b.context[besideGrid-1], 1) * n
	i, j := min(int(x), besideGrid-2), min(int(y), besideGrid-2)
	u, v := x-float64(i), y-float64(j)
	row, next := b.factors[i*besideGrid+j:], b.factors[(i+1)*besideGrid+j:]
	return (1-u)*((1-v)*row[0]+v*row[1]) + u*((1-v)*next[0]+v*next[1])
}
