package plan

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"headway/metric"
	"headway/record"
)

// judge takes the Records of a replay.
type judge struct {
	load  *Load
	goals []goal
	part  part
	whole bool // go on when a window is lost

	values [][]float64 // by goal, of each request of the part; NaN where there is none
	took   []float64   // the latency of each request of the part, 0 where it failed
	tally  [][]tally   // by goal, of each window that is judged
	miss   *Miss
	failed int
}

// tally is what of a window has come.
type tally struct {
	n      int // requests that have the time, all of the window
	missed int
	sum    float64
}

// Miss is a window that a plan loses.
type Miss struct {
	// Window is when it begins, seconds from the start of the load.
	Window    float64 `json:"window_s"`
	Objective string  `json:"objective"`
}

// errLost ends a replay.
var errLost = errors.New("a window is lost")

func newJudge(l *Load, goals []goal, p part, whole bool) *judge {
	j := &judge{load: l, goals: goals, part: p, whole: whole}
	n := l.windows[p.end-1].to - p.lead
	j.took = make([]float64, n)
	for _, g := range goals {
		values := make([]float64, n)
		for i := range values {
			values[i] = math.NaN()
		}
		tallies := make([]tally, p.end-p.first)
		for w := range tallies {
			for _, r := range l.requests[l.windows[p.first+w].from:l.windows[p.first+w].to] {
				if g.applies(r.OutputTokens) {
					tallies[w].n++
				}
			}
		}
		j.values, j.tally = append(j.values, values), append(j.tally, tallies)
	}
	return j
}

// Take is for the replay alone. A request that failed misses every bound.
func (j *judge) Take(r *record.Record) error {
	request := j.part.lead + r.Index
	if r.Outcome != record.OK {
		j.failed++
	}
	j.took[r.Index], _ = metric.RequestLatency(r)
	for g := range j.goals {
		if !j.goals[g].applies(j.load.requests[request].OutputTokens) {
			continue
		}
		v, ok := j.goals[g].value(r)
		if r.Outcome != record.OK {
			v, ok = math.Inf(1), true
		}
		if !ok {
			continue
		}
		j.values[g][r.Index] = v
		if w := int(j.load.within[request]) - j.part.first; w >= 0 {
			j.count(g, w, v)
		}
	}
	if j.miss != nil && !j.whole {
		return errLost
	}
	return nil
}

// count notes a value; what comes later cannot save a window that is lost.
func (j *judge) count(g, w int, v float64) {
	goal, t := &j.goals[g], &j.tally[g][w]
	if !goal.Holds(v) {
		t.missed++
	}
	t.sum += v
	lost := !goal.mean && t.missed > goal.may(t.n)
	if goal.mean {
		lost = !goal.Holds(t.sum / float64(t.n))
	}
	if lost && j.miss == nil {
		j.miss = j.missOf(g, w)
	}
}

func (j *judge) missOf(g, w int) *Miss {
	return &Miss{Window: j.load.windows[j.part.first+w].begin.Seconds(), Objective: j.goals[g].Text}
}

// verdict is the end of a replay that was not ended: the statistics of each window.
func (j *judge) verdict() *outcome {
	o := &outcome{judge: j, stats: make([][]float64, len(j.goals)), miss: j.miss}
	for w := range j.tally[0] {
		for g := range j.goals {
			v := j.goals[g].of(j.valuesOf(g, w))
			o.stats[g] = append(o.stats[g], v)
			if o.miss == nil && !j.goals[g].keeps(v) {
				o.miss = j.missOf(g, w)
			}
		}
	}
	return o
}

// valuesOf are those of a window, in the order of its requests.
func (j *judge) valuesOf(g, w int) (all []float64) {
	at := j.load.windows[j.part.first+w]
	for _, v := range j.values[g][at.from-j.part.lead : at.to-j.part.lead] {
		if !math.IsNaN(v) {
			all = append(all, v)
		}
	}
	return all
}

// outcome is what a replay came to.
type outcome struct {
	*judge
	stats [][]float64 // by goal, of each window
	miss  *Miss       // nil: every window meets every objective
}

// worst is the window of a goal whose statistic is the largest, and the statistic; NaN
// where no window has one.
func (o *outcome) worst(g int) (at int, v float64) {
	v = math.NaN()
	for w, x := range o.stats[g] {
		if x > v || math.IsNaN(v) && !math.IsNaN(x) {
			at, v = w, x
		}
	}
	return at, v
}

// inFlight is the most requests at a time.
func (o *outcome) inFlight() (most int) {
	type edge struct {
		at float64
		by int
	}
	var edges []edge
	for i, took := range o.took {
		at := o.load.requests[o.part.lead+i].At.Seconds()
		edges = append(edges, edge{at, 1}, edge{at + took, -1})
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(cmp.Compare(a.at, b.at), a.by-b.by) })
	n := 0
	for _, e := range edges {
		n += e.by
		most = max(most, n)
	}
	return most
}
