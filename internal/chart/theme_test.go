package chart

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"gonum.org/v1/plot/vg"
	"pgregory.net/rapid"
)

// TestSeriesStayApart: no two series share a marker or a dash pattern, and
// neighbours differ in grey as well, all against white paper.
func TestSeriesStayApart(t *testing.T) {
	seen := make(map[string]int)
	for i := range MaxSeries {
		st := styleOf(i, false)
		for _, key := range []string{fmt.Sprint("dash", st.dash), fmt.Sprint("marker", st.marker),
			fmt.Sprint("colour", st.color)} {
			if j, twice := seen[key]; twice {
				t.Errorf("series %d and %d share %s", j, i, key)
			}
			seen[key] = i
		}
		if contrast := 1.05 / (luminance(st.color) + 0.05); contrast < 2.4 {
			t.Errorf("series %d: contrast %.2f on white, want 2.4 at least", i, contrast)
		}
		if contrast := 1.05 / (luminance(readable(st.color)) + 0.05); contrast < 4.5 {
			t.Errorf("series %d: its labels have contrast %.2f, want 4.5 at least", i, contrast)
		}
		if luminance(styleOf(i, true).color) <= luminance(st.color) {
			t.Errorf("series %d is not paler when faint", i)
		}
		if i == 0 {
			continue
		}
		before := styleOf(i-1, false)
		if d := math.Abs(lightness(luminance(st.color)) - lightness(luminance(before.color))); d < 8 {
			t.Errorf("series %d and %d differ by %.1f in lightness, want 8 at least", i-1, i, d)
		}
		if before.marker.hollow == st.marker.hollow && i < 10 {
			t.Errorf("series %d and %d are both hollow or both filled", i-1, i)
		}
	}
}

// lightness is CIE L* from 0 to 100 for a relative luminance.
func lightness(y float64) float64 { return 116*math.Cbrt(y) - 16 }

func TestShorten(t *testing.T) {
	face := newFaces().regular(legendSize)
	for _, tt := range []struct {
		in    string
		limit vg.Length
		want  string
	}{
		{"short", 100, "short"},
		{"", 10, ""},
		{"meta-llama/Llama-3.3-70B-Instruct", 80, "meta-llam…Instruct"},
		{"one two three four", 40, "one…four"},
		{"anything", 0, "…"},
		{"e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301", 20, "e\u0301…e\u0301"},
	} {
		got := shorten(face, tt.in, tt.limit, 0.5)
		if got != tt.want {
			t.Errorf("shorten(%q, %v) = %q, want %q", tt.in, tt.limit, got, tt.want)
		}
	}
}

func TestShortenAll(t *testing.T) {
	face := newFaces().regular(legendSize)
	for _, tt := range []struct {
		name string
		in   []string
		want []string
	}{
		{"short ones stay", []string{"a", "b"}, []string{"a", "b"}},
		{
			"what differs in the middle is kept",
			[]string{
				"meta-llama/Llama-3.3-70B-Instruct, aggregated, tensor parallel 4, fp8 weights",
				"meta-llama/Llama-3.3-70B-Instruct, disaggregated, tensor parallel 4, fp8 weights",
				"another name",
			},
			[]string{"meta-llam…aggregated…8 weights", "meta-lla…disaggregated…weights", "another name"},
		},
		{
			"equal names stay equal",
			[]string{strings.Repeat("long ", 20) + "end", strings.Repeat("long ", 20) + "end"},
			[]string{"long long long lo…ong long long end", "long long long lo…ong long long end"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := shortenAll(face, tt.in, nameLimit)
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestShortenAllFits: whatever the names, none is wider than the limit, and two
// that differ in one word in the middle stay two.
func TestShortenAllFits(t *testing.T) {
	face := newFaces().regular(legendSize)
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfN(rapid.Map(rapid.String(), oneLine), 0, 6).Draw(t, "names")
		word := rapid.StringMatching(`[a-z ,/]{0,60}`)
		head, tail := oneLine(word.Draw(t, "head")), oneLine(word.Draw(t, "tail"))
		names = append(names, head+" tp=4 "+tail, head+" tp=8 "+tail)
		got := shortenAll(face, names, nameLimit)
		for i, s := range got {
			if w := textWidth(face, s); w > nameLimit {
				t.Errorf("%q became %q, %v points wide", names[i], s, w)
			}
			if !utf8.ValidString(s) {
				t.Errorf("%q became %q", names[i], s)
			}
		}
		if n := len(got); got[n-1] == got[n-2] {
			t.Errorf("%q and %q both became %q", names[n-1], names[n-2], got[n-1])
		}
	})
}

func TestWrap(t *testing.T) {
	face := newFaces().regular(noteSize)
	for _, tt := range []struct {
		in   string
		want []string
	}{
		{"", nil},
		{" \n\t ", nil},
		{"one line", []string{"one line"}},
		{"tab\tand\nnewline", []string{"tab and newline"}},
		{"these words need two lines", []string{"these words need two", "lines"}},
		{"these words need a great many more lines than there are",
			[]string{"these words need a", "great many mo…e are"}},
		{"onewordthatislongerthanalinecanbe", []string{"onewordth…linecanbe"}},
		{"bad \xff byte", []string{"bad \ufffd byte"}},
	} {
		got := wrap(face, tt.in, 80, 2)
		if !slices.Equal(got, tt.want) {
			t.Errorf("wrap(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// TestTextWidth: a character without a glyph takes one em, since a viewer's own
// font will, and gets a box where there is no viewer.
func TestTextWidth(t *testing.T) {
	face := newFaces().regular(10)
	if w := textWidth(face, "模型"); math.Abs(w.Points()-20) > 1e-9 {
		t.Errorf("two ideographs are %v points wide at size 10, want 20", w)
	}
	if a, b := textWidth(face, "ab"), face.Width("ab"); a != b {
		t.Errorf("ab is %v points wide, want %v", a, b)
	}
	if got := boxed(face, "a模型é↑"); got != "a□□é↑" {
		t.Errorf("boxed = %q", got)
	}
	if lacks(face, '□') || lacks(face, '…') || lacks(face, '−') || lacks(face, '·') || lacks(face, '←') {
		t.Error("the font lacks a character that this package writes")
	}
}

// TestNothingIsClipped: every part of the layout lies on the paper, and the
// legend outside the plot.
func TestNothingIsClipped(t *testing.T) {
	names := []string{"a", "a name of some length, tp=4", strings.Repeat("very long name ", 12)}
	for n := range MaxSeries + 1 {
		for _, name := range names {
			c := Chart{Title: strings.Repeat("long title ", 30), Subtitle: strings.Repeat("context ", 60),
				Note: strings.Repeat("note ", 150)}
			c.X, c.Y = Axis{Label: "x"}, Axis{Label: "y"}
			for range n {
				c.Series = append(c.Series, Series{Name: name, Points: []Point{{X: 1, Y: 1e8}}})
			}
			f := newFaces()
			l := c.layout(f)
			paper := vg.Rectangle{Max: vg.Point{X: width, Y: height}}
			corner := l.legendAt
			legend := vg.Rectangle{
				Min: vg.Point{X: corner.X, Y: corner.Y - l.legend.height},
				Max: vg.Point{X: corner.X + l.legend.width, Y: corner.Y},
			}
			if !within(l.plot, paper) || n > 0 && !within(legend, paper) {
				t.Errorf("%d × %.10q: plot %v, legend %v leave the paper", n, name, l.plot, legend)
			}
			if n > 0 && overlap(l.plot, legend) > 0 {
				t.Errorf("%d × %.10q: the legend %v covers the plot %v", n, name, legend, l.plot)
			}
			if size := l.plot.Size(); size.X < 250 || size.Y < 150 {
				t.Errorf("%d × %.10q: only %v by %v points are left to the plot", n, name, size.X, size.Y)
			}
			for _, s := range l.title {
				if w := textWidth(l.titleFace, s); w > width-2*margin {
					t.Errorf("title line %q is %v points wide", s, w)
				}
			}
		}
	}
}
