package report

import (
	"math"
	"strings"
	"testing"

	"headway/metric"
)

// A figure without an interval has none in the table, and the file says why.
func TestNoIntervalIsNone(t *testing.T) {
	m := metric.Metric{Tag: "request_latency", Unit: "ms", Scale: 1000}
	s := metric.Summarise(m, []float64{0.02, 0.03})
	s.Why = "too_short"
	q := &s.Quantiles[len(s.Quantiles)-1]
	q.Why = "few_in_tail"
	result := &metric.Result{Summaries: []metric.Summary{s}}
	for _, stat := range []string{"avg", "p99"} {
		if cell := within(result, m.Tag, stat).cell(); strings.Contains(cell, "\n") {
			t.Errorf("%s: the table shows %q", stat, cell)
		}
	}
	o := get(intervals(result.Summaries), m.Tag)
	if get(o, "avg") != nil || get(o, "none", "avg") != "too_short" || get(o, "none", "p99") != "few_in_tail" {
		t.Errorf("the file has %v", o)
	}
}

// A value that is infinite or only bounded says so, with that of answered
// requests beside it.
func TestCellsOfWhatFailedAndWasCutOff(t *testing.T) {
	for want, e := range map[string]Figure{
		"∞\n(25.0)":       {Value: math.Inf(1), Low: math.NaN(), High: math.NaN(), Answered: 25},
		"≥4,870\n(90.0)":  {Value: 4870, Low: math.NaN(), High: math.NaN(), AtLeast: true, Answered: 90},
		"30.0\n29.0–32.0": {Value: 30, Low: 29, High: 32, Answered: 28},
		"–":               unknown(),
	} {
		if got := e.cell(); got != want {
			t.Errorf("%+v: %q, want %q", e, got, want)
		}
	}
}
