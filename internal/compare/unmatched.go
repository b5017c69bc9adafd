package compare

import (
	"math"
	"slices"

	"headway/metric"
	"headway/report"
)

// gatesAlone holds the gates at loads that only one side has. A load that the second
// side lost is not one at which it keeps a bound: a server that died there would
// otherwise pass. One that only the second side has is held against bounds of values,
// and of changes there is none.
func (o Options) gatesAlone(a, b []*point, pairs []pair) (all []GateVerdict) {
	for _, p := range a {
		if slices.ContainsFunc(pairs, func(q pair) bool { return q.a == p }) {
			continue
		}
		for _, g := range o.Gates {
			all = append(all, GateVerdict{Gate: g, Point: p.label(), Decision: metric.NotDecided,
				Figure: report.Exact(math.NaN()), Why: "the second side has no results of this load"})
		}
	}
	for _, p := range b {
		if slices.ContainsFunc(pairs, func(q pair) bool { return q.b == p }) {
			continue
		}
		for _, g := range o.Gates {
			if !g.Change {
				all = append(all, g.value(Point{Name: p.label(), b: p}))
			}
		}
	}
	return all
}
