package cli

import (
	"bytes"
	"testing"

	"headway/internal/fault"
)

// Both ways of noting call options as they are typed, and what was said is not said again.
func TestNotesNameOptions(t *testing.T) {
	var out bytes.Buffer
	n := &Notes{W: &out}
	n.print("note: %v", fault.New("%s is idle", fault.Field("isl")))
	for range 2 {
		n.Once("note: %v", fault.New("%s is idle", fault.Field("osl")))
	}
	if want := "note: --isl is idle\nnote: --osl is idle\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
