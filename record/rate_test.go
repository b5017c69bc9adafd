package record

import (
	"encoding/json"
	"math"
	"testing"
)

func TestMiddleRate(t *testing.T) {
	steady := func(n int, gap float64) []float64 {
		var list []float64
		for i := range n {
			list = append(list, gap*float64(n-i))
		}
		return list
	}
	waves := func(n, each int) []float64 {
		var list []float64
		for i := range n * each {
			list = append(list, float64(i/each))
		}
		return list
	}
	for _, test := range []struct {
		name  string
		times []float64
		least float64
		rate  float64
		known bool
	}{
		{"none", nil, 0, 0, false},
		{"nine", steady(9, 0.1), 0, 0, false},
		{"ten a second", steady(100, 0.1), 0, 10, true},
		{"one instant", waves(1, 50), 0, 0, false},
		{"four waves of eight, a second apart", waves(4, 8), 1, 8, true},
		{"one wave within a reply's length", steady(20, 0.001), 1, 0, false},
	} {
		rate, known := MiddleRate(test.times, test.least)
		if known != test.known || math.Abs(rate-test.rate) > 1e-9 {
			t.Errorf("%s: %v %v, want %v %v", test.name, rate, known, test.rate, test.known)
		}
	}
}

func TestNumber(t *testing.T) {
	in := []Number{1.5, Unknown(), 0, Number(math.Inf(1))}
	text, err := json.Marshal(in)
	if err != nil || string(text) != `[1.5,null,0,"Infinity"]` {
		t.Fatalf("%s, %v", text, err)
	}
	var out []Number
	if err := json.Unmarshal(text, &out); err != nil || out[0] != 1.5 || out[1].Known() || out[2] != 0 ||
		!out[2].Known() || !math.IsInf(float64(out[3]), 1) {
		t.Errorf("%v, %v", out, err)
	}
	if err := json.Unmarshal([]byte(`["x"]`), &out); err == nil {
		t.Error("a word was read")
	}
}

// What ends when nothing arrives any more is no part of what a service completes, unless
// there is nothing else.
func TestCompletedRate(t *testing.T) {
	var ends []float64 // 20 a second for 25 seconds, and then 80
	for i := range 1000 {
		at := float64(i) / 20
		if at > 25 {
			at = 25 + (at-25)/4
		}
		ends = append(ends, at)
	}
	for last, want := range map[float64]float64{25: 20, math.Inf(1): 32, 0: 32} {
		rate, known := CompletedRate(ends, last, 1)
		if !known || math.Abs(rate-want) > 0.5 {
			t.Errorf("until %g: %g, want %g", last, rate, want)
		}
	}
}
