package manual

import "testing"

// What bytes beyond ASCII mean to roff depends on its options.
func TestRoffIsASCII(t *testing.T) {
	if got, want := roff("ISL…OSL ± é"), `ISL\[u2026]OSL \[u00B1] \[u00E9]`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
