package picture

import (
	"math"
	"strconv"

	"headway/internal/chart"
)

// Data is what a picture shows, for whoever draws it in another way.
type Data struct {
	Title    string       `json:"title"`
	Subtitle string       `json:"subtitle,omitempty"`
	Note     string       `json:"note,omitempty"`
	X        DataAxis     `json:"x"`
	Y        DataAxis     `json:"y"`
	Series   []DataSeries `json:"series"`
	Lines    []DataLine   `json:"lines,omitempty"`
}

// DataAxis is one axis: what it shows, with its unit.
type DataAxis struct {
	Label string `json:"label"`
	Log   bool   `json:"log,omitempty"`
	// Min and Max are where it ends; both 0 leave that to who draws.
	Min float64 `json:"min,omitempty"`
	Max float64 `json:"max,omitempty"`
	// Values are the only ticks, where there are any.
	Values []Value `json:"values,omitempty"`
}

// DataSeries has its points as columns of equal length, in the order in which a line
// goes through them, which need not be that of X.
type DataSeries struct {
	Name string `json:"name"`
	// Smooth is a line without marks, Faint one that is drawn pale.
	Smooth bool    `json:"smooth,omitempty"`
	Faint  bool    `json:"faint,omitempty"`
	X      []Value `json:"x"`
	Y      []Value `json:"y"`
	// Low and High are the ends of whiskers, NaN where a point has none; nil where no
	// point has.
	Low    []Value  `json:"low,omitempty"`
	High   []Value  `json:"high,omitempty"`
	Labels []string `json:"labels,omitempty"`
}

// DataLine is a line of reference across the picture.
type DataLine struct {
	Value    Value  `json:"value"`
	Vertical bool   `json:"vertical,omitempty"`
	Label    string `json:"label,omitempty"`
}

// Value is a number that is written with six digits, and as null where it is none.
type Value float64

// MarshalJSON writes the number.
func (v Value) MarshalJSON() ([]byte, error) {
	f := float64(v)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("null"), nil
	}
	f, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 6, 64), 64)
	return strconv.AppendFloat(nil, f, 'f', -1, 64), err
}

// Data is what the picture shows; of one that is only drawn, its texts and axes.
func (p Picture) Data() Data {
	c := p.chart
	if f := p.field; f != nil {
		c = chart.Chart{Title: f.Title, Subtitle: f.Subtitle, Note: f.Note, X: f.X, Y: f.Y}
	}
	d := Data{Title: c.Title, Subtitle: c.Subtitle, Note: c.Note, X: axisData(c.X), Y: axisData(c.Y),
		Series: []DataSeries{}}
	for _, s := range c.Series {
		d.Series = append(d.Series, seriesData(s))
	}
	for _, l := range c.Lines {
		d.Lines = append(d.Lines, DataLine{Value(l.Value), l.Vertical, l.Label})
	}
	return d
}

func axisData(a chart.Axis) DataAxis {
	out := DataAxis{Label: a.Label, Log: a.Log, Min: a.Min, Max: a.Max}
	for _, v := range a.Values {
		out.Values = append(out.Values, Value(v))
	}
	return out
}

func seriesData(s chart.Series) DataSeries {
	out := DataSeries{Name: s.Name, Smooth: s.Smooth, Faint: s.Faint, X: []Value{}, Y: []Value{}}
	labels, whiskers := false, false
	for _, p := range s.Points {
		labels = labels || p.Label != ""
		whiskers = whiskers || p.Low != 0 || p.High != 0
	}
	for _, p := range s.Points {
		out.X, out.Y = append(out.X, Value(p.X)), append(out.Y, Value(p.Y))
		if labels {
			out.Labels = append(out.Labels, p.Label)
		}
		if low, high := p.Low, p.High; whiskers {
			if low == 0 && high == 0 {
				low, high = math.NaN(), math.NaN()
			}
			out.Low, out.High = append(out.Low, Value(low)), append(out.High, Value(high))
		}
	}
	return out
}
