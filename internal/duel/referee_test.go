package duel

import (
	"math"
	"testing"

	"headway/internal/compare"
	"headway/report"
)

// told is a run with one value and these samples.
type told struct {
	value   float64
	samples []float64
	failed  int
}

func (r told) Figure(string, string) report.Figure { return report.Exact(r.value) }

func (r told) Samples(string) []float64 { return r.samples }

func (r told) Requests() int { return len(r.samples) + r.failed }

func (r told) Failed() int { return r.failed }

func refereeOf(t *testing.T, text string) *Referee {
	t.Helper()
	f, err := ParseFigure(text)
	if err != nil {
		t.Fatal(err)
	}
	return NewReferee(Rules{Figures: []Figure{f}, Margin: 0.05, Points: 0.02, Level: 0.95, Most: 40})
}

// wobble is a small value that is another in each block.
func wobble(n int) float64 { return 0.01 * math.Sin(float64(3*n)) }

func TestRulings(t *testing.T) {
	for _, c := range []struct {
		text string
		by   float64
		want compare.Word
	}{
		{"ttft avg", 1.3, compare.Worse},
		{"ttft avg", 0.7, compare.Better},
		{"ttft avg", 1, compare.Same},
		{"output_token_throughput", 1.3, compare.Better},
	} {
		r := refereeOf(t, c.text)
		for n := 0; n < 40 && !r.Decided(); n++ {
			r.Add(n, n%2 == 1, told{value: 1}, told{value: c.by * (1 + wobble(n))})
		}
		if got := r.Rulings[0]; got.Word != c.want || got.Blocks < fewest {
			t.Errorf("%s by %g: %s after %d blocks, want %s", c.text, c.by, got.Word, got.Blocks, c.want)
		}
	}
}

// The first block sets the threshold of a quantile and does not count in it.
func TestThreshold(t *testing.T) {
	r := refereeOf(t, "ttft p50")
	run := told{samples: []float64{1, 2, 3, 4, 5}}
	r.Add(0, false, run, run)
	if f := r.Figures[0]; f.Threshold != 3 || r.Rulings[0].Blocks != 0 {
		t.Errorf("threshold %g, %d blocks", f.Threshold, r.Rulings[0].Blocks)
	}
	r.Add(1, true, run, told{samples: []float64{9, 9, 9, 9, 9}})
	if got := r.Rulings[0].Change.Value; math.Abs(got-60) > 1e-9 {
		t.Errorf("changed by %g points, want 60", got)
	}
}

// Blocks without a slow request do not prove that there are none.
func TestNothingSlowProvesLittle(t *testing.T) {
	r := refereeOf(t, "ttft > 500ms")
	run := told{samples: make([]float64, 20)}
	for n := range 6 {
		r.Add(n, n%2 == 1, run, run)
	}
	if r.Decided() {
		t.Errorf("decided: %+v", r.Rulings[0])
	}
}

// A block that does not count changes nothing, and a zero is no ratio.
func TestDropAndZero(t *testing.T) {
	r := refereeOf(t, "ttft avg")
	r.Drop(0, false, "the client")
	if r.Counted() != 0 || len(r.Blocks) != 1 {
		t.Errorf("%d count", r.Counted())
	}
	r.Add(1, true, told{value: 0}, told{value: 1})
	if r.Rulings[0].Why == "" {
		t.Error("a change from 0 is a ratio")
	}
}

// A trend of both sides is a drift.
func TestDrift(t *testing.T) {
	r := refereeOf(t, "ttft avg")
	for n := range 12 {
		level := 1 + 0.1*float64(n)
		r.Add(n, n%2 == 1, told{value: level}, told{value: level * (1 + wobble(n))})
	}
	if w := r.Warnings(); len(w) == 0 || w[0].Code != "duel_drift" {
		t.Errorf("%v", w)
	}
}

// A request that failed is above every threshold, and does not set one.
func TestFailedIsAbove(t *testing.T) {
	r := refereeOf(t, "ttft > 10s")
	r.Add(0, false, told{samples: []float64{1, 1, 1, 1}}, told{samples: []float64{1, 1, 1}, failed: 1})
	if a, b := r.Blocks[0].A[0], r.Blocks[0].B[0]; a.Value != 0 || b.Value != 0.25 || b.Of != 4 {
		t.Errorf("A %+v, B %+v", a, b)
	}
	r = refereeOf(t, "ttft p99")
	r.Add(0, false, told{samples: []float64{1, 2}}, told{failed: 2})
	if f := r.Figures[0]; !math.IsNaN(f.Threshold) || r.Rulings[0].Blocks != 0 {
		t.Errorf("threshold %g, %d blocks", f.Threshold, r.Rulings[0].Blocks)
	}
	r.Add(1, false, told{samples: []float64{1, 2}}, told{samples: []float64{3, 4}})
	r.Add(2, false, told{samples: []float64{1, 2}}, told{samples: []float64{3}, failed: 1})
	if f := r.Figures[0]; f.Threshold <= 3 || r.Rulings[0].Blocks != 1 || r.Rulings[0].Change.Value != 50 {
		t.Errorf("threshold %g: %+v", f.Threshold, r.Rulings[0])
	}
}
