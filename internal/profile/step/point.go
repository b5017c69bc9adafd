package step

import "math"

// Prefill is a prompt that was computed alone: ISL in tokens, TTFT in seconds.
type Prefill struct {
	ISL  int
	TTFT float64
}

// Decode is what requests that decode together were measured at: how many, the mean
// context of each in tokens, and ITL in seconds per token of the server.
type Decode struct {
	Requests int
	Context  float64
	ITL      float64
}

// prompts is what prompts cost: outside of the engine once a request, and for a token
// and a pair of tokens.
type prompts struct{ outside, token, pair float64 }

// fitPrompts reads TTFT as outside + max(weights, token·ISL) + pair·pairs. Which of the
// two is the larger depends on what is fitted, so it is fitted again until that is
// settled.
func fitPrompts(points []Prefill, weights float64) (fit prompts) {
	if len(points) == 0 {
		return fit
	}
	x, y := make([][]float64, len(points)), make([]float64, len(points))
	fit.token = math.Inf(1)
	for range 20 {
		for i, p := range points {
			x[i] = []float64{1, float64(p.ISL), pairs(p.ISL)}
			// What the pass over the weights takes beyond the prompt's arithmetic.
			y[i] = max(p.TTFT-max(weights-fit.token*float64(p.ISL), 0), p.TTFT/10)
		}
		c := nonNegative(x, y)
		fit = prompts{outside: c[0], token: c[1], pair: c[2]}
	}
	return fit
}

// pairs of the tokens of a prompt and those that each attends to, itself included.
func pairs(isl int) float64 { return float64(isl) * float64(isl+1) / 2 }

// plane is ITL as weights + kv·contexts + sequence·n.
type plane struct{ weights, kv, sequence float64 }

func (p plane) at(requests int, contexts float64) float64 {
	return p.weights + p.kv*contexts + p.sequence*float64(requests)
}

// fitPlane reads it from points.
func fitPlane(points []Decode) plane {
	if len(points) == 0 {
		return plane{}
	}
	x, y := make([][]float64, len(points)), make([]float64, len(points))
	for i, p := range points {
		x[i], y[i] = []float64{1, float64(p.Requests) * p.Context, float64(p.Requests)}, p.ITL
	}
	c := nonNegative(x, y)
	return plane{weights: c[0], kv: c[1], sequence: c[2]}
}

// off is how far a point is from the plane, as a share of it.
func (p plane) off(d Decode) float64 {
	at := p.at(d.Requests, float64(d.Requests)*d.Context)
	if at <= 0 {
		return math.Inf(1)
	}
	return d.ITL/at - 1
}
