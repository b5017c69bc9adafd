package chart

import (
	"math"

	"gonum.org/v1/plot/vg"
)

// scaleRoom is the width of what stands right of the colours: the levels'
// numbers and the label.
func (f Field) scaleRoom(faces faces, b bands) vg.Length {
	widest := vg.Length(0)
	for _, t := range b.texts {
		widest = max(widest, textWidth(faces.regular(tickSize), t))
	}
	return widest + 8 + axisSize*leading
}

// drawScale draws which colour is which value.
func (f Field) drawScale(p painter, b bands, bar vg.Rectangle) {
	at := func(v float64) vg.Length {
		if b.hi <= b.lo {
			return bar.Min.Y
		}
		return bar.Min.Y + vg.Length((v-b.lo)/(b.hi-b.lo))*bar.Size().Y
	}
	face := p.faces.regular(tickSize)
	low, widest := bar.Min.Y, vg.Length(0)
	for k := range len(b.levels) + 1 {
		high := bar.Max.Y
		if k < len(b.levels) {
			high = at(b.levels[k])
		}
		p.fill(rectangle(vg.Rectangle{Min: vg.Point{X: bar.Min.X, Y: low}, Max: vg.Point{X: bar.Max.X, Y: high}}),
			b.color(k))
		low = high
	}
	for k, v := range b.levels {
		p.text(face, p.ink.muted, vg.Point{X: bar.Max.X + 5, Y: at(v) - tickSize*capHeight/2}, b.texts[k], 0)
		widest = max(widest, textWidth(face, b.texts[k]))
	}
	label := p.faces.regular(axisSize)
	p.canvas.Push()
	p.canvas.Translate(vg.Point{X: bar.Max.X + 8 + widest + axisSize*0.9, Y: centre(bar).Y})
	p.canvas.Rotate(math.Pi / 2)
	p.text(label, p.ink.text, vg.Point{}, shorten(label, f.Z.text(), bar.Size().Y, 0.5), 0.5)
	p.canvas.Pop()
}
