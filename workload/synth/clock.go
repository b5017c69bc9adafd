package synth

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"headway/workload"
)

// ArrivalModel says when rows came.
type ArrivalModel struct {
	// Rate is the mean, in rows per second; 0 when the trace had no times or one
	// time only.
	Rate float64
	// Shape is the shape of gamma gaps with the dispersion that the trace has over
	// windows that are long against its rounding; 1 is Poisson. 0 when it could not
	// be measured.
	Shape float64
	// Step is the distance in milliseconds at which timestamps looked rounded, or 0.
	Step float64
	// Bursts are the numbers of rows on one timestamp, Gaps the milliseconds from
	// one timestamp to the next.
	Bursts, Gaps []Weighted
}

// Weighted is a value that occurred so many times.
type Weighted struct {
	Value  float64
	Weight int
}

// Law is how arrivals are drawn.
type Law uint8

const (
	// Empirical takes both the rows on one timestamp and the time to the next from
	// the trace, independently. Rounded timestamps stay bursts.
	Empirical Law = iota
	// Poisson arrivals have exponential gaps.
	Poisson
	// Gamma arrivals have gamma gaps: below shape 1 burstier than Poisson.
	Gamma
)

var lawNames = [...]string{"empirical", "poisson", "gamma"}

// String is the name that the option --arrival takes.
func (l Law) String() string { return lawNames[l] }

// ParseLaw reads a name that [Law.String] gives.
func ParseLaw(s string) (Law, error) {
	for i, name := range lawNames {
		if s == name {
			return Law(i), nil
		}
	}
	return Empirical, fmt.Errorf("arrival law %q: must be empirical, poisson or gamma", s)
}

// Bounds of a fitted shape: beyond them the measurement says no more than "very
// bursty" or "regular".
const (
	minShape = 0.01
	maxShape = 1000
)

func fitArrivals(rows []workload.Row, gapLimit int) ArrivalModel {
	a := measureArrivals(rows)
	m := ArrivalModel{Rate: min(a.Rate, maxRate), Step: a.Step}
	if a.Count == 0 {
		return m
	}
	if a.VarianceOverMean > 0 {
		m.Shape = min(max(1/a.VarianceOverMean, minShape), maxShape)
	}
	bursts, gaps := burstsAndGaps(a.Times)
	sizes := make([]float64, len(bursts))
	for i, n := range bursts {
		sizes[i] = float64(n)
	}
	m.Bursts, m.Gaps = weigh(sizes, 0), weigh(gaps, gapLimit)
	return m
}

// weigh counts equal values. Where there are more than limit different ones,
// groups of neighbours are replaced by their mean, which keeps the sum.
func weigh(values []float64, limit int) []Weighted {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	var all []Weighted
	for _, v := range sorted {
		if n := len(all); n > 0 && all[n-1].Value == v {
			all[n-1].Weight++
			continue
		}
		all = append(all, Weighted{v, 1})
	}
	if limit <= 0 || len(all) <= limit {
		return all
	}
	var out []Weighted
	for i := range limit {
		from, to := i*len(sorted)/limit, (i+1)*len(sorted)/limit
		if from == to {
			continue
		}
		mean, _ := meanAndSD(sorted[from:to])
		// To the nanosecond, as the gaps are: more digits would only fill the file.
		out = append(out, Weighted{math.Round(mean*1e6) / 1e6, to - from})
	}
	return out
}

// times yields the time of one row after another in milliseconds, without end; nil
// says that there are none. The options must be valid for the model.
//
// The sum is kept as it is: Dynamo's generator rounds every gap to a millisecond
// after dividing by the speed-up, and fast arrivals then collapse onto one time.
func (m *ArrivalModel) times(o Options) iter.Seq[float64] {
	switch o.Arrivals {
	case Poisson, Gamma:
		law := workload.Arrivals{Pattern: workload.Poisson, Rate: m.rate(o)}
		if o.Arrivals == Gamma {
			law.Pattern, law.Shape = workload.Gamma, m.shape(o)
		}
		return func(yield func(float64) bool) {
			for t := range law.Times(o.key("arrival")) {
				if !yield(float64(t) / float64(time.Millisecond)) {
					return
				}
			}
		}
	}
	speed := o.speedup()
	if o.Rate > 0 && m.Rate > 0 {
		speed *= o.Rate / m.Rate
	}
	return func(yield func(float64) bool) {
		burst, gap := dealWeighted(m.Bursts, o, "burst"), dealWeighted(m.Gaps, o, "gap")
		now := 0.0
		for {
			for range int(m.Bursts[burst.draw()].Value) {
				if !yield(now) {
					return
				}
			}
			now += m.Gaps[gap.draw()].Value / speed
		}
	}
}

func dealWeighted(all []Weighted, o Options, use string) *dealer {
	weights := make([]int, len(all))
	for i, w := range all {
		weights[i] = w.Weight
	}
	return newDealer(weights, o.key(use), o.Independent)
}

func (m *ArrivalModel) rate(o Options) float64 {
	if o.Rate > 0 {
		return o.Rate * o.speedup()
	}
	return m.Rate * o.speedup()
}

func (m *ArrivalModel) shape(o Options) float64 {
	if o.Shape > 0 {
		return o.Shape
	}
	return m.Shape
}

// fault says why the law cannot be drawn from this model.
func (m *ArrivalModel) fault(o Options) error {
	switch {
	case o.Arrivals == Empirical && (len(m.Bursts) == 0 || len(m.Gaps) == 0):
		return fmt.Errorf("arrivals empirical: the trace has fewer than two timestamps; take poisson or gamma " +
			"with a rate")
	case o.Arrivals != Empirical && m.rate(o) <= 0:
		return fmt.Errorf("arrivals %v: the trace has no rate of its own; give one", o.Arrivals)
	case o.Arrivals == Gamma && m.shape(o) <= 0:
		return fmt.Errorf("arrivals gamma: the trace is too short to take a shape from; give one")
	}
	return nil
}
