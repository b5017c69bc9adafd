package profile

import (
	"fmt"
	"slices"

	"headway/internal/chart"
	"headway/report/picture"
)

// curves are ITL and throughput over the share of the KV cache, a line for each
// prompt length that was measured. Of more than can be told apart some are drawn, at
// equal distances, the first and the last among them.
func (s DecodeSurface) curves(about string) []picture.Picture {
	var all []picture.Picture
	for _, v := range []struct {
		name, title, label string
		of                 func(DecodePoint) Figure
		scale              float64
	}{
		{"decode_itl_curves", "Inter-token latency over load", "Inter-token latency (ms)",
			func(p DecodePoint) Figure { return p.ITL }, 1e3},
		{"decode_throughput_curves", "Decode throughput over load", "Decode throughput (tokens/s/GPU)",
			func(p DecodePoint) Figure { return p.Throughput }, 1},
	} {
		c := chart.Chart{Title: v.title, X: chart.Axis{Label: "KV cache in use (%)"}, Y: chart.Axis{Label: v.label}}
		lengths := s.lengths()
		drawn := spread(lengths, chart.MaxSeries)
		for _, isl := range drawn {
			line := chart.Series{Name: fmt.Sprintf("prompts of %d tokens", isl)}
			for _, p := range s.Usable() {
				if p.ISL == isl {
					line.Points = append(line.Points, point(100*p.KVUsage, v.of(p), v.scale, p.Wide))
				}
			}
			c.Series = append(c.Series, line)
		}
		if len(drawn) == 0 {
			continue
		}
		left := ""
		if n := len(lengths) - len(drawn); n > 0 {
			left = fmt.Sprintf("%d more prompt lengths are not drawn", n)
		}
		c.Note = noted(about, whiskersOf(c.Series...), left)
		all = append(all, picture.Of(v.name, c))
	}
	return all
}

// lengths are the prompt lengths of the points that can be used, rising.
func (s DecodeSurface) lengths() (all []int) {
	for _, p := range s.Usable() {
		all = append(all, p.ISL)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// spread takes at most so many, at equal distances.
func spread(all []int, most int) []int {
	if len(all) <= most {
		return all
	}
	var some []int
	for i, v := range all {
		if len(some) <= i*(most-1)/(len(all)-1) {
			some = append(some, v)
		}
	}
	return some
}
