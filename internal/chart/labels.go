package chart

import (
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
)

// scene is what a label can collide with, in points of the picture.
type scene struct {
	bounds   vg.Rectangle   // labels stay inside
	markers  []vg.Rectangle // may be touched, not covered
	segments []segment      // may be crossed when nothing else is free
	labels   []vg.Rectangle // placed already: never touched
}

// spot is a place for a label. One that stands off its point has a leader, a
// hair line between the two.
type spot struct {
	at     vg.Rectangle
	leader segment // of no length when the label stands beside its point
}

// Weights of a label's place. Text over a marker hides a measurement, text over
// a line stays readable on its light background, and the rank of the direction
// only decides between places that are otherwise alike.
const (
	markerWeight = 12.0 // times the covered share of the label's area
	lineWeight   = 2.0  // times the crossed length over the label's diagonal
	rankWeight   = 0.04

	// tooMuch is the cost above which a label is better left out: about a
	// quarter of it over markers, or a tangle of lines.
	tooMuch = 3.5

	// leaderCost makes a label that stands off its point the last resort but
	// one; the same again for every marker that its leader runs over.
	leaderCost = 1.2

	// air is kept free around every label, in points.
	air = vg.Length(1)
)

// cost of putting a label at a spot; infinite where it must not stand.
func (s *scene) cost(p spot) float64 {
	r := p.at
	if !within(r, s.bounds) {
		return math.Inf(1)
	}
	aired := box(centre(r), r.Size().X+2*air, r.Size().Y+2*air)
	for _, other := range s.labels {
		if overlap(aired, other) > 0 || p.leads(other) {
			return math.Inf(1)
		}
	}
	size := r.Size()
	area := float64(size.X) * float64(size.Y)
	diagonal := math.Hypot(float64(size.X), float64(size.Y))
	total := 0.0
	if p.leader != (segment{}) {
		total = leaderCost
	}
	for _, m := range s.markers {
		total += markerWeight * overlap(r, m) / area
		if p.leads(m) {
			total += leaderCost
		}
	}
	for _, g := range s.segments {
		if inside, ok := clip(g, aired); ok {
			total += lineWeight * inside.length() / diagonal
		}
	}
	return total
}

// place puts a label at the cheapest of its candidates, the earlier among
// equals, and remembers it; false means that no place was good enough.
func (s *scene) place(candidates []spot) (spot, bool) {
	best, at := tooMuch, -1
	for i, p := range candidates {
		if cost := s.cost(p) + rankWeight*float64(i); cost < best {
			best, at = cost, i
		}
	}
	if at < 0 {
		return spot{}, false
	}
	p := candidates[at]
	s.labels = append(s.labels, p.at)
	if p.leader != (segment{}) {
		s.segments = append(s.segments, p.leader)
	}
	return p, true
}

// leads reports whether the spot's leader runs through r.
func (p spot) leads(r vg.Rectangle) bool {
	if p.leader == (segment{}) {
		return false
	}
	_, through := clip(p.leader, r)
	return through
}

// wish is a label looking for a place beside its point.
type wish struct {
	at     vg.Point
	reach  vg.Length // distance to keep from the point, its marker's radius
	w, h   vg.Length
	weight int // labels of higher weight choose first
}

// candidates are the eight places around a point, the best readable first, and
// then the same further out with a leader, in two rings.
func (w wish) candidates() []spot {
	const gap = vg.Length(2.2)
	out := make([]spot, 0, 24)
	for _, far := range []vg.Length{0, 9, 18} {
		for _, d := range [8][2]vg.Length{{0, 1}, {1, 1}, {-1, 1}, {1, 0}, {-1, 0}, {0, -1}, {1, -1}, {-1, -1}} {
			dist := w.reach + gap + far
			if d[0] != 0 && d[1] != 0 {
				dist *= 0.62 // a diagonal neighbour may come nearer along each axis
			}
			at := box(vg.Point{
				X: w.at.X + d[0]*(dist+w.w/2),
				Y: w.at.Y + d[1]*(dist+w.h/2),
			}, w.w, w.h)
			p := spot{at: at}
			if far > 0 {
				p.leader = w.leader(at)
			}
			out = append(out, p)
		}
	}
	return out
}

// leader is the line from the edge of the point's marker to the nearest place
// on a label's rectangle.
func (w wish) leader(r vg.Rectangle) segment {
	end := vg.Point{
		X: max(r.Min.X, min(r.Max.X, w.at.X)),
		Y: max(r.Min.Y, min(r.Max.Y, w.at.Y)),
	}
	share := w.reach / vg.Length(segment{w.at, end}.length())
	start := vg.Point{X: w.at.X + (end.X-w.at.X)*share, Y: w.at.Y + (end.Y-w.at.Y)*share}
	return segment{start, end}
}

// placed is where a wish ended; ok is false when it was left out.
type placed struct {
	spot
	ok bool
}

// arrange finds places for all wishes, greedily: heavier ones first, and among
// them those with the fewest good places, since the others can still give way.
// Trying all combinations would drop a label less now and then and take
// exponential time.
func (s *scene) arrange(wishes []wish) []placed {
	type ranked struct{ i, choices int }
	order := make([]ranked, len(wishes))
	for i, w := range wishes {
		order[i].i = i
		for _, p := range w.candidates() {
			if s.cost(p) < 0.5 {
				order[i].choices++
			}
		}
	}
	slices.SortStableFunc(order, func(a, b ranked) int {
		if d := wishes[b.i].weight - wishes[a.i].weight; d != 0 {
			return d
		}
		return a.choices - b.choices
	})
	out := make([]placed, len(wishes))
	for _, o := range order {
		out[o.i].spot, out[o.i].ok = s.place(wishes[o.i].candidates())
	}
	return out
}

// centre of a rectangle.
func centre(r vg.Rectangle) vg.Point {
	return vg.Point{X: (r.Min.X + r.Max.X) / 2, Y: (r.Min.Y + r.Max.Y) / 2}
}
