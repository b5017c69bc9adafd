package metric

import (
	"math"
	"testing"

	"headway/record"
)

func TestSpreadAgreesWithSciPy(t *testing.T) {
	type golden struct {
		Values                             []float64
		Level, Mean, Std, Min, Max, CV, SE float64
		Low                                float64 `json:"ci_low"`
		High                               float64 `json:"ci_high"`
		T                                  float64 `json:"t_critical"`
	}
	for _, g := range readGolden[[]golden](t, "testdata/aggregate.json") {
		s := spread(Metric{}, "avg", g.Values, g.Level)
		got := []float64{s.Mean, s.Std, s.Min, s.Max, s.CV, s.SE, s.CILow, s.CIHigh, s.TCritical}
		for i, want := range []float64{g.Mean, g.Std, g.Min, g.Max, g.CV, g.SE, g.Low, g.High, g.T} {
			if !within(got[i], want, 1e-9) {
				t.Errorf("n=%d level %v, figure %d: %v, want %v", len(g.Values), g.Level, i, got[i], want)
			}
		}
	}
}

func TestAggregateRuns(t *testing.T) {
	run := func(ttft float64, more ...*record.Record) *Result {
		return collect(Options{Streaming: true}, append(more, reply(100, 100+ttft, 1100))...)
	}
	spreads := map[string]Spread{}
	var order []string
	for _, s := range AggregateRuns([]*Result{run(10), run(20), run(60, failed(1, 2, record.Failure{}))}, 0.95) {
		spreads[s.Name()] = s
		order = append(order, s.Name())
	}
	if order[0] != "time_to_first_token_avg" || order[1] != "time_to_first_token_p1" ||
		order[12] != "time_to_first_token_std" {
		t.Errorf("order: %v", order[:13])
	}
	s := spreads["time_to_first_token_p99"]
	if s.Runs != 3 || !within(s.Mean, 0.03, 1e-12) || s.Min != 0.01 || s.Max != 0.06 ||
		!within(s.Std, math.Sqrt(0.0007), 1e-12) {
		t.Errorf("%+v", s)
	}
	if s := spreads["request_throughput_avg"]; s.Runs != 3 || s.Mean != 1 || s.Std != 0 || s.CV != 0 {
		t.Errorf("%+v", s)
	}
	// One run alone has failures, and infinite statistics are left out.
	if s := spreads["error_request_count_avg"]; s.Runs != 1 || s.Mean != 1 || !math.IsNaN(s.Std) ||
		!math.IsNaN(s.TCritical) {
		t.Errorf("%+v", s)
	}
	if s, ok := spreads["adj_time_to_first_token_max"]; ok {
		t.Errorf("%+v", s)
	}
	if s := spreads["adj_time_to_first_token_min"]; s.Runs != 1 || s.Mean != 0.06 {
		t.Errorf("%+v", s)
	}
	if got := AggregateRuns(nil, 0.95); len(got) != 0 {
		t.Errorf("no runs give %v", got)
	}
}
