package cli

import (
	"strings"

	"github.com/alecthomas/kong"

	"headway/internal/fault"
)

// OptionsIn reads options that stand in one text, such as "workers=2 max-num-seqs=64",
// into a group of them; words end at spaces, and their dashes may be left out: a value
// of an option does not begin with some.
func (a App) OptionsIn(text string, group any) error {
	parser, err := kong.New(group, append(a.decoders(), kong.Name("options"), kong.NoDefaultHelp(),
		kong.Exit(func(int) {}))...)
	if err != nil {
		return err
	}
	args := strings.Fields(text)
	for i, word := range args {
		args[i] = "--" + strings.TrimLeft(word, "-")
	}
	if _, err = parser.Parse(args); err != nil {
		return fault.New("the options %q: %w", text, err)
	}
	return nil
}

// CodeOf is the exit code of a decision on a comparison.
func CodeOf(missed, invalid, undecided bool) int {
	switch {
	case missed:
		return Missed
	case invalid:
		return Invalid
	case undecided:
		return Undecided
	}
	return Done
}
