package chart

import "math"

// corner is a vertex of a region's outline on the grid: the grid point itself,
// or the crossing of a level with the grid's line from it to the next column
// (across) or to the next row (up).
type corner struct {
	i, j int
	kind int
}

// The kinds of corner.
const (
	onPoint = iota
	across
	up
)

// outline is the edge of a region, with the region on its left: closed loops.
// Steps between two crossings are part of a contour, the others run along the
// edge of what is known.
type outline [][]corner

// region is where the field is at least level, as far as all four corners of a
// grid cell are known. Cells give polygons, and sides that two of them share
// cancel out, so that what is left is the region's outline and is drawn in one
// stroke, without seams.
func (f Field) region(level float64) outline {
	r := tracer{index: map[[2]corner]int{}}
	for i := range len(f.Xs) - 1 {
		for j := range len(f.Ys) - 1 {
			f.cell(&r, i, j, level)
		}
	}
	return r.loops()
}

func (f Field) value(i, j int) float64 { return f.Values[i*len(f.Ys)+j] }

// cell adds the part of a cell that lies at or above the level (marching
// squares). In a saddle the mean of the corners says whether the high parts are
// one.
func (f Field) cell(r *tracer, i, j int, level float64) {
	at := [4][2]int{{i, j}, {i + 1, j}, {i + 1, j + 1}, {i, j + 1}}
	sides := [4]corner{{i, j, across}, {i + 1, j, up}, {i, j + 1, across}, {i, j, up}}
	var high [4]bool
	sum := 0.0
	for k, p := range at {
		v := f.value(p[0], p[1])
		high[k] = v >= level
		sum += v
	}
	if math.IsNaN(sum) {
		return
	}
	point := func(k int) corner { return corner{at[k][0], at[k][1], onPoint} }
	if high[0] == high[2] && high[1] == high[3] && high[0] != high[1] && sum/4 < level {
		for k := range 4 {
			if high[k] {
				r.polygon([]corner{point(k), sides[k], sides[(k+3)%4]})
			}
		}
		return
	}
	var all []corner
	for k := range 4 {
		if high[k] {
			all = append(all, point(k))
		}
		if high[k] != high[(k+1)%4] {
			all = append(all, sides[k])
		}
	}
	r.polygon(all)
}

// tracer gathers directed steps and cancels those that are taken both ways.
type tracer struct {
	steps [][2]corner
	gone  []bool
	index map[[2]corner]int
}

func (r *tracer) polygon(p []corner) {
	for k, a := range p {
		b := p[(k+1)%len(p)]
		if back, ok := r.index[[2]corner{b, a}]; ok {
			r.gone[back] = true
			delete(r.index, [2]corner{b, a})
			continue
		}
		r.index[[2]corner{a, b}] = len(r.steps)
		r.steps, r.gone = append(r.steps, [2]corner{a, b}), append(r.gone, false)
	}
}

// loops joins what is left, in the order in which it was added.
func (r *tracer) loops() outline {
	from := map[corner][]int{}
	for k, s := range r.steps {
		if !r.gone[k] {
			from[s[0]] = append(from[s[0]], k)
		}
	}
	var out outline
	for k := range r.steps {
		if r.gone[k] {
			continue
		}
		var loop []corner
		for next := k; !r.gone[next]; {
			r.gone[next] = true
			loop = append(loop, r.steps[next][0])
			for _, c := range from[r.steps[next][1]] {
				if !r.gone[c] {
					next = c
					break
				}
			}
		}
		out = append(out, loop)
	}
	return out
}

// place is where a corner lies, on the axes. A crossing lies where the level
// does between the two ends.
func (f Field) place(c corner, level float64) (x, y float64) {
	x, y = f.Xs[c.i], f.Ys[c.j]
	share := func(next float64) float64 { v := f.value(c.i, c.j); return (level - v) / (next - v) }
	switch c.kind {
	case across:
		x += share(f.value(c.i+1, c.j)) * (f.Xs[c.i+1] - x)
	case up:
		y += share(f.value(c.i, c.j+1)) * (f.Ys[c.j+1] - y)
	}
	return x, y
}

// contours are the pieces of an outline that run between crossings.
func (o outline) contours() [][]corner {
	var out [][]corner
	for _, loop := range o {
		start := -1
		for k := range loop {
			if loop[k].kind == onPoint {
				start = k
				break
			}
		}
		if start < 0 {
			out = append(out, append(loop[:len(loop):len(loop)], loop[0]))
			continue
		}
		var piece []corner
		for n := range len(loop) + 1 {
			c := loop[(start+n)%len(loop)]
			if c.kind != onPoint {
				piece = append(piece, c)
				continue
			}
			if len(piece) > 1 {
				out = append(out, piece)
			}
			piece = nil
		}
	}
	return out
}
