package chart

import (
	"image/color"
	"math"

	stdfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/vg"
)

// Sizes of the picture, in points (1/72 inch).
const (
	width  = 9 * vg.Inch
	height = 5.5 * vg.Inch

	margin = vg.Length(18) // around everything

	titleSize    = vg.Length(15)
	titleSmaller = vg.Length(12.5) // when one line at titleSize does not hold it
	subtitleSize = vg.Length(10.5)
	axisSize     = vg.Length(10)
	tickSize     = vg.Length(9)
	legendSize   = vg.Length(9)
	labelSize    = vg.Length(8)
	noteSize     = vg.Length(8)
	emptySize    = vg.Length(14)

	lineWidth   = vg.Length(1.7)
	faintWidth  = vg.Length(0.9)
	hairWidth   = vg.Length(0.6) // grid, ticks
	markerSize  = vg.Length(3.4) // radius
	faintMarker = vg.Length(2.3)
	capHalf     = vg.Length(4.6) // half the width of a whisker's cap: beyond the marker
	tickLength  = vg.Length(4)
)

// ink holds the colours that do not belong to a series.
type ink struct {
	text, muted, axis, grid, target, paper color.NRGBA
}

func inks() ink {
	return ink{
		text:   color.NRGBA{R: 0x1f, G: 0x23, B: 0x28, A: 0xff},
		muted:  color.NRGBA{R: 0x5f, G: 0x66, B: 0x6d, A: 0xff},
		axis:   color.NRGBA{R: 0x8a, G: 0x90, B: 0x96, A: 0xff},
		grid:   color.NRGBA{R: 0xe3, G: 0xe6, B: 0xe9, A: 0xff},
		target: color.NRGBA{R: 0x4a, G: 0x4f, B: 0x55, A: 0xff},
		paper:  color.NRGBA{R: 0xff, G: 0xff, B: 0xff, A: 0xff},
	}
}

// style is how one series looks. No two of the twelve share a colour, a marker
// or a dash pattern, so that any one of the three is enough to follow a series.
type style struct {
	color  color.NRGBA
	marker marker
	dash   []vg.Length // lengths of stroke and space in turn; nil is solid
	width  vg.Length
	radius vg.Length
}

// styleOf returns the look of the series at a position from 0 to MaxSeries-1.
func styleOf(i int, faint bool) style {
	st := style{color: palette()[i], marker: markers()[i], dash: dashes()[i], width: lineWidth, radius: markerSize}
	if faint {
		st.color = blend(st.color, inks().paper, 0.55)
		st.width, st.radius = faintWidth, faintMarker
	}
	return st
}

// palette is Okabe and Ito's colour-blind-safe set (jfly.uni-koeln.de/color)
// without its yellow, which vanishes on white, with orange and sky blue a
// little darker for the same reason, and with colours from Paul Tol's muted
// scheme to make twelve. The order alternates dark and light, so that
// neighbours in the legend differ in grey print too.
func palette() [MaxSeries]color.NRGBA {
	rgb := func(v uint32) color.NRGBA {
		return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 0xff}
	}
	return [MaxSeries]color.NRGBA{
		rgb(0x0072b2), // blue
		rgb(0xde9000), // orange
		rgb(0x1a1a1a), // black
		rgb(0xcc79a7), // pink
		rgb(0x882255), // wine
		rgb(0x45a5dd), // sky blue
		rgb(0x332288), // indigo
		rgb(0x009e73), // green
		rgb(0xb34700), // vermilion
		rgb(0x999933), // olive
		rgb(0x5c3d1e), // brown
		rgb(0x8c8c8c), // grey
	}
}

// dashes are the twelve line patterns, in points, the plainest first.
func dashes() [MaxSeries][]vg.Length {
	return [MaxSeries][]vg.Length{
		nil,
		{7, 3},
		{1.7, 2.2},
		{9, 2.5, 1.7, 2.5},
		{14, 3.5},
		{4, 2},
		{9, 2.5, 1.7, 2.5, 1.7, 2.5},
		{14, 3, 4, 3},
		{1.7, 4.5},
		{4, 2, 4, 2, 1.7, 2},
		{7, 7},
		{14, 2.5, 1.7, 2.5, 1.7, 2.5, 1.7, 2.5},
	}
}

// blend mixes share (0 to 1) of b into a.
func blend(a, b color.NRGBA, share float64) color.NRGBA {
	mix := func(x, y uint8) uint8 { return uint8(float64(x)*(1-share) + float64(y)*share + 0.5) }
	return color.NRGBA{R: mix(a.R, b.R), G: mix(a.G, b.G), B: mix(a.B, b.B), A: 0xff}
}

// readable darkens a series' colour until small text in it has a contrast of
// 4.5 to 1 on white (WCAG 2.2, 1.4.3).
func readable(c color.NRGBA) color.NRGBA {
	black := color.NRGBA{A: 0xff}
	for 1.05/(luminance(c)+0.05) < 4.5 {
		c = blend(c, black, 0.08)
	}
	return c
}

// faces are the fonts in use, without a size.
type faces struct {
	cache *font.Cache
}

func newFaces() faces { return faces{cache: font.NewCache(liberation.Collection())} }

func (f faces) regular(size vg.Length) font.Face {
	return f.cache.Lookup(font.Font{Typeface: "Liberation", Variant: "Sans"}, size)
}

func (f faces) bold(size vg.Length) font.Face {
	return f.cache.Lookup(font.Font{Typeface: "Liberation", Variant: "Sans", Weight: stdfont.WeightBold}, size)
}

// luminance is the relative luminance of a colour from 0 to 1 (WCAG 2.2,
// "relative luminance"): what is left of it in grey print.
func luminance(c color.NRGBA) float64 {
	linear := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}
