package chart_test

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/crc32"
	"image/png"
	"io"
	"math"
	"strings"
	"testing"

	"headway/internal/chart"

	"pgregory.net/rapid"
)

// TestSameValuesSameBytes draws equal charts that are built anew each time, so
// that nothing may hang on an address. PNG is the same drawing on another
// canvas, so one sample is enough for that canvas.
func TestSameValuesSameBytes(t *testing.T) {
	same := func(name, format string, write func(chart.Chart, io.Writer) error) {
		var out [2]bytes.Buffer
		for i := range out {
			if err := write(samples()[name], &out[i]); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(out[0].Bytes(), out[1].Bytes()) {
			t.Errorf("%s: two %ss of the same values differ", name, format)
		}
	}
	for name := range samples() {
		same(name, "SVG", chart.Chart.WriteSVG)
	}
	same("pareto", "PNG", chart.Chart.WritePNG)
}

func TestPNG(t *testing.T) {
	var b bytes.Buffer
	if err := oneSeries().WritePNG(&b); err != nil {
		t.Fatal(err)
	}
	raw := b.Bytes()
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if got := img.Bounds().Size(); got.X != 1800 || got.Y != 1100 {
		t.Errorf("size %v, want 1800 by 1100 pixels", got)
	}
	at := bytes.Index(raw, []byte("pHYs"))
	if at < 0 || at > bytes.Index(raw, []byte("IDAT")) {
		t.Fatalf("pHYs chunk at %d, want one before the image data", at)
	}
	data := raw[at : at+4+9]
	if x, y := binary.BigEndian.Uint32(data[4:]), binary.BigEndian.Uint32(data[8:]); x != 7874 || y != 7874 ||
		data[12] != 1 {
		t.Errorf("resolution %d by %d, unit %d; want 7874 pixels per metre (200 dpi)", x, y, data[12])
	}
	if n := binary.BigEndian.Uint32(raw[at-4:]); n != 9 {
		t.Errorf("chunk length %d, want 9", n)
	}
	if got, want := binary.BigEndian.Uint32(raw[at+13:]), crc32.ChecksumIEEE(data); got != want {
		t.Errorf("checksum %08x, want %08x", got, want)
	}
}

// texts parses an SVG strictly and returns its texts; it fails on a document
// that is not well formed or holds a number that is none.
func texts(svg []byte) ([]string, error) {
	d := xml.NewDecoder(bytes.NewReader(svg))
	var out []string
	inText := false
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			inText = tok.Name.Local == "text"
			for _, a := range tok.Attr {
				if a.Name.Local != "aria-label" &&
					(strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf")) {
					return nil, fmt.Errorf("<%s %s=%q>", tok.Name.Local, a.Name.Local, a.Value)
				}
			}
		case xml.CharData:
			if inText && len(bytes.TrimSpace(tok)) > 0 {
				out = append(out, string(tok))
			}
		case xml.EndElement:
			inText = false
		}
	}
}

func TestTextIsEscaped(t *testing.T) {
	const nasty = `<script>alert("1")</script> & 'x' ]]>`
	c := onePoint()
	c.Title, c.Subtitle, c.Note = nasty, nasty+" 2", nasty+" 3"
	c.X.Label, c.Y.Label, c.Series[0].Name = nasty+" 4", nasty+" 5", nasty+" 6"
	c.Series[0].Points[0].Label = nasty + " 7"
	c.Lines = []chart.Line{{Value: 5, Label: nasty + " 8"}}
	var b bytes.Buffer
	if err := c.WriteSVG(&b); err != nil {
		t.Fatal(err)
	}
	got, err := texts(b.Bytes())
	if err != nil {
		t.Fatalf("%v\n%s", err, b.Bytes())
	}
	for i := range 8 {
		want := nasty
		if i > 0 {
			want = fmt.Sprintf("%s %d", nasty, i+1)
		}
		found := false
		for _, s := range got {
			found = found || strings.TrimSuffix(s, " (log scale)") == want
		}
		if !found {
			t.Errorf("%q is not among the texts %q", want, got)
		}
	}
}

func TestWhatIsWritten(t *testing.T) {
	for name, tt := range map[string]struct {
		c       chart.Chart
		want    []string
		wantNot []string
	}{
		"ticks are the levels":    {oneSeries(), []string{"1", "2", "5", "10", "50", "100", "250"}, nil},
		"thousands are separated": {twelveSeries(), []string{"10,000"}, []string{"10000"}},
		"eight decades":           {eightDecades(), []string{"0.001", "100,000"}, []string{"1e+05"}},
		"empty says so": {noPoints(), []string{"no level has a finished request"},
			[]string{"no data", "0", "1"}},
		"empty by default": {chart.Chart{X: chart.Axis{Label: "x"}, Y: chart.Axis{Label: "y"}},
			[]string{"no data"}, nil},
		"points outside are noted": {fixedRange(), []string{"SIMULATED · 5 runs per level · whiskers: 95 % " +
			"interval of the mean · headway 0.1 · 3 points lie outside the axes and are not shown"}, nil},
		"a target beyond the axis": {targets(), []string{"↑ 1,000,000 tokens/s/GPU", "500 tokens/s/GPU"},
			[]string{"1,000,000"}},
		"minus sign":                {negative(), []string{"−4"}, []string{"-4"}},
		"every point has its label": {pareto(), strings.Fields("1 2 5 10 50 100 250"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := tt.c.WriteSVG(&b); err != nil {
				t.Fatal(err)
			}
			got, err := texts(b.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			all := "\n" + strings.Join(got, "\n") + "\n"
			for _, w := range tt.want {
				if !strings.Contains(all, "\n"+w+"\n") {
					t.Errorf("no text %q in %q", w, got)
				}
			}
			for _, w := range tt.wantNot {
				if strings.Contains(all, "\n"+w+"\n") {
					t.Errorf("text %q in %q", w, got)
				}
			}
		})
	}
}

// TestAnyValidChart draws charts of every kind and wants well-formed documents.
func TestAnyValidChart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyChart(t)
		if err := c.Validate(); err != nil {
			t.Skip("not valid")
		}
		var b bytes.Buffer
		if err := c.WriteSVG(&b); err != nil {
			t.Fatal(err)
		}
		if _, err := texts(b.Bytes()); err != nil {
			t.Fatalf("%v\n%s", err, b.Bytes())
		}
	})
}

// anyChart draws a chart that is mostly valid, values at the limits included.
func anyChart(t *rapid.T) chart.Chart {
	axis := func(name string) (chart.Axis, *rapid.Generator[float64]) {
		a := chart.Axis{Label: "label", Log: rapid.Bool().Draw(t, name+" log")}
		value := rapid.OneOf(
			rapid.Float64Range(1, 1000),
			rapid.Float64Range(1e-100, 1e100),
			rapid.SampledFrom([]float64{1e-100, 1e100, 1, 1 + 1e-15, 1e17, 1e17 + 16}),
		)
		if !a.Log {
			value = rapid.OneOf(value, rapid.Float64Range(-1000, 1000), rapid.SampledFrom([]float64{0, -1e100}))
		}
		a.Values = rapid.SliceOfN(value, 0, 5).Draw(t, name+" ticks")
		if rapid.Bool().Draw(t, name+" fixed") {
			end := rapid.OneOf(value, rapid.Just(math.NaN()))
			a.Min, a.Max = end.Draw(t, name+" min"), end.Draw(t, name+" max")
		}
		return a, value
	}
	c := chart.Chart{Title: rapid.String().Draw(t, "title"), Note: rapid.String().Draw(t, "note")}
	var x, y *rapid.Generator[float64]
	c.X, x = axis("x")
	c.Y, y = axis("y")
	for range rapid.IntRange(0, 4).Draw(t, "series") {
		s := chart.Series{Name: rapid.String().Draw(t, "name"), Faint: rapid.Bool().Draw(t, "faint")}
		for range rapid.IntRange(0, 8).Draw(t, "points") {
			p := chart.Point{X: x.Draw(t, "x"), Y: y.Draw(t, "y"), Label: rapid.String().Draw(t, "label")}
			if rapid.Bool().Draw(t, "whisker") {
				a, b := y.Draw(t, "low"), y.Draw(t, "high")
				p.Low, p.High = min(a, b), max(a, b)
			}
			s.Points = append(s.Points, p)
		}
		c.Series = append(c.Series, s)
	}
	for range rapid.IntRange(0, 2).Draw(t, "lines") {
		l := chart.Line{Value: y.Draw(t, "value"), Label: rapid.String().Draw(t, "line")}
		if rapid.Bool().Draw(t, "vertical") {
			l.Vertical, l.Value = true, x.Draw(t, "value x")
		}
		c.Lines = append(c.Lines, l)
	}
	return c
}

// failing is a writer that is full.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriterFails(t *testing.T) {
	c := onePoint()
	for name, err := range map[string]error{"SVG": c.WriteSVG(failing{}), "PNG": c.WritePNG(failing{})} {
		if err == nil || !strings.Contains(err.Error(), "disk full") || !strings.Contains(err.Error(), c.Title) {
			t.Errorf("%s: error %v, want the writer's with the chart's name", name, err)
		}
	}
}

func BenchmarkSVG(b *testing.B) {
	c := twelveSeries()
	for b.Loop() {
		if err := c.WriteSVG(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPNG(b *testing.B) {
	c := twelveSeries()
	for b.Loop() {
		if err := c.WritePNG(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
