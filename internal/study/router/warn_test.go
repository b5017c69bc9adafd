package router

import (
	"slices"
	"testing"

	"headway/internal/options"
	"headway/metric"
	"headway/record"
	"headway/report"
)

// A warning that several variants have word for word is said once, with the variants
// that it is of.
func TestWarningsOfSeveralVariants(t *testing.T) {
	arm := func(name string, texts ...string) report.Arm {
		r := &report.Report{Result: metric.NewCollector(metric.Options{}).Result()}
		for _, text := range texts {
			r.Run.Warnings = append(r.Run.Warnings, record.Warning{Code: "c", Text: text})
		}
		return report.Arm{Name: name, Report: r, Repeats: []*report.Report{r}}
	}
	s := &Study{Options: &options.Comparison{}}
	s.Warnings = []record.Warning{{Code: "c", Text: "of the load"}}
	s.summary.Cases = []report.Case{
		{Name: "x", Arms: []report.Arm{arm("kv", "same", "two", "of the load"), arm("rr", "same", "one")}},
		{Name: "y", Arms: []report.Arm{arm("kv", "same", "two"), arm("rr", "same")}},
	}
	s.ofSeveral()
	var got []string
	for _, w := range s.summary.Warnings {
		got = append(got, w.Text)
	}
	if want := []string{"all variants: same", "x/kv, y/kv: two", "x/rr: one"}; !slices.Equal(got, want) {
		t.Errorf("warnings %q, want %q", got, want)
	}
}
