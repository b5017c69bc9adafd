package main

import (
	"slices"
	"testing"

	"github.com/alecthomas/kong"

	"headway/internal/cli"
)

// withoutFigures are the verbs that show none: servers, files that are text or
// pictures, lists of what was removed, and findings (which --format json gives).
var withoutFigures = []string{"plot", "doctor", "view", "sim serve", "completion", "man", "version", "profile cleanup",
	"calibrate-server"}

// quietless are the verbs whose whole output is the answer that was asked for, or
// which show no progress.
var quietless = []string{"profile query", "profile roofline", "trace analyze", "trace convert", "trace synthesize",
	"trace fit", "twin check"}

// Every verb that shows figures gives all of them to machines, and every one that
// takes its time can be quiet.
func TestVerbsWithFigures(t *testing.T) {
	var visit func(n *kong.Node, path string)
	visit = func(n *kong.Node, path string) {
		for _, c := range n.Children {
			visit(c, path+" "+c.Name)
		}
		if len(n.Children) > 0 || slices.Contains(withoutFigures, path[1:]) {
			return
		}
		if cli.Option(n, "json") == nil {
			t.Errorf("headway%s has no --json; a verb without figures belongs in withoutFigures", path)
		}
		if cli.Option(n, "quiet") == nil && !slices.Contains(quietless, path[1:]) {
			t.Errorf("headway%s has no --quiet", path)
		}
	}
	visit(grammar(t), "")
}
