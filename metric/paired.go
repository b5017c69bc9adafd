package metric

import (
	"math"
	"slices"

	"headway/internal/series"
)

// samples are the latencies of valid replies of the steady part, or of the
// whole.
func (v *view) samples(steady bool) map[string][]Sample {
	all, places := map[string][]Sample{}, v.order
	if steady {
		places = v.lived
	}
	for i, m := range v.c.table {
		if !slices.Contains(latencies, m.Tag) || v.c.columns[i].len() == 0 {
			continue
		}
		placed := v.placed(i)
		for _, place := range places {
			if !math.IsNaN(placed[place]) {
				all[m.Tag] = append(all[m.Tag], Sample{int(v.spans[place].index), placed[place]})
			}
		}
	}
	return all
}

// Paired is the ratio of the mean of a latency in one run over that in another
// which was given the same requests, with its 95 % interval: the same request
// met both, so that what it asked for cancels out. Requests that only one of the
// runs has in its leading part are left out. Both need [Options.Samples].
func Paired(over, under *Result, tag string) (ratio, low, high float64, why Reason) {
	other := map[int]float64{}
	for _, s := range under.Samples[tag] {
		other[s.Index] = s.Value
	}
	var a, b []float64
	for _, s := range over.Samples[tag] {
		if v, ok := other[s.Index]; ok {
			a, b = append(a, s.Value), append(b, v)
		}
	}
	together := 1.0
	for _, r := range []*Result{over, under} {
		if p, _ := r.Lead(); p != nil {
			together = max(together, p.InFlight)
		}
	}
	e := series.Ratio(a, b, together)
	return e.Value, e.Low, e.High, e.Why
}

// RatioOfRuns is the mean ratio of a figure over pairs of runs, the geometric
// one, with Student's 95 % interval on the logarithms; the interval is NaN below
// two pairs.
func RatioOfRuns(ratios []float64) (ratio, low, high float64) {
	logs := make([]float64, len(ratios))
	for i, r := range ratios {
		logs[i] = math.Log(r)
	}
	e := series.Runs(logs)
	return math.Exp(e.Value), math.Exp(e.Low), math.Exp(e.High)
}
