package main

import (
	"math"
	"testing"

	"headway/metric"
	"headway/report"
)

func TestDecision(t *testing.T) {
	run := func(ok, failed int, decisions ...metric.Decision) *report.Report {
		r := &metric.Result{OK: ok, Failed: failed, Cancelled: 50}
		for _, d := range decisions {
			r.Verdicts = append(r.Verdicts, metric.Verdict{Decision: d})
		}
		return &report.Report{Result: r}
	}
	one := 1.0
	for name, test := range map[string]struct {
		failAbove *float64
		reports   []*report.Report
		want      int
	}{
		"nothing asked":         {nil, []*report.Report{run(1, 99)}, exitDone},
		"met":                   {nil, []*report.Report{run(10, 0, metric.Met)}, exitDone},
		"not decided":           {nil, []*report.Report{run(10, 0, metric.Met, metric.NotDecided)}, exitUndecided},
		"missed weighs more":    {nil, []*report.Report{run(10, 0, metric.NotDecided), run(10, 0, metric.Missed)}, exitMissed},
		"more failed":           {&one, []*report.Report{run(100, 0), run(98, 2)}, exitMissed},
		"as many as may fail":   {&one, []*report.Report{run(99, 1)}, exitDone},
		"own ends are no fault": {&one, []*report.Report{run(100, 0)}, exitDone},
	} {
		o := outputFlags{FailAbove: test.failAbove}
		if got := o.decision(test.reports); got != test.want {
			t.Errorf("%s: exit %d, want %d", name, got, test.want)
		}
	}
	if got := decision([]*report.Report{run(0, 5)}, math.Inf(1)); got != exitDone {
		t.Errorf("exit %d", got)
	}
}
