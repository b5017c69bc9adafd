package tally

import (
	"slices"
	"sort"
)

// Histogram counts values in cells with fixed bounds.
type Histogram struct {
	// Bounds are the upper ends of the cells, themselves included, in order. Counts
	// has one cell more, of values above the last.
	Bounds []float64
	Counts []uint64
	Sum    float64
	Count  uint64
}

func newHistogram(bounds []float64) Histogram {
	return Histogram{Bounds: bounds, Counts: make([]uint64, len(bounds)+1)}
}

// take counts a value that is known.
func (h *Histogram) take(v float64, known bool) {
	if !known {
		return
	}
	h.Counts[sort.SearchFloat64s(h.Bounds, v)]++
	h.Sum += v
	h.Count++
}

func (h *Histogram) clone() Histogram {
	c := *h
	c.Counts = slices.Clone(h.Counts)
	return c
}
