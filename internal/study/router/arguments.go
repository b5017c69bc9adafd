package router

import (
	"slices"
	"strings"
)

const ratios = "--prefix-ratios"

// Arguments spells the arguments of `router prefix-ratio` as the grammar has them:
// what Dynamo's script takes as several words (--prefix-ratios 0.1 0.5, --url A B)
// is a comma list, and an option for each address. The command has no arguments but
// options, so that no word is meant otherwise.
func Arguments(args []string) []string {
	if len(args) < 2 || args[0] != "router" || args[1] != "prefix-ratio" {
		return args
	}
	own := slices.Clone(args[:2])
	list, values := "", 0 // the option whose values follow each other, and how many did
	for i, arg := range args[2:] {
		switch {
		case arg == "--":
			return append(own, args[2+i:]...)
		case strings.HasPrefix(arg, "-"):
			list, values = listOption(arg), 0
		case values > 0 && list == ratios:
			own[len(own)-1] += "," + arg
			continue
		case values > 0:
			own = append(own, list)
		case list != "":
			values++
		}
		own = append(own, arg)
	}
	return own
}

// listOption is the option, where it is one that takes several words.
func listOption(arg string) string {
	if name := strings.ReplaceAll(arg, "_", "-"); name == ratios || name == "--url" {
		return name
	}
	return ""
}
