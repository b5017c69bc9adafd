package picture

import (
	"io"
	"path/filepath"
	"strings"

	"headway/internal/chart"
	"headway/report"
)

// Picture is a chart that can be written.
type Picture struct {
	Name string // file name without ending
	// Left says which values have no place in it, "" for none.
	Left  string
	chart Chart
	// field is drawn instead of chart, where it is not nil.
	field   *Field
	inSpace bool
}

// What a picture can be made of, beside experiments, comparisons, runs and traces.
type (
	// Chart is lines with markers over one pair of axes.
	Chart = chart.Chart
	// Field is a quantity over a plane.
	Field = chart.Field
)

// Of is a picture of a chart that was made elsewhere. Values without a place on its
// axes are left out, and its note says which.
func Of(name string, c Chart) Picture {
	p := Picture{Name: name, Left: c.Trim()}
	c.Note = strings.TrimSpace(c.Note + " " + p.Left)
	p.chart = c
	return p
}

// OfMap is a picture of a field as it is seen from above.
func OfMap(name string, f Field) Picture { return Picture{Name: name, field: &f} }

// OfSurface is a picture of a field as a surface in space.
func OfSurface(name string, f Field) Picture {
	return Picture{Name: name, field: &f, inSpace: true}
}

// Still says that the picture is only drawn: its values are no series, and
// [Picture.Data] has none of them.
func (p Picture) Still() bool { return p.field != nil }

// Under puts the name of what it is of before the title, where there are others.
func (p Picture) Under(name string) Picture {
	if p.Still() {
		f := *p.field
		f.Title = name + ": " + f.Title
		p.field = &f
		return p
	}
	p.chart.Title = name + ": " + p.chart.Title
	return p
}

// Write writes the picture into dir as .png and as .svg, and returns both names.
func (p Picture) Write(dir string) ([]string, error) {
	var written []string
	for _, f := range []struct {
		ending string
		write  func(io.Writer) error
	}{{".png", p.WritePNG}, {".svg", p.WriteSVG}} {
		name := p.Name + f.ending
		written = append(written, name)
		if err := report.WriteFile(filepath.Join(dir, name), f.write); err != nil {
			return written, err
		}
	}
	return written, nil
}

// WritePNG draws the picture as PNG.
func (p Picture) WritePNG(w io.Writer) error { return p.drawing().WritePNG(w) }

// WriteSVG draws the picture as SVG; the same figures give the same bytes.
func (p Picture) WriteSVG(w io.Writer) error { return p.drawing().WriteSVG(w) }

// WritePlainSVG draws the picture without its title, subtitle and note, for a page
// that has them as text.
func (p Picture) WritePlainSVG(w io.Writer) error {
	p.chart.Title, p.chart.Subtitle, p.chart.Note = "", "", ""
	if p.Still() {
		f := *p.field
		f.Title, f.Subtitle, f.Note = "", "", ""
		p.field = &f
	}
	return p.drawing().WriteSVG(w)
}

// drawing is what package chart draws.
func (p Picture) drawing() interface {
	WriteSVG(io.Writer) error
	WritePNG(io.Writer) error
} {
	switch {
	case p.field == nil:
		return p.chart
	case p.inSpace:
		return chart.Surface{Field: *p.field}
	}
	return chart.HeatMap{Field: *p.field}
}
