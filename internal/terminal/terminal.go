// Package terminal shows a benchmark on a terminal while it runs: progress,
// rates, running latencies, failures, the time left.
//
// Data flows one way. The caller hands over a function that says what the
// state is; [View] and [Line] turn a [State] into text and know no clock and
// no terminal; a [Display] asks for the state eight times a second and puts
// its View on the screen.
//
// The package measures nothing: what it shows comes from the generator and the
// metrics as they are, its only own figures are the share done and the time
// left. It takes no keys, catches no signals and changes no mode of the
// terminal, so Ctrl-C reaches the program's own handler, and a program that is
// killed at any moment leaves a terminal that can be used.
package terminal

import (
	"os"
	"strconv"

	"golang.org/x/term"
)

// plainWidth is the width assumed where it cannot be learned, in columns.
const plainWidth = 80

// IsTerminal says whether f is a terminal; false for nil.
func IsTerminal(f *os.File) bool {
	return f != nil && term.IsTerminal(int(f.Fd()))
}

// Columns is how wide text for people may be on f: the terminal's width where it
// tells; else what variable says, the value of the environment's COLUMNS; else 80
// on a terminal and 0, no bound, elsewhere.
func Columns(f *os.File, variable string) int {
	is := IsTerminal(f)
	if is {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	if n, err := strconv.Atoi(variable); err == nil && n > 0 {
		return n
	}
	if is {
		return plainWidth
	}
	return 0
}

// size is in columns and rows. Serial lines and some containers report 0 × 0;
// rows are then taken as those of the smallest common terminal.
func size(f *os.File) (columns, rows int) {
	if f != nil {
		columns, rows, _ = term.GetSize(int(f.Fd()))
	}
	if columns <= 0 {
		columns = plainWidth
	}
	if rows <= 0 {
		rows = 24
	}
	return columns, rows
}
