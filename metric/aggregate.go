package metric

import (
	"math"
	"strconv"

	"gonum.org/v1/gonum/stat/distuv"

	"headway/internal/series"
)

// Spread is one statistic of one metric over several runs of the same
// configuration, in base units; CV and TCritical have no unit. Runs that share
// a server are closer to independent than requests that share a batch, so this
// interval says more than the one within a run.
type Spread struct {
	Metric Metric
	Stat   string // avg, p1 … p99, min, max, std; avg for scalars
	Runs   int    // runs that have the statistic
	// Std is the sample's standard deviation (divided by n−1), CV that over
	// the mean, SE that over √n. The interval is Student's, Mean ± TCritical·SE.
	// With one run all of them are NaN, and CV is where the mean is 0.
	Mean, Std, Min, Max, CV, SE float64
	CILow, CIHigh, TCritical    float64
}

// Name is the statistic's key in the aggregate file: "time_to_first_token_p99".
func (s Spread) Name() string { return s.Metric.Tag + "_" + s.Stat }

// AggregateRuns compares the runs of one configuration. level is the
// confidence of the intervals, above 0 and below 1. The order is the table's;
// statistics that are infinite or missing in every run are left out.
func AggregateRuns(runs []*Result, level float64) []Spread {
	var list []Spread
	for _, m := range byTokens {
		if m.derive != nil {
			list = appendSpread(list, m, "avg", level, runs, func(r *Result) (float64, bool) {
				s, ok := r.Scalar(m.Tag)
				return s.Value, ok
			})
			continue
		}
		for _, stat := range statNames() {
			list = appendSpread(list, m, stat, level, runs, func(r *Result) (float64, bool) {
				s, ok := r.Summary(m.Tag)
				if !ok {
					return 0, false
				}
				return s.Stat(stat)
			})
		}
	}
	return list
}

// statNames are the statistics that are compared, in the order of files.
func statNames() []string {
	names := []string{"avg"}
	for _, p := range percents {
		names = append(names, "p"+strconv.Itoa(p))
	}
	return append(names, "min", "max", "std")
}

func appendSpread(list []Spread, m Metric, stat string, level float64, runs []*Result,
	pick func(*Result) (float64, bool)) []Spread {
	var values []float64
	for _, r := range runs {
		v, ok := pick(r)
		if ok && math.IsInf(v, 0) {
			return list
		}
		if ok {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return list
	}
	return append(list, spread(m, stat, values, level))
}

// MeanOfRuns is the mean of a figure over runs with Student's 95 % interval;
// the interval is NaN below two runs.
func MeanOfRuns(values []float64) (mean, low, high float64) {
	e := series.Runs(values)
	return e.Value, e.Low, e.High
}

func spread(m Metric, stat string, values []float64, level float64) Spread {
	n := float64(len(values))
	within := Summarise(m, values)
	s := Spread{
		Metric: m, Stat: stat, Runs: len(values),
		Mean: within.Mean, Min: within.Min, Max: within.Max,
		Std: math.NaN(), CV: math.NaN(), SE: math.NaN(),
		CILow: math.NaN(), CIHigh: math.NaN(), TCritical: math.NaN(),
	}
	if n < 2 {
		return s
	}
	s.Std = within.Std * math.Sqrt(n/(n-1))
	s.SE = s.Std / math.Sqrt(n)
	s.TCritical = tCritical(level, len(values)-1)
	s.CILow, s.CIHigh = s.Mean-s.TCritical*s.SE, s.Mean+s.TCritical*s.SE
	if s.Mean != 0 {
		s.CV = s.Std / s.Mean
	}
	return s
}

// tCritical is the two-sided critical value of Student's t distribution.
func tCritical(level float64, freedom int) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(freedom)}.Quantile(1 - (1-level)/2)
}
