package terminal

import (
	"math"
	"testing"
	"time"
)

func TestFigure(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0.00", 0.004: "0.00", 8.106: "8.11", 9.994: "9.99", 9.995: "10.0", 45.24: "45.2",
		99.94: "99.9", 99.95: "100",
		112.3: "112", 999.5: "1,000", 2236.4: "2,236", 1234567: "1,234,567", 1e300: "1,000,000,000,000,000",
		math.Inf(1): "–",
	} {
		if got := figure(v); got != want {
			t.Errorf("%v is written %q, want %q", v, got, want)
		}
	}
	if got := figure(math.NaN()); got != "–" {
		t.Errorf("NaN is written %q", got)
	}
	if got := millis(0.0452); got != "45.2" {
		t.Errorf("45.2 ms are written %q", got)
	}
}

func TestPercent(t *testing.T) {
	for share, want := range map[float64]string{0: "0 %", 0.29: "29 %", 0.57: "57 %", 0.999: "99 %",
		0.9999999: "99 %", 1: "100 %"} {
		if got := percent(share); got != want {
			t.Errorf("%v is written %q, want %q", share, got, want)
		}
	}
}

func TestClock(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	tests := []struct {
		d          time.Duration
		gone, left string
	}{
		{-s, "0:00", "0:00"}, {0, "0:00", "0:00"}, {1, "0:00", "0:01"}, {999 * ms, "0:00", "0:01"}, {s, "0:01", "0:01"},
		{59*s + 1, "0:59", "1:00"}, {754 * s, "12:34", "12:34"}, {3599*s + 500*ms, "59:59", "1:00:00"},
		{3723 * s, "1:02:03", "1:02:03"}, {100 * time.Hour, "100:00:00", "100:00:00"},
	}
	for _, test := range tests {
		if got := clock(test.d); got != test.gone {
			t.Errorf("%v has gone as %q, want %q", test.d, got, test.gone)
		}
		if got := countdown(test.d); got != test.left {
			t.Errorf("%v is left as %q, want %q", test.d, got, test.left)
		}
	}
}
