package interp

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The hull of a lattice is its four corners, and the nearest place on it is
// reached straight.
func TestHull(t *testing.T) {
	hull := Hull(append(lattice(4, 3, 1, 10), lattice(2, 2, 1, 10)...))
	if want := []Point{{0, 0}, {3, 0}, {3, 20}, {0, 20}}; !slices.Equal(hull, want) {
		t.Fatalf("%v, want %v", hull, want)
	}
	for p, want := range map[Point]Point{{1, 1}: {1, 1}, {-5, 7}: {0, 7}, {9, 90}: {3, 20}, {2, -4}: {2, 0}} {
		if got := Onto(hull, p); got != want {
			t.Errorf("%v: %v, want %v", p, got, want)
		}
	}
	if got := Hull(lattice(4, 1, 1, 1)); len(got) > 2 {
		t.Errorf("a line: %v", got)
	}
}

// Every point lies within the hull of all, whose corners turn left.
func TestHullHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		coordinate := rapid.Float64Range(-100, 100)
		n := rapid.IntRange(3, 30).Draw(t, "n")
		points := make([]Point, n)
		for i := range points {
			points[i] = Point{coordinate.Draw(t, "x"), coordinate.Draw(t, "y")}
		}
		hull := Hull(points)
		if len(hull) < 3 {
			return
		}
		for i, a := range hull {
			b := hull[(i+1)%len(hull)]
			for _, p := range points {
				if area := (b.X-a.X)*(p.Y-a.Y) - (b.Y-a.Y)*(p.X-a.X); area < -1e-9 {
					t.Fatalf("%v lies outside the side from %v to %v", p, a, b)
				}
			}
		}
		far := Point{1000, coordinate.Draw(t, "far")}
		if got := Onto(hull, far); math.Abs(got.X) > 100+1e-9 || math.Abs(got.Y) > 100+1e-9 {
			t.Fatalf("%v onto the hull: %v", far, got)
		}
	})
}
