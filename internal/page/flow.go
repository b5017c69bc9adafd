package page

import (
	"fmt"
	"math"
	"strconv"

	"headway/internal/plain"
	"headway/metric"
)

// flow is the waterfall of a run: of each request of a sample when its phases were.
type flow struct {
	ID, Title string
	// Sent is how many requests there were, Length (ms) how long the run was,
	// Longest the time of the longest request of the sample.
	Sent            int
	Length, Longest string
	Slow, Broken    int
	// Aligned says that all begin at the left: in a run of many times their length
	// nothing of them could be seen.
	Aligned bool
	Rows    []row
}

// row is a request; times are in milliseconds, as text.
type row struct {
	Index                                     int
	Kind, Outcome                             string
	Start, Wait, Connect, TTFT, Decode, Total string
	In, Out                                   string
	From                                      string // the begin of the first phase
	Phases                                    []bar
	Slow                                      bool
}

// bar is a phase in milliseconds.
type bar struct{ Name, At, Wide string }

// shownRows is how many requests a page has in all, leastRows of one run at the
// least, mostFlows of how many runs at most.
const shownRows, leastRows, mostFlows = 480, 24, 20

// flows are the waterfalls of the runs.
func (c Content) flows() []flow {
	var all []flow
	runs := c.Runs[:min(len(c.Runs), c.shown)]
	most := max(leastRows, shownRows/max(1, len(runs)))
	for i, r := range runs {
		o := r.Report.Result.Overview
		if o == nil || len(o.Requests) == 0 {
			continue
		}
		f := flow{ID: "flow-" + strconv.Itoa(i+1), Title: plain.Line(r.Name), Sent: o.Sent, Length: exact(o.Length)}
		longest := 0.
		for _, s := range thinned(o.Requests, most) {
			one := rowOf(s)
			f.Rows = append(f.Rows, one)
			longest = max(longest, s.Total()+s.Wait())
			if s.Slow {
				f.Slow++
			}
			if one.Kind != "ok" {
				f.Broken++
			}
		}
		f.Longest, f.Aligned = exact(longest), longest < o.Length/25
		all = append(all, f)
	}
	return all
}

// thinned takes at most so many, in equal steps; those that are shown for a reason
// go last.
func thinned(all []metric.Sampled, most int) []metric.Sampled {
	if len(all) <= most {
		return all
	}
	var marked, kept []metric.Sampled
	for _, s := range all {
		if s.Slow || outcome(s) != "ok" {
			marked = append(marked, s)
		}
	}
	usual := len(all) - len(marked)
	room, seen := max(most-len(marked), most/2), 0
	for _, s := range all {
		if s.Slow || outcome(s) != "ok" {
			kept = append(kept, s)
			continue
		}
		if seen*room/max(1, usual) != (seen+1)*room/max(1, usual) {
			kept = append(kept, s)
		}
		seen++
	}
	return kept
}

func rowOf(s metric.Sampled) row {
	r := row{Index: s.Index, Outcome: outcome(s), Start: ms(s.Start), Wait: ms(s.Wait()), Connect: ms(s.Connect),
		TTFT: ms(s.TTFT()), Decode: ms(s.Decode()), Total: ms(s.Total()),
		In: tokens(s.In), Out: tokens(s.Out), Slow: s.Slow}
	if r.Kind = "ok"; r.Outcome != "ok" {
		r.Kind = "broken"
	}
	for i, p := range s.Phases() {
		if i == 0 {
			r.From = exact(p.From)
		}
		r.Phases = append(r.Phases, bar{p.Name, exact(p.From), exact(p.To - p.From)})
	}
	return r
}

// ms is a time in milliseconds for a reader, three digits or whole.
func ms(seconds float64) string {
	v := seconds * 1e3
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "–"
	case math.Abs(v) >= 100:
		return plain.Grouped(strconv.FormatFloat(v, 'f', 0, 64))
	case math.Abs(v) >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case v == 0:
		return "0"
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// exact is a time in milliseconds for a picture.
func exact(seconds float64) string {
	return strconv.FormatFloat(math.Round(seconds*1e5)/1e2, 'f', -1, 64)
}

func tokens(n int) string {
	if n < 0 {
		return "–"
	}
	return fmt.Sprint(n)
}
