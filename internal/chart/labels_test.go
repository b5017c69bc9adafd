package chart

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/plot/vg"
	"pgregory.net/rapid"
)

// TestLabelsNeverOverlap is the promise of the placement: whatever the crowd, no
// placed label touches another or leaves the plot.
func TestLabelsNeverOverlap(t *testing.T) {
	bounds := vg.Rectangle{Max: vg.Point{X: 400, Y: 250}}
	rapid.Check(t, func(t *rapid.T) {
		length := func(lo, hi float64, name string) vg.Length {
			return vg.Length(rapid.Float64Range(lo, hi).Draw(t, name))
		}
		crowd := rapid.Float64Range(1, 400).Draw(t, "crowd")
		sc := scene{bounds: bounds}
		var wishes []wish
		var before *wish
		for range rapid.IntRange(1, 40).Draw(t, "points") {
			w := wish{
				at:     vg.Point{X: length(0, crowd, "x"), Y: length(0, min(crowd, 250), "y")},
				reach:  markerSize,
				w:      length(3, 60, "w"),
				h:      7,
				weight: rapid.IntRange(0, 1).Draw(t, "weight"),
			}
			sc.markers = append(sc.markers, box(w.at, 2*markerSize, 2*markerSize))
			if before != nil {
				sc.segments = append(sc.segments, segment{before.at, w.at})
			}
			wishes = append(wishes, w)
			before = &wishes[len(wishes)-1]
		}
		got := sc.arrange(wishes)
		for i, a := range got {
			if !a.ok {
				continue
			}
			if !within(a.at, bounds) {
				t.Errorf("label %d at %v leaves the plot", i, a.at)
			}
			if size := a.at.Size(); abs(size.X-wishes[i].w) > 1e-9 || abs(size.Y-wishes[i].h) > 1e-9 {
				t.Errorf("label %d has size %v, want %v by %v", i, size, wishes[i].w, wishes[i].h)
			}
			for j, b := range got[:i] {
				if b.ok && overlap(a.at, b.at) > 0 {
					t.Errorf("labels %d and %d overlap: %v and %v", i, j, a.at, b.at)
				}
			}
		}
	})
}

func abs(v vg.Length) vg.Length { return max(v, -v) }

// TestLabelsKeepClear pins what placement prefers, on scenes with one answer.
func TestLabelsKeepClear(t *testing.T) {
	bounds := vg.Rectangle{Max: vg.Point{X: 100, Y: 100}}
	middle := vg.Point{X: 50, Y: 50}
	for _, tt := range []struct {
		name   string
		scene  scene
		at     vg.Point
		dx, dy int // direction from the point, 0 when in line with it
	}{
		{"free: above", scene{}, middle, 0, 1},
		{"at the top: below", scene{}, vg.Point{X: 50, Y: 99}, 0, -1},
		{"in the upper right corner: below and left", scene{}, vg.Point{X: 99, Y: 99}, -1, -1},
		{"in the lower left corner: above and right", scene{}, vg.Point{X: 1, Y: 1}, 1, 1},
		{"marker above: diagonal", scene{markers: []vg.Rectangle{box(vg.Point{X: 46, Y: 59}, 8, 8)}}, middle, 1, 1},
		{"line straight up: right of it", scene{segments: []segment{{middle, vg.Point{X: 50, Y: 100}}}}, middle, 1, 1},
		{"label above right: above left", scene{labels: []vg.Rectangle{box(vg.Point{X: 55, Y: 59}, 8, 8)}},
			middle, -1, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.scene.bounds = bounds
			got := tt.scene.arrange([]wish{{at: tt.at, reach: 3, w: 8, h: 6}})
			if !got[0].ok {
				t.Fatal("left out")
			}
			if got[0].leader != (segment{}) {
				t.Errorf("has a leader %v, want it beside its point", got[0].leader)
			}
			c := centre(got[0].at)
			if dx, dy := sign(c.X-tt.at.X), sign(c.Y-tt.at.Y); dx != tt.dx || dy != tt.dy {
				t.Errorf("stands in direction (%d, %d), want (%d, %d)", dx, dy, tt.dx, tt.dy)
			}
		})
	}
}

func sign(v vg.Length) int {
	switch {
	case v > 1e-9:
		return 1
	case v < -1e-9:
		return -1
	}
	return 0
}

func TestCrowdedLabelIsLeftOut(t *testing.T) {
	sc := scene{
		bounds:  vg.Rectangle{Max: vg.Point{X: 100, Y: 100}},
		markers: []vg.Rectangle{{Max: vg.Point{X: 100, Y: 100}}},
	}
	if got := sc.arrange([]wish{{at: vg.Point{X: 50, Y: 50}, reach: 3, w: 8, h: 6}}); got[0].ok {
		t.Errorf("placed at %v in the middle of a marker", got[0].at)
	}
	if len(sc.labels) != 0 {
		t.Error("a label that was left out takes room")
	}
}

func TestClip(t *testing.T) {
	r := vg.Rectangle{Max: vg.Point{X: 10, Y: 10}}
	at := func(x, y vg.Length) vg.Point { return vg.Point{X: x, Y: y} }
	for _, tt := range []struct {
		name     string
		in, want segment
		ok       bool
	}{
		{"inside", segment{at(1, 1), at(9, 9)}, segment{at(1, 1), at(9, 9)}, true},
		{"through", segment{at(-5, 5), at(15, 5)}, segment{at(0, 5), at(10, 5)}, true},
		{"out at the top", segment{at(5, 5), at(5, 20)}, segment{at(5, 5), at(5, 10)}, true},
		{"over a corner", segment{at(-5, 5), at(5, 15)}, segment{at(0, 10), at(0, 10)}, true},
		{"past a corner", segment{at(-6, 5), at(4, 15)}, segment{}, false},
		{"left of it", segment{at(-1, 0), at(-1, 10)}, segment{}, false},
		{"short of it", segment{at(-5, 5), at(-1, 5)}, segment{}, false},
		{"a point", segment{at(5, 5), at(5, 5)}, segment{at(5, 5), at(5, 5)}, true},
		{"along the edge", segment{at(0, 0), at(10, 0)}, segment{at(0, 0), at(10, 0)}, true},
	} {
		got, ok := clip(tt.in, r)
		if ok != tt.ok || got != tt.want {
			t.Errorf("%s: clip(%v) = %v, %v; want %v, %v", tt.name, tt.in, got, ok, tt.want, tt.ok)
		}
	}
}

func TestWhiskerEndsWithoutCapAtTheEdge(t *testing.T) {
	c := Chart{
		X: Axis{Label: "x", Min: 0, Max: 10}, Y: Axis{Label: "y", Log: true, Min: 1, Max: 100},
		Series: []Series{{Points: []Point{
			{X: 5, Y: 10, Low: -3, High: 20},
			{X: 6, Y: 10, Low: 5, High: 20},
			{X: 7, Y: 10, Low: 5, High: 2000},
			{X: 8, Y: 10, Low: 200, High: 300},
		}}},
	}
	l := c.layout(newFaces())
	var got []int
	for _, p := range c.Series[0].Points {
		bars := l.whisker(p, 0)
		got = append(got, len(bars))
		for _, b := range bars {
			if b.a.Y < l.plot.Min.Y || b.b.Y > l.plot.Max.Y {
				t.Errorf("%v: bar %v leaves the plot", p, b)
			}
		}
	}
	if d := cmp.Diff([]int{2, 3, 2, 0}, got); d != "" {
		t.Errorf("bars and caps of each whisker (-want +got):\n%s", d)
	}
}
