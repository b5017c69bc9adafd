package picture

import (
	"fmt"
	"math"
	"strings"

	"headway/internal/chart"
	"headway/metric"
	"headway/report"
)

// Run is one of several runs in one picture.
type Run struct {
	Name   string // in the legend
	Report *report.Report
	// Over are further curves over the run's time, such as what a server or a GPU said
	// of itself.
	Over []Over
}

// OfRuns are the pictures of runs themselves: how their latencies are distributed,
// and what happened over time. Of more runs than can be told apart the first twelve
// are drawn, and the notes say so.
func OfRuns(runs []Run) []Picture {
	var some []Run
	for _, r := range runs {
		if r.Report.Result.Overview != nil {
			some = append(some, r)
		}
	}
	if len(some) == 0 {
		return nil
	}
	o := overlay{runs: some[:min(len(some), chart.MaxSeries)], all: len(runs)}
	var pictures []Picture
	for _, p := range []struct{ name, title, tag, unit string }{
		{"cdf_ttft", "Time to first token: share of replies", "time_to_first_token", "TTFT, at most (ms)"},
		{"cdf_itl", "Inter-token latency: share of replies", "inter_token_latency", "ITL, at most (ms)"},
		{"cdf_latency", "Request latency: share of replies", "request_latency", "Latency, at most (ms)"},
	} {
		if c, ok := o.curves(p.title, p.tag, p.unit); ok {
			pictures = append(pictures, Picture{Name: p.name, chart: c})
		}
	}
	for _, p := range []struct {
		name, title, label string
		of                 func(*metric.Overview) []float64
		rare               bool // counts of requests, few in a step
	}{
		{"in_flight", "Requests in flight", "Requests in flight, mean",
			func(v *metric.Overview) []float64 { return v.InFlight }, false},
		{"tokens", "Output tokens per second", "Output tokens/s",
			func(v *metric.Overview) []float64 { return v.Tokens }, false},
		{"replies", "Replies per second", "Replies/s",
			func(v *metric.Overview) []float64 { return v.Replies }, true},
		{"errors", "Requests without a valid reply per second", "Failed or given up/s",
			func(v *metric.Overview) []float64 { return v.Errors }, true},
	} {
		if c, ok := o.timeline(p.title, p.label, p.rare, p.of); ok {
			pictures = append(pictures, Picture{Name: p.name, chart: c})
		}
	}
	return append(pictures, o.others()...)
}

// overlay is several runs in one picture; all is how many there are.
type overlay struct {
	runs []Run
	all  int
}

// curves are the distributions of one metric; false where there are none.
func (o overlay) curves(title, tag, label string) (chart.Chart, bool) {
	c := o.chart(title, label, "Replies (%)")
	c.Y.Max = 100
	low, high, replies := math.Inf(1), 0., 0
	for _, r := range o.runs {
		s := chart.Series{Name: r.Name, Smooth: true}
		for _, k := range r.Report.Result.Overview.Curves {
			if k.Metric.Tag != tag {
				continue
			}
			replies += k.Count
			for i, v := range k.Values {
				x := k.Metric.Shown(v)
				low, high = min(low, x), max(high, x)
				s.Points = append(s.Points, chart.Point{X: x, Y: 100 * k.Shares[i]})
			}
		}
		c.Series = append(c.Series, s)
	}
	c.X.Log = low > 0 && high > 10*low
	c.Note = o.note(fmt.Sprintf("Of %s, the start and the end of the run among them.",
		counted(replies, "valid reply", "valid replies")))
	return c, replies > 0
}

// timeline is what happened in each step of time; false where that is nothing. Of
// what is rare a step is so wide that a handful of requests ended in it.
func (o overlay) timeline(title, label string, rare bool,
	of func(*metric.Overview) []float64) (chart.Chart, bool) {
	c := o.chart(title, timeLabel, label)
	some, width := false, 0.
	for _, r := range o.runs {
		v := r.Report.Result.Overview
		s := chart.Series{Name: r.Name, Smooth: true}
		list, step := of(v), v.Step
		if rare {
			list, step = merged(list, step, v.Sent)
		}
		for i, y := range list {
			some = some || y > 0
			s.Points = append(s.Points, chart.Point{X: (float64(i) + 0.5) * step, Y: y})
		}
		width = max(width, step)
		c.Series = append(c.Series, s)
	}
	c.Note = o.note("Means over steps of " + span(width) + ".")
	if len(o.runs) > 1 {
		c.Note = o.note("Means over steps of at most " + span(width) + ".")
	}
	return c, some
}

// others are the pictures of further curves of the runs.
func (o overlay) others() []Picture {
	t := overTime{base: o.chart("", timeLabel, ""), note: o.note}
	for _, r := range o.runs {
		for _, v := range r.Over {
			t.add(r.Name, v)
		}
	}
	return t.pictures
}

// timeLabel is below every picture over time.
const timeLabel = "Time since the first measured request (s)"

// merged makes steps of several, so that on average five of so many requests ended
// in each, as long as eight are left. A last one that is not whole is left out.
func merged(list []float64, step float64, sent int) ([]float64, float64) {
	n := len(list)
	by := min((5*n+sent-1)/max(1, sent), n/8)
	if by < 2 {
		return list, step
	}
	var out []float64
	for i := 0; i+by <= n; i += by {
		sum := 0.
		for _, v := range list[i : i+by] {
			sum += v
		}
		out = append(out, sum/float64(by))
	}
	return out, step * float64(by)
}

// span is a time in a unit that suits it.
func span(s float64) string {
	if s < 1 {
		return fmt.Sprintf("%.3g ms", s*1e3)
	}
	return fmt.Sprintf("%.3g s", s)
}

func (o overlay) chart(title, x, y string) chart.Chart {
	var reports []*report.Report
	for _, r := range o.runs {
		reports = append(reports, r.Report)
	}
	return chart.Chart{Title: title, Subtitle: report.LoadText(reports),
		X: chart.Axis{Label: x}, Y: chart.Axis{Label: y}}
}

// note is what is said under a picture.
func (o overlay) note(text string) string {
	var parts []string
	if simulated(o.runs) {
		parts = append(parts, "SIMULATED: no real engine answered.")
	}
	parts = append(parts, text)
	if left := o.all - len(o.runs); left > 0 {
		parts = append(parts, fmt.Sprintf("Not drawn: %s.", counted(left, "more run", "more runs")))
	}
	return strings.Join(parts, " ")
}

func simulated(runs []Run) bool {
	for _, r := range runs {
		if !r.Report.Run.Simulated {
			return false
		}
	}
	return true
}

func counted(n int, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + several
}
