package main

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"headway/internal/cli"
	"headway/internal/options"
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
		"nothing asked": {nil, []*report.Report{run(1, 99)}, cli.Done},
		"met":           {nil, []*report.Report{run(10, 0, metric.Met)}, cli.Done},
		"not decided":   {nil, []*report.Report{run(10, 0, metric.Met, metric.NotDecided)}, cli.Undecided},
		"missed weighs more": {nil, []*report.Report{run(10, 0, metric.NotDecided), run(10, 0, metric.Missed)},
			cli.Missed},
		"more failed":           {&one, []*report.Report{run(100, 0), run(98, 2)}, cli.Missed},
		"as many as may fail":   {&one, []*report.Report{run(99, 1)}, cli.Done},
		"own ends are no fault": {&one, []*report.Report{run(100, 0)}, cli.Done},
	} {
		o := options.Output{FailAbove: test.failAbove}
		if got := cli.Decision(test.reports, o.MostFailed()); got != test.want {
			t.Errorf("%s: exit %d, want %d", name, got, test.want)
		}
	}
	if got := cli.Decision([]*report.Report{run(0, 5)}, math.Inf(1)); got != cli.Done {
		t.Errorf("exit %d", got)
	}
}

// What makes the exit code other than 0 is on standard error, once: objectives
// where no table says them, --fail-above always.
func TestDecideSaysWhy(t *testing.T) {
	verdict := func(text string, d metric.Decision) metric.Verdict {
		return metric.Verdict{Objective: metric.Objective{Text: text}, Decision: d, Why: "why"}
	}
	r := &report.Report{Result: &metric.Result{OK: 9, Failed: 1, Verdicts: []metric.Verdict{
		verdict("a < 1", metric.Met), verdict("b < 1", metric.Missed), verdict("c < 1", metric.NotDecided)}}}
	failed := "headway: load run %d: ✗ 10 % of requests failed, --fail-above allows 5 %\n"
	unmet := "headway: load run %d: ✗ b < 1: missed (why)\nheadway: load run %d: ? c < 1: not decided (why)\n"
	for tables, each := range map[bool]string{true: failed, false: unmet + failed} {
		var said bytes.Buffer
		a := cli.App{Notes: &cli.Notes{W: &said}}
		if code := a.Decide([]cli.Judged{{Where: "load", Reports: []*report.Report{r, r}}}, 5,
			tables); code != cli.Missed {
			t.Errorf("exit %d", code)
		}
		want := strings.ReplaceAll(each, "%d", "1") + strings.ReplaceAll(each, "%d", "2")
		if said.String() != want {
			t.Errorf("tables %v: %s\nwant %s", tables, said.String(), want)
		}
	}
}
