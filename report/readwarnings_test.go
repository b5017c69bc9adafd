package report

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"headway/record"
)

// The warnings of figures go with them into the summary and the pictures, each
// to those that it is about.
func TestPicturesCarryWarnings(t *testing.T) {
	e := Experiment{Name: "a", Points: []Point{point(1, 1, 1), point(4, 1, 2), point(8, 1, 3)}}
	for _, p := range e.Points[1:] {
		p.Runs[0].Warnings = []record.Warning{
			{Code: "itl_collapsed", Text: "2 of 3 replies came in one read"},
			{Code: "few_samples", Text: "with 3 replies there is little to say."},
		}
	}
	e.Points[2].Runs[0].Warnings = append(e.Points[2].Runs[0].Warnings, record.Warning{Code: "level_not_reached", Text: "the level was never reached."})
	all := Pictures([]Experiment{e}, PlotOptions{})
	for name, want := range map[string]string{
		"p50_inter_token_latency_vs_concurrency": "itl collapsed (at 4, 8), level not reached (at 8)",
		"efficiency_tok_s_gpu_vs_user":           "itl collapsed (at 4, 8), level not reached (at 8)",
		"avg_time_to_first_token_vs_concurrency": "Warnings (see SUMMARY.txt): level not reached (at 8)",
		"request_throughput_vs_concurrency":      "Warnings (see SUMMARY.txt): level not reached (at 8)",
	} {
		if c := picture(t, all, name).Chart; !strings.Contains(c.Note, want) {
			t.Errorf("%s: %q, want %q", name, c.Note, want)
		}
	}
	if c := picture(t, all, "p50_inter_token_latency_vs_concurrency").Chart; !strings.Contains(c.Empty, "too few reads") {
		t.Errorf("why it is empty: %q", c.Empty)
	}
	var b bytes.Buffer
	if err := WriteSummary(&b, []Experiment{e}, PlotOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Warning (at 4, 8): 2 of 3 replies came in one read.\n", "Warning (at 8): the level was never reached.\n"} {
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
	if got := (Point{Runs: []*Loaded{theirs}}).speed().value; math.Abs(got-100) > 1e-9 {
		t.Errorf("of a file of aiperf: %v", got)
	}
	ours := point(1, 1, 5).Runs[0]
	if got := (Point{Runs: []*Loaded{ours, theirs}}).speed(); math.Abs(got.value-75) > 1e-9 || !finite(got.low) {
		t.Errorf("of both: %+v", got)
	}
	neither := &Loaded{Metrics: map[string]Stats{"output_token_throughput_per_user": theirs.Metrics["output_token_throughput_per_user"]}}
	if got := (Point{Runs: []*Loaded{neither}}).speed().value; !math.IsNaN(got) {
		t.Errorf("of a file without times: %v", got)
	}
}

// An interval of two runs says next to nothing and sets no axis.
func TestTwoRunsSetNoAxis(t *testing.T) {
	e := []Experiment{{Name: "a", Points: []Point{point(1, 1, 200, 560), point(2, 1, 400, 410, 420)}}}
	c := picture(t, Pictures(e, PlotOptions{}), "request_throughput_vs_concurrency").Chart
	p := c.Series[0].Points
	if !p[0].Loose || p[0].High < 2000 || p[1].Loose || p[1].High == 0 {
		t.Errorf("points %+v", p)
	}
	var b bytes.Buffer
	if err := c.WriteSVG(&b); err != nil {
		t.Fatal(err)
	}
	if text := b.String(); strings.Contains(text, ">1,000<") || !strings.Contains(text, ">400<") {
		t.Error("the axis reaches for the interval of two runs")
	}
}
