package cli

import (
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"headway/internal/fault"
)

// checked is a verb that lists what is wrong with its options without doing
// anything.
type checked interface{ Faults(a App) error }

// unreadable is the parser's error about the value of an option.
var unreadable = regexp.MustCompile(`^--(?:\[no-\])?([a-z0-9-]+)(?:=\S*)?(?:: | must be one of )`)

// everyFault is all that is wrong with a command line which the parser refuses.
// The parser stops at the first value that it cannot read, and what the verb
// checks is not come to. So each such option is put aside, wherever it was set,
// until the rest can be read, and the verb is asked for the faults of that.
// Those that name an option put aside are left out: they may come of that.
func (a App) everyFault(args []string, err error) error {
	// all was said when they were read first
	a.Stdout, a.Stderr, a.Notes = io.Discard, io.Discard, &Notes{W: io.Discard}
	a.aside = map[string]bool{}
	var bad fault.List
	for {
		m := unreadable.FindStringSubmatch(err.Error())
		if m == nil || a.aside[m[1]] {
			return a.join(bad, err)
		}
		bad = append(bad, err)
		a.aside[m[1]] = true
		var done bool
		parser, failed := a.Parser(&done)
		if failed != nil {
			return failed
		}
		args = without(parser.Model.Node, args, m[1])
		k, failed := parser.Parse(args)
		switch {
		case done:
			return bad.Usage()
		case failed != nil:
			err = suggest(failed, parser.Model.Node)
			continue
		}
		v, ok := k.Selected().Target.Addr().Interface().(checked)
		if !ok {
			return bad.Usage()
		}
		a.Given, a.Named = given(k)
		return a.join(bad, v.Faults(a))
	}
}

// join adds the faults in err that name no option which was put aside.
func (a App) join(bad fault.List, err error) error {
	if len(bad) == 0 {
		return err
	}
	if err != nil {
		for _, line := range strings.Split(fault.Named(err, FlagOf).Error(), "\n") {
			if !slices.ContainsFunc(optionsIn.FindAllString(line, -1), func(o string) bool { return a.aside[o[2:]] }) {
				bad.Add("%s", line)
			}
		}
	}
	return bad.Usage()
}

var optionsIn = regexp.MustCompile(`--[a-z0-9-]+`)

// without takes an option out of the arguments, by whichever of its names it
// stands there.
func without(root *kong.Node, args []string, name string) []string {
	list, rest := splitWords(root, args)
	node := root
	var kept []string
	for _, w := range list {
		called := w.name
		switch {
		case called == "" && !strings.HasPrefix(w.text, "-"):
			node = child(node, w.text)
		case called == "" && len(w.text) > 1:
			called = w.text[1:2]
		}
		if f := Option(node, called); called == "" || f == nil || f.Name != name {
			kept = append(kept, w.args()...)
		}
	}
	return append(kept, rest...)
}
