package chart_test

import (
	"bytes"
	"io"
	"math"
	"strings"
	"testing"

	"headway/internal/chart"
)

// picture is anything that is drawn.
type picture interface {
	WriteSVG(io.Writer) error
	WritePNG(io.Writer) error
}

// fields are the pictures of fields that the goldens hold, by name.
func fields() map[string]picture {
	flat := field(3, 2)
	flat.Title, flat.Values = "The same value everywhere", []float64{7, 7, 7, 7, 7, 7}
	for i := range flat.Points {
		flat.Points[i].Z = 7
	}
	empty := field(2, 2)
	empty.Title, empty.Empty, empty.Points = "Nothing was measured", "no point was measured", nil
	for i := range empty.Values {
		empty.Values[i] = math.NaN()
	}
	saddle := field(9, 9)
	saddle.Title, saddle.Points = "A saddle", nil
	for i := range 9 {
		for j := range 9 {
			saddle.Values[i*9+j] = float64((i - 4) * (j - 4))
		}
	}
	return map[string]picture{
		"heat":         chart.HeatMap{Field: field(60, 40)},
		"heat-hole":    chart.HeatMap{Field: holed()},
		"heat-flat":    chart.HeatMap{Field: flat},
		"heat-empty":   chart.HeatMap{Field: empty},
		"heat-saddle":  chart.HeatMap{Field: saddle},
		"heat-outline": chart.HeatMap{Field: outlined()},
		"surface-cut":  chart.Surface{Field: outlined()},
		"surface":      chart.Surface{Field: field(24, 18)},
		"surface-hole": chart.Surface{Field: holed()},
	}
}

// field is a decode's ITL over the KV share and the context.
func field(nx, ny int) chart.Field {
	f := chart.Field{
		Title:    "Inter-token latency",
		Subtitle: "Qwen/Qwen3-0.6B · 1 × H200",
		X:        chart.Axis{Label: "KV cache in use (%)", Min: 0, Max: 100}, Y: chart.Axis{Label: "Context (tokens)"},
		Z:    chart.Axis{Label: "Inter-token latency (ms)"},
		Note: "SIMULATED · 3 repeats · circles: measured points · headway 0.1",
	}
	itl := func(x, y float64) float64 { p := x / 100; return 5.7 + 54*p - 25.7*p*p + y/2000 }
	for i := range nx {
		f.Xs = append(f.Xs, 100*float64(i)/float64(nx-1))
	}
	for j := range ny {
		f.Ys = append(f.Ys, 350+15000*float64(j)/float64(ny-1))
	}
	for _, x := range f.Xs {
		for _, y := range f.Ys {
			f.Values = append(f.Values, itl(x, y))
		}
	}
	for i := range 6 {
		for j := range 6 {
			x, y := 2+19*float64(i), 350+3000*float64(j)
			f.Points = append(f.Points, chart.FieldPoint{X: x, Y: y, Z: itl(x, y)})
		}
	}
	return f
}

// holed knows nothing in one corner and in the middle.
func holed() chart.Field {
	f := field(30, 30)
	f.Title = "White is what was not measured"
	f.Points = f.Points[:8]
	for i := range 30 {
		for j := range 30 {
			if i+j < 14 || math.Hypot(float64(i)-18, float64(j)-16) < 4 {
				f.Values[i*30+j] = math.NaN()
			}
		}
	}
	return f
}

// outlined is known within a polygon.
func outlined() chart.Field {
	f := field(40, 30)
	f.Title, f.Points = "Within an outline", f.Points[6:12]
	f.Outline = []chart.Place{{X: 2, Y: 400}, {X: 50, Y: 400}, {X: 85, Y: 5000}, {X: 90, Y: 15000}, {X: 10, Y: 15000}}
	return f
}

func TestFieldGolden(t *testing.T) {
	for name, c := range fields() {
		t.Run(name, func(t *testing.T) { golden(t, name, c.WriteSVG) })
	}
}

// Every fault is listed, with its place.
func TestFieldFaults(t *testing.T) {
	f := field(3, 3)
	f.Xs[1] = 200
	f.Values[4] = math.Inf(1)
	f.Z.Label = ""
	f.Y.Label = ""
	f.Points[2].Z = math.NaN()
	err := chart.HeatMap{Field: f}.WriteSVG(&bytes.Buffer{})
	if err == nil {
		t.Fatal("drawn")
	}
	for _, want := range []string{"columns: place 2 is 100 after 200", "value 4: +Inf", "Z axis: no label",
		"Y axis: no label", "point 3: Z: NaN"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v: no %s", err, want)
		}
	}
	f = outlined()
	f.Outline[0], f.Outline[1] = f.Outline[1], f.Outline[0]
	if err := (chart.Surface{Field: f}).WriteSVG(&bytes.Buffer{}); err == nil ||
		!strings.Contains(err.Error(), "must be convex and counterclockwise") {
		t.Errorf("%v", err)
	}
	f = field(3, 3)
	f.Values, f.Ys = f.Values[:5], f.Ys[:1]
	if err := (chart.Surface{Field: f}).WritePNG(&bytes.Buffer{}); err == nil ||
		!strings.Contains(err.Error(), "5 values: the grid has 3") || !strings.Contains(err.Error(), "rows: 1 places") {
		t.Errorf("%v", err)
	}
}

// A picture is a function of its values: two drawings are the same bytes, PNG
// included.
func TestFieldSameBytes(t *testing.T) {
	all := fields()
	for _, name := range []string{"heat-outline"} {
		c := all[name]
		var a, b bytes.Buffer
		if err := c.WritePNG(&a); err != nil {
			t.Fatal(err)
		}
		if err := c.WritePNG(&b); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("%s: two drawings differ", name)
		}
	}
}
