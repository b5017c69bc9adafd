package twin

import (
	"fmt"
	"math"
	"slices"

	"headway/internal/fault"
)

// Uncertainty is what is known of how far the figures of a twin are off.
type Uncertainty struct {
	// Parameters are the names of what was fitted; Covariance is that of their
	// logarithms, its lower triangle. It follows from the slopes of the fit.
	Parameters []string    `json:"parameters"`
	Covariance [][]float64 `json:"covariance"`
	// Residuals are, by figure, the logarithms of measured over simulated values,
	// of blocks of consecutive requests of the loads that calibrate.
	Residuals map[string][]float64 `json:"residuals"`
	// HeldOut is set where those are loads that the fit did not use.
	HeldOut bool `json:"held_out"`
	// Least are, by figure, the largest logarithms of measured over simulated of
	// held-out loads whose interval did not hold: none of that figure is narrower.
	Least map[string]float64 `json:"least,omitempty"`
}

// validate refuses a covariance of other parameters, and residuals that are no
// numbers.
func (u *Uncertainty) validate(bad *fault.List) {
	if u == nil {
		return
	}
	if len(u.Covariance) != len(Parameters) || !slices.Equal(u.Parameters, ParameterNames()) {
		bad.Add("uncertainty: it is of %d parameters, and this headway fits %d others: fit the twin again",
			len(u.Parameters), len(Parameters))
	}
	triangle := len(u.Covariance) == len(Parameters)
	for i, row := range u.Covariance {
		whole := len(row) == i+1 && row[i] > 0
		bad.When(!whole, "uncertainty.covariance: row %d must be one of the lower triangle, with a positive variance",
			i)
		triangle = triangle && whole
	}
	bad.When(triangle && !u.isCovariance(), "uncertainty.covariance: it is none, since a sum of parameters has a "+
		"variance below 0: fit the twin again")
	for figure, v := range u.Least {
		bad.When(!(v >= 0 && v <= 10), "uncertainty.least of %q: %v must be the logarithm of a ratio, 0 or more",
			figure, v)
	}
	for figure, r := range u.Residuals {
		for _, v := range r {
			bad.When(!(math.Abs(v) <= 10), "uncertainty.residuals of %q: %v must be the logarithm of a ratio", figure,
				v)
		}
	}
}

// Interval is where a figure is expected. Level is the share of cases (0 to 1) in
// which it holds; 0 is a range that carries no level, since too few blocks
// calibrate it.
type Interval struct {
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Level float64 `json:"level,omitzero"`
}

// Level is the one of intervals, and fewestBlocks how many blocks it takes.
const (
	Level        = 0.9
	fewestBlocks = 10
)

// Interval is that of a simulated figure. spread is the standard deviation of its
// logarithm over draws of the parameters and seeds, and widen a factor on the
// width for what lies outside of the range that the fit has seen, 1 inside. The
// residuals enter as a conformal quantile, so they need no distribution. It is
// nil where no block calibrates the figure.
func (u *Uncertainty) Interval(figure string, value, spread, widen float64) *Interval {
	if u == nil || len(u.Residuals[figure]) == 0 || !(value > 0) {
		return nil
	}
	level := Level
	off, enough := conformal(u.Residuals[figure])
	if !enough {
		level = 0
	}
	half := widen * max(math.Hypot(off, normal90*spread), u.Least[figure])
	return &Interval{Low: value * math.Exp(-half), High: value * math.Exp(half), Level: level}
}

// apart is how far the model's own error may move the ratio of two simulated figures of
// one kind, as the half-width of its logarithm: the quantile of how far two residuals
// are apart. It is no less than for two that have nothing to do with each other, since
// the blocks of one load may share an error that two loads do not.
func (u *Uncertainty) apart(figure string) float64 {
	r := u.Residuals[figure]
	off, _ := conformal(r)
	half := math.Sqrt2 * max(off, u.Least[figure])
	var pairs []float64
	for i := range r {
		for _, other := range r[:i] {
			pairs = append(pairs, math.Abs(r[i]-other))
		}
	}
	if len(pairs) == 0 {
		return half
	}
	// Pairs of n blocks tell no more than the n do, so the share is that of n.
	slices.Sort(pairs)
	share := min(math.Ceil(Level*float64(len(r)+1))/float64(len(r)), 1)
	rank := int(math.Ceil(share * float64(len(pairs))))
	return max(half, pairs[rank-1])
}

// Errors are the residuals of a figure as a simulation of new loads draws them, not to be
// changed: where a held-out load showed the intervals to be too narrow, as wide as those
// are now.
func (u *Uncertainty) Errors(figure string) []float64 {
	residuals, least := u.Residuals[figure], u.Least[figure]
	if len(residuals) == 0 {
		return nil
	}
	off, _ := conformal(residuals)
	switch {
	case off >= least:
		return residuals
	case off == 0:
		return []float64{-least, least}
	}
	wide := make([]float64, len(residuals))
	for i, r := range residuals {
		wide[i] = r * (least / off)
	}
	return wide
}

// Cover has the intervals of a figure be as wide as the error that was found of it in
// a load that was held out, where that lies outside: what is stated is not less than
// what was seen. The intervals of the loads are widened with it.
func (u *Uncertainty) Cover(heldOut, fitted []Judged) {
	least := map[string]float64{}
	for _, l := range heldOut {
		for _, c := range l.Figures {
			if off := math.Abs(math.Log(c.Measured / c.Simulated)); c.Interval != nil && !c.Holds() {
				least[c.Figure] = max(least[c.Figure], off*(1+1e-9))
			}
		}
	}
	if len(least) > 0 {
		u.Least = least
	}
	for _, l := range slices.Concat(heldOut, fitted) {
		for i := range l.Figures {
			l.Figures[i].widen(least[l.Figures[i].Figure])
		}
	}
}

// widen has the interval of a figure be at least half in logarithms on each side.
func (c *Compared) widen(half float64) {
	if c.Interval != nil {
		c.Interval.Low = min(c.Interval.Low, c.Simulated*math.Exp(-half))
		c.Interval.High = max(c.Interval.High, c.Simulated*math.Exp(half))
	}
}

// Basis says what intervals rest on.
func (u *Uncertainty) Basis() string {
	if u == nil || len(u.Residuals) == 0 {
		return "no intervals: the twin's file has nothing that calibrates them; fit it again with --hold-out"
	}
	blocks := 0
	for _, r := range u.Residuals {
		blocks = max(blocks, len(r))
	}
	of := "loads that were held out"
	if !u.HeldOut {
		of = "loads that the fit has seen, too, so they are too narrow for others"
	}
	if blocks < fewestBlocks {
		return fmt.Sprintf("ranges (≈) carry no level: %d blocks calibrate them, and %d are needed; of %s", blocks,
			fewestBlocks, of)
	}
	return fmt.Sprintf("intervals are of %.0f %%: parameters, seeds, and %d blocks of %s", 100*Level, blocks, of)
}

// normal90 bounds 90 % of a normal distribution on both sides.
const normal90 = 1.6449

// conformal is the quantile of the absolute residuals that the next one stays
// below at the level (Vovk, Gammerman and Shafer 2005): the ⌈(n+1)·level⌉-th of
// n; with too few, the largest.
func conformal(residuals []float64) (off float64, enough bool) {
	x := make([]float64, len(residuals))
	for i, v := range residuals {
		x[i] = math.Abs(v)
	}
	slices.Sort(x)
	rank := int(math.Ceil(Level * float64(len(x)+1)))
	return x[min(rank, len(x))-1], len(x) >= fewestBlocks
}

// Beyond says in words where other lies outside of a range, and by what factor an
// interval is widened for it: 1 inside, one more for each factor of e outside.
func (r Range) Beyond(other Range) (said []string, widen float64) {
	widen = 1
	for _, d := range []struct {
		name        string
		seen, asked [2]int
	}{
		{"prompts of %d to %d tokens", r.ISL, other.ISL}, {"replies of %d to %d tokens", r.OSL, other.OSL},
		{"%d to %d requests in flight", r.InFlight, other.InFlight},
	} {
		below := math.Log(float64(max(d.seen[0], 1)) / float64(max(d.asked[0], 1)))
		above := math.Log(float64(max(d.asked[1], 1)) / float64(max(d.seen[1], 1)))
		if far := max(below, above); far > 0 {
			said = append(said, fmt.Sprintf(d.name, d.asked[0], d.asked[1]))
			widen = max(widen, 1+far)
		}
	}
	return said, widen
}
