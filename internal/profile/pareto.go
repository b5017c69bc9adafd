package profile

import (
	"cmp"
	"slices"
)

// Corner is a point of a trade-off: more of both is better.
type Corner struct {
	X, Y  float64
	Label string
}

// ParetoFront are the points that no other is at least as good as in both
// coordinates, and better in one; by X. Of equal points one is kept.
func ParetoFront(points []Corner) []Corner {
	sorted := slices.Clone(points)
	slices.SortStableFunc(sorted, func(a, b Corner) int { return cmp.Or(cmp.Compare(b.X, a.X), cmp.Compare(b.Y, a.Y)) })
	var front []Corner
	for _, p := range sorted {
		if len(front) == 0 || p.Y > front[len(front)-1].Y {
			front = append(front, p)
		}
	}
	slices.Reverse(front)
	return front
}

// picksOf are all trials of a phase, whether they meet a target or not.
func picksOf(r PhaseResult) []Pick {
	var list []Pick
	for _, o := range r.Outcomes {
		for _, t := range o.Trials {
			one := o
			one.Trials = []Trial{t}
			if p, ok := SelectPhase(r.Phase, []Outcome{one}, t.latency(r.Phase).Mean); ok {
				list = append(list, p)
			}
		}
	}
	return list
}

// frontOf are the picks of a phase that no other beats in latency and
// throughput per GPU, the lowest latency last.
func frontOf(r PhaseResult) []Pick {
	all := picksOf(r)
	slices.SortStableFunc(all, func(a, b Pick) int {
		return cmp.Or(cmp.Compare(a.Trial.latency(r.Phase).Mean, b.Trial.latency(r.Phase).Mean),
			cmp.Compare(b.Trial.Throughput.Mean, a.Trial.Throughput.Mean))
	})
	var front []Pick
	for _, p := range all {
		if len(front) == 0 || p.Trial.Throughput.Mean > front[len(front)-1].Trial.Throughput.Mean {
			front = append(front, p)
		}
	}
	slices.Reverse(front)
	return front
}
