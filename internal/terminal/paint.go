package terminal

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"headway/internal/plain"
)

// paint styles text, or leaves it as it is where it is false. The colours are
// of the terminal's own sixteen, which its user has made legible on its
// background.
type paint bool

func (p paint) as(s ansi.Style, text string) string {
	if !p || text == "" {
		return text
	}
	return s.Styled(text)
}

func (p paint) strong(text string) string { return p.as(ansi.NewStyle().Bold(), text) }
func (p paint) weak(text string) string   { return p.as(ansi.NewStyle().Faint(), text) }
func (p paint) accent(text string) string {
	return p.as(ansi.NewStyle().ForegroundColor(ansi.Cyan), text)
}
func (p paint) warn(text string) string {
	return p.as(ansi.NewStyle().ForegroundColor(ansi.Yellow), text)
}

// bad is a count of something that should not be: red where it is.
func (p paint) bad(n int64, what string) string {
	text := grouped(n) + " " + what
	if n > 0 {
		return p.as(ansi.NewStyle().Bold().ForegroundColor(ansi.Red), text)
	}
	return text
}

// label is the word before a line's figures, of labelWidth columns.
func (p paint) label(word string) string {
	return p.weak(pad(ansi.Truncate(clean(word), labelWidth-1, "…"), labelWidth))
}

func (p paint) cell(label, text string) string { return p.label(label) + text }

// shorten cuts text in the middle: a title begins with the name of the run and
// ends with its number, and what is between can best be missed.
func shorten(text string, width int) string {
	over := ansi.StringWidth(text) - width
	if over <= 0 || width < minBar {
		return text
	}
	head := ansi.Truncate(text, width/3, "")
	tail := ansi.TruncateLeft(text, ansi.StringWidth(head)+over+1, "")
	return head + "…" + tail
}

// beside puts two cells on one line, the second in the middle of it.
func beside(left, right string, width int) string {
	half := width / 2
	return pad(ansi.Truncate(left, half-1, "…"), half) + right
}

// pad fills text with spaces up to width columns.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-ansi.StringWidth(text)))
}

// clean makes one line of plain text of what may come from outside, such as a
// server's message: a sequence that moves the cursor would break the display.
func clean(text string) string { return plain.Line(ansi.Strip(text)) }
