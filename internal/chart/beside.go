package chart

import (
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
)

// Whiskers of several series at one X lie on each other, so that the last hides
// those below. Where they meet they are moved apart, and only they: markers and lines
// stay where the values are.

// crowd is where whiskers of several series stand at one X: their series, in order.
type crowd map[float64][]int

// crowds are the places at which whiskers would hide each other.
func (c Chart) crowds() crowd {
	all := crowd{}
	spans := map[float64][][2]float64{}
	for i, s := range c.Series {
		for _, p := range s.Points {
			if p.whisker() && !p.gap() && !slices.Contains(all[p.X], i) {
				all[p.X] = append(all[p.X], i)
				spans[p.X] = append(spans[p.X], [2]float64{p.Low, p.High})
			}
		}
	}
	for x, list := range spans {
		if !meet(list) {
			delete(all, x)
		}
	}
	return all
}

// meet says whether two of the spans have something in common.
func meet(spans [][2]float64) bool {
	for i, a := range spans {
		for _, b := range spans[:i] {
			if a[0] <= b[1] && b[0] <= a[1] {
				return true
			}
		}
	}
	return false
}

// crowded says whether there is such a place.
func (c Chart) crowded() bool { return len(c.crowds()) > 0 }

// besideStep is between neighbours: the width of their caps, less where the next X
// is too close for that.
const besideStep = 2*capHalf + 1

// beside gives how far a series' whisker stands to the right of its X.
func (c Chart) beside(l layout) func(series int, x float64) vg.Length {
	crowds := c.crowds()
	room := l.plot.Size().X
	var places []float64
	for x := range crowds {
		places = append(places, l.x.at(x))
	}
	slices.Sort(places)
	for i := 1; i < len(places); i++ {
		room = min(room, vg.Length(places[i]-places[i-1])*l.plot.Size().X)
	}
	return func(series int, x float64) vg.Length {
		list := crowds[x]
		at := slices.Index(list, series)
		if at < 0 || math.IsNaN(x) {
			return 0
		}
		step := min(besideStep, 0.8*room/vg.Length(len(list)))
		return step * (vg.Length(at) - vg.Length(len(list)-1)/2)
	}
}
