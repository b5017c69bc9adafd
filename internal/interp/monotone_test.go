package interp

import (
	"fmt"
	"math"
	"testing"
)

// The monotone curve is SciPy's PchipInterpolator, and stays between its points.
func TestMonotone(t *testing.T) {
	for _, n := range []int{2, 3, 4, 9} {
		names := []string{"x", "y", "at", "curve"}
		for i := range names {
			names[i] += fmt.Sprintf("_%d", n)
		}
		a := arrays(t, "monotone.npz", names...)
		x, y := a[names[0]].Values, a[names[1]].Values
		s, err := NewMonotone(x, y)
		if err != nil {
			t.Fatal(err)
		}
		for i, at := range a[names[2]].Values {
			got, want := s.At(at), a[names[3]].Values[i]
			if math.Abs(got-want) > 1e-9*max(1, want) {
				t.Errorf("%d points at %v: %v, want %v", n, at, got, want)
			}
			k := Interval(x, at)
			if low, high := min(y[k], y[k+1]), max(y[k], y[k+1]); got < low-1e-9 || got > high+1e-9 {
				t.Errorf("%d points at %v: %v is not from %v to %v", n, at, got, low, high)
			}
		}
	}
	if _, err := NewMonotone([]float64{1, 1}, []float64{1, 2}); err == nil {
		t.Error("two points at one place were taken")
	}
}
