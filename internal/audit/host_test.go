package audit

import (
	"context"
	"testing"
	"time"
)

func TestParseHost(t *testing.T) {
	for text, want := range map[string][2]int{"32768\t60999\n": {32768, 60999}, "": {}, "1": {}, "9 8": {}, "1 " +
		"99999": {},
		"a b": {}, "-1 5": {}} {
		if first, last := parsePorts(text); first != want[0] || last != want[1] {
			t.Errorf("ports %q: %d to %d", text, first, last)
		}
	}
	for text, want := range map[string]int{"sockets: used 9\nTCP: inuse 5 orphan 0 tw 12 alloc 7 mem 1\n": 12, "": 0,
		"TCP: tw": 0, "TCP: tw x": 0, "UDP: tw 4": 0} {
		if n := parseClosing(text); n != want {
			t.Errorf("closing %q: %d", text, n)
		}
	}
	for text, want := range map[string]float64{"150000 100000\n": 1.5, "max 100000": 0, "": 0, "-1\n 100000\n": 0,
		"1 0":   0,
		"NaN 1": 0} {
		if q := parseQuota(text); q != want {
			t.Errorf("quota %q: %v", text, q)
		}
	}
}

func TestLookAtHost(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h := LookAtHost(ctx, time.Hour)
	if h.Processors < 1 || h.Used < 1 || h.Busy < 0 || h.Busy > 1 || h.Stolen < 0 || h.Stolen > 1 {
		t.Errorf("%+v", h)
	}
}
