package model

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Point is one measured step; its work is as in [Roofline.StepTime].
type Point struct {
	PrefillTokens, PrefillContextSum int
	DecodeSeqs, DecodeContextTokens  int
	// Time is what the step took; above 0.
	Time time.Duration
}

// Fit is what [Setup.Fit] found.
type Fit struct {
	// Efficiency has the fitted factors and the setup's overhead.
	Efficiency Efficiency
	// Residuals are predicted over measured, less 1, one per point.
	Residuals []float64
	// RMS is the root of the mean of their squares.
	RMS float64
	// Warnings say why the result should not be trusted as it is.
	Warnings []string
}

// Fit finds the two factors of Efficiency for which the roofline is closest to
// what was measured: least squares of the relative errors, so that a decode
// step of 5 ms counts as much as a prefill of 500. Setup's overhead and the
// links are taken as they are.
//
// With the inverses of the factors as unknowns a step's time is linear as long
// as no component passes from memory-bound to compute-bound. So each round
// solves the 2 × 2 normal equations for the sides on which the components lie,
// and goes only as far as the error falls (Gauss-Newton with step halving), from
// several starts.
//
// The factors stay from 0.01 to 1. A measurement that would need more than the
// peak ends at the bound, with a warning. Points none of which is bound by
// memory, or none by computing, are an error: they say nothing of one factor.
func (s Setup) Fit(points []Point) (Fit, error) {
	r, err := s.Roofline()
	if err != nil {
		return Fit{}, err
	}
	f, err := newFitting(r, points)
	if err != nil {
		return Fit{}, fmt.Errorf("fitting the roofline: %w", err)
	}
	best, least := [2]float64{}, math.Inf(1)
	for _, start := range [][2]float64{{1 / 0.6, 1 / 0.8}, {1, 1}, {10, 1}, {1, 10}, {10, 10}} {
		if x, e := f.descend(start); e < least {
			best, least = x, e
		}
	}
	if !f.determines(best, 0) {
		return Fit{}, errors.New("fitting the roofline: no point is bound by computing; add a long prefill")
	}
	if !f.determines(best, 1) {
		return Fit{}, errors.New("fitting the roofline: no point is bound by memory; add a decode of few sequences")
	}
	return f.result(s.withDefaults().Efficiency, best), nil
}

// fitting is the least-squares problem: the parts of every point, at peak rates,
// in units of the point's measured time.
type fitting struct{ points []parts }

func newFitting(r *Roofline, points []Point) (*fitting, error) {
	if len(points) < 2 {
		return nil, fmt.Errorf("%d points: two factors need at least 2", len(points))
	}
	f := &fitting{points: make([]parts, len(points))}
	var faults []error
	for i, p := range points {
		if p.Time <= 0 || p.PrefillTokens < 0 || p.DecodeSeqs < 0 || p.PrefillTokens+p.DecodeSeqs == 0 {
			faults = append(faults, fmt.Errorf("point %d: %+v: must have work and a time above 0", i+1, p))
			continue
		}
		parts := r.parts(p.PrefillTokens, p.PrefillContextSum, p.DecodeSeqs, p.DecodeContextTokens)
		parts.comm += r.overhead
		f.points[i] = parts.over(p.Time.Seconds())
	}
	return f, errors.Join(faults...)
}

func (p parts) over(t float64) parts {
	for _, c := range p.all() {
		c.compute /= t
		c.memory /= t
	}
	p.comm /= t
	return p
}

func (p *parts) all() [6]*part {
	return [...]*part{&p.projection, &p.prefill, &p.decode, &p.dense, &p.experts, &p.head}
}

// linear is a point's time as a·x[0] + b·x[1] + c, on the sides where its
// components lie at x.
func (p *parts) linear(x [2]float64) (a, b, c float64) {
	for _, q := range p.all() {
		if q.compute*x[0] >= q.memory*x[1] {
			a += q.compute
		} else {
			b += q.memory
		}
	}
	return a, b, p.comm
}

func (f *fitting) squares(x [2]float64) float64 {
	sum := 0.0
	for i := range f.points {
		e := f.points[i].seconds(x[0], x[1]) - 1
		sum += e * e
	}
	return sum
}

// determines reports whether the points say anything of one factor: whether a
// change of it by a tenth, up and down within the bounds, moves the predictions
// by at least 0.2 % (root mean square). Both directions count: where every
// component lies just on the other side, a whole range of values fits as well.
func (f *fitting) determines(x [2]float64, factor int) bool {
	for _, by := range []float64{0.9, 1.1} {
		y := x
		y[factor] = x[factor] * by
		if y[factor] < leastFactor || y[factor] > mostFactor {
			continue
		}
		sum := 0.0
		for i := range f.points {
			d := f.points[i].seconds(y[0], y[1]) - f.points[i].seconds(x[0], x[1])
			sum += d * d
		}
		if math.Sqrt(sum/float64(len(f.points))) < 0.002 {
			return false
		}
	}
	return true
}

const leastFactor, mostFactor = 1.0, 100.0

func (f *fitting) descend(x [2]float64) ([2]float64, float64) {
	now := f.squares(x)
	for range 200 {
		goal := f.solve(x)
		better := false
		for step := 1.0; step > 1e-6; step /= 2 {
			next := [2]float64{x[0] + step*(goal[0]-x[0]), x[1] + step*(goal[1]-x[1])}
			if e := f.squares(next); e < now*(1-1e-14) {
				x, now, better = next, e, true
				break
			}
		}
		if !better {
			break
		}
	}
	return x, now
}

// solve is the minimum of the problem that is linear at x, within the bounds.
// Where the unbounded minimum lies outside, the minimum is on an edge.
func (f *fitting) solve(x [2]float64) [2]float64 {
	var aa, ab, bb, ad, bd float64
	for i := range f.points {
		a, b, c := f.points[i].linear(x)
		d := 1 - c
		aa = aa + a*a
		ab = ab + a*b
		bb = bb + b*b
		ad = ad + a*d
		bd = bd + b*d
	}
	inside := func(v float64) bool { return v >= leastFactor && v <= mostFactor }
	if det := aa*bb - ab*ab; det > 1e-12*aa*bb {
		if y := [2]float64{(ad*bb - bd*ab) / det, (bd*aa - ad*ab) / det}; inside(y[0]) && inside(y[1]) {
			return y
		}
	}
	best, least := x, math.Inf(1)
	try := func(y [2]float64) {
		y[0], y[1] = clamp(y[0]), clamp(y[1])
		// The sum of squares of the linear problem, less a constant.
		if e := aa*y[0]*y[0] + 2*ab*y[0]*y[1] + bb*y[1]*y[1] - 2*ad*y[0] - 2*bd*y[1]; e < least {
			best, least = y, e
		}
	}
	for _, edge := range []float64{leastFactor, mostFactor} {
		try([2]float64{edge, (bd - ab*edge) / bb})
		try([2]float64{(ad - ab*edge) / aa, edge})
	}
	return best
}

// clamp keeps a factor within the bounds; one that is not a number, for lack of
// any point that depends on it, becomes the lower.
func clamp(v float64) float64 {
	if !(v >= leastFactor) {
		return leastFactor
	}
	return min(v, mostFactor)
}

func (f *fitting) result(e Efficiency, x [2]float64) Fit {
	e.Compute, e.Memory = 1/x[0], 1/x[1]
	fit := Fit{Efficiency: e, Residuals: make([]float64, len(f.points))}
	for i := range f.points {
		fit.Residuals[i] = f.points[i].seconds(x[0], x[1]) - 1
	}
	fit.RMS = math.Sqrt(f.squares(x) / float64(len(f.points)))
	for i, name := range []string{"compute", "memory"} {
		if x[i] == leastFactor {
			fit.Warnings = append(fit.Warnings, fmt.Sprintf("the %s efficiency is at its bound of 1: the measured "+
				"steps are faster than the GPU's peak allows; check the GPU, the model's quantisation and the overhead",
				name))
		}
		if x[i] == mostFactor {
			fit.Warnings = append(fit.Warnings, fmt.Sprintf("the %s efficiency is at its bound of 0.01: the "+
				"measured steps hardly depend on the work", name))
		}
	}
	if fit.RMS > 0.2 {
		fit.Warnings = append(fit.Warnings, fmt.Sprintf("the roofline is off by %.0f %% (root mean square): it does "+
			"not describe these points", 100*fit.RMS))
	}
	return fit
}
