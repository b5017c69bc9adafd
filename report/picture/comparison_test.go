package picture

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"headway/internal/chart"
	"headway/record"
	"headway/report"
	"headway/report/internal/fixture"
)

// routedArm is an arm of so many requests with one TTFT, in nanoseconds.
func routedArm(t *testing.T, name string, ttft record.Time, facts *record.Cluster) report.Arm {
	t.Helper()
	return partlyRouted(t, name, ttft, facts, 0)
}

// partlyRouted is the same of an endpoint that refuses so many of the requests.
func partlyRouted(t *testing.T, name string, ttft record.Time, facts *record.Cluster, refused int) report.Arm {
	t.Helper()
	run := record.Run{}
	run.Simulated, run.Cluster = true, facts
	return report.Arm{Name: name, Dir: "case/" + name, Report: &report.Report{Run: run,
		Result: fixture.Routed(t, ttft, refused)}}
}

func routed(t *testing.T, saturated bool) *report.Comparison {
	base := &record.Cluster{RouterMode: "round-robin", HitRate: 0.1, IdealHitRate: 0.5, IdealAtSize: 0.4, Offered: 10,
		Completed: 10}
	if saturated {
		base.Completed, base.Saturated = 7.1, true
	}
	own := &record.Cluster{RouterMode: "kv", HitRate: 0.3, IdealHitRate: 0.5, IdealAtSize: 0.4, Offered: 10,
		Completed: 10, EventsApplied: 3}
	c := &report.Comparison{Benchmark: "trace", Simulated: true, Baseline: "round-robin", XKey: "request_rate",
		XLabel: "Requests/s"}
	for _, x := range []float64{1, 2} {
		c.Cases = append(c.Cases, report.Case{Name: "case", X: x,
			Arms: []report.Arm{routedArm(t, "kv", 1e8, own), routedArm(t, "round-robin", 4e8, base)}})
	}
	return c
}

// Pictures leave out latencies without end, those of endpoints that fail.
func TestComparisonOfEndpointsThatFail(t *testing.T) {
	for _, refused := range []int{2, 30, 59, 60} {
		c := &report.Comparison{Benchmark: "prefix-ratio", Baseline: "b", XKey: "prefix_ratio", XLabel: "Shared prefix"}
		for _, x := range []float64{0.1, 0.5} {
			arms := []report.Arm{partlyRouted(t, "a", 1e8, nil, refused), routedArm(t, "b", 4e8, nil)}
			for i := range arms {
				arms[i].Tiers = []report.Tier{{Result: arms[i].Report.Result}}
			}
			c.Cases = append(c.Cases, report.Case{Name: "case", X: x, Arms: arms})
		}
		for _, p := range OfComparison(c) {
			if err := p.WriteSVG(io.Discard); err != nil {
				t.Errorf("%d refused: %s: %v", refused, p.Name, err)
			}
		}
	}
}

func TestComparisonPictures(t *testing.T) {
	c := routed(t, true)
	tier := c.Cases[0].Arms[0].Report.Result
	for i := range c.Cases[0].Arms {
		c.Cases[0].Arms[i].Tiers = []report.Tier{{Result: tier}, {Priority: 5, Result: tier}}
	}
	var names []string
	for _, p := range OfComparison(c) {
		names = append(names, p.Name)
		if err := p.chart.Validate(); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
	want := "ttft_comparison ttft_vs_request_rate ttft_p99_vs_request_rate itl_vs_request_rate " +
		"throughput_vs_request_rate hit_rate_vs_request_rate gain_vs_request_rate"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// One load has pictures, too, and what is under them is drawn.
func TestComparisonOfOneLoad(t *testing.T) {
	c := routed(t, false)
	c.Cases, c.XKey, c.XLabel = c.Cases[:1], "", ""
	all := OfComparison(c)
	if len(all) != 6 || all[0].Name != "ttft_of_one_load" {
		t.Fatalf("%d pictures", len(all))
	}
	for _, p := range all {
		if err := p.chart.Validate(); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
		if drawnPoints(p.chart.Series) == 0 {
			t.Errorf("%s has no point", p.Name)
		}
		if strings.Contains(p.chart.Note, "saturated") {
			t.Errorf("%s speaks of what is not drawn: %s", p.Name, p.chart.Note)
		}
		places := map[float64]bool{}
		for _, s := range p.chart.Series {
			if places[s.Points[0].X] {
				t.Errorf("%s: two series stand at %g, where equal values hide each other", p.Name, s.Points[0].X)
			}
			places[s.Points[0].X] = !s.Faint
		}
	}
	if c.Baseline = ""; len(OfComparison(c)) != 5 {
		t.Error("without a baseline there is no gain to draw")
	}
}

// Another's chart leaves out what has no place, and data has lists where nothing is.
func TestOfAnother(t *testing.T) {
	p := Of("a", chart.Chart{Title: "T", X: chart.Axis{Label: "x", Log: true}, Y: chart.Axis{Label: "y"},
		Series: []chart.Series{{Points: []chart.Point{{X: 0, Y: 1}, {X: 1, Y: 1}}}, {}}})
	if !strings.Contains(p.Left, "Left out") || p.chart.Note != p.Left || p.chart.Validate() != nil {
		t.Errorf("%q, %q", p.Left, p.chart.Note)
	}
	if got := p.Under("n").Data(); got.Title != "n: T" || got.Series[1].X == nil || got.Series[1].Y == nil {
		t.Errorf("%+v", got)
	}
	m := OfMap("m", chart.Field{Title: "T"})
	if got := m.Under("n").Data(); !m.Still() || got.Title != "n: T" || m.Data().Title != "T" || got.Series == nil {
		t.Errorf("%+v", got)
	}
}

// A caption speaks of whiskers and marks where there are any.
func TestCaptionsSayWhatIsDrawn(t *testing.T) {
	bare := []chart.Series{{Points: []chart.Point{{X: 1, Y: 2}}}}
	both := []chart.Series{{Points: []chart.Point{{X: 1, Y: 2, Low: 1, High: 3}, {X: 2, Y: 2}}}}
	for want, list := range map[string][]chart.Series{"": nil, "No point has an interval.": bare,
		"Whiskers: 95 % intervals; points without one have no interval.": both,
		"Whiskers: 95 % intervals.":                                      {{Points: both[0].Points[:1]}}} {
		if got := whiskersText(list); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for _, p := range OfComparison(routed(t, true)) {
		if saturated := strings.HasPrefix(p.Name, "gain"); strings.Contains(p.chart.Note, "saturated") != saturated {
			t.Errorf("%s: %s", p.Name, p.chart.Note)
		}
		for _, want := range []string{"headway router trace", "tokens (means)", "seed 0"} {
			if !strings.Contains(p.chart.Subtitle, want) && !strings.HasPrefix(p.Name, "ttft_comparison") {
				t.Errorf("%s: %q lacks %q", p.Name, p.chart.Subtitle, want)
			}
		}
	}
}

// A picture gives its values to whoever draws it in another way.
func TestData(t *testing.T) {
	for _, p := range OfComparison(routed(t, true)) {
		b, err := json.Marshal(p.Data())
		if err != nil || !strings.Contains(string(b), `"series":[{"name":`) || strings.Contains(string(b), "NaN") {
			t.Errorf("%s: %v: %s", p.Name, err, b)
		}
	}
}
