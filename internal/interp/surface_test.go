package interp

import (
	"math"
	"strings"
	"testing"
)

// The surface is SciPy's.
func TestScattered(t *testing.T) {
	a := arrays(t, "scattered.npz", "points", "values", "queries", "surface")
	s, err := NewSurface(pairs(a["points"].Values), a["values"].Values)
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range pairs(a["queries"].Values) {
		want := a["surface"].Values[i]
		got, inside := s.At(q)
		if inside != (want != -999) || (inside && math.Abs(got-want) > 1e-6) {
			t.Errorf("at %v: %v (inside: %v), want %v", q, got, inside, want)
		}
	}
	for i, p := range s.points {
		if got, _ := s.At(p); math.Abs(got-s.values[i]) > 1e-12 {
			t.Errorf("at point %d: %v, want %v", i, got, s.values[i])
		}
	}
}

func pairs(values []float64) []Point {
	var p []Point
	for i := 0; i < len(values); i += 2 {
		p = append(p, Point{values[i], values[i+1]})
	}
	return p
}

// No point lies within the circle of a triangle, and the triangles cover the
// hull, however the points lie.
func TestTriangulation(t *testing.T) {
	for name, points := range map[string][]Point{
		"lattice": lattice(6, 5, 1, 1),
		"thin":    lattice(6, 6, 0.17, 21762),
		"fan":     {{0, 0}, {1, 0}, {2, 0}, {3, 0}, {1.5, 1}},
		"below":   {{0, 0}, {1, 0}, {2, 0}, {3, 0}, {3.5, -1}},
	} {
		tr, err := triangulate(points)
		if err != nil {
			t.Fatal(err)
		}
		hull := 0
		for e := range tr.apex {
			if _, both := tr.apex[[2]int{e[1], e[0]}]; !both {
				hull++
			}
		}
		all := tr.triangles()
		if want := 2*len(points) - 2 - hull; len(all) != want {
			t.Errorf("%s: %d triangles, want %d", name, len(all), want)
		}
		for _, c := range all {
			if tr.turn(c[0], c[1], c[2]) <= 0 {
				t.Errorf("%s: triangle %v turns right", name, c)
			}
			for d := range points {
				if tr.inCircle(c[0], c[1], c[2], d) > 0 {
					t.Errorf("%s: point %d lies in the circle of %v", name, d, c)
				}
			}
		}
	}
}

func lattice(nx, ny int, dx, dy float64) []Point {
	var p []Point
	for i := range nx {
		for j := range ny {
			p = append(p, Point{float64(i) * dx, float64(j) * dy})
		}
	}
	return p
}

// On a profiler's grid, whose axes differ by five orders of magnitude, the
// surface and the nearest point are SciPy's.
func TestProfilerGrid(t *testing.T) {
	a := arrays(t, "profile.npz", "points", "values", "queries", "surface", "nearest")
	s, err := NewSurface(pairs(a["points"].Values), a["values"].Values)
	if err != nil {
		t.Fatal(err)
	}
	inside := 0
	for i, q := range pairs(a["queries"].Values) {
		want, within := a["surface"].Values[i], !math.IsNaN(a["surface"].Values[i])
		if !within {
			want = a["nearest"].Values[i]
		}
		_, got := s.At(q)
		if v := s.Value(q); got != within || math.Abs(v-want) > 1e-6 {
			t.Errorf("at %v: %v (inside: %v), want %v (%v)", q, v, got, want, within)
		}
		if within {
			inside++
		}
	}
	if inside < 200 {
		t.Errorf("only %d queries lie inside: little was shown", inside)
	}
}

// The grid is the surface's values, x by x.
func TestGrid(t *testing.T) {
	s, err := NewSurface(lattice(3, 3, 1, 1), []float64{0, 1, 2, 10, 11, 12, 20, 21, 22})
	if err != nil {
		t.Fatal(err)
	}
	got := s.Grid([]float64{0, 0.5, 2}, []float64{0, 1.5})
	for i, want := range []float64{0, 1.5, 5, 6.5, 20, 21.5} {
		if math.Abs(got[i]-want) > 1e-5 {
			t.Errorf("value %d: %v, want %v", i, got[i], want)
		}
	}
}

// A plane is its own surface: whichever point is left out comes back, and those
// on corners of the hull are said to be outside.
func TestSurfaceLeaveOneOut(t *testing.T) {
	points := lattice(4, 4, 1, 1)
	values := make([]float64, len(points))
	for i, p := range points {
		values[i] = 3 + 2*p.X - p.Y
	}
	s, err := NewSurface(points, values)
	if err != nil {
		t.Fatal(err)
	}
	inside := 0
	for i, r := range s.LeaveOneOut((*Surface).At) {
		if r.Measured != values[i] {
			t.Errorf("point %d: measured %v, want %v", i, r.Measured, values[i])
		}
		if !r.Inside {
			continue
		}
		inside++
		if math.Abs(r.Off()) > 1e-5 {
			t.Errorf("point %d: off by %v", i, r.Off())
		}
	}
	if inside != 12 {
		t.Errorf("%d points inside the others, want all but the 4 corners", inside)
	}
	line, err := NewSurface([]Point{{0, 0}, {1, 1}, {0, 1}}, []float64{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range line.LeaveOneOut((*Surface).Linear) {
		if r.Inside || r.Predicted == r.Measured {
			t.Errorf("two points left of three, point %d: %+v", i, r)
		}
	}
}

func TestSurfaceFaults(t *testing.T) {
	for want, f := range map[string]func() error{
		"3 points and 2 values": func() error {
			_, err := NewSurface(lattice(3, 1, 1, 1), []float64{1, 2})
			return err
		},
		"one line": func() error {
			_, err := NewSurface(lattice(3, 1, 1, 1), []float64{1, 2, 3})
			return err
		},
		"point 1": func() error {
			_, err := NewSurface(lattice(3, 1, 1, 1), []float64{1, math.NaN(), 3})
			return err
		},
		"two of 3": func() error {
			_, err := NewSurface([]Point{{0, 1}, {0, 1}, {1, 2}}, []float64{1, 2, 3})
			return err
		},
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// Between the corners of a triangle the linear surface is SciPy's, and never beyond
// what was measured.
func TestLinear(t *testing.T) {
	a, want := arrays(t, "profile.npz", "points", "values", "queries"),
		arrays(t, "linear.npz", "surface")["surface"].Values
	s, err := NewSurface(pairs(a["points"].Values), a["values"].Values)
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range pairs(a["queries"].Values) {
		got, inside := s.Linear(q)
		if inside == math.IsNaN(want[i]) || inside && math.Abs(got-want[i]) > 1e-9 {
			t.Errorf("at %v: %v (inside: %v), want %v", q, got, inside, want[i])
		}
	}
}

// On a regular grid every cell can be divided in two ways, and SciPy takes now the
// one, now the other. What it reads is no further from ours than twice what the
// other division of every cell makes of it, at the worst place of the grid.
func TestRegularGrids(t *testing.T) {
	for _, name := range []string{"square", "profile", "fine"} {
		a := arrays(t, "grids.npz", "points_"+name, "values_"+name, "queries_"+name, "surface_"+name)
		s, err := NewSurface(pairs(a["points_"+name].Values), a["values_"+name].Values)
		if err != nil {
			t.Fatal(err)
		}
		other := s.Divided()
		if other == nil {
			t.Fatalf("%s: nothing was found to be on a circle", name)
		}
		apart, off := 0.0, 0.0
		for i, q := range pairs(a["queries_"+name].Values) {
			ours, _ := s.At(q)
			theirs, _ := other.At(q)
			scipy := a["surface_"+name].Values[i]
			apart = max(apart, math.Abs(theirs/ours-1))
			off = max(off, math.Abs(scipy/ours-1))
		}
		t.Logf("%s: SciPy up to %.2f %% from ours, the other division %.2f %%", name, 100*off, 100*apart)
		if off > 2*apart || off < 1e-6 {
			t.Errorf("%s: SciPy is up to %.2f %% from ours, the other division %.2f %%", name, 100*off, 100*apart)
		}
	}
	a := arrays(t, "scattered.npz", "points", "values")
	s, err := NewSurface(pairs(a["points"].Values), a["values"].Values)
	if err != nil || s.Divided() != nil {
		t.Errorf("random points were divided otherwise: %v", err)
	}
}
