package options

import (
	"strings"
	"testing"

	"headway/internal/fault"
)

// How narrow an interval has to be is read in each way of writing ±; what cannot be
// meant is refused by its text, and the number of runs follows.
func TestUntil(t *testing.T) {
	for text, want := range map[string]struct {
		tag    string
		within float64
	}{
		"time_to_first_token p99 ±5%":       {"time_to_first_token", 0.05},
		" request_throughput +- 2.5 %":      {"request_throughput", 0.025},
		"inter_token_latency avg +/-0.5%  ": {"inter_token_latency", 0.005},
	} {
		got, err := parseWanted(text)
		if err != nil || got.Tag != want.tag || got.Within != want.within || got.Text != strings.TrimSpace(text) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"time_to_first_token p99":         "such as",
		"time_to_first_token p99 ±5":      "such as",
		"time_to_first_token p99 ±0%":     "above 0",
		"time_to_first_token p99 ±101%":   "above 0",
		"time_to_first_token p99 ±1.2.3%": "above 0",
		"first_token p99 ±5%":             "first_token",
		"±5%":                             "such as",
	} {
		var bad fault.List
		u, o := Until{Until: []string{text}}, Output{Runs: 1}
		u.check(&o, nil, &bad)
		if err := bad.Err(); err == nil || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), "until") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	var bad fault.List
	u, o := Until{Until: []string{"request_latency p90 ±5%"}}, Output{Runs: 1}
	if u.check(&o, nil, &bad); bad.Err() != nil || o.Runs != mostRuns || len(u.Wanted()) != 1 {
		t.Errorf("%v, %d runs", bad.Err(), o.Runs)
	}
	o.Runs = 6
	if u.check(&o, map[string]bool{"num-profile-runs": true}, &bad); bad.Err() != nil || o.Runs != 6 {
		t.Errorf("%v, %d runs were asked for", bad.Err(), o.Runs)
	}
	o.Runs = 3
	if u.check(&o, map[string]bool{"num-profile-runs": true}, &bad); bad.Err() == nil {
		t.Error("three runs have no interval")
	}
	none, o := Until{}, Output{Runs: 1}
	if none.check(&o, nil, &bad); o.Runs != 1 {
		t.Errorf("%d runs without the option", o.Runs)
	}
}
