package interp

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// The curve is SciPy's, in whatever order the points come.
func TestSpline(t *testing.T) {
	for _, n := range []int{2, 3, 4, 5, 9, 17} {
		names := []string{fmt.Sprint("x_", n), fmt.Sprint("y_", n), fmt.Sprint("at_", n), fmt.Sprint("curve_", n)}
		a := arrays(t, "spline.npz", names...)
		x, y := slices.Clone(a[names[0]].Values), slices.Clone(a[names[1]].Values)
		rand.New(rand.NewPCG(1, uint64(n))).Shuffle(n, func(i, j int) {
			x[i], x[j] = x[j], x[i]
			y[i], y[j] = y[j], y[i]
		})
		s, err := NewSpline(x, y)
		if err != nil {
			t.Fatal(err)
		}
		for i, at := range a[names[2]].Values {
			want := a[names[3]].Values[i]
			if got := s.At(at); math.Abs(got-want) > 1e-9*max(1, math.Abs(want)) {
				t.Errorf("%d points, at %v: %v, want %v", n, at, got, want)
			}
		}
		lo, hi := s.Range()
		if lo != slices.Min(x) || hi != slices.Max(x) || s.Clamped(lo-1) != s.At(lo) || s.Clamped(hi+1) != s.At(hi) {
			t.Errorf("%d points: not clamped to %v…%v", n, lo, hi)
		}
	}
}

func TestSplineFaults(t *testing.T) {
	for want, p := range map[string][2][]float64{
		"at least 2":          {{1}, {1}},
		"2 places and 1":      {{1, 2}, {1}},
		"two of 3":            {{1, 2, 1}, {1, 2, 3}},
		"point 1 at (2, NaN)": {{1, 2, 3}, {1, math.NaN(), 3}},
		"point 2 at (+Inf, 3": {{1, 2, math.Inf(1)}, {1, 2, 3}},
	} {
		if _, err := NewSpline(p[0], p[1]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", p, err, want)
		}
	}
	if _, err := LeaveOneOut([]float64{1, 2}, []float64{1, 2}, NewMonotone); err == nil ||
		!strings.Contains(err.Error(), "at least 3") {
		t.Errorf("two points: %v", err)
	}
}

// A cubic is its own spline, so that leaving a point of it out changes nothing;
// a point that is moved is off by what it was moved.
func TestLeaveOneOut(t *testing.T) {
	cubic := func(x float64) float64 { return 3 - 2*x + 0.5*x*x - 0.01*x*x*x }
	x := []float64{1, 2, 4, 7, 8, 11}
	y := make([]float64, len(x))
	for i := range x {
		y[i] = cubic(x[i])
	}
	y[3] += 5
	all, err := LeaveOneOut(x, y, NewSpline)
	if err != nil {
		t.Fatal(err)
	}
	if off := all[3].Off(); math.Abs(off+5) > 1e-9 || !all[3].Inside {
		t.Errorf("the moved point: %+v", all[3])
	}
	if all[0].Inside || all[5].Inside || !all[1].Inside {
		t.Errorf("ends and middle: %+v", all)
	}
}
