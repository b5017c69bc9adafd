package report

import (
	"fmt"
	"io"
	"strings"
)

// Document is a result as people read it: tables and sentences in their order.
// A builder ([OfRun], [OfLevels], [OfComparison], …) says what stands in it, a
// renderer how: a new result is a builder and no renderer.
type Document struct {
	parts   []piece
	secrets Redactor
}

// piece is a part of a Document; exactly one of table, text and block is set, or
// none for a blank line.
type piece struct {
	// table is made for a width in columns, since long names and messages give
	// way to figures.
	table func(width int) table
	// text is a sentence, in a style of the terminal, of at most so many lines
	// there (0: all). One that is whole is not wrapped.
	text, style string
	lines       int
	whole       bool
	// block has lines and columns of its own.
	block string
}

func (d *Document) add(p piece) { d.parts = append(d.parts, p) }

// gap leaves a line blank.
func (d *Document) gap() { d.add(piece{}) }

func (d *Document) table(t table) { d.add(piece{table: func(int) table { return t }}) }

// text adds a sentence.
func (d *Document) text(style, s string) { d.add(piece{text: s, style: style}) }

// line adds a sentence that stays on one line.
func (d *Document) line(style, s string) { d.add(piece{text: s, style: style, whole: true}) }

// AddLine adds a sentence that stays on one line of the terminal, whatever its width.
func (d *Document) AddLine(format string, args ...any) { d.line("", fmt.Sprintf(format, args...)) }

// AddGap leaves a line blank.
func (d *Document) AddGap() { d.gap() }

// Write renders the document: for a terminal, as Markdown, or as JSON.
func (d *Document) Write(w io.Writer, o ConsoleOptions) error {
	var b strings.Builder
	switch {
	case o.JSON:
		return WriteIndented(w, d)
	case o.Markdown:
		d.markdown(&b)
		_, err := io.WriteString(w, b.String())
		return err
	}
	d.terminal(&b, o)
	_, err := io.WriteString(w, d.secrets.Text(b.String()))
	return err
}

func (d *Document) terminal(b *strings.Builder, o ConsoleOptions) {
	for _, p := range d.parts {
		switch {
		case p.table != nil:
			p.table(o.width()).write(b, o)
		case p.text != "":
			text := p.text
			if !p.whole {
				text = wrap(text, o.width())
			}
			if p.lines > 0 {
				text = shorten(text, p.lines)
			}
			b.WriteString(paint(o.Color, p.style, text) + "\n")
		default:
			b.WriteString(p.block + "\n")
		}
	}
}
