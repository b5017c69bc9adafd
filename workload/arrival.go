package workload

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"time"
)

// Pattern is the law of the gaps between arrivals.
type Pattern uint8

const (
	// Burst has no times: replies and limits alone set the pace.
	Burst Pattern = iota
	// Constant arrivals are 1/rate apart.
	Constant
	// Poisson arrivals have exponential gaps of mean 1/rate.
	Poisson
	// Gamma arrivals have gamma gaps of mean 1/rate: a shape above 1 is
	// smoother than Poisson, below 1 burstier, 1 is Poisson itself.
	Gamma
)

var patternNames = [...]string{"concurrency_burst", "constant", "poisson", "gamma"}

// String is the name that the option --arrival-pattern takes.
func (p Pattern) String() string { return patternNames[p] }

// ParsePattern reads a name that [Pattern.String] gives.
func ParsePattern(s string) (Pattern, error) {
	for i, name := range patternNames {
		if s == name {
			return Pattern(i), nil
		}
	}
	return Burst, fmt.Errorf("arrival pattern %q: must be constant, poisson, gamma or concurrency_burst", s)
}

// Bounds of a valid [Arrivals]. A shape below minShape draws gaps that are all
// zero in double precision; a schedule would then never end.
const (
	maxRate  = 1e9
	minShape = 1e-3
	maxShape = 1e9
)

// Arrivals is a law of arrival times. The zero value is [Burst]: no times.
type Arrivals struct {
	Pattern Pattern
	// Rate is the target in arrivals per second.
	Rate float64
	// Shape is the shape k of Gamma gaps, whose scale is 1/(Rate·k); their
	// squared coefficient of variation is 1/k. Other patterns ignore it.
	Shape float64
	// Ramp is the time in which the rate rises from 0 to Rate, linearly.
	Ramp time.Duration
}

// Timed says whether there are times at all.
func (a Arrivals) Timed() bool { return a.Pattern != Burst }

// Validate reports every fault.
func (a Arrivals) Validate() error {
	if !a.Timed() {
		return nil
	}
	var faults []error
	if !(a.Rate > 0 && a.Rate <= maxRate) {
		faults = append(faults, fmt.Errorf("request rate %v: must be above 0 and at most "+
			"%g per second", a.Rate, maxRate))
	}
	if a.Pattern == Gamma && !(a.Shape >= minShape && a.Shape <= maxShape) {
		faults = append(faults, fmt.Errorf("arrival smoothness %v: must be from %g to %g", a.Shape, minShape, maxShape))
	}
	if a.Ramp < 0 {
		faults = append(faults, fmt.Errorf("request rate ramp %v: must not be negative", a.Ramp))
	}
	return errors.Join(faults...)
}

// Times yields arrival times counted from the start of the phase, without end;
// they follow from the key alone. The first arrival is one gap after the start.
// The law must be valid and timed.
//
// Gaps of mean 1 are summed in units of arrivals, and each sum is turned into a
// time by inverting the expected number of arrivals until t. Rounding to
// nanoseconds is therefore never accumulated, and a ramp changes the time axis,
// not the randomness: the points that a Poisson process of rate 1 has are moved
// to those of one whose rate is r(t) (Çinlar's time change, as in L. Devroye,
// Non-Uniform Random Variate Generation, 1986, ch. VI.1). Adding gaps of
// 1/r(now) instead would overshoot at the start of a ramp, where the next gap
// is endless.
func (a Arrivals) Times(key Key) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		r := key.Rand()
		var sum float64
		for {
			sum += a.gap(r)
			t := a.when(sum) * float64(time.Second)
			// Past 290 years a Duration overflows.
			if !(t < math.MaxInt64) || !yield(time.Duration(math.Round(t))) {
				return
			}
		}
	}
}

// First returns the first n arrival times.
func (a Arrivals) First(key Key, n int) []time.Duration {
	times := make([]time.Duration, 0, n)
	for t := range a.Times(key) {
		if len(times) == n {
			break
		}
		times = append(times, t)
	}
	return times
}

// Until returns the arrival times before d.
func (a Arrivals) Until(key Key, d time.Duration) []time.Duration {
	var times []time.Duration
	for t := range a.Times(key) {
		if t >= d {
			break
		}
		times = append(times, t)
	}
	return times
}

// gap draws a gap of mean 1.
func (a Arrivals) gap(r *rand.Rand) float64 {
	switch a.Pattern {
	case Poisson:
		return r.ExpFloat64()
	case Gamma:
		return gamma(r, a.Shape) / a.Shape
	default:
		return 1
	}
}

// when inverts the integrated rate: it returns the time in seconds until which
// n arrivals are expected. With a ramp of D seconds to the rate r that number is
// r·t²/2D until D and r·(t − D/2) from there.
func (a Arrivals) when(n float64) float64 {
	d := a.Ramp.Seconds()
	if n < a.Rate*d/2 {
		return math.Sqrt(2 * d * n / a.Rate)
	}
	return n/a.Rate + d/2
}

// gamma draws from the gamma law of the given shape and scale 1 by the method of
// G. Marsaglia and W. W. Tsang, A Simple Method for Generating Gamma Variables,
// ACM TOMS 26 (2000). Below shape 1 it uses their section 6: a draw of shape+1
// times U^(1/shape).
func gamma(r *rand.Rand, shape float64) float64 {
	if shape < 1 {
		u := 1 - r.Float64()
		return gamma(r, shape+1) * math.Pow(u, 1/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		u := 1 - r.Float64()
		if math.Log(u) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}
