package options

import (
	"slices"
	"testing"
	"time"
)

func TestDefaultNames(t *testing.T) {
	b := Bench{URLs: []string{"a", "b", "c"}}
	b.Defaults(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	want := []string{"run-20260102-030405", "run-20260102-030405-2", "run-20260102-030405-3"}
	if !slices.Equal(b.Names, want) {
		t.Errorf("names %q, want %q", b.Names, want)
	}
}
