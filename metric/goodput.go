package metric

import "headway/record"

// goodTags are the figures of goodput.
var goodTags = []string{"good_request_count", "goodput", "good_request_fraction"}

// goodput are the requests that met every objective given for them, as a
// count, a rate and a share.
func goodput() []Metric {
	good := func(t *Totals) (float64, bool) {
		return float64(t.Good), t.Goals && t.OK > 0 && mostly(t.OK-t.Undecided, t.OK)
	}
	return []Metric{
		count(Metric{Tag: "good_request_count", Unit: "requests", Better: Higher,
			Formula: "valid requests that meet all goodput objectives; a request without the metric does not; " +
				"absent if no request was valid, and if of more than 1 % it is not known",
			Where: "goodput.go", derive: good}),
		rate(Metric{Tag: "goodput", Unit: "requests/sec", Kind: Derived, Console: true,
			Formula: "good_request_count / benchmark_duration",
			Where:   "goodput.go", derive: overDuration(good)}),
		rate(Metric{Tag: "good_request_fraction", Header: "GoodRequestFraction", Unit: "ratio", Kind: Derived,
			Formula: "good_request_count / (request_count + error_request_count), 0 if there are none",
			Where:   "goodput.go",
			derive: func(t *Totals) (float64, bool) {
				return float64(t.Good) / float64(max(1, t.OK+t.Errors)), t.Goals && mostly(t.OK-t.Undecided, t.OK)
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

// good reports whether a record is valid and meets every goal. It is undecided
// where the record breaks none that is known and an input of another was not
// recorded.
func (o Options) good(r *record.Record, goals []goal) (met, undecided bool) {
	if !Valid(r) {
		return false, false
	}
	met = true
	for _, g := range goals {
		v, ok := g.value(r)
		switch {
		case ok && g.Holds(v):
		case !ok && lacks(r, g.Tag, o.firstTokens):
			met, undecided = false, true
		default:
			return false, false
		}
	}
	return met, undecided
}
