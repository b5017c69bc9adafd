package chart_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"headway/internal/chart"
)

// third is the third point of a picture's first series.
func third(c *chart.Chart) *chart.Point { return &c.Series[0].Points[2] }

// validateCases are the cases of TestValidate.
var validateCases = []struct {
	name   string
	change func(*chart.Chart)
	want   []string // parts of the error; none means valid
}{
	{"unchanged", func(*chart.Chart) {}, nil},
	{"twelve series", func(c *chart.Chart) { c.Series = make([]chart.Series, 12) }, nil},
	{"thirteen series", func(c *chart.Chart) { c.Series = make([]chart.Series, 13) },
		[]string{"13 series: at most 12"}},
	{"no series", func(c *chart.Chart) { c.Series = nil }, nil},
	{"logarithmic ends that agree",
		func(c *chart.Chart) { c.X = chart.Axis{Label: "x", Log: true, Min: 1e17, Max: 1e17 + 16} },
		[]string{"X axis: minimum"}},
	{"no title", func(c *chart.Chart) { c.Title = "" }, nil},
	{"no X label", func(c *chart.Chart) { c.X.Label = " " }, []string{"X axis: no label"}},
	{"no Y label", func(c *chart.Chart) { c.Y.Label = "" }, []string{"Y axis: no label"}},
	{"X not a number", func(c *chart.Chart) { third(c).X = math.NaN() },
		[]string{`series 1 ("vLLM, tp=1") point 3: X: NaN is not a finite number`}},
	{"X infinite", func(c *chart.Chart) { third(c).X = math.Inf(1) }, []string{"point 3: X: +Inf"}},
	{"Y a gap", func(c *chart.Chart) { third(c).Y = math.NaN() }, nil},
	{"Y infinite", func(c *chart.Chart) { third(c).Y = math.Inf(-1) }, []string{"point 3: Y: -Inf"}},
	{"Y too large", func(c *chart.Chart) { third(c).Y = 1e101 }, []string{"point 3: Y: 1e+101 is out of range"}},
	{"Y too small", func(c *chart.Chart) { third(c).Y = 1e-101 }, []string{"point 3: Y: 1e-101 is out of range"}},
	{"no whisker", func(c *chart.Chart) { third(c).Low, third(c).High = math.NaN(), math.NaN() }, nil},
	{"half a whisker", func(c *chart.Chart) { third(c).Low = math.NaN() }, nil},
	{"whisker beside the point", func(c *chart.Chart) { third(c).Low, third(c).High = 500, 600 }, nil},
	{"whisker upside down", func(c *chart.Chart) { third(c).Low, third(c).High = 9, 8 },
		[]string{"point 3: Low: 9 is above High 8"}},
	{"whisker infinite", func(c *chart.Chart) { third(c).High = math.Inf(1) }, []string{"point 3: High: +Inf"}},
	{"log X at zero", func(c *chart.Chart) { third(c).X = 0 },
		[]string{"point 3: X: 0 has no place on a logarithmic axis"}},
	{"log X below zero", func(c *chart.Chart) { c.X.Values = []float64{1, -2} },
		[]string{"X axis: Values[1]: -2 has no place"}},
	{"log X from zero", func(c *chart.Chart) { c.X.Max = 5 }, []string{"X axis: Min: 0 has no place"}},
	{"log Y at zero", func(c *chart.Chart) { c.Y.Log = true; third(c).Y = 0 },
		[]string{"point 3: Y: 0 has no place"}},
	{"log Y with a whisker to below zero", func(c *chart.Chart) { c.Y.Log = true; third(c).Low = -1 }, nil},
	{"log Y with a whisker below zero",
		func(c *chart.Chart) { c.Y.Log = true; third(c).Low, third(c).High = -2, -1 },
		[]string{"point 3: High: -1 has no place"}},
	{"min above max", func(c *chart.Chart) { c.Y.Min, c.Y.Max = 2, 1 },
		[]string{"Y axis: minimum 2 is not below maximum 1"}},
	{"min alone", func(c *chart.Chart) { c.Y.Min, c.Y.Max = 2, math.NaN() }, nil},
	{"max alone", func(c *chart.Chart) { c.Y.Min, c.Y.Max = math.NaN(), 2 }, nil},
	{"max infinite", func(c *chart.Chart) { c.Y.Max = math.Inf(1) }, []string{"Y axis: Max: +Inf"}},
	{"line not a number", func(c *chart.Chart) { c.Lines = []chart.Line{{Value: math.NaN(), Label: "a"}} },
		[]string{`line 1 ("a") on the Y axis: NaN`}},
	{"vertical line at zero on log X", func(c *chart.Chart) { c.Lines = []chart.Line{{Vertical: true}} },
		[]string{"on the X axis: 0 has no place"}},
	{"every fault is named", func(c *chart.Chart) { c.X.Label, c.Y.Label, third(c).X = "", "", math.Inf(1) },
		[]string{"X axis: no label", "Y axis: no label", "+Inf"}},
}

func TestValidate(t *testing.T) {
	for _, tt := range validateCases {
		t.Run(tt.name, func(t *testing.T) {
			c := oneSeries()
			tt.change(&c)
			err := c.Validate()
			if len(tt.want) == 0 && err != nil {
				t.Fatalf("Validate() = %v, want nil", err)
			}
			for _, part := range tt.want {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("Validate() = %v, want it to say %q", err, part)
				}
			}
			var out bytes.Buffer
			if svgErr := c.WriteSVG(&out); (svgErr != nil) != (err != nil) {
				t.Errorf("WriteSVG() = %v; it must fail exactly when Validate does", svgErr)
			}
			if err == nil {
				return // that a valid chart becomes a PNG is TestPNG's business
			}
			if pngErr := c.WritePNG(&out); pngErr == nil {
				t.Error("WritePNG() = nil")
			}
			if out.Len() > 0 {
				t.Error("something was written although the chart is not valid")
			}
		})
	}
}
