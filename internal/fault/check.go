package fault

import "strings"

// Check adds a fault where a value is not as allowed, which says what is.
func (l *List) Check(ok bool, field Field, value any, allowed string) {
	l.When(!ok, "%s %v: must be %s", field, value, allowed)
}

// OneOf refuses a word that is not among those allowed.
func (l *List) OneOf(field Field, value string, allowed ...string) {
	for _, a := range allowed {
		if a == value {
			return
		}
	}
	l.Add("%s %q: must be %s", field, value, strings.Join(allowed, " or "))
}

// Positive refuses what is not above zero; not a number is not.
func (l *List) Positive(field Field, x float64) {
	l.When(!(x > 0), "%s %g: must be above zero", field, x)
}

// NotNegative refuses what is below zero, and not a number.
func (l *List) NotNegative(field Field, x float64) {
	l.When(!(x >= 0), "%s %g: must not be negative", field, x)
}

// Between refuses what is not from low to high, both included.
func (l *List) Between(field Field, x, low, high float64) {
	l.When(!(x >= low && x <= high), "%s %g: must lie from %g to %g", field, x, low, high)
}

// Idle refuses those of the fields, separated by blanks, that were given and do
// nothing while what they need is missing: a field, a fault, or words. What is
// measured would not be what was asked for.
func (l *List) Idle(given map[string]bool, missing bool, fields string, needs any) {
	for _, name := range strings.Fields(fields) {
		l.When(missing && given[name], "%s: has no effect without %s", Field(name), needs)
	}
}
