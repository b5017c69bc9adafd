package profile

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"headway/internal/model"
	"headway/record"
	"headway/report"
)

// watched is what is seen of each run: a server whose cache fills, and two GPUs of
// which each request takes 100 J. Of the second run the energy is not known.
func watched(requests int) func(int) (*record.Telemetry, *report.Energy) {
	gpu := func(of string) record.TelemetrySubject {
		return record.TelemetrySubject{Source: "g", Kind: "gpu", Engine: "dcgm", Of: of, Device: "GPU-" + of,
			Seconds: 2, Gauges: map[string]record.TelemetryGauge{"power": {Mean: 350}}}
	}
	return func(run int) (*record.Telemetry, *report.Energy) {
		t := &record.Telemetry{Subjects: []record.TelemetrySubject{
			{Source: "s", Kind: "server", Engine: "vllm", Seconds: 2,
				Gauges:   map[string]record.TelemetryGauge{"kv_usage": {Mean: 0.5, Max: 0.1 * float64(run)}},
				Counters: map[string]record.TelemetryCounter{"preemptions": {Total: 2}}}, gpu("0"), gpu("1")}}
		if run%4 == 2 {
			return t, nil
		}
		return t, &report.Energy{GPUs: 2, Joules: 100 * float64(requests), Counted: true, Requests: float64(requests),
			Tokens: 50 * float64(requests)}
	}
}

// A point has what servers and GPUs did in its repeats, and not in what prepares them:
// in its table, and again where it is read from a journal.
func TestObservedOfAPoint(t *testing.T) {
	e := steady(Facts{GPUs: 2})
	e.seen = watched(1)
	curve, err := MeasurePrefill(t.Context(), e, Grid{MaxContext: 1000, Granularity: 3, Repeats: 3})
	if err != nil {
		t.Fatal(err)
	}
	p := curve.Points[0]
	if want := (Energy{Runs: 2, GPUs: 2, Joules: 200, By: record.EnergyCounter, PerRequest: 100, PerPromptToken: 1}); p.
		Energy == nil || *p.Energy != want {
		t.Errorf("%+v", p.Energy)
	}
	if len(p.Telemetry) != 3 || p.Telemetry[0].Counters["preemptions"].Total != 6 || p.Telemetry[1].Seconds != 6 {
		t.Errorf("%+v", p.Telemetry)
	}
	table := textOf(t, curve)
	for _, want := range []string{"KV % max", "preempted", "J/request"} {
		if !strings.Contains(table, want) {
			t.Errorf("without %q:\n%s", want, table)
		}
	}
	if row := strings.Fields(strings.Split(table, "\n")[1]); row[len(row)-4] != "30.0" || row[len(row)-3] != "6" ||
		row[len(row)-2] != "700" || row[len(row)-1] != "100.0" {
		t.Errorf("%q", row)
	}
	line, err := json.Marshal(journalLine{Prefill: &p})
	var again journalLine
	if err != nil || json.Unmarshal(line, &again) != nil || !reflect.DeepEqual(again.Prefill.Observed, p.Observed) {
		t.Errorf("%v: %s", err, line)
	}
}

// Where nothing was read, tables and files are as they were.
func TestNothingObserved(t *testing.T) {
	grid := Grid{MaxContext: 1000, Granularity: 3, Repeats: 3}
	curve, err := MeasurePrefill(t.Context(), steady(Facts{GPUs: 2}), grid)
	if err != nil {
		t.Fatal(err)
	}
	line, err := json.Marshal(curve.Points[0])
	if err != nil || strings.Contains(string(line), "telemetry") || strings.Contains(string(line), "energy") ||
		strings.Contains(textOf(t, curve), "J/") {
		t.Errorf("%v: %s", err, line)
	}
}

// A load of the search has the same.
func TestObservedOfATrial(t *testing.T) {
	e := steady(Facts{GPUs: 2})
	e.seen = watched(4)
	p := &probe{engine: e, mapping: model.Mapping{Kind: model.TP, Size: 2}, opened: Decode, isl: 1000, osl: 50}
	trial, err := p.decode(t.Context(), 4, 3)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Energy{Runs: 2, GPUs: 2, Joules: 800, By: record.EnergyCounter, PerRequest: 100,
		PerOutputToken: 2}); trial.Energy == nil || *trial.Energy != want {
		t.Errorf("%+v", trial.Energy)
	}
	if _, rows := ObservedCells([]Observed{trial.Observed, {}}); len(rows) != 2 || rows[0][4] != "2.000" ||
		rows[1][4] != "" {
		t.Errorf("%q", rows)
	}
}

// steady is an engine that answers every request alike.
func steady(f Facts) *played {
	return &played{facts: f, ttft: func(int, int, int) float64 { return 0.1 },
		itl: func(int, int) float64 { return 0.01 }}
}
