package report

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"headway/record"
)

// The warnings of figures go with them into the summary.
func TestSummaryCarriesWarnings(t *testing.T) {
	e := Experiment{Name: "a", Points: []Point{point(1, 1, 1), point(4, 1, 2), point(8, 1, 3)}}
	for _, p := range e.Points[1:] {
		p.Runs[0].Warnings = []record.Warning{
			{Code: "itl_collapsed", Text: "2 of 3 replies came in one read"},
			{Code: "few_samples", Text: "with 3 replies there is little to say."},
		}
	}
	e.Points[2].Runs[0].Warnings = append(e.Points[2].Runs[0].Warnings,
		record.Warning{Code: "level_not_reached", Text: "the level was never reached."})
	var b bytes.Buffer
	if err := WriteSummary(&b, []Experiment{e}, 0); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Warning (at 4, 8): 2 of 3 replies came in one read.\n",
		"Warning (at 8): the level was never reached.\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "little to say") {
		t.Error("the table marks what is of few samples, a line does not")
	}
}

// Speed per user is tokens over decode time; of files without it, the
// reciprocal of the mean time and not the mean of the reciprocals.
func TestSpeedPerUser(t *testing.T) {
	theirs := &Loaded{Metrics: map[string]Stats{
		"inter_token_latency":              {Unit: "ms", Values: map[string]float64{"avg": 10}},
		"output_token_throughput_per_user": {Unit: "tokens/sec/user", Values: map[string]float64{"avg": 844}},
	}}
	if got := (Point{Runs: []*Loaded{theirs}}).Speed().Value; math.Abs(got-100) > 1e-9 {
		t.Errorf("of a file of aiperf: %v", got)
	}
	ours := point(1, 1, 5).Runs[0]
	if got := (Point{Runs: []*Loaded{ours, theirs}}).Speed(); math.Abs(got.Value-75) > 1e-9 || !finite(got.Low) {
		t.Errorf("of both: %+v", got)
	}
	const tag = "output_token_throughput_per_user"
	neither := &Loaded{Metrics: map[string]Stats{tag: theirs.Metrics[tag]}}
	if got := (Point{Runs: []*Loaded{neither}}).Speed().Value; !math.IsNaN(got) {
		t.Errorf("of a file without times: %v", got)
	}
}
