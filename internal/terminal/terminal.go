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

	"golang.org/x/term"
)

// plainWidth is the width assumed where it cannot be learned, in columns.
const plainWidth = 80

// IsTerminal says whether f is a terminal; false for nil.
func IsTerminal(f *os.File) bool {
	return f != nil && term.IsTerminal(int(f.Fd()))
}

// Width is the number of columns of the terminal f, 80 where f is not one or
// does not tell.
func Width(f *os.File) int {
	width, _ := size(f)
	return width
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
