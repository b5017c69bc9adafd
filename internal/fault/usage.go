package fault

// UsageError is an error of what was asked for, found before anything was done.
type UsageError struct{ Err error }

// Usage is err as a [UsageError].
func Usage(err error) error { return UsageError{err} }

// Error is what is wrong.
func (u UsageError) Error() string { return u.Err.Error() }

// Unwrap is the cause.
func (u UsageError) Unwrap() error { return u.Err }

// Usage is Err as a [UsageError], nil where there is no fault.
func (l List) Usage() error {
	if len(l) == 0 {
		return nil
	}
	return Usage(l.Err())
}

// NotBuilt is the error of an option that is known and has no code yet.
type NotBuilt struct {
	What    string // is not built
	Instead string // what to do, may be empty
}

// Error says that it is not built and what to do.
func (n NotBuilt) Error() string {
	s := n.What + ": not built in headway yet"
	if n.Instead != "" {
		s += "; " + n.Instead
	}
	return s
}
