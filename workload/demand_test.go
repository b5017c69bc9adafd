package workload

import (
	"errors"
	"testing"
	"time"
)

func TestConnections(t *testing.T) {
	timed := func(out int, at ...time.Duration) Source {
		return func(yield func(Request, error) bool) {
			for _, a := range at {
				if !yield(Request{Timed: true, At: a, OutputTokens: out}, nil) {
					return
				}
			}
		}
	}
	untimed := func(turns ...int) Source {
		return func(yield func(Request, error) bool) {
			for _, turn := range turns {
				if !yield(Request{Turn: turn}, nil) {
					return
				}
			}
		}
	}
	endless := func(yield func(Request, error) bool) {
		for yield(Request{}, nil) {
		}
	}
	const s = time.Second
	for _, tt := range []struct {
		name  string
		plan  Plan
		limit int
		want  int
	}{
		{"a slot each", Plan{Source: untimed(0, 0, 0), Concurrency: 8}, 100, 3},
		{"as many as slots", Plan{Source: endless, Concurrency: 8}, 100, 8},
		{"a session's turns share one", Plan{Source: untimed(0, 1, 2, 0, 1), Concurrency: 8}, 100, 2},
		{"one after the other", Plan{Source: timed(40, 0, 2*s, 4*s, 6*s)}, 100, 1},
		{"long ones overlap", Plan{Source: timed(80, 0, 2*s, 4*s, 6*s)}, 100, 2},
		{"no length asked for: 7.4 s", Plan{Source: timed(0, 0, 2*s, 4*s, 6*s)}, 100, 4},
		{"a burst", Plan{Source: timed(1, 5*s, 5*s, 5*s, 9*s)}, 100, 3},
		{"under a limit of sessions", Plan{Source: timed(1, 0, 0, 0), Concurrency: 2}, 100, 2},
		{"no more than may be", Plan{Source: timed(1, 0, 0, 0)}, 1, 1},
		{"nothing to send", Plan{Source: untimed(), Concurrency: 4}, 100, 0},
		{"a fault", Plan{Source: func(yield func(Request, error) bool) {
			if yield(Request{}, nil) {
				yield(Request{}, errors.New("bad line"))
			}
		}, Concurrency: 4}, 100, 1},
	} {
		if got := tt.plan.Connections(tt.limit); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}
