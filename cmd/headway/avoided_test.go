package main

import (
	"os"
	"strings"
	"testing"
)

// Every defect that a result names is explained where the list says, once.
func TestAvoidedDefectsAreDocumented(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range []struct {
		page string
		list []string
	}{{"profiling.md", sweepAvoided()}, {"sla.md", searchAvoided()}, {"kubernetes.md", append(configAvoided(), clusterAvoided()...)}} {
		page, err := os.ReadFile("../../docs/" + c.page)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range c.list {
			name, _, ok := strings.Cut(line, ": ")
			if !ok || seen[name] || strings.Count(string(page), "\n- `"+name+"`: ") != 1 {
				t.Errorf("%q: not a name of its own that docs/%s explains once", line, c.page)
			}
			seen[name] = true
		}
		if got := strings.Count(string(page), "\n- `"); got < len(c.list) {
			t.Errorf("docs/%s: %d lines for %d names", c.page, got, len(c.list))
		}
	}
}
