package report

import (
	"fmt"
	"math"
	"strings"
)

// Rows adds a table without lines: rows of equal length under their titles, which
// are the first row, aligned to the right. Where it is wider than the page it goes
// on below itself, with the first keys columns repeated; nothing is left out.
func (d *Document) Rows(keys int, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	t := table{keys: keys, plain: true, rows: rows[1:]}
	for i, title := range rows[0] {
		t.columns = append(t.columns, column{title: title, left: i == 0 && title == ""})
	}
	d.table(t)
}

// Line adds a sentence that stays on one line; a dash before it makes it one about
// the sentence before.
func (d *Document) Line(format string, args ...any) { d.line("", fmt.Sprintf(format, args...)) }

// Block adds text whose lines and columns are its own.
func (d *Document) Block(text string) { d.add(piece{block: strings.TrimSuffix(text, "\n")}) }

// Gap leaves a line blank.
func (d *Document) Gap() { d.gap() }

// Append adds what stands in another document.
func (d *Document) Append(other *Document) { d.parts = append(d.parts, other.parts...) }

// Half is half of the interval where that lies evenly about the value, in the
// figure's unit; infinite where there is no interval.
func (e Figure) Half() float64 {
	if !finite(e.Low) || !finite(e.High) {
		return math.Inf(1)
	}
	return (e.High - e.Low) / 2
}

// Known says whether there is an interval.
func (e Figure) Known() bool { return !math.IsInf(e.Half(), 0) }

// Fixed is the value with so many digits behind the point.
func (e Figure) Fixed(digits int) string { return fmt.Sprintf("%.*f", digits, e.Value) }

// FixedHalf is half of the interval with so many digits behind the point, empty
// where there is none.
func (e Figure) FixedHalf(digits int) string {
	if !e.Known() {
		return ""
	}
	return fmt.Sprintf("%.*f", digits, e.Half())
}

// Within is the value in a format of package fmt, and after it half of the interval
// to two digits: "24.50 ±0.31", and without an interval "24.50".
func (e Figure) Within(format string) string {
	s := fmt.Sprintf(format, e.Value)
	if e.Known() {
		s += fmt.Sprintf(" ±%.2g", e.Half())
	}
	return s
}
