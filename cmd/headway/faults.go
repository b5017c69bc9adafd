package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// faultList gathers everything that is wrong with a configuration, so that it
// is mended in one go.
type faultList []error

func (f *faultList) add(format string, args ...any) { *f = append(*f, fmt.Errorf(format, args...)) }

func (f *faultList) positive(name string, x float64) {
	if !(x > 0) {
		f.add("--%s %g: must be above zero", name, x)
	}
}

func (f *faultList) notNegative(name string, x float64) {
	if !(x >= 0) {
		f.add("--%s %g: must not be negative", name, x)
	}
}

func (f *faultList) between(name string, x, low, high float64) {
	if !(x >= low && x <= high) {
		f.add("--%s %g: must lie from %g to %g", name, x, low, high)
	}
}

// connections refuses a load that needs more open files than this process may
// have: each open session is a connection, beside the few files of our own.
func (f *faultList) connections(name string, sessions int) {
	if limit, known := openFiles(); known && sessions > limit-spareFiles {
		f.add("--%s %d: this process may have %d files open and needs one for each session; raise it with ulimit -n %d",
			name, sessions, limit, sessions+spareFiles)
	}
}

// spareFiles is what a run needs beside its connections.
const spareFiles = 64

// usageError ends the program with exit code 2.
type usageError struct{ err error }

func (u usageError) Error() string { return u.err.Error() }
func (u usageError) Unwrap() error { return u.err }

// err joins the faults in a stable order; nil where there is none.
func (f faultList) err() error {
	if len(f) == 0 {
		return nil
	}
	slices.SortStableFunc(f, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return usageError{errors.Join(f...)}
}
