package metric

import (
	"math"
	"strings"
)

// Check holds objectives against a result. A statistic that was not measured
// meets none: nothing is known of a server that never answered. Two cases are
// known all the same. Counters of errors are left out of files while they are
// zero, and are zero here; a latency adjusted for failures in a run without
// any is the plain latency.
func Check(objectives []Objective, r *Result) []Verdict {
	var list []Verdict
	for _, o := range objectives {
		list = append(list, o.check(r))
	}
	return list
}

func (o Objective) check(r *Result) Verdict {
	v := Verdict{Objective: o}
	if o.Stat == "" {
		v.Value, v.Known = o.scalar(r)
		v.Met = v.Known && o.holds(v.Value)
		return v
	}
	s, ok := r.Summary(o.Tag)
	if plain, adjusted := strings.CutPrefix(o.Tag, "adj_"); adjusted && !ok && r.Failed+r.Cancelled == 0 {
		s, ok = r.Summary(plain)
	}
	if !ok {
		return v
	}
	v.Value, v.Known = s.Stat(o.Stat)
	v.Met = v.Known && o.holds(v.Value)
	low, high := s.interval(o.Stat)
	v.Unsure = v.Known && low <= o.Bound && o.Bound <= high
	return v
}

func (o Objective) scalar(r *Result) (float64, bool) {
	if s, ok := r.Scalar(o.Tag); ok {
		return s.Value, true
	}
	m, ok := Lookup(o.Tag)
	return 0, ok && m.absentIsZero && r.Planned > r.Dropped
}

// interval is a statistic's 95 % interval; NaN for those that have none.
func (s Summary) interval(stat string) (low, high float64) {
	if stat == "avg" {
		return s.MeanLow, s.MeanHigh
	}
	if p, ok := percentOf(stat); ok {
		if q, ok := s.Quantile(p); ok {
			return q.Low, q.High
		}
	}
	return math.NaN(), math.NaN()
}
