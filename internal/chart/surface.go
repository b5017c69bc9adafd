package chart

import (
	"cmp"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
)

// The direction from which a surface is seen, in radians: azimuth about the
// vertical, so that X runs to the right and to the front and Y to the right and
// to the back, and looked at from above.
const (
	azimuth   = -0.66
	elevation = 0.4
)

// space maps the three axes to the picture.
type space struct {
	x, y, z scale
	middle  vg.Point
	size    vg.Length // of the plane's sides
	tall    vg.Length
}

// at is where a place lies in the picture, and how far from the viewer.
func (s space) at(x, y, z float64) (vg.Point, float64) {
	a, b := s.x.at(x)-0.5, s.y.at(y)-0.5
	u := a*math.Cos(azimuth) - b*math.Sin(azimuth)
	far := a*math.Sin(azimuth) + b*math.Cos(azimuth)
	return vg.Point{
		X: s.middle.X + s.size*vg.Length(u),
		Y: s.middle.Y + s.size*vg.Length(far*math.Sin(elevation)) + s.tall*vg.Length(s.z.at(z)-0.5),
	}, far
}

// draw paints the box, then the surface's pieces and the measured points from
// the back to the front, then the axes.
func (s Surface) draw(canvas vg.Canvas, embedded bool) {
	f := newFaces()
	p := painter{canvas: canvas, faces: f, ink: inks(), embedded: embedded}
	frame, b := s.frame(), s.bands()
	l := frame.layout(f)
	room := barGap + barWidth + s.scaleRoom(f, b)
	l.makeRoom(f, frame, room)
	p.fill(rectangle(vg.Rectangle{Max: vg.Point{X: width, Y: height}}), p.ink.paper)
	p.heading(l)
	if s.values().some {
		sp := s.space(l)
		p.drawBox(sp)
		s.drawPieces(p, sp, b)
		p.spaceAxes(sp, s.X.text(), s.Y.text())
		right := width - margin - room + barGap
		s.drawScale(p, b, vg.Rectangle{Min: vg.Point{X: right, Y: l.plot.Min.Y},
			Max: vg.Point{X: right + barWidth, Y: l.plot.Max.Y}})
	}
	frame.drawEmpty(p, l)
}

// space fits the box into what the chart would have plotted in. Its projection
// is as wide as cos + sin of the turn, times the plane's side.
func (s Surface) space(l layout) space {
	area := vg.Rectangle{Min: vg.Point{X: margin + 30, Y: l.plot.Min.Y + 6},
		Max: vg.Point{X: l.plot.Max.X, Y: l.plot.Max.Y}}
	spread := vg.Length(math.Cos(azimuth) - math.Sin(azimuth))
	deep := spread * vg.Length(math.Sin(elevation))
	size := area.Size()
	plane := min((size.X-60)/spread, size.Y*0.6/deep)
	tall := size.Y - plane*deep
	return space{x: l.x, y: l.y, z: s.Z.scale(s.values(), nil, always, 6), middle: centre(area),
		size: plane, tall: tall}
}

// piece is a cell of the grid or a measured point.
type piece struct {
	far    float64
	cell   []vg.Point // nil for a point
	height float64
	dot    vg.Point
}

// piece is a grid cell as far as it is known and within the outline; z between
// the corners is bilinear.
func (s Surface) piece(sp space, i, j int) (q piece, known bool) {
	x, y := [2]float64{s.Xs[i], s.Xs[i+1]}, [2]float64{s.Ys[j], s.Ys[j+1]}
	z := [4]float64{s.value(i, j), s.value(i+1, j), s.value(i+1, j+1), s.value(i, j+1)}
	cell := s.clip([]Place{{x[0], y[0]}, {x[1], y[0]}, {x[1], y[1]}, {x[0], y[1]}})
	if math.IsNaN(z[0]+z[1]+z[2]+z[3]) || len(cell) < 3 {
		return q, false
	}
	for _, c := range cell {
		u, v := (c.X-x[0])/(x[1]-x[0]), (c.Y-y[0])/(y[1]-y[0])
		height := (1-u)*(1-v)*z[0] + u*(1-v)*z[1] + u*v*z[2] + (1-u)*v*z[3]
		at, far := sp.at(c.X, c.Y, height)
		q.cell, q.far, q.height = append(q.cell, at), q.far+far/float64(len(cell)), q.height+height/float64(len(cell))
	}
	return q, true
}

func (s Surface) drawPieces(p painter, sp space, b bands) {
	var all []piece
	for i := range len(s.Xs) - 1 {
		for j := range len(s.Ys) - 1 {
			q, known := s.piece(sp, i, j)
			if !known {
				continue
			}
			all = append(all, q)
		}
	}
	for _, m := range s.Points {
		at, far := sp.at(m.X, m.Y, m.Z)
		// A little nearer than the piece that it lies on.
		all = append(all, piece{far: far - 0.06, dot: at})
	}
	slices.SortStableFunc(all, func(a, b piece) int { return cmp.Compare(b.far, a.far) })
	for _, q := range all {
		if q.cell == nil {
			p.dot(q.dot)
			continue
		}
		path := closed(q.cell)
		c := b.color(b.of(q.height))
		p.fill(path, c)
		p.stroke(path, blend(c, p.ink.text, 0.25), 0.35)
	}
}

// drawBox draws the floor and the two walls at the back, with a line at each
// tick.
func (p painter) drawBox(s space) {
	edge := func(x0, y0, z0, x1, y1, z1 float64, c color.NRGBA) {
		a, _ := s.at(x0, y0, z0)
		b, _ := s.at(x1, y1, z1)
		p.straight(segment{a, b}, c, hairWidth)
	}
	for _, t := range numbered(s.x) {
		edge(t.value, s.y.lo, s.z.lo, t.value, s.y.hi, s.z.lo, p.ink.grid)
		edge(t.value, s.y.hi, s.z.lo, t.value, s.y.hi, s.z.hi, p.ink.grid)
	}
	for _, t := range numbered(s.y) {
		edge(s.x.lo, t.value, s.z.lo, s.x.hi, t.value, s.z.lo, p.ink.grid)
		edge(s.x.lo, t.value, s.z.lo, s.x.lo, t.value, s.z.hi, p.ink.grid)
	}
	for _, t := range numbered(s.z) {
		edge(s.x.lo, s.y.lo, t.value, s.x.lo, s.y.hi, t.value, p.ink.grid)
		edge(s.x.lo, s.y.hi, t.value, s.x.hi, s.y.hi, t.value, p.ink.grid)
	}
	edge(s.x.lo, s.y.lo, s.z.lo, s.x.hi, s.y.lo, s.z.lo, p.ink.axis)
	edge(s.x.hi, s.y.lo, s.z.lo, s.x.hi, s.y.hi, s.z.lo, p.ink.axis)
	edge(s.x.lo, s.y.lo, s.z.lo, s.x.lo, s.y.lo, s.z.hi, p.ink.axis)
}

// numbered are the ticks of an axis that have a number.
func numbered(s scale) []tick {
	return slices.DeleteFunc(slices.Clone(s.ticks), func(t tick) bool { return t.text == "" })
}

// spaceAxes writes the numbers along the three edges at the front, and what
// runs along the lower two. What the height means stands beside the scale.
func (p painter) spaceAxes(s space, x, y string) {
	face, label := p.faces.regular(tickSize), p.faces.regular(axisSize)
	low := tickSize * capHeight
	write := func(ticks []tick, at func(v float64) vg.Point, shift vg.Point, share vg.Length) {
		for _, t := range ticks {
			q := at(t.value)
			p.text(face, p.ink.muted, vg.Point{X: q.X + shift.X, Y: q.Y + shift.Y}, t.text, share)
		}
	}
	xs, ys := numbered(s.x), numbered(s.y)
	onX := func(v float64) vg.Point { q, _ := s.at(v, s.y.lo, s.z.lo); return q }
	onY := func(v float64) vg.Point { q, _ := s.at(s.x.hi, v, s.z.lo); return q }
	write(xs, onX, vg.Point{X: -3, Y: -low - 5}, 0.9)
	write(ys, onY, vg.Point{X: 6, Y: -low - 1}, 0)
	write(numbered(s.z), func(v float64) vg.Point { q, _ := s.at(s.x.lo, s.y.lo, v); return q },
		vg.Point{X: -6, Y: -low / 2}, 1)
	left, right := onX((s.x.lo+s.x.hi)/2), onY((s.y.lo+s.y.hi)/2)
	p.text(label, p.ink.text, vg.Point{X: left.X - 34, Y: left.Y - 34}, x, 0.5)
	p.text(label, p.ink.text, vg.Point{X: right.X + 40, Y: right.Y - 34}, y, 0.5)
}
