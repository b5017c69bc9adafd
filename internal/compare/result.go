package compare

import (
	"headway/internal/study/pages"
	"headway/metric"
	"headway/report"
)

// Options say how sides are compared.
type Options struct {
	// Figures are looked at; nil are [Usual].
	Figures []metric.Figure
	// Margin is the share within which a change is called the same, above 0.
	Margin float64
	// Assumed is the standard deviation between runs, as a share, where there is one
	// run a side and no baseline. Runs in virtual time vary by their requests alone,
	// and nothing is assumed of them.
	Assumed float64
	// Gates are held against every comparison.
	Gates []Gate

	named bool // the figures were asked for by name
}

// Usual are the figures that are looked at where none are named. Each further one
// makes it harder for all to be decided.
func Usual() []metric.Figure {
	return []metric.Figure{
		{Tag: "time_to_first_token", Stat: "avg"}, {Tag: "time_to_first_token", Stat: "p99"},
		{Tag: "inter_token_latency", Stat: "avg"}, {Tag: "inter_token_latency", Stat: "p99"},
		{Tag: "request_latency", Stat: "avg"}, {Tag: "request_latency", Stat: "p99"},
		{Tag: "output_token_throughput"}, {Tag: "goodput"},
	}
}

// Result is what came of comparing every side with the first.
type Result struct {
	Options  Options
	Versus   []Versus
	Baseline string // names the folders that told how much runs vary; empty without them
	// Untold says what could not be read, a sentence each.
	Untold []string

	sides []pages.Named
}

// Versus is one side against the first.
type Versus struct {
	A, B string
	// Differs are the settings in which the sides differ, Varies those that vary in
	// both alike, Alone the loads that only one of them has.
	Differs []Difference
	Varies  []string
	Alone   []string
	Points  []Point
	Gates   []GateVerdict
	// Warnings are what a reader of the figures must know.
	Warnings []string
}

// Point is one load that both sides have.
type Point struct {
	Name    string
	Figures []Change

	a, b, base *point
}

// Change is a figure on both sides.
type Change struct {
	Figure metric.Figure
	A, B   report.Figure // of one run with its interval; of several the geometric mean
	ARuns  int
	BRuns  int
	// Percent is the change of B against A in percent with its 95 % interval; the
	// interval is NaN where there is none.
	Percent report.Figure
	// P is the two-sided p-value of no change, Adjusted the same corrected for the
	// number of figures; NaN where there is no interval.
	P, Adjusted float64
	// By is what the interval rests on: ByRequests or ByRuns. Assumed is the standard
	// deviation between runs, in percent, that was added for want of repeats.
	By      string
	Assumed float64
	Word    Word
	// Why says why nothing is decided; Need what it would take.
	Why  string
	Need Need

	contrast contrast
	known    bool
}
