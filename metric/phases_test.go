package metric

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"headway/record"
)

func TestPhases(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		of   Sampled
		want []Phase
	}{
		"all": {Sampled{Planned: 1, Start: 2, Connect: 0.5, First: 4, Last: 6, End: 7},
			[]Phase{{PhaseWait, 1, 2}, {PhaseConnect, 2, 2.5},
				{PhaseTTFT, 2.5, 4}, {PhaseDecode, 4, 6}, {PhaseRest, 6, 7}}},
		"one text, nothing observed": {Sampled{Planned: 2, Start: 2, Connect: nan, First: 4, Last: 4, End: 4},
			[]Phase{{PhaseTTFT, 2, 4}}},
		"failed": {Sampled{Planned: nan, Start: 2, Connect: nan, First: nan, Last: nan, End: 3, Outcome: record.Failed},
			[]Phase{{PhaseNone, 2, 3}}},
	} {
		if diff := cmp.Diff(c.want, c.of.Phases()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
