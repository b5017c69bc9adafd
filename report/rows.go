package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// WriteRows writes a table without lines; see [Document.Rows].
func WriteRows(w io.Writer, o ConsoleOptions, keys int, rows [][]string) error {
	var d Document
	d.Rows(keys, rows)
	return d.Write(w, o)
}

// writePlain draws a table without lines in as many parts as it takes.
func (t table) writePlain(b *strings.Builder, o ConsoleOptions) {
	for i, part := range t.split(o.width()) {
		if i > 0 {
			b.WriteByte('\n')
		}
		part.plainText(b)
	}
}

// plainText writes the titles and the rows.
func (t table) plainText(b *strings.Builder) {
	widths := t.widths()
	var titles []string
	for _, c := range t.columns {
		titles = append(titles, c.title)
	}
	for _, row := range append([][]string{titles}, t.rows...) {
		line := ""
		for i, cell := range row {
			pad := strings.Repeat(" ", max(0, widths[i]-ansi.StringWidth(cell)))
			if t.columns[i].left {
				line += cell + pad
			} else {
				line += pad + cell
			}
		}
		fmt.Fprintln(b, strings.TrimRight(line, " "))
	}
}
