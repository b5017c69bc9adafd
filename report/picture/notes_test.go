package picture

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"headway/record"
	"headway/report"
	"headway/report/internal/fixture"
)

// The warnings of figures go with them into the pictures, each to those that it is
// about.
func TestPicturesCarryWarnings(t *testing.T) {
	e := report.Experiment{Name: "a", Points: []report.Point{point(1, 1, 1), point(4, 1, 2), point(8, 1, 3)}}
	for _, p := range e.Points[1:] {
		p.Runs[0].Warnings = []record.Warning{
			{Code: "itl_collapsed", Text: "2 of 3 replies came in one read"},
			{Code: "few_samples", Text: "with 3 replies there is little to say."},
		}
	}
	level := record.Warning{Code: "level_not_reached", Text: "the level was never reached."}
	e.Points[2].Runs[0].Warnings = append(e.Points[2].Runs[0].Warnings, level)
	all := OfExperiments([]report.Experiment{e}, Options{})
	for name, want := range map[string]string{
		"p50_inter_token_latency_vs_concurrency": "itl collapsed (at 4, 8), level not reached (at 8)",
		"efficiency_tok_s_gpu_vs_user":           "itl collapsed (at 4, 8), level not reached (at 8)",
		"avg_time_to_first_token_vs_concurrency": "Warnings (see SUMMARY.txt): level not reached (at 8)",
		"request_throughput_vs_concurrency":      "Warnings (see SUMMARY.txt): level not reached (at 8)",
	} {
		if c := picture(t, all, name).chart; !strings.Contains(c.Note, want) {
			t.Errorf("%s: %q, want %q", name, c.Note, want)
		}
	}
	if c := picture(t, all, "p50_inter_token_latency_vs_concurrency").chart; !strings.Contains(c.Empty,
		"too few reads") {
		t.Errorf("why it is empty: %q", c.Empty)
	}
}

// An interval of two runs says next to nothing and sets no axis.
func TestTwoRunsSetNoAxis(t *testing.T) {
	e := []report.Experiment{{Name: "a", Points: []report.Point{point(1, 1, 200, 560), point(2, 1, 400, 410, 420)}}}
	c := picture(t, OfExperiments(e, Options{}), "request_throughput_vs_concurrency").chart
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

// Levels that were cut off are pale, and an experiment without data is named.
func TestCutLevels(t *testing.T) {
	dir := t.TempDir()
	cut := reportOf(t, fixture.Made{C: 5, N: 5, Seed: 3, GPUs: 8})
	cut.Run.Cancelled = true
	put(t, reportOf(t, fixture.Made{C: 2, N: 10, Seed: 3, GPUs: 8}), dir, "a", "c2")
	put(t, cut, dir, "a", "c5")
	put(t, reportOf(t, fixture.Made{C: 2, N: 0, GPUs: 8}), dir, "b", "c2")
	put(t, reportOf(t, fixture.Made{C: 2, N: 10, Seed: 4, GPUs: 8}), dir, "c", "c2")
	all, _, err := report.Tree(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range OfExperiments(all, Options{}) {
		var names []string
		for _, s := range p.chart.Series {
			names = append(names, s.Name)
		}
		if !slices.Equal(names, []string{"a", "", "c"}) {
			t.Errorf("%s: series %q", p.Name, names)
		}
		if points := p.chart.Series[0].Points; points[0].Faint || !points[1].Faint {
			t.Errorf("%s: points %+v", p.Name, points)
		}
		for _, text := range []string{"pale points", "No data: b."} {
			if !strings.Contains(p.chart.Note, text) {
				t.Errorf("%s: the note %q lacks %q", p.Name, p.chart.Note, text)
			}
		}
	}
}

// A level that is not valid is pale, and the note says why.
func TestInvalidLevels(t *testing.T) {
	e := report.Experiment{Name: "a", Points: []report.Point{point(1, 1, 1), point(2, 1, 2), point(5, 1, 3)}}
	for i, v := range []record.Verdict{record.AuditValid, record.AuditDoubtful, record.AuditInvalid} {
		e.Points[i].Runs[0].Verdict = v
	}
	p := picture(t, OfExperiments([]report.Experiment{e}, Options{}), "request_throughput_vs_concurrency")
	points := p.chart.Series[0].Points
	if points[0].Faint || points[1].Faint || !points[2].Faint ||
		!strings.Contains(p.chart.Note, "for what its client did") {
		t.Errorf("%+v, %q", points, p.chart.Note)
	}
}

// A latency that failed requests reach into, or that is only bounded, has no place in
// a picture, and costs none.
func TestLatenciesThatAreOpen(t *testing.T) {
	for _, value := range []string{`"avg":"Infinity"`, `"avg_at_least":20`} {
		text := `{"headway":{"format":1,"lead":"whole","whole":{"in_flight":1,"time_to_first_token":{"unit":"ms",` +
			value + `}}},` +
			`"request_throughput":{"unit":"requests/sec","avg":1}}`
		l, err := report.Read(strings.NewReader(text), "f")
		if err != nil {
			t.Fatal(err)
		}
		all := []report.Experiment{{Name: "e", Points: []report.Point{{Concurrency: 1, Runs: []*report.Loaded{l}}}}}
		for _, p := range OfExperiments(all, Options{}) {
			if err := p.chart.Validate(); err != nil {
				t.Errorf("%s: %s: %v", value, p.Name, err)
			}
		}
	}
}
