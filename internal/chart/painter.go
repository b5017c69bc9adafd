package chart

import (
	"image/color"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// painter puts primitive marks on a canvas, whose origin is the lower left
// corner and whose unit is the point.
type painter struct {
	canvas vg.Canvas
	faces  faces
	ink    ink
	// embedded says that the canvas has no other font than faces to draw with.
	embedded bool
}

// stroke draws a path with a solid line.
func (p painter) stroke(path vg.Path, c color.Color, w vg.Length) {
	p.dashed(path, c, w, nil)
}

// dashed draws a path with a pattern of strokes and spaces.
func (p painter) dashed(path vg.Path, c color.Color, w vg.Length, dash []vg.Length) {
	p.canvas.SetColor(c)
	p.canvas.SetLineWidth(w)
	p.canvas.SetLineDash(dash, 0)
	p.canvas.Stroke(path)
}

// fill fills a closed path.
func (p painter) fill(path vg.Path, c color.Color) {
	p.canvas.SetColor(c)
	p.canvas.Fill(path)
}

// straight draws one solid line.
func (p painter) straight(s segment, c color.Color, w vg.Length) {
	var path vg.Path
	path.Move(s.a)
	path.Line(s.b)
	p.stroke(path, c, w)
}

// polyline draws segments in a series' style. Those that join are one path, so
// that the dash pattern runs on through the points.
func (p painter) polyline(segments []segment, st style) {
	var path vg.Path
	for i, s := range segments {
		if i == 0 || segments[i-1].b != s.a {
			path.Move(s.a)
		}
		path.Line(s.b)
	}
	if len(path) > 0 {
		p.dashed(path, st.color, st.width, st.dash)
	}
}

// mark draws a series' marker with a rim of paper, which keeps it apart from
// lines and markers under it. A style without a radius has none.
func (p painter) mark(at vg.Point, st style) {
	if st.radius == 0 {
		return
	}
	outline := st.marker.shape.outline(at, st.radius)
	p.stroke(outline, p.ink.paper, 1.5)
	if st.marker.hollow {
		p.fill(outline, p.ink.paper)
		p.stroke(outline, st.color, 1.3)
		return
	}
	p.fill(outline, st.color)
}

// text writes s with its baseline at the point; share says how much of its
// width lies left of the point: 0 starts there, 0.5 is centred, 1 ends there.
func (p painter) text(face font.Face, c color.Color, at vg.Point, s string, share vg.Length) {
	if s == "" {
		return
	}
	p.canvas.SetColor(c)
	at.X -= share * textWidth(face, s)
	if p.embedded {
		s = boxed(face, s)
	}
	p.canvas.FillString(face, at, s)
}

// rectangle is the outline of r.
func rectangle(r vg.Rectangle) vg.Path {
	return closed([]vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}})
}
