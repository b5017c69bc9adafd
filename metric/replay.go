package metric

import (
	"fmt"
	"slices"

	"headway/internal/series"
	"headway/record"
)

// degradedLag is the 99th percentile of the schedule lag, in seconds, above
// which a replay was not the one that was asked for (aiperf's bound).
const degradedLag = 0.5

// replayLags say how far a fixed schedule was kept: the time from the planned
// to the real start of each request that was sent, less that of the least late
// one. They exist where [Options.FixedSchedule] says so.
func replayLags() []Metric {
	var list []Metric
	for _, p := range []int{50, 90, 99} {
		list = append(list, filled(Metric{
			Tag: fmt.Sprintf("replay_sched_lag_p%d", p), Header: fmt.Sprintf("Replay Schedule Lag p%d", p),
			Unit: "ms", Scale: 1000, Kind: Derived, Where: "replay.go",
			Formula: "start − planned time of a request that was sent, less the least of the run; fixed schedule only",
			derive:  func(t *Totals) (float64, bool) { return t.lag(p) },
		}))
	}
	return append(list, filled(Metric{
		Tag: "replay_sched_degraded", Header: "Replay Schedule Degraded", Unit: "count", Scale: 1, Kind: Derived,
		Where:   "replay.go",
		Formula: "1 if replay_sched_lag_p99 is above 500 ms, else 0; fixed schedule only",
		derive: func(t *Totals) (float64, bool) {
			v, ok := t.lag(99)
			if ok && v > degradedLag {
				return 1, true
			}
			return 0, ok
		},
	}))
}

// lagOf is how late a request was sent, in seconds; early ones are negative.
func lagOf(r *record.Record) (seconds float64, ok bool) {
	if !r.Planned.Known() || !r.Start.Known() {
		return 0, false
	}
	return float64(r.Start-r.Planned) / 1e9, true
}

// lag is a percentile of the lags over the least of them.
func (t *Totals) lag(p int) (seconds float64, ok bool) {
	if len(t.lags) == 0 {
		return 0, false
	}
	sorted := slices.Sorted(slices.Values(t.lags))
	return series.Percentile(sorted, float64(p)) - sorted[0], true
}
