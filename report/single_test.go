package report

import (
	"strings"
	"testing"

	"headway/metric"
)

// A single value has no interval: both ends would be the value itself, which
// looks like certainty.
func TestSingleValueHasNoInterval(t *testing.T) {
	m := metric.Metric{Tag: "request_latency", Unit: "ms"}
	for _, c := range []struct {
		values []float64
		want   bool
	}{{[]float64{0.02}, false}, {[]float64{0.02, 0.03}, true}} {
		s := metric.Summarise(m, c.values)
		cell := within(&metric.Result{Summaries: []metric.Summary{s}}, m.Tag, "p99").cell()
		if got := strings.Contains(cell, "\n"); got != c.want {
			t.Errorf("%v: the table shows %q", c.values, cell)
		}
		o, _ := get(intervals([]metric.Summary{s}), m.Tag).(object)
		if got := get(o, "p99") != nil; got != c.want {
			t.Errorf("%v: the file has %v", c.values, o)
		}
	}
}
