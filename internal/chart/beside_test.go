package chart

import (
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
)

// whiskered are series with a whisker each at every X.
func whiskered(n int, apart float64) Chart {
	c := Chart{Title: "t", X: Axis{Label: "Concurrency", Log: true}, Y: Axis{Label: "ms"}}
	for i := range n {
		var s Series
		for _, x := range []float64{1, 2, 4} {
			y := 10 + apart*float64(i)
			s.Points = append(s.Points, Point{X: x, Y: y, Low: y - 3, High: y + 3})
		}
		c.Series = append(c.Series, s)
	}
	return c
}

// stands are the places of whiskers of all series at the first X, from left to right.
func stands(t *testing.T, c Chart) (at []vg.Length) {
	t.Helper()
	for _, p := range c.paths(c.layout(newFaces())) {
		if len(p.bars) == 0 {
			t.Fatal("no whisker")
		}
		at = append(at, p.bars[0].a.X)
	}
	return at
}

// Whiskers that would hide each other stand side by side, around their place, in the
// order of their series, and the picture says so; others stay where they are.
func TestWhiskersBesideEachOther(t *testing.T) {
	for _, n := range []int{2, 3, 12} {
		c := whiskered(n, 1)
		at := stands(t, c)
		for i := 1; i < n; i++ {
			if at[i]-at[i-1] < 2 {
				t.Errorf("%d series: whisker %d is %.1f pt beside the one before", n, i, at[i]-at[i-1])
			}
		}
		middle := (at[0] + at[n-1]) / 2
		if want := c.layout(newFaces()).place(1, 10).X; middle-want > 0.01 || want-middle > 0.01 {
			t.Errorf("%d series: whiskers stand around %v, their place is %v", n, middle, want)
		}
		if !strings.Contains(c.fullNote(0, c.crowded()), "side by side") {
			t.Error("the note does not say it")
		}
	}
	c := whiskered(3, 10)
	if at := stands(t, c); at[0] != at[1] || at[1] != at[2] || c.crowded() {
		t.Errorf("whiskers that do not meet were moved: %v", at)
	}
}

func TestLogAxisSaysSo(t *testing.T) {
	c := whiskered(1, 1)
	l := c.layout(newFaces())
	if l.xLabel != "Concurrency (log scale)" || l.yLabel != "ms" {
		t.Errorf("%q, %q", l.xLabel, l.yLabel)
	}
}
