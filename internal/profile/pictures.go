package profile

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"headway/internal/chart"
	"headway/internal/interp"
	"headway/report/picture"
)

// Pictures are TTFT over the prompt length with a quadratic fit, and throughput
// over it; about is said under them. Without a point that can be used there are none.
func (c PrefillCurve) Pictures(about string) []picture.Picture {
	x := chart.Axis{Label: "Prompt length (tokens)"}
	measured := func(of func(PrefillPoint) Figure, scale float64) (s chart.Series, isl, value []float64) {
		s.Name = "measured"
		for _, p := range c.Usable() {
			s.Points = append(s.Points, point(float64(p.ISL), of(p), scale, p.Wide))
			isl, value = append(isl, float64(p.ISL)), append(value, of(p).Mean*scale)
		}
		return s, isl, value
	}
	ttft, isl, ms := measured(func(p PrefillPoint) Figure { return p.TTFT }, 1e3)
	if len(isl) == 0 {
		return nil
	}
	first := chart.Chart{Title: "Time to first token over prompt length", X: x,
		Y:    chart.Axis{Label: "Time to first token (ms)"},
		Note: noted(about, whiskersOf(ttft)), Series: []chart.Series{ttft}}
	if q, ok := FitQuadratic(isl, ms); ok {
		first.Series = append(first.Series, smooth(fmt.Sprintf("fit: %.3g·ISL² %+.3g·ISL %+.3g "+
			"ms, R² = %.5f", q.A, q.B, q.C, q.R2), isl, func(x float64) float64 { return max(q.At(x), 0) }))
	}
	rate, isl, tokens := measured(func(p PrefillPoint) Figure { return p.Throughput }, 1)
	second := chart.Chart{Title: "Prefill throughput over prompt length", X: x,
		Y:    chart.Axis{Label: "Prefill throughput (tokens/s/GPU)"},
		Note: noted(about, whiskersOf(rate)), Series: []chart.Series{rate}}
	if s, err := interp.NewMonotone(isl, tokens); err == nil {
		second.Series[0].Name = "measured, joined by lines"
		second.Series = append(second.Series, smooth("a curve that stays between them", isl, s.At))
	}
	return []picture.Picture{picture.Of("prefill_ttft_interpolation", first),
		picture.Of("prefill_throughput_interpolation", second)}
}

// noted joins what is said under a picture.
func noted(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
}

// whiskersOf says what whiskers are, where points have any, and why there are none to
// be seen.
func whiskersOf(all ...chart.Series) string {
	top, longest := 0.0, 0.0
	for _, s := range all {
		for _, p := range s.Points {
			top, longest = max(top, p.Y, p.High), max(longest, p.High-p.Low)
		}
	}
	switch {
	case longest == 0:
		return ""
	case longest < markShare*top:
		return "95 % intervals of the mean are shorter than the marks"
	}
	return "whiskers: 95 % interval of the mean"
}

// markShare is the height of a mark as a share of that of the picture.
const markShare = 0.03

// point is a figure with its interval as whiskers.
func point(x float64, f Figure, scale float64, faint bool) chart.Point {
	p := chart.Point{X: x, Y: f.Mean * scale, Faint: faint}
	if h := f.HalfWidth() * scale; !math.IsInf(h, 0) && h > 0 {
		p.Low, p.High = p.Y-h, p.Y+h
	}
	return p
}

// smooth is a curve over the range of x.
func smooth(name string, x []float64, at func(float64) float64) chart.Series {
	s := chart.Series{Name: name, Smooth: true}
	for _, v := range interp.Linspace(x[0], x[len(x)-1], 80) {
		s.Points = append(s.Points, chart.Point{X: v, Y: at(v)})
	}
	return s
}

// How fine a surface is drawn: as a map and in space.
const (
	mapColumns, mapRows     = 120, 90
	spaceColumns, spaceRows = 32, 24
)

// Pictures are ITL and throughput over the KV share and the context: the measured
// points as curves, and what lies between them as maps and in space. Points that lie
// on one line make no surface. about is said under the pictures.
func (s DecodeSurface) Pictures(about string) []picture.Picture {
	all := s.curves(about)
	var points []interp.Point
	var itl, rate []float64
	for _, p := range s.Usable() {
		points = append(points, interp.Point{X: p.KVUsage, Y: p.Context})
		itl, rate = append(itl, p.ITL.Mean*1e3), append(rate, p.Throughput.Mean)
	}
	r, err := newDecodeReading(points, itl, rate)
	if err != nil {
		return all
	}
	for _, v := range []struct {
		name, title, label string
		measured           []float64
		at                 func(interp.Point) float64
	}{
		{"decode_itl", "Inter-token latency over load and context", "Inter-token latency (ms)", itl,
			func(p interp.Point) float64 { v, _ := r.itlAt(p); return v }},
		{"decode_throughput", "Decode throughput over load and context", "Decode throughput (tokens/s/GPU)",
			rate, r.rateAt},
	} {
		f := chart.Field{Title: v.title, Note: noted(about, "circles: measured points"),
			X: chart.Axis{Label: "KV cache in use (%)", Min: 0, Max: 100},
			Y: chart.Axis{Label: "Context (tokens)"}, Z: chart.Axis{Label: v.label}}
		for i, p := range points {
			f.Points = append(f.Points, chart.FieldPoint{X: 100 * p.X, Y: p.Y, Z: v.measured[i]})
		}
		all = append(all,
			picture.OfMap(v.name+"_interpolation", sampled(f, v.at, points, mapColumns, mapRows)))
		f.Title += ", in space"
		all = append(all,
			picture.OfSurface(v.name+"_surface", sampled(f, v.at, points, spaceColumns, spaceRows)))
	}
	return all
}

// sampled fills a field's grid. Outside of the measured points,
// where nothing is drawn, the value is that of the nearest place on their hull.
func sampled(f chart.Field, at func(interp.Point) float64, points []interp.Point, columns, rows int) chart.Field {
	low := math.Inf(1)
	high := math.Inf(-1)
	near := math.Inf(1)
	far := 0.0
	for _, p := range points {
		low = min(low, p.Y)
		high = max(high, p.Y)
		near = min(near, p.X)
		far = max(far, p.X)
	}
	hull := interp.Hull(points)
	for _, p := range hull {
		f.Outline = append(f.Outline, chart.Place{X: 100 * p.X, Y: p.Y})
	}
	f.Ys = interp.Linspace(low, high, rows)
	for _, x := range interp.Linspace(near, far, columns) {
		f.Xs = append(f.Xs, 100*x)
		for _, y := range f.Ys {
			f.Values = append(f.Values, at(interp.Onto(hull, interp.Point{X: x, Y: y})))
		}
	}
	return f
}
