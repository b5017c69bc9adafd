package picture

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"headway/internal/chart"
	"headway/workload/synth"
)

// OfTrace are the charts of a trace, whose name is in their titles: lengths, and
// arrivals and prefix reuse where it has times and block ids.
func OfTrace(a *synth.Analysis, name string) []Picture {
	all := []Picture{{Name: "lengths", chart: lengths(a, "Lengths in "+name)}}
	if a.Arrivals.Count > 1 {
		all = append(all, Picture{Name: "arrivals", chart: arrivals(a, "Arrivals in "+name)})
	}
	if a.Reuse.Blocks > 0 {
		all = append(all, Picture{Name: "prefix_reuse", chart: reuse(a, "Prefix reuse in "+name)})
	}
	return all
}

// arrivals shows the rate over time.
func arrivals(a *synth.Analysis, title string) chart.Chart {
	f := &a.Arrivals
	c := chart.Chart{
		Title: title, Subtitle: fmt.Sprintf("%s requests with a time, %.2f requests/s", thousands(f.Count), f.Rate),
		X:     chart.Axis{Label: "Time since the first request (s)"},
		Y:     chart.Axis{Label: "Arrivals (requests/s)"},
		Empty: "no timestamps",
	}
	if f.Span == 0 {
		return c
	}
	window := niceAbove(max(f.Span/100, f.Window/10, f.Step/100))
	s := chart.Series{}
	counts := make([]int, int(f.Span/window)+1)
	for _, t := range f.Times {
		counts[int(t/window)]++
	}
	full := counts[:len(counts)-1] // the last window is cut short
	if len(full) == 0 {
		full, window = counts, f.Span
	}
	for i, n := range full {
		s.Points = append(s.Points, chart.Point{X: (float64(i) + 0.5) * window, Y: float64(n) / window})
	}
	c.Series = []chart.Series{s}
	c.Lines = []chart.Line{{Value: f.Rate, Label: "mean"}}
	c.Note = fmt.Sprintf("Counts in windows of %v s.", window)
	if f.Step > 0 {
		c.Note += fmt.Sprintf(" The timestamps look rounded to about %v ms.", f.Step)
	}
	return c
}

// lengthPoints is how many points the curve of a length has.
const lengthPoints = 24

// lengths shows which share of the requests has at most so many tokens.
func lengths(a *synth.Analysis, title string) chart.Chart {
	c := chart.Chart{
		Title: title, Subtitle: fmt.Sprintf("Lengths of %s requests", thousands(len(a.Rows))),
		X:     chart.Axis{Label: "Tokens, at most", Log: true},
		Y:     chart.Axis{Label: "Requests (%)", Min: 0, Max: 100},
		Empty: "no lengths",
	}
	series := []struct {
		name string
		of   func(synth.Facts) int
		show bool
	}{
		{"Input", func(f synth.Facts) int { return f.Input }, true},
		{"Shared context", func(f synth.Facts) int { return f.Context }, a.Reuse.Blocks > 0},
		{"Own prompt", func(f synth.Facts) int { return f.Unique }, a.Reuse.Blocks > 0},
		{"Output", func(f synth.Facts) int { return f.Output }, a.Output.Count > 0},
	}
	for _, s := range series {
		if !s.show {
			continue
		}
		values := make([]float64, len(a.Rows))
		for i, r := range a.Rows {
			values[i] = float64(s.of(r))
		}
		c.Series = append(c.Series, chart.Series{Name: s.name, Points: distribution(values)})
	}
	if a.Reuse.Blocks > 0 {
		c.Note = fmt.Sprintf("Shared context: blocks of %d tokens that other requests of the "+
			"trace have, too.", a.BlockSize)
	}
	return c
}

// distribution gives points of the distribution function at lengths that are
// evenly apart on a logarithmic scale. Lengths of 0 have no place on it; they are
// in the height of the first point.
func distribution(values []float64) []chart.Point {
	slices.Sort(values)
	low, high := math.Log(max(values[0], 1)), math.Log(max(values[len(values)-1], 1))
	var points []chart.Point
	for i := range lengthPoints + 1 {
		x := math.Round(math.Exp(low + (high-low)*float64(i)/lengthPoints))
		if n := len(points); n > 0 && points[n-1].X == x {
			continue
		}
		atMost, _ := slices.BinarySearch(values, x+0.5)
		points = append(points, chart.Point{X: x, Y: 100 * float64(atMost) / float64(len(values))})
	}
	return points
}

// reuse shows the hits of one prefix cache over its size.
func reuse(a *synth.Analysis, title string) chart.Chart {
	r := &a.Reuse
	c := chart.Chart{
		Title: title, Subtitle: fmt.Sprintf("%s blocks of %d tokens, %s of them different", thousands(r.Blocks),
			a.BlockSize, thousands(r.Distinct)),
		X:     chart.Axis{Label: "Cache size (tokens)", Log: true},
		Y:     chart.Axis{Label: "Prefix hits (%)"},
		Empty: "no block ids",
	}
	if r.Blocks == 0 {
		return c
	}
	tokens, blocks := chart.Series{Name: "of tokens"}, chart.Series{Name: "of blocks"}
	for _, size := range r.Sizes() {
		// Below, a cache holds only what the latest prompts began with.
		if size < r.Distinct/1000 {
			continue
		}
		b, t := r.At(size)
		x := float64(size * a.BlockSize)
		tokens.Points = append(tokens.Points, chart.Point{X: x, Y: 100 * t})
		blocks.Points = append(blocks.Points, chart.Point{X: x, Y: 100 * b})
	}
	c.Series = []chart.Series{tokens, blocks}
	c.Lines = []chart.Line{{Value: 100 * r.HitTokens,
		Label: fmt.Sprintf("nothing forgotten: %.1f %% of tokens", 100*r.HitTokens)}}
	c.Note = "One LRU cache for all requests in their order, without regard to time."
	return c
}

// niceAbove returns the smallest 1, 2 or 5 times a power of ten, or 3 times for
// half minutes and the like, that is not below x.
func niceAbove(x float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(x)))
	for _, step := range []float64{1, 2, 3, 5} {
		if step*unit >= x {
			return step * unit
		}
	}
	return 10 * unit
}

// thousands writes a count with commas.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
