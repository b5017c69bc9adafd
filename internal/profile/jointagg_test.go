package profile

import (
	"testing"

	"headway/workload"
)

// A rate that an engine carries only until it is full is held again for as long as its
// requests take then; one that it carries is held once.
func TestRatesAreHeldUntilTheEngineIsFull(t *testing.T) {
	target := SLO{TTFT: 0.1, ITL: 0.05}
	for name, tt := range map[string]struct {
		slower float64 // by which a token takes longer for each request of a run, in seconds
		runs   int
		keeps  bool
	}{
		"carried":  {0, 1, true},
		"fills up": {0.0002, 2, false}, // 23 ms a token over 3 s, 88 over the 14 that requests take then
	} {
		e := plain()
		e.itl = func(_, n int) float64 { return 0.005 + tt.slower*float64(n) }
		p := &probe{engine: e, opened: Aggregated, isl: 100, osl: 101, key: workload.Seed(1)}
		p.begin("alone")
		trial, err := p.settled(t.Context(), 30, 0.5, target)
		if err != nil {
			t.Fatal(err)
		}
		if e.runs != tt.runs || trial.keepsBoth(target) != tt.keeps || trial.Seconds != float64(tt.runs) {
			t.Errorf("%s: %d runs of %g s, keeps both: %v, ITL %v", name, e.runs, trial.Seconds,
				trial.keepsBoth(target), trial.ITL.Mean)
		}
	}
}
