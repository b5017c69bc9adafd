package compare

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// confidence is the level of all intervals.
const confidence = 0.95

// withinFreedom is how many degrees of freedom the interval within a run has: those
// of package series, whose long-run variance rests on 24 cosines and is about as sure
// as a mean of three fifths of them.
const withinFreedom = 14

// The units that a change rests on.
const (
	ByRequests = "requests" // within one run a side
	ByRuns     = "runs"     // between runs
)

// sample is a figure on one side: the logarithms of its values, one a run, and of the
// ends of their intervals within the run, NaN where there is none. Logarithms, since
// a change is a ratio, and since what changes from run to run (clocks, neighbours,
// placement) scales latencies.
type sample struct {
	logs, lows, highs []float64
	// seeds are how many different ones the runs had: runs of one seed send the same
	// requests.
	seeds int
}

func (s sample) n() int { return len(s.logs) }

// mean is that of the runs: of the figures the geometric one.
func (s sample) mean() float64 {
	sum := 0.0
	for _, v := range s.logs {
		sum += v
	}
	return sum / float64(s.n())
}

// squares is the sum of squared distances from the mean.
func (s sample) squares() float64 {
	m, sum := s.mean(), 0.0
	for _, v := range s.logs {
		sum += (v - m) * (v - m)
	}
	return sum
}

// within is the mean variance of a run's figure by its interval within the run; NaN
// where a run has none.
func (s sample) within() float64 {
	sum := 0.0
	for i := range s.logs {
		se := (s.highs[i] - s.lows[i]) / 2 / student(withinFreedom)
		sum += se * se
	}
	return sum / float64(s.n())
}

// drawn is the variance of the mean that comes of the requests: the more runs have
// requests of their own, the smaller.
func (s sample) drawn() float64 { return s.within() / float64(max(1, s.seeds)) }

// contrast is the logarithm of the ratio of two sides with what is known of its error.
type contrast struct {
	at       float64
	down, up float64 // distances to the ends of the 95 % interval
	freedom  float64 // degrees of freedom that the distances rest on
	by       string
	// single is the variance of one run's figure, as a logarithm, and sure the
	// degrees of freedom of that; 0 where it is assumed.
	single, sure float64
	// assumed is the standard deviation between runs that was added; 0 where none was.
	assumed float64
	// based says that a baseline counts in it.
	based bool
}

func (c contrast) low() float64  { return c.at - c.down }
func (c contrast) high() float64 { return c.at + c.up }

// p is the two-sided probability of a contrast at least as far from null as this one
// if null were the truth. It is below 0.05 just where the interval excludes null.
func (c contrast) p(null float64) float64 {
	d, half := c.at-null, c.up
	if d > 0 {
		half = c.down
	}
	if half == 0 {
		if d == 0 {
			return 1
		}
		return 0
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: c.freedom}
	return 2 * t.Survival(math.Abs(d)/half*student(c.freedom))
}

// enoughRuns is how many runs a side needs to speak for its own variance, and a
// baseline to be one.
const enoughRuns = 3

// betweenRuns is the contrast b − a where runs are the unit; false where too few runs
// tell how much they vary. With three runs a side and more it is Welch's test;
// otherwise the variance is pooled over both sides and the baseline, which takes runs
// of all of them to vary alike.
func betweenRuns(a, b, base sample, sameSeeds bool) (contrast, bool) {
	na, nb := float64(a.n()), float64(b.n())
	c := contrast{at: b.mean() - a.mean(), by: ByRuns}
	va, vb := 0.0, 0.0
	if a.n() >= enoughRuns && b.n() >= enoughRuns {
		va, vb = a.squares()/(na-1)/na, b.squares()/(nb-1)/nb
		c.freedom = na + nb - 2
		if va+vb > 0 {
			c.freedom = (va + vb) * (va + vb) / (va*va/(na-1) + vb*vb/(nb-1))
		}
		c.sure = na + nb - 2
		c.single = (a.squares() + b.squares()) / c.sure
	} else {
		squares, freedom := a.squares()+b.squares(), na+nb-2
		if base.n() >= enoughRuns {
			squares, freedom = squares+base.squares(), freedom+float64(base.n()-1)
			c.based = true
		}
		if freedom < 2 {
			return contrast{}, false
		}
		c.single, c.freedom = squares/freedom, freedom
		c.sure = freedom
		va, vb = c.single/na, c.single/nb
	}
	if least := a.drawn() + b.drawn(); (sameSeeds || va+vb == 0) && least > va+vb {
		// Repeats of one seed send the same requests, and do not tell how much
		// other requests would change; in virtual time they are copies.
		va, vb = least, 0
		c.freedom = withinFreedom
		c.single, c.sure = (a.within()+b.within())/2, withinFreedom
	}
	half := student(c.freedom) * math.Sqrt(va+vb)
	c.down, c.up = half, half
	return c, true
}

// withinRuns is the contrast b − a of two sides by their intervals within a run, with
// a standard deviation between runs that is assumed; false where one has no interval.
// The interval of a difference is made of those of its parts (MOVER: Zou and Donner,
// Statistics in Medicine 27, 2008), which may reach further up than down.
func withinRuns(a, b sample, assumed float64) (contrast, bool) {
	na, nb := float64(a.n()), float64(b.n())
	aDown, aUp := a.reach()
	bDown, bUp := b.reach()
	runs := distuv.UnitNormal.Quantile(1-(1-confidence)/2) * assumed * math.Sqrt(1/na+1/nb)
	c := contrast{at: b.mean() - a.mean(), by: ByRequests, freedom: withinFreedom, sure: withinFreedom,
		assumed: assumed}
	c.down, c.up = math.Hypot(math.Hypot(bDown, aUp), runs), math.Hypot(math.Hypot(bUp, aDown), runs)
	c.single = (a.within()+b.within())/2 + assumed*assumed
	if assumed > 0 {
		c.sure = 0
	}
	return c, !math.IsNaN(c.down) && !math.IsNaN(c.up)
}

// reach is how far the interval of the mean lies below and above it.
func (s sample) reach() (down, up float64) {
	n := float64(s.n())
	for i, v := range s.logs {
		down, up = math.Hypot(down, (v-s.lows[i])/n), math.Hypot(up, (s.highs[i]-v)/n)
	}
	return down, up
}

// student is the two-sided critical value of Student's t distribution.
func student(freedom float64) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: freedom}.Quantile(1 - (1-confidence)/2)
}
