package router

import (
	"math"
	"strings"
	"testing"
)

func TestEventsApplied(t *testing.T) {
	for _, tt := range []struct {
		page  string
		n     float64
		known bool
	}{
		{"", 0, false},
		{EventsMetric + "_total{status=\"ok\"} 3\n" + EventsMetric + "_total{status=\"bad\"} 2 " +
			"1700000000000\r\n", 5, true},
		{EventsMetric + " 7", 7, true},
		{EventsMetric + "\t7", 7, true},
		{EventsMetric + `{a="}",b="\"} 9"} 4`, 4, true},
		{EventsMetric + `{a="x"} 4 # {trace="t"} 1`, 4, true},
		{EventsMetric + "x 7\n", 0, false},
		{EventsMetric + "{a=\"x\n", 0, false},
		{EventsMetric + " NaN\n" + EventsMetric + " +Inf\n" + EventsMetric + " -1\n" + EventsMetric + " x\n", 0, false},
		{EventsMetric + " 1e308\n" + EventsMetric + " 1e308\n", 1e308, true},
		{"# HELP " + EventsMetric + " 5\n", 0, false},
	} {
		if n, known := EventsApplied([]byte(tt.page)); n != tt.n || known != tt.known {
			t.Errorf("%q: %g %v, want %g %v", tt.page, n, known, tt.n, tt.known)
		}
	}
}

// FuzzEventsApplied: a page, whoever wrote it, gives a finite count, and lines of
// other metrics change nothing.
func FuzzEventsApplied(f *testing.F) {
	for _, s := range []string{
		EventsMetric + "_total{status=\"ok\"} 3\n", EventsMetric + " 7 1700000000000\n# EOF\n",
		EventsMetric + "{a=\"\\\"}\"} 1e3 # {x=\"y\"} 2\n",
		EventsMetric + "{", EventsMetric + "_total NaN", "# TYPE x counter\nx 1\n", EventsMetric + "{a=\"b\\",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, page string) {
		n, known := EventsApplied([]byte(page))
		if math.IsNaN(n) || math.IsInf(n, 0) || n < 0 || !known && n != 0 {
			t.Fatalf("%q: %g, %v", page, n, known)
		}
		if known && !strings.Contains(page, EventsMetric) {
			t.Fatalf("%q: a count without the metric", page)
		}
		if again, k := EventsApplied([]byte("other_metric{x=\"y\"} 5\n" + page)); again != n || k != known {
			t.Fatalf("%q: %g with another metric before, %g without", page, again, n)
		}
	})
}
