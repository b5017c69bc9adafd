package report

import (
	"fmt"
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
	plain   bool // without lines: see Document.Rows
	keys    int  // how many columns, from the first, name a row; 0 is one
	columns []column
	rows    [][]string
	// figures are those that cells show, for renderers that need no text.
	figures map[place]Figure
}

// place is where a cell is.
type place struct{ row, column int }

// shows notes the figure that a cell shows.
func (t *table) shows(row, column int, e Figure) {
	if t.figures == nil {
		t.figures = map[place]Figure{}
	}
	if !e.nothing() {
		t.figures[place{row, column}] = e
	}
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

// write draws the table no wider than width where that can be done without
// losing what must stay. Columns that may give way do so as long as the rest then
// fits into one table, and a line names them; where even what must stay does not
// fit, all columns follow in as many tables as it takes, the first ones repeated
// in each.
func (t table) write(b *strings.Builder, o ConsoleOptions) {
	if t.plain {
		t.writePlain(b, o)
		return
	}
	kept, left := t.fit(o.width())
	if sum(kept.widths()) <= o.width() {
		kept.render(b, o)
		if len(left) > 0 {
			text := fmt.Sprintf("Not shown in %d columns: %s; a wider terminal, or COLUMNS, shows them.", o.width(),
				strings.Join(left, ", "))
			b.WriteString(wrap(text, o.width()) + "\n")
		}
		return
	}
	for _, part := range t.split(o.width()) {
		part.render(b, o)
	}
}

// fit drops columns until the table is no wider than width or only those are
// left that must stay, and names what it dropped.
func (t table) fit(width int) (kept table, left []string) {
	gone := map[int]bool{}
	for kept = t; sum(kept.widths()) > width; kept = t.only(func(i int) bool { return !gone[i] }) {
		worst, drop := -1, 0
		for i, c := range t.columns {
			if c.drop > drop && !gone[i] {
				worst, drop = i, c.drop
			}
		}
		if worst < 0 {
			break
		}
		gone[worst] = true
	}
	for i, c := range t.columns {
		if gone[i] {
			left = append(left, strings.ReplaceAll(c.title, "\n", " "))
		}
	}
	return kept, left
}

// split gives tables of all columns, each with the keys and as many of the
// others as have room, at least one.
func (t table) split(width int) []table {
	keys := max(1, t.keys)
	widths := t.widths()
	frame := sum(widths[:keys])
	if !t.plain {
		frame++
	}
	var parts []table
	for from := keys; from < len(widths); {
		to, used := from, frame
		for to < len(widths) && (to == from || used+widths[to] <= width) {
			used += widths[to]
			to++
		}
		parts = append(parts, t.only(func(i int) bool { return i < keys || from <= i && i < to }))
		from = to
	}
	return parts
}

// only is the table of the columns that are kept.
func (t table) only(keep func(i int) bool) table {
	part := table{title: t.title, plain: t.plain, keys: t.keys, rows: make([][]string, len(t.rows))}
	for i, c := range t.columns {
		if !keep(i) {
			continue
		}
		part.columns = append(part.columns, c)
		for y, r := range t.rows {
			part.rows[y] = append(part.rows[y], r[i])
		}
	}
	return part
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
		if w[i] += 3; t.plain {
			w[i]-- // two blanks and no line
		}
	}
	if len(w) > 0 && !t.plain {
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

// render draws the table with lines around it, whatever its width: see write.
func (t table) render(b *strings.Builder, o ConsoleOptions) {
	widths, color := t.widths(), o.Color
	total := sum(widths)
	for line := range strings.SplitSeq(wrap(t.title, max(total, o.width())), "\n") {
		pad := strings.Repeat(" ", max(0, (total-ansi.StringWidth(line))/2))
		b.WriteString(pad + paint(color, styleBold, line) + "\n")
	}
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
// is longer is broken where the line is full. Hyphens are no place to break: an
// option in two pieces cannot be copied.
func wrap(s string, width int) string {
	const stays = "\u2011" // a hyphen that does not break
	s = ansi.Wrap(strings.ReplaceAll(s, "-", stays), max(1, width), "")
	return strings.ReplaceAll(s, stays, "-")
}
