package compare

import (
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/gonum/stat/distuv"

	"headway/internal/plain"
)

// Need is what it would take to decide: to find a change of a given size nine times in
// ten.
type Need struct {
	// Runs and Requests are of each side; 0 where that is not what is missing.
	Runs     int `json:"runs_per_side,omitempty"`
	Requests int `json:"requests_per_side,omitempty"`
	// Assumed is the standard deviation between runs, in percent, that Runs rests on
	// where it was not measured.
	Assumed float64 `json:"assumed_run_variation_percent,omitempty"`
}

const (
	// power is how often the change is to be found.
	power = 0.9
	// assurance is how often the variance is to be no larger than what is reckoned
	// with. The few runs at hand may have been alike by chance; half of the sizes
	// reckoned from their plain variance are too small (Browne, Statistics in
	// Medicine 14, 1995).
	assurance = 0.9
	// mostRuns and mostRequests bound what is recommended.
	mostRuns, mostRequests = 1000, 100_000_000
)

// needOf is what it would take to find a target, a logarithm above 0, where requests
// of one side are so many now, and level is what p has to be below.
func needOf(c contrast, target, level float64, requests int) Need {
	single := c.single
	if c.sure > 0 {
		single *= c.sure / distuv.ChiSquared{K: c.sure}.Quantile(1-assurance)
	}
	if c.by == ByRequests && c.assumed == 0 {
		se := target / reach(withinFreedom, level)
		return Need{Requests: rounded(float64(requests)*2*single/(se*se), mostRequests)}
	}
	if c.by == ByRuns {
		return Need{Runs: runsFor(single, target, level)}
	}
	// Runs of as many requests as make them vary little more than runs do anyway.
	between := c.assumed * c.assumed
	n := Need{Assumed: 100 * c.assumed}
	if within := single - between; within > between*longEnough {
		n.Requests = rounded(float64(requests)*within/(between*longEnough), mostRequests)
		single = between * (1 + longEnough)
	}
	n.Runs = runsFor(single, target, level)
	return n
}

// longEnough is the variance within a run over that between runs at which longer runs
// gain little.
const longEnough = 0.25

// runsFor is the least number of runs a side that finds a target.
func runsFor(single, target, level float64) int {
	for n := enoughRuns; n < mostRuns; n++ {
		if reach(float64(2*n-2), level)*math.Sqrt(2*single/float64(n)) <= target {
			return n
		}
	}
	return mostRuns
}

// reach is how many standard errors a change must have to be found.
func reach(freedom, level float64) float64 {
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: freedom}
	return t.Quantile(1-level/2) + t.Quantile(power)
}

// rounded is a number of requests with two digits, rounded up.
func rounded(n, most float64) int {
	if !(n < most) {
		return int(most)
	}
	step := math.Pow(10, max(0, math.Floor(math.Log10(max(n, 1)))-1))
	return int(math.Ceil(n/step) * step)
}

// String says it as a clause; empty where nothing is known.
func (n Need) String() string {
	switch {
	case n.Requests >= mostRequests:
		return "more requests than a run can have: the figure varies too much"
	case n.Runs >= mostRuns:
		return fmt.Sprintf("more than %d runs a side: runs vary too much", mostRuns)
	case n.Runs == 0 && n.Requests == 0:
		return ""
	case n.Runs == 0:
		return fmt.Sprintf("about %s requests a side", grouped(n.Requests))
	}
	s := fmt.Sprintf("about %d runs a side", n.Runs)
	if n.Requests > 0 {
		s += fmt.Sprintf(" of %s requests each", grouped(n.Requests))
	}
	if n.Assumed > 0 {
		s += fmt.Sprintf(", if runs vary by %g %%", n.Assumed)
	}
	return s
}

func grouped(n int) string { return plain.Grouped(strconv.Itoa(n)) }
