package report

import "testing"

// Of values that are all alike rounding leaves an interval that is a hair wide, or less
// than none.
func TestIntervalOfOneValue(t *testing.T) {
	for _, off := range []float64{0, 1e-15, -1e-15} {
		if got := (Figure{Value: 10, Low: 10 - off, High: 10 + off}).cell(); got != "10.0\n±0.00" {
			t.Errorf("%g off: %q", off, got)
		}
	}
}
