package calibrate

import (
	"encoding/json"
	"strings"
	"testing"
)

// What is not known has no row, and what to do about a bound is no figure.
func TestText(t *testing.T) {
	f := Found{Repeats: 3, Streams: 64, Limit: "the client", Opened: 500, Bound: "too many open files: run ulimit -n 9",
		Events: Spread{2000, 1000, 2500}, P50: Spread{2e-6, 1e-6, 3e-6}}
	got := f.Text("/cache/calibration.json")
	for _, want := range []string{
		"Medians of 3 repeats", "events/s               2000 (1000–2500)",
		"on 64 streams; more was not carried: the client\n",
		"streams                500                                too many open files\n",
		"error of a stamp p50   2.0 (1.0–3.0) µs\n",
		"Warning: something else is busy", "Kept in /cache/calibration.json",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	for _, not := range []string{"CPU of an event", "stamped in user space", "ulimit"} {
		if strings.Contains(got, not) {
			t.Errorf("%q is in\n%s", not, got)
		}
	}
	if strings.Contains(f.Text(""), "Kept in") {
		t.Error("what was not kept is said to be")
	}
	js, err := json.Marshal(Document{Found: f})
	if err != nil || !strings.Contains(string(js), `"found":{`) {
		t.Errorf("%s, %v", js, err)
	}
}
