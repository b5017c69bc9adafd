package duel

import (
	"math"
	"math/rand/v2"
	"testing"

	"headway/internal/compare"
	"headway/metric"
)

// Solved by hand from the Bayes factor at its bound.
func TestStandardErrors(t *testing.T) {
	for n, want := range map[int]float64{5: 5.35, 10: 3.97, 20: 3.63} {
		if got := standardErrors(n, 0.05); math.Abs(got-want) > 0.03 {
			t.Errorf("%d blocks: %.3f, want %.2f", n, got, want)
		}
	}
	if !math.IsInf(standardErrors(4, 0.05), 1) {
		t.Error("four blocks have an interval")
	}
}

// Of normal values, the interval misses the mean at any length in at most 5 %.
func TestIntervalHoldsAtAnyTime(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	missed := 0
	const all = 1000
	for range all {
		var values []float64
		for range 60 {
			values = append(values, rng.NormFloat64())
			if mean, reach := Interval(values, 0.05, 0); math.Abs(mean) > reach {
				missed++
				break
			}
		}
	}
	if missed > 64 {
		t.Errorf("%d of %d missed", missed, all)
	}
}

func TestParseFigure(t *testing.T) {
	for text, want := range map[string]Kind{"ttft avg": Ratio, "ttft p99": Share, "ttft > 500ms": Share,
		"output_token_throughput": Ratio, fraction: Share} {
		if f, err := ParseFigure(text); err != nil || f.Kind != want {
			t.Errorf("%s: %v, %v", text, f.Kind, err)
		}
	}
	for _, text := range []string{"", "ttft max", "nothing avg", "ttft > fast"} {
		if _, err := ParseFigure(text); err == nil {
			t.Errorf("%q is a figure", text)
		}
	}
}

func TestSearch(t *testing.T) {
	revs := []string{"a", "b", "c", "d", "e"}
	for bad := 1; bad < len(revs); bad++ {
		b := &Bisection{}
		err := b.search(revs, func(rev string) (metric.Decision, error) {
			if rev >= revs[bad] {
				return metric.Missed, nil
			}
			return metric.Met, nil
		})
		if err != nil || b.Bad != revs[bad] {
			t.Errorf("found %q, want %q: %v", b.Bad, revs[bad], err)
		}
	}
}

func TestSaid(t *testing.T) {
	if w := compare.Said(0.1, 0.2, 0.05, metric.Lower); w != compare.Worse {
		t.Error(w)
	}
}
