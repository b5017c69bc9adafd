package report

import (
	"math"
	"strings"
	"testing"

	"headway/record"
)

// foretoldArm is an arm whose TTFT is foretold, with its figure for each of a few
// parameters.
func foretoldArm(t *testing.T, name string, ttft record.Time, half float64, drawn ...float64) Arm {
	t.Helper()
	value := float64(ttft) / 1e6
	f := record.ForetoldFigure{Metric: "time_to_first_token", Stat: "avg", Value: value, Low: value * math.Exp(-half),
		High: value * math.Exp(half), Level: 0.9, Drawn: drawn, Apart: 0.03, Widen: 1}
	return routedArm(t, name, ttft, &record.Cluster{Foretold: &record.Foretold{Figures: []record.ForetoldFigure{f}}})
}

// What parameters do to both arms alike does not make their ratio less sure.
func TestGainsAreDrawnInPairs(t *testing.T) {
	base := foretoldArm(t, "round-robin", 2e8, 0.4, 100, 200, 400)
	arm := foretoldArm(t, "kv", 1e8, 0.4, 50, 100, 200)
	got := Case{Arms: []Arm{base, arm}}.Gains("round-robin")[0]
	x := got.TTFTMean.Expected
	if x == nil || x.Level != 0.9 || x.Why != "" {
		t.Fatalf("%+v", x)
	}
	// Of the runs there is an interval, too; with it the halves add up as squares.
	half := math.Hypot(0.03, halfLog(got.TTFTMean.Low, got.TTFTMean.High))
	if math.Abs(math.Log(x.High/got.TTFTMean.Value)-half) > 1e-9 || got.Word != "faster" || got.Caution != "" {
		t.Errorf("%+v, half %v, want %v: %s, %s", x, math.Log(x.High/got.TTFTMean.Value), half, got.Word, got.Caution)
	}
	// Parameters that move one arm alone do. numpy.log([2, 2.2, 2.5]).std(ddof=1) is 0.11197.
	arm = foretoldArm(t, "kv", 1e8, 0.4, 50, 200/2.2, 400/2.5)
	x = Case{Arms: []Arm{base, arm}}.Gains("round-robin")[0].TTFTMean.Expected
	half = math.Hypot(half, 1.6449*0.11197)
	if math.Abs(math.Log(x.High/2)-half) > 1e-4 {
		t.Errorf("half %v, want %v", math.Log(x.High/2), half)
	}
}

// Figures of a simulation that a twin does not foretell say why, and their gains are
// those of the simulation.
func TestGainsWithoutAnInterval(t *testing.T) {
	base, arm := foretoldArm(t, "round-robin", 2e8, 0.4, 1, 2), foretoldArm(t, "kv", 1e8, 0.4, 1, 2)
	f := &arm.Report.Run.Cluster.Foretold.Figures[0]
	*f = record.ForetoldFigure{Metric: f.Metric, Stat: f.Stat, Value: f.Value, Why: "tiers of the KV cache"}
	c := &Comparison{Benchmark: "trace", Simulated: true, Baseline: "round-robin",
		Cases: []Case{{Name: "one", Arms: []Arm{base, arm}}}}
	g := c.Cases[0].Gains(c.Baseline)[0]
	if x := g.TTFTMean.Expected; x == nil || x.Why != "tiers of the KV cache" || x.High != 0 {
		t.Errorf("%+v", x)
	}
	low, _ := g.TTFTMean.Span()
	if low != g.TTFTMean.Low && !math.IsNaN(low) {
		t.Errorf("%v, want that of the runs, %v", low, g.TTFTMean.Low)
	}
	var text, file strings.Builder
	if err := c.WriteTable(&text, ConsoleOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := c.WriteJSON(&file); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"expected on the server, by the twin", "Intervals are of 90 %",
		"no interval: tiers of the KV cache (time_to_first_token avg)",
		"of the simulation alone; no interval on the server: tiers of the KV cache"} {
		if !strings.Contains(strings.ReplaceAll(text.String(), "\n", " "), want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
	if !strings.Contains(file.String(), `"no_interval": "tiers of the KV cache"`) {
		t.Errorf("%s", file.String())
	}
}

// A run on a twin that has no intervals, such as one of an earlier headway, says so.
func TestKeptRunsAreNotSilent(t *testing.T) {
	arm := routedArm(t, "kv", 1e8, &record.Cluster{})
	if arm.Expected("time_to_first_token", "avg") != nil {
		t.Error("an interval without a twin")
	}
	arm.Report.Run.Warnings = []record.Warning{{Code: "twin_basis"}}
	x := arm.Expected("time_to_first_token", "avg")
	if x == nil || !strings.Contains(x.Why, "--overwrite") {
		t.Errorf("%+v", x)
	}
	c := &Comparison{Cases: []Case{{Name: "one", Arms: []Arm{arm}}}}
	var text strings.Builder
	if err := c.WriteTable(&text, ConsoleOptions{}); err != nil || !strings.Contains(text.String(), "no interval") {
		t.Errorf("%v\n%s", err, text.String())
	}
}
