package options

import (
	"fmt"
	"slices"
	"strings"

	"headway/internal/fault"
)

// Floats is a list of numbers: "0.1,0.5" or "0.1 0.5".
type Floats []float64

// UnmarshalText reads numbers separated by commas or blanks.
func (l *Floats) UnmarshalText(b []byte) error {
	*l = nil
	for _, f := range strings.FieldsFunc(string(b), func(r rune) bool { return r == ',' || r == ' ' }) {
		var o One[float64]
		if err := o.UnmarshalText([]byte(f)); err != nil {
			return err
		}
		*l = append(*l, o.Value)
	}
	if len(*l) == 0 {
		return fmt.Errorf("no number given; lists look like 0.25,0.5,1")
	}
	return nil
}

// distinct reports a value that a list has twice, since its results would have
// the same place.
func (l Floats) distinct(bad *fault.List, field fault.Field) {
	for i, x := range l {
		bad.When(slices.Contains(l[:i], x), "%s: %g is given twice", field, x)
	}
}
