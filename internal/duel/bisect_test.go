package duel

import (
	"context"
	"slices"
	"testing"

	"headway/metric"
)

func TestRevisions(t *testing.T) {
	got, err := revisions(context.Background(), "a, b,c")
	if err != nil || !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{"a", "a,,b", ""} {
		if got, err := revisions(context.Background(), text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// A step that is not decided leaves those between open, and guesses nothing.
func TestSearchOpen(t *testing.T) {
	b := &Bisection{}
	err := b.search([]string{"a", "b", "c"}, func(rev string) (metric.Decision, error) {
		if rev == "c" {
			return metric.Missed, nil
		}
		return metric.NotDecided, nil
	})
	if err != nil || b.Bad != "" || !slices.Equal(b.Open, []string{"b", "c"}) {
		t.Errorf("%+v, %v", b, err)
	}
}
