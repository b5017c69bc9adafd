package router

import (
	"strings"
	"testing"
)

func TestArguments(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"run --url a b", "run --url a b"},
		{"router prefix-ratio --prefix-ratios 0.1 0.5 0.9 --isl 3",
			"router prefix-ratio --prefix-ratios 0.1,0.5,0.9 --isl 3"},
		{"router prefix-ratio --prefix_ratios 0.1,0.2 --url a b c",
			"router prefix-ratio --prefix_ratios 0.1,0.2 --url a --url b --url c"},
		{"router prefix-ratio --url=a --isl 3 4", "router prefix-ratio --url=a --isl 3 4"},
		{"router prefix-ratio --url a -- --url b c", "router prefix-ratio --url a -- --url b c"},
		{"router prefix-ratio --url", "router prefix-ratio --url"},
	} {
		if got := strings.Join(Arguments(strings.Fields(c.in)), " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.in, got, c.want)
		}
	}
}
