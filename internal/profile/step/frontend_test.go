package step

import (
	"slices"
	"testing"
)

// Points are bound by the front end where ITL grows with the requests alone.
func TestFindFront(t *testing.T) {
	slow := usual // a GPU whose arithmetic costs as much as a front end, and no front end
	slow.token, slow.write = 75e-6, 0
	wide := append(slices.Clone(loads), [2]int{220, 700})
	tests := map[string]struct {
		points  []Decode
		compute float64
		bound   []int
	}{
		"two of one context, and compute known":   {usual.decode(loads...), usual.token, []int{199, 397}},
		"two of one context, and compute unknown": {usual.decode(loads...), 0, nil},
		"of two contexts, and compute unknown":    {usual.decode(wide...), 0, []int{199, 397, 220}},
		"a slow GPU":                              {slow.decode(loads...), slow.token, nil},
		"no front end":                            {server{weights: 5e-3, kv: 27e-9}.decode(loads...), 21e-6, nil},
		"too few others":                          {usual.decode(loads[:6]...)[:4], usual.token, nil},
		"nothing":                                 {nil, usual.token, nil},
	}
	for name, tt := range tests {
		f := FindFront(tt.points, tt.compute)
		var bound []int
		for i, p := range tt.points {
			if f.Bound[i] {
				bound = append(bound, p.Requests)
			}
		}
		if !slices.Equal(bound, tt.bound) || f.Any() != (len(tt.bound) > 0) {
			t.Errorf("%s: %v are bound, want %v", name, bound, tt.bound)
		}
	}
}

// One point that is slow for another reason is no front end: it would cost other
// points more than they took.
func TestFindFrontTakesNoOutlier(t *testing.T) {
	quick := usual
	quick.write = 0
	points := quick.decode(loads...)
	points[4].ITL *= 2
	if f := FindFront(points, quick.token); f.Any() {
		t.Errorf("%v", f.Bound)
	}
}

func TestCompute(t *testing.T) {
	near1(t, "of a token", Compute(usual.prefill(lengths...)), usual.token, 0.1)
	if c := Compute(nil); c != 0 {
		t.Errorf("%v of no points", c)
	}
}
