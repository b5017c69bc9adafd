package series

import (
	"math"
	"testing"
)

// What a start adds is found, and chance is not taken for one.
func TestStart(t *testing.T) {
	found, taken := 0, 0
	const runs = 200
	for seed := range uint64(runs) {
		noise := autoregressive(seed, 2000, 0.8)
		if skip, ok := Start(noise, 1); skip > 0 || !ok {
			taken++
		}
		burst := changed(noise, func(i int, v float64) float64 { return v + 20*math.Exp(-float64(i)/50) })
		if skip, ok := Start(burst, 1); ok && skip >= 50 && skip <= 400 {
			found++
		}
	}
	if found < 0.98*runs {
		t.Errorf("found in %d of %d sequences that have one", found, runs)
	}
	if taken > 0.05*runs {
		t.Errorf("found in %d of %d sequences that have none", taken, runs)
	}
}

func TestStartOfWhatHasNoStationaryPart(t *testing.T) {
	growing := changed(autoregressive(1, 2000, 0.8), func(i int, v float64) float64 { return v + float64(i)/100 })
	if _, ok := Start(growing, 1); ok {
		t.Error("a queue that grows is stationary")
	}
	if _, ok := Start(growing[:20], 1); ok {
		t.Error("twenty values are stationary")
	}
	if _, ok := Start(autoregressive(1, 200, 0), 50); ok {
		t.Error("four waves are stationary")
	}
}

func TestEdgesOfARun(t *testing.T) {
	// Two slots, requests of 2, 3, 2, 2, 2 s.
	starts := []float64{0, 0, 2, 3, 4, 5}
	ends := []float64{2, 3, 4, 5, 6, 7}
	for _, c := range []struct{ slots, first int }{{0, 0}, {1, 2}, {2, 3}, {3, 4}, {6, 6}, {9, 6}} {
		if got := AfterFirst(starts, ends, c.slots); got != c.first {
			t.Errorf("after the first %d: %d, not %d", c.slots, got, c.first)
		}
	}
	if n := Flying(starts, ends); n != 2 {
		t.Errorf("%d in flight when the last one starts", n)
	}
	if n := Flying(nil, nil); n != 0 {
		t.Errorf("%d of none in flight", n)
	}
}
