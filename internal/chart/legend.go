package chart

import (
	"slices"
	"strings"
	"unicode"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// Sizes within the legend, in points.
const (
	sampleWidth = vg.Length(40) // long enough to show a whole dash pattern
	sampleGap   = vg.Length(6)
	entryGap    = vg.Length(20) // between entries in a row
	entryHeight = vg.Length(17)
	nameLimit   = vg.Length(150) // widest name in the column at the right
)

// entry is one series in the legend, at an offset right of and below the
// legend's upper left corner.
type entry struct {
	name        string
	style       style
	right, down vg.Length
}

// legend stands outside the plot: in one or two rows below it, else in a column
// at the right.
type legend struct {
	entries       []entry
	below         bool
	width, height vg.Length // 0 when there is no entry
}

// newLegend chooses where the legend goes in a picture that has so much room
// from side to side, and shortens its names to fit.
func newLegend(series []Series, face font.Face, room vg.Length) legend {
	var names []string
	var styles []style
	for i, s := range series {
		if name := oneLine(s.Name); name != "" {
			names = append(names, name)
			st := styleOf(i, s.Faint)
			if s.Smooth {
				st.radius = 0
			}
			styles = append(styles, st)
		}
	}
	l := flow(face, shortenAll(face, names, room-sampleWidth-sampleGap), room)
	if l.height > 2*entryHeight {
		l = column(face, shortenAll(face, names, nameLimit))
	}
	for i := range l.entries {
		l.entries[i].style = styles[i]
	}
	return l
}

// flow sets names side by side and starts a new row where one does not fit.
func flow(face font.Face, names []string, room vg.Length) legend {
	l := legend{below: true}
	var at entry
	for _, n := range names {
		w := sampleWidth + sampleGap + textWidth(face, n)
		if at.right > 0 && at.right+w > room {
			at.right, at.down = 0, at.down+entryHeight
		}
		at.name = n
		l.entries = append(l.entries, at)
		l.width, l.height = max(l.width, at.right+w), at.down+entryHeight
		at.right += w + entryGap
	}
	return l
}

// column sets names one below the other.
func column(face font.Face, names []string) legend {
	var l legend
	for _, n := range names {
		l.entries = append(l.entries, entry{name: n, down: l.height})
		l.width = max(l.width, sampleWidth+sampleGap+textWidth(face, n))
		l.height += entryHeight
	}
	return l
}

// shortenAll shortens names so that those which differ still do: where the cut
// in the middle takes away just what tells some apart, they keep that part and
// lose from both sides of it instead.
func shortenAll(face font.Face, names []string, limit vg.Length) []string {
	out := make([]string, len(names))
	alike := make(map[string][]int) // indices by shortened name
	for i, n := range names {
		out[i] = shorten(face, n, limit, 0.5)
		alike[out[i]] = append(alike[out[i]], i)
	}
	for i := range names {
		group := alike[out[i]]
		if len(group) < 2 || group[0] != i {
			continue
		}
		var full []string
		for _, g := range group {
			full = append(full, names[g])
		}
		slices.Sort(full)
		full = slices.Compact(full)
		if len(full) == 1 {
			continue
		}
		from, to := difference(full)
		for _, g := range group {
			out[g] = focus(face, []rune(names[g]), from, to, limit)
		}
	}
	return out
}

// difference returns how many leading and how many trailing runes names have in
// common, in whole words.
func difference(names []string) (from, to int) {
	first := []rune(names[0])
	from, to = len(first), len(first)
	for _, n := range names[1:] {
		other := []rune(n)
		shorter := min(len(first), len(other))
		lead := 0
		for lead < shorter && first[lead] == other[lead] {
			lead++
		}
		trail := 0
		for trail < shorter-lead && first[len(first)-1-trail] == other[len(other)-1-trail] {
			trail++
		}
		from, to = min(from, lead), min(to, trail)
	}
	for from > 0 && inWord(first[from-1]) {
		from--
	}
	for to > 0 && inWord(first[len(first)-to]) {
		to--
	}
	return from, to
}

// inWord reports whether a rune belongs to a word of a name.
func inWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r) || r == '.'
}

// focus shortens a name around the part that begins from runes after its start
// and ends to runes before its end, and keeps as much on both sides as fits.
func focus(face font.Face, name []rune, from, to int, limit vg.Length) string {
	core := string(name[from : len(name)-to])
	with := func(side int) string {
		front := string(name[:min(side, from)])
		if side < from {
			front = strings.TrimSpace(front) + ellipsis
		}
		back := string(name[len(name)-min(side, to):])
		if side < to {
			back = ellipsis + strings.TrimSpace(back)
		}
		return front + core + back
	}
	if textWidth(face, with(0)) > limit {
		return shorten(face, with(0), limit, 0.5)
	}
	side := 0
	for side < max(from, to) && textWidth(face, with(side+1)) <= limit {
		side++
	}
	return with(side)
}

// draw puts the legend's upper left corner at a point.
func (l legend) draw(p painter, face font.Face, corner vg.Point) {
	for _, e := range l.entries {
		left := vg.Point{X: corner.X + e.right, Y: corner.Y - e.down - entryHeight/2}
		end := vg.Point{X: left.X + sampleWidth, Y: left.Y}
		p.polyline([]segment{{left, end}}, e.style)
		p.mark(vg.Point{X: left.X + sampleWidth/2, Y: left.Y}, e.style)
		p.text(face, p.ink.text, vg.Point{X: end.X + sampleGap, Y: left.Y - face.Font.Size*capHeight/2}, e.name, 0)
	}
}
