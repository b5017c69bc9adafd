package report

import (
	"math"
	"testing"

	"headway/record"
)

// Several runs are summed up as one: amounts are added, values averaged by their time.
func TestJoinTelemetry(t *testing.T) {
	run := func(seconds, mean, most, count float64, e *record.TelemetryEnergy) *record.Telemetry {
		return &record.Telemetry{Subjects: []record.TelemetrySubject{{
			Source: "a", Kind: "gpu", Engine: "dcgm", Of: "0", Seconds: seconds, Energy: e,
			Gauges:   map[string]record.TelemetryGauge{"power": {Mean: mean, Max: most}},
			Counters: map[string]record.TelemetryCounter{"preemptions": {Total: count}},
			Histograms: map[string]record.TelemetryHistogram{
				"queue_time": {Count: count, Mean: record.Number(mean), P50: 1}},
		}}}
	}
	other := &record.Telemetry{Subjects: []record.TelemetrySubject{{Source: "b", Kind: "host", Engine: "linux"}}}
	got := JoinTelemetry(run(1, 100, 150, 3, nil), nil, other,
		run(3, 200, 210, 1, &record.TelemetryEnergy{Joules: 600, By: record.EnergyCounter, Integrated: 590}),
		run(4, 100, 100, 0, &record.TelemetryEnergy{Joules: 400, By: record.EnergyIntegrated}))
	if len(got) != 2 || got[1].Source != "b" {
		t.Fatalf("%+v", got)
	}
	s := got[0]
	if g := s.Gauges["power"]; g.Mean != 137.5 || g.Max != 210 || s.Seconds != 8 {
		t.Errorf("%+v of %g s", g, s.Seconds)
	}
	if c := s.Counters["preemptions"]; c.Total != 4 || c.Rate != 0.5 {
		t.Errorf("%+v", c)
	}
	if h := s.Histograms["queue_time"]; h.Count != 4 || h.Mean != 125 || !math.IsNaN(float64(h.P50)) {
		t.Errorf("%+v", h)
	}
	if e := s.Energy; e == nil || *e != (record.TelemetryEnergy{Joules: 1000, By: record.EnergyIntegrated}) {
		t.Errorf("%+v", e)
	}
}
