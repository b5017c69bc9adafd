package chart

import (
	"sort"
	"strings"
	"unicode"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"

	"headway/internal/plain"
)

const ellipsis = "…"

// oneLine makes a string fit to stand in one line of a picture: what no text for
// people may hold goes, and non-characters, which XML does not allow, become
// spaces.
func oneLine(s string) string {
	clean := strings.Map(func(r rune) rune {
		if r&0xfffe == 0xfffe {
			return ' '
		}
		return r
	}, plain.Line(s))
	return strings.TrimSpace(clean)
}

// textWidth is the width of s in points. A character that the font lacks counts
// as one em, the width of the wide scripts that are the usual reason; its own
// placeholder is narrower and would let a viewer's fallback font run over.
func textWidth(face font.Face, s string) vg.Length {
	w := face.Width(s)
	for _, r := range s {
		if lacks(face, r) {
			w += max(0, face.Font.Size-face.Width(string(r)))
		}
	}
	return w
}

// lacks reports whether the font has no picture of a character that takes room.
func lacks(face font.Face, r rune) bool {
	if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Cf, r) {
		return false
	}
	g, err := face.Face.GlyphIndex(nil, r)
	return err != nil || g == 0
}

// boxed puts an empty box for every character that the font lacks; drawn as it
// is, it would leave nothing but a gap.
func boxed(face font.Face, s string) string {
	return strings.Map(func(r rune) rune {
		if lacks(face, r) {
			return '□'
		}
		return r
	}, s)
}

// capHeight is the height of a digit or capital above the baseline, as a share
// of the font size (Liberation Sans: 1409 of 2048 units).
const capHeight = 0.688

// shorten cuts the middle out of s until it is at most limit points wide, and
// leaves the given share (0 to 1) of what remains at the front. The end of a
// name tells variants apart at least as often as its start.
func shorten(face font.Face, s string, limit vg.Length, share float64) string {
	if textWidth(face, s) <= limit {
		return s
	}
	runes := []rune(s)
	cut := func(keep int) string {
		front := int(float64(keep)*share + 0.5)
		back := len(runes) - (keep - front)
		// A combining mark stays with the letter that carries it.
		for back < len(runes) && unicode.Is(unicode.M, runes[back]) {
			back++
		}
		return strings.TrimSpace(string(runes[:front])) + ellipsis + strings.TrimSpace(string(runes[back:]))
	}
	// Measuring is linear in the text, so trying every length would be quadratic.
	// Spaces trimmed at the cut and kerning make the width not quite monotonic,
	// so the search may end a little high, and single steps follow.
	keep := sort.Search(len(runes), func(keep int) bool { return textWidth(face, cut(keep)) > limit })
	for keep > 0 && textWidth(face, cut(keep)) > limit {
		keep--
	}
	return cut(keep)
}

// wrap breaks s at spaces into at most lines lines of at most limit points;
// what is left over, and a word wider than a line, is shortened.
func wrap(face font.Face, s string, limit vg.Length, lines int) []string {
	s = oneLine(s)
	if s == "" {
		return nil
	}
	var out []string
	words := strings.Fields(s)
	for len(words) > 0 {
		if len(out) == lines-1 {
			return append(out, shorten(face, strings.Join(words, " "), limit, 0.7))
		}
		n := 1
		for n < len(words) && textWidth(face, strings.Join(words[:n+1], " ")) <= limit {
			n++
		}
		out = append(out, shorten(face, strings.Join(words[:n], " "), limit, 0.5))
		words = words[n:]
	}
	return out
}
