package metric

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"headway/internal/series"
)

// Decision is what became of an objective.
type Decision string

// The decisions.
const (
	Met    Decision = "met"
	Missed Decision = "missed"
	// NotDecided: the measurement does not say; see [Verdict.Why].
	NotDecided Decision = "not_decided"
)

// Verdict is an objective held against a result.
type Verdict struct {
	Objective Objective
	Decision  Decision
	// Value is the measured statistic in base units, with failed requests at
	// their worst; it holds only when Known is set. AtLeast says that it is a
	// bound from below.
	Value   float64
	Known   bool
	AtLeast bool
	// Why says why it is not decided, or what the decision rests on; a clause.
	Why string
}

// check holds objectives against a result.
//
// A request that the server failed misses every objective on what a request
// takes: its latency is infinite and its rate is nothing. One that we ended
// ourselves could have taken anything from what had passed to for ever, and a
// verdict is given only where it is the same for both. The statistic's interval
// must not contain the bound, and values that are no figures decide nothing. A
// statistic that was not measured is not decided: nothing is known of a server
// that was never asked. One that never answered has at least taken so long.
func (c *Collector) check(r *Result, v *view) []Verdict {
	var list []Verdict
	for _, o := range c.options.Objectives {
		verdict := Verdict{Objective: o}
		if why, yes := r.Meaningless(o.Tag); yes {
			verdict.Decision, verdict.Why = NotDecided, why
		} else if o.Stat == "" {
			v.scalar(&verdict, r)
		} else {
			v.statistic(&verdict, r)
		}
		list = append(list, verdict)
	}
	return list
}

// decide gives the verdict on a value that lies between two ends.
func (v *Verdict) decide(least, most float64, cut int) {
	met, still := v.Objective.Holds(least), v.Objective.Holds(most)
	switch {
	case met && still:
		v.Decision = Met
	case !met && !still:
		v.Decision = Missed
	default:
		v.Decision = NotDecided
		v.Why = fmt.Sprintf("it depends on %s that this run ended before their reply", plural(cut, "request"))
	}
}

// sure takes a verdict back that the figure's interval does not bear out.
func (v *Verdict) sure(low, high float64, why Reason) {
	if v.Decision == NotDecided {
		return
	}
	what, remedy := Because(why)
	switch {
	case low < high && low <= v.Objective.Bound && v.Objective.Bound <= high:
		v.Decision, v.Why = NotDecided, "the 95 % interval contains the bound; measure more requests"
	case why == series.NotStationary && v.Decision == Met:
		v.Decision, v.Why = NotDecided, what+"; "+remedy
	case why != "" && why != series.Infinite:
		v.Why = "no interval: " + what
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// unknown is the verdict on what was not measured.
func (v *Verdict) unknown() { v.Decision, v.Why = NotDecided, "not measured" }

func (v *view) statistic(o *Verdict, r *Result) {
	tag, stat := o.Objective.Tag, o.Objective.Stat
	i := slices.IndexFunc(v.c.table, func(m Metric) bool { return m.Tag == tag })
	if i >= 0 && v.c.table[i].perRequest() {
		v.extremes(o, i)
		if s, ok := r.Whole.Summary(tag); ok {
			o.figure(s)
		} else if s, ok := r.Summary(tag); ok && len(v.broken) == 0 {
			low, high, why := s.interval(stat)
			o.sure(low, high, why)
		}
		return
	}
	s, ok := r.Summary(tag)
	if plain, adjusted := strings.CutPrefix(tag, "adj_"); adjusted && !ok && r.Failed+r.Cancelled == 0 {
		s, ok = r.Summary(plain)
	}
	if strings.HasPrefix(tag, "adj_") && !ok && r.OK == 0 && r.Failed > 0 {
		o.Value, o.Known = math.Inf(1), true
		o.decide(o.Value, o.Value, 0)
		return
	}
	if !ok {
		o.unknown()
		return
	}
	if o.Value, o.Known = s.Stat(stat); !o.Known {
		o.unknown()
		return
	}
	o.decide(o.Value, o.Value, 0)
	low, high, why := s.interval(stat)
	o.sure(low, high, why)
}

// figure takes the value and its interval from a latency of all requests.
func (v *Verdict) figure(s Summary) {
	if value, ok := s.Stat(v.Objective.Stat); ok {
		v.Value, v.AtLeast = value, s.AtLeast(v.Objective.Stat)
	}
	low, high, why := s.interval(v.Objective.Stat)
	v.sure(low, high, why)
}

// perRequest reports whether a request that failed has the metric at its worst.
func (m Metric) perRequest() bool { return m.sampled() && !m.adjusted }

// extremes decides on the least and the most that a statistic can be: with
// requests that we ended at what had passed, and at their worst.
func (v *view) extremes(o *Verdict, metric int) {
	m := v.c.table[metric]
	at := slices.Index(latencies, m.Tag)
	worst := math.Inf(1)
	if m.Better == Higher {
		worst = 0
	}
	placed := v.placed(metric)
	var least, most []float64
	known, cut := 0, 0
	for _, place := range v.order {
		b := v.broken[place]
		switch {
		case b == nil && math.IsNaN(placed[place]):
		case b == nil:
			known++
			least, most = append(least, placed[place]), append(most, placed[place])
		case b.failed:
			known++
			least, most = append(least, worst), append(most, worst)
		case at >= 0 && b.known[at]:
			known++
			least, most = append(least, b.least[at]), append(most, b.least[at])
		default:
			cut++
			best := math.Inf(1)
			if m.Better != Higher {
				best = 0
				if at >= 0 {
					best = b.least[at]
				}
			}
			least, most = append(least, best), append(most, worst)
		}
	}
	if known+cut == 0 {
		o.unknown()
		return
	}
	a, ok := Summarise(m, least).Stat(o.Objective.Stat)
	b, ok2 := Summarise(m, most).Stat(o.Objective.Stat)
	if !ok || !ok2 {
		o.unknown()
		return
	}
	// Of requests that were all ended by us there is only a bound, if that.
	o.Value, o.Known, o.AtLeast = a, known > 0 || a > 0 && !math.IsInf(a, 1), known == 0
	o.decide(a, b, cut)
}

// scalar holds a single value against its bound: rates as they were served,
// counts and shares as they are.
func (v *view) scalar(o *Verdict, r *Result) {
	tag := o.Objective.Tag
	if rate, ok := r.Whole.Rate(tag); ok {
		o.Value, o.Known = rate.Value, true
		o.decide(o.Value, o.Value, 0)
		o.sure(rate.Low, rate.High, rate.Why)
		return
	}
	s, ok := r.Scalar(tag)
	m, _ := Lookup(tag)
	if !ok && !(m.absentIsZero && r.Planned > r.Dropped) {
		o.unknown()
		return
	}
	o.Value, o.Known = s.Value, true
	least, most := o.Value, o.Value
	// Of what we ended ourselves it is not known whether it would have been good.
	switch tag {
	case "good_request_count":
		most += float64(r.Cancelled)
	case "good_request_fraction":
		most += float64(r.Cancelled) / float64(max(1, r.Planned-r.Dropped))
	}
	o.decide(least, most, r.Cancelled)
}

// interval is a statistic's 95 % interval; NaN for those that have none.
func (s Summary) interval(stat string) (low, high float64, why Reason) {
	if stat == "avg" {
		return s.MeanLow, s.MeanHigh, s.Why
	}
	if p, ok := percentOf(stat); ok {
		if q, ok := s.Quantile(p); ok {
			return q.Low, q.High, q.Why
		}
	}
	return math.NaN(), math.NaN(), ""
}

// AtLeast reports whether a statistic, by its name in files, is a bound from
// below.
func (s Summary) AtLeast(stat string) bool {
	switch stat {
	case "avg":
		return s.MeanAtLeast
	case "min":
		return s.MinAtLeast
	case "max":
		return s.MaxAtLeast
	}
	p, ok := percentOf(stat)
	q, has := s.Quantile(p)
	return ok && has && q.AtLeast
}
