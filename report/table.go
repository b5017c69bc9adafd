package report

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Widths for which tables are laid out, in columns of a terminal.
const (
	FullWidth = 140
	minWidth  = 40
)

// column is a column of a table.
type column struct {
	title string // may have several lines
	left  bool   // aligned left; otherwise right
	style string // the ANSI style of its cells when colour is on
	// drop says when it gives way in a narrow terminal: the largest first, 0
	// never.
	drop int
}

// table is text in columns with a title over it. A cell may have several lines.
type table struct {
	title   string
	columns []column
	rows    [][]string
}

const (
	styleBold   = "\x1b[1m"
	styleDim    = "\x1b[2m"
	styleRed    = "\x1b[31m"
	styleGreen  = "\x1b[32m"
	styleYellow = "\x1b[33m"
	styleCyan   = "\x1b[36m"
	styleEnd    = "\x1b[0m"
)

// paint puts a style around text when colour is on.
func paint(color bool, style, s string) string {
	if !color || style == "" || s == "" {
		return s
	}
	return style + s + styleEnd
}

// fit drops columns until the table is no wider than width; false where what
// must stay is wider still.
func (t table) fit(width int) (table, bool) {
	for sum(t.widths()) > width {
		worst, drop := -1, 0
		for i, c := range t.columns {
			if c.drop > drop {
				worst, drop = i, c.drop
			}
		}
		if worst < 0 {
			return t, false
		}
		t.columns = slices.Delete(slices.Clone(t.columns), worst, worst+1)
		rows := make([][]string, len(t.rows))
		for i, r := range t.rows {
			rows[i] = slices.Delete(slices.Clone(r), worst, worst+1)
		}
		t.rows = rows
	}
	return t, true
}

// widths are those of the columns with their padding and the line before each;
// the last also has the line after it.
func (t table) widths() []int {
	w := make([]int, len(t.columns))
	for i, c := range t.columns {
		w[i] = textWidth(c.title)
		for _, r := range t.rows {
			w[i] = max(w[i], textWidth(r[i]))
		}
		w[i] += 3
	}
	if len(w) > 0 {
		w[len(w)-1]++
	}
	return w
}

func sum(list []int) int {
	n := 0
	for _, v := range list {
		n += v
	}
	return n
}

// textWidth is the width of the widest line.
func textWidth(s string) int {
	n := 0
	for line := range strings.SplitSeq(s, "\n") {
		n = max(n, ansi.StringWidth(line))
	}
	return n
}

// render draws the table with lines around it.
func (t table) render(b *strings.Builder, color bool) {
	widths := t.widths()
	total := sum(widths)
	if pad := total - ansi.StringWidth(t.title); pad > 0 {
		b.WriteString(strings.Repeat(" ", pad/2))
	}
	b.WriteString(paint(color, styleBold, t.title) + "\n")
	inner := make([]int, len(widths))
	for i, w := range widths {
		inner[i] = w - 3
	}
	if len(inner) > 0 {
		inner[len(inner)-1]--
	}
	rule(b, inner, "┏", "━", "┳", "┓")
	head := make([]string, len(t.columns))
	for i, c := range t.columns {
		head[i] = c.title
	}
	t.line(b, inner, head, "┃", color, true)
	rule(b, inner, "┡", "━", "╇", "┩")
	for _, r := range t.rows {
		t.line(b, inner, r, "│", color, false)
	}
	rule(b, inner, "└", "─", "┴", "┘")
}

func rule(b *strings.Builder, inner []int, left, fill, mid, right string) {
	for i, w := range inner {
		if i == 0 {
			b.WriteString(left)
		} else {
			b.WriteString(mid)
		}
		b.WriteString(strings.Repeat(fill, w+2))
	}
	b.WriteString(right + "\n")
}

// line writes the lines of one row.
func (t table) line(b *strings.Builder, inner []int, cells []string, bar string, color, head bool) {
	height := 1
	for _, c := range cells {
		height = max(height, strings.Count(c, "\n")+1)
	}
	for y := range height {
		for i, c := range cells {
			text := ""
			if lines := strings.Split(c, "\n"); y < len(lines) {
				text = lines[y]
			}
			pad := strings.Repeat(" ", inner[i]-ansi.StringWidth(text))
			style := t.columns[i].style
			if head {
				style = styleBold
			} else if y > 0 && i > 0 {
				style = styleDim
			}
			text = paint(color, style, text)
			if t.columns[i].left {
				text += pad
			} else {
				text = pad + text
			}
			b.WriteString(bar + " " + text + " ")
		}
		b.WriteString(bar + "\n")
	}
}

// wrap breaks text at spaces into lines of at most width columns; a word that
// is longer is broken where the line is full.
func wrap(s string, width int) string {
	return ansi.Wrap(s, max(1, width), "")
}

// oneLine makes text fit for a cell: control characters, which could move the
// cursor or hide what follows, become spaces.
func oneLine(s string) string {
	return strings.Join(strings.Fields(strings.Map(func(c rune) rune {
		if c < 0x20 || c >= 0x7f && c < 0xa0 || c == 0x2028 || c == 0x2029 {
			return ' '
		}
		return c
	}, s)), " ")
}
