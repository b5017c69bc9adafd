package metric

import "headway/record"

// goodput are the requests that met every objective given for them, as a
// count, a rate and a share.
func goodput() []Metric {
	good := func(t *Totals) (float64, bool) { return float64(t.Good), t.Goals && t.OK > 0 }
	return []Metric{
		count(Metric{Tag: "good_request_count", Unit: "requests", Better: Higher,
			Formula: "valid requests that meet all goodput objectives; a request without the metric does not; absent if no request was valid",
			Where:   "goodput.go", derive: good}),
		rate(Metric{Tag: "goodput", Unit: "requests/sec", Kind: Derived, Console: true,
			Formula: "good_request_count / benchmark_duration",
			Where:   "goodput.go", derive: overDuration(good)}),
		rate(Metric{Tag: "good_request_fraction", Header: "GoodRequestFraction", Unit: "ratio", Kind: Derived,
			Formula: "good_request_count / (request_count + error_request_count), 0 if there are none",
			Where:   "goodput.go",
			derive: func(t *Totals) (float64, bool) {
				return float64(t.Good) / float64(max(1, t.OK+t.Errors)), t.Goals
			}}),
	}
}

// goal is one objective of goodput, ready to be held against a record.
type goal struct {
	Objective
	value measure
}

// goals resolves objectives with a table's formulas. An objective on a metric
// that a single request does not have is one that no request meets.
func goals(objectives []Objective, table []Metric) []goal {
	list := make([]goal, 0, len(objectives))
	for _, o := range objectives {
		g := goal{Objective: o, value: func(*record.Record) (float64, bool) { return 0, false }}
		for _, m := range table {
			if m.Tag == o.Tag && m.value != nil {
				g.value = m.value
			}
		}
		list = append(list, g)
	}
	return list
}

// good reports whether a record is valid and meets every goal.
func good(r *record.Record, goals []goal) bool {
	if !Valid(r) {
		return false
	}
	for _, g := range goals {
		v, ok := g.value(r)
		if !ok || !g.holds(v) {
			return false
		}
	}
	return true
}
