package picture

import (
	"math"
	"slices"
	"strings"
	"testing"

	"headway/internal/chart"
	"headway/report/internal/fixture"
)

func named(t *testing.T, name string, seed uint64) Run {
	t.Helper()
	return Run{Name: name, Report: reportOf(t, fixture.Made{C: 2, N: 40, Seed: seed, GPUs: 1})}
}

// Every run has its distributions and what happened over time, and each picture says
// of what.
func TestOfRuns(t *testing.T) {
	all := OfRuns([]Run{named(t, "a", 1), named(t, "b", 2)})
	var names []string
	for _, p := range all {
		names = append(names, p.Name)
		if err := p.chart.Validate(); err != nil {
			t.Error(err)
		}
		if len(p.chart.Series) != 2 || !strings.Contains(p.chart.Subtitle, "tokens (means)") {
			t.Errorf("%s: %d series, %q", p.Name, len(p.chart.Series), p.chart.Subtitle)
		}
	}
	if got := strings.Join(names, " "); got != "cdf_ttft cdf_itl cdf_latency in_flight tokens replies" {
		t.Error(got)
	}
	points := all[0].chart.Series[0].Points
	if last := points[len(points)-1]; points[0].Y != 0 || last.Y != 100 {
		t.Errorf("a distribution goes from %v to %v", points[0].Y, last.Y)
	}
}

// Of more runs than can be told apart some are drawn, which is said.
func TestOfManyRuns(t *testing.T) {
	runs := slices.Repeat([]Run{named(t, "r", 1)}, 15)
	for _, p := range OfRuns(runs) {
		if len(p.chart.Series) != chart.MaxSeries || !strings.Contains(p.chart.Note, "Not drawn: 3 more runs.") {
			t.Errorf("%s: %d series, %q", p.Name, len(p.chart.Series), p.chart.Note)
		}
	}
	if got := OfRuns(nil); got != nil {
		t.Errorf("%d pictures of nothing", len(got))
	}
}

// Further curves of one title share a picture.
func TestFurtherCurves(t *testing.T) {
	a, b := named(t, "a", 1), named(t, "b", 2)
	usage := func(name string) Over {
		return Over{Title: "KV cache in use", Label: "KV cache (%)", Name: name, At: []float64{0, 1, 2},
			Values: []float64{1, math.NaN(), 3}}
	}
	a.Over, b.Over = []Over{usage("0"), usage("1")}, []Over{usage("")}
	all := OfRuns([]Run{a, b})
	c := all[len(all)-1].chart
	var names []string
	for _, s := range c.Series {
		names = append(names, s.Name)
	}
	if got := strings.Join(names, "; "); c.Title != "KV cache in use" || got != "a, 0; a, 1; b" {
		t.Errorf("%q: %s", c.Title, got)
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}

func TestMerged(t *testing.T) {
	list, step := merged(make([]float64, 240), 1, 480)
	if len(list) != 80 || step != 3 {
		t.Errorf("%d steps of %v s", len(list), step)
	}
	if list, _ := merged(make([]float64, 30), 1, 10); len(list) < 8 {
		t.Errorf("%d steps", len(list))
	}
}
