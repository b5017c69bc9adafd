package metric

import (
	"slices"
	"testing"

	"headway/record"
)

// Eleven requests, each 100 ms later than the one before it and the first 50
// ms late: the lag counts from the least late one.
func TestReplayLag(t *testing.T) {
	for _, c := range []struct {
		fixed    bool
		step     record.Time
		p50, p99 float64
		degraded float64
	}{{true, 100e6, 0.5, 0.99, 1}, {true, 10e6, 0.05, 0.099, 0}, {false, 100e6, 0, 0, 0}} {
		col := NewCollector(Options{Streaming: true, FixedSchedule: c.fixed})
		for i := range record.Time(11) {
			planned := 1e9 * (i + 1)
			start := planned + 50e6 + i*c.step
			r := &record.Record{Index: int(i), Planned: planned, Start: start, Done: start + 2e6, Outcome: record.OK,
				Streamed: true,
				Arrivals: []record.Arrival{{At: start + 1e6, Kind: record.Content, Bytes: 1}},
				TokensIn: 1, TokensOut: 1}
			if err := col.Take(r); err != nil {
				t.Fatal(err)
			}
		}
		// One that was never sent has no lag.
		if err := col.Take(&record.Record{Index: 11, Planned: 1, Outcome: record.Dropped}); err != nil {
			t.Fatal(err)
		}
		res := col.Result()
		warned := slices.ContainsFunc(res.Warnings, func(w record.Warning) bool {
			return w.Code == "replay_sched_degraded"
		})
		if warned != (c.degraded == 1) {
			t.Errorf("fixed %v, step %v: warned %v", c.fixed, c.step, warned)
		}
		for tag, want := range map[string]float64{"replay_sched_lag_p50": c.p50, "replay_sched_lag_p99": c.p99,
			"replay_sched_degraded": c.degraded} {
			s, ok := res.Scalar(tag)
			if ok != c.fixed || ok && (s.Value < want-1e-9 || s.Value > want+1e-9) {
				t.Errorf("fixed %v, step %v: %s = %v (%v), want %v", c.fixed, c.step, tag, s.Value, ok, want)
			}
		}
	}
}
