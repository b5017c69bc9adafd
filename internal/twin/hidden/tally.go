package hidden

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat/distuv"

	"headway/internal/twin"
	"headway/metric"
)

// Tally counts over trials.
type Tally struct {
	// Trials are how many were counted; Unstated how many of them have held-out
	// loads with an error that is above what the twin states, accepted all the same.
	Trials, Unstated int
	figures          map[string]*count
	// by trial: figures that were foretold, and of them inside of their intervals.
	all, held []float64
}

// count is what is kept of one figure.
type count struct {
	all, held      int
	errors, widths []float64
}

// Add counts a trial.
func (y *Tally) Add(t *Trial) {
	y.Trials++
	if y.figures == nil {
		y.figures = map[string]*count{}
	}
	all, held := 0, 0
	for _, l := range t.Others {
		for _, c := range l.Figures {
			n := y.figures[c.Figure]
			if n == nil {
				n = &count{}
				y.figures[c.Figure] = n
			}
			n.add(c)
			all++
			if c.Holds() {
				held++
			}
		}
	}
	y.all, y.held = append(y.all, float64(all)), append(y.held, float64(held))
	if len(t.Twin.Unstated()) > 0 {
		y.Unstated++
	}
}

func (n *count) add(c twin.Compared) {
	n.all++
	n.errors = append(n.errors, math.Abs(c.Error()))
	if c.Holds() {
		n.held++
	}
	if i := c.Interval; i != nil {
		n.widths = append(n.widths, (i.High-i.Low)/2/c.Simulated)
	}
}

// Coverage is the share of the figures that lie in their intervals, 0 to 1, and where
// it lies in 95 % of cases: the interval of Clopper and Pearson, for so many independent
// figures as those of the trials come to, since the figures of one server hold or
// fail together (Korn and Graubard, Survey Methodology 24, 1998).
func (y *Tally) Coverage() (share, low, high float64) {
	n, held := sum(y.all), sum(y.held)
	if n == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	share = held / n
	alone := n / y.together(share)
	low, high = exact(share*alone, alone)
	return share, low, high
}

// together is by how much the variance of the share exceeds that of independent
// figures: the variance of a ratio over clusters (Cochran, Sampling Techniques,
// section 9A.2), at least 1.
func (y *Tally) together(share float64) float64 {
	n, m := sum(y.all), float64(len(y.all))
	if m < 2 || share <= 0 || share >= 1 {
		return 1
	}
	squares := 0.0
	for i := range y.all {
		off := y.held[i] - share*y.all[i]
		squares += off * off
	}
	return max(squares*m/(m-1)/n/(share*(1-share)), 1)
}

// exact is where a share lies in 95 % of cases of which k of n cases are (Clopper and
// Pearson 1934). Neither need be whole.
func exact(k, n float64) (low, high float64) {
	high = 1
	if k > 0 {
		low = distuv.Beta{Alpha: k, Beta: n - k + 1}.Quantile(0.025)
	}
	if k < n {
		high = distuv.Beta{Alpha: k + 1, Beta: n - k}.Quantile(0.975)
	}
	return low, high
}

func sum(x []float64) float64 {
	s := 0.0
	for _, v := range x {
		s += v
	}
	return s
}

// String is the tally as a table.
func (y *Tally) String() string {
	var b strings.Builder
	names := make([]string, 0, len(y.figures))
	for name := range y.figures {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		n := y.figures[name]
		fmt.Fprintf(&b, "%-24s error: median %4.1f %%, 90 %% below %5.1f %%, largest %5.1f %%; ", name,
			100*at(n.errors, 50), 100*at(n.errors, 90), 100*at(n.errors, 100))
		fmt.Fprintf(&b, "%d of %d intervals hold (%.1f %%), half-width %.1f %%\n", n.held, n.all,
			100*float64(n.held)/float64(n.all), 100*at(n.widths, 50))
	}
	share, low, high := y.Coverage()
	fmt.Fprintf(&b, "%d servers: %.0f of %.0f intervals hold, %.1f %% (95 %%: %.1f to %.1f %%)\n", y.Trials,
		sum(y.held), sum(y.all), 100*share, 100*low, 100*high)
	_, most := exact(float64(y.Unstated), float64(y.Trials))
	fmt.Fprintf(&b, "accepted with a held-out error above what is stated: %d of %d (95 %%: below %.2g %%)\n",
		y.Unstated, y.Trials, 100*most)
	return b.String()
}

// at is a percentile of x; NaN of none.
func at(x []float64, percent float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	return metric.Percentile(slices.Sorted(slices.Values(x)), percent)
}
