package terminal

import (
	"testing"
	"time"

	"headway/load"
	"headway/metric"
)

func TestProgress(t *testing.T) {
	const s = time.Second
	tests := []struct {
		name     string
		snapshot load.Snapshot
		elapsed  time.Duration
		duration time.Duration
		share    float64
		limited  bool
		left     time.Duration
		known    bool
	}{
		{name: "nothing is planned", snapshot: load.Snapshot{Finished: 50, InFlight: 2}, elapsed: 10 * s},
		{name: "not begun", snapshot: load.Snapshot{Planned: 100, Concurrency: 10}, limited: true},
		{name: "half the requests", snapshot: load.Snapshot{Planned: 100, Finished: 50, InFlight: 10, Concurrency: 10},
			elapsed: 10 * s, share: 0.5, limited: true, left: 10 * s, known: true},
		{name: "one of the first wave",
			snapshot: load.Snapshot{Planned: 30, Finished: 1, InFlight: 10, Concurrency: 10},
			elapsed:  3 * s, share: 1.0 / 30, limited: true},
		{name: "all of the first wave",
			snapshot: load.Snapshot{Planned: 30, Finished: 10, InFlight: 10, Concurrency: 10},
			elapsed:  3 * s, share: 1.0 / 3, limited: true, left: 6 * s, known: true},
		{name: "an open loop that has not caught up", snapshot: load.Snapshot{Planned: 100, Finished: 10, InFlight: 30},
			elapsed: 4 * s, share: 0.1, limited: true},
		{name: "an open loop that has", snapshot: load.Snapshot{Planned: 100, Finished: 40, InFlight: 30},
			elapsed: 8 * s, share: 0.4, limited: true, left: 12 * s, known: true},
		{name: "fewer requests than slots",
			snapshot: load.Snapshot{Planned: 4, Finished: 3, InFlight: 1, Concurrency: 10},
			elapsed:  3 * s, share: 0.75, limited: true},
		{name: "all requests", snapshot: load.Snapshot{Planned: 4, Finished: 4, Concurrency: 10},
			elapsed: 3 * s, share: 1, limited: true, known: true},
		{name: "more than planned", snapshot: load.Snapshot{Planned: 4, Finished: 5}, elapsed: 3 * s, share: 1,
			limited: true, known: true},
		{name: "a third of the time", snapshot: load.Snapshot{Finished: 7, InFlight: 3}, elapsed: 10 * s,
			duration: 30 * s,
			share:    1.0 / 3, limited: true, left: 20 * s, known: true},
		{name: "past the time", snapshot: load.Snapshot{Finished: 7, InFlight: 3}, elapsed: 31 * s, duration: 30 * s,
			share: 1, limited: true, known: true},
		{name: "both, the requests end first", snapshot: load.Snapshot{Planned: 100, Finished: 50}, elapsed: 10 * s,
			duration: 60 * s,
			share:    0.5, limited: true, left: 10 * s, known: true},
		{name: "both, the time ends first", snapshot: load.Snapshot{Planned: 1000, Finished: 50}, elapsed: 10 * s,
			duration: 60 * s,
			share:    1.0 / 6, limited: true, left: 50 * s, known: true},
		{name: "longer than a Duration", snapshot: load.Snapshot{Planned: 1 << 62, Finished: 1}, elapsed: 10 * s,
			share: 1.0 / (1 << 62), limited: true},
	}
	for _, test := range tests {
		state := State{Snapshot: test.snapshot, Elapsed: test.elapsed, Duration: test.duration}
		if got, limited := state.fraction(); got != test.share || limited != test.limited {
			t.Errorf("%s: the share is %v, %v, want %v, %v", test.name, got, limited, test.share, test.limited)
		}
		if got, known := state.left(); got != test.left || known != test.known {
			t.Errorf("%s: %v, %v left, want %v, %v", test.name, got, known, test.left, test.known)
		}
	}
}

func TestFailed(t *testing.T) {
	tests := []struct {
		snapshot, liveFailed, liveCancelled int
		want                                int64
	}{
		{0, 0, 0, 0},
		{3, 3, 0, 3},
		{3, 1, 0, 3}, // the metrics are behind
		{5, 0, 5, 0}, // cancelled on purpose
		{5, 2, 3, 2},
		{0, 2, 0, 2}, // replies that came without text
		{1, 0, 2, 0}, // the two were not read at one moment
	}
	for _, test := range tests {
		s := State{Snapshot: load.Snapshot{Failed: int64(test.snapshot)},
			Live: metric.Live{Failed: test.liveFailed, Cancelled: test.liveCancelled}}
		if got := s.failed(); got != test.want {
			t.Errorf("%+v: %d failed", test, got)
		}
	}
}

func TestRemaining(t *testing.T) {
	const s = time.Second
	tests := []struct {
		state State
		want  string
	}{
		{State{}, "– left"},
		{State{Elapsed: 9 * s, Duration: 10 * s, Snapshot: load.Snapshot{InFlight: 1}}, "0:01 left"},
		{State{Elapsed: 9*s + 1, Duration: 10 * s, Snapshot: load.Snapshot{InFlight: 1}}, "0:01 left"},
		{State{Elapsed: 10 * s, Duration: 10 * s, Snapshot: load.Snapshot{InFlight: 1}}, "finishing"},
		{State{Elapsed: 10 * s, Duration: 10 * s}, "0:00 left"},
	}
	for _, test := range tests {
		if got := remaining(test.state); got != test.want {
			t.Errorf("%+v: %q, want %q", test.state, got, test.want)
		}
	}
}
