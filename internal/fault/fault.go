// Package fault gathers what is wrong with a configuration, so that all of it is
// mended in one go, in an order that does not depend on maps.
//
// A package that checks its configuration speaks of fields. Whoever filled the
// fields in has names of its own for them: the command line calls the field
// max-kv-tokens --max-kv-tokens, a form on a page has a label. [Named] puts such
// names into an error, also into one that wraps faults or joins them.
//
// The package decides nothing: whether a fault ends the program, and with which
// exit code, is for the caller to say.
package fault

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Field is a field of a configuration by the name of its option, without dashes.
// Among the arguments of [List.Add] and [New] it becomes the name that the reader
// knows; print it with %s or %v.
type Field string

// Fault is something that is wrong with fields.
type Fault struct {
	format string
	args   []any
}

// New is a single fault. The format is that of [fmt.Errorf], with %w for a cause.
func New(format string, args ...any) error { return &Fault{format, args} }

// Error is the fault with fields by their own names.
func (f *Fault) Error() string { return f.error(nil).Error() }

// Unwrap is the cause, that of %w: of several they are joined, and nil of none. It
// is no list, since who takes joined errors apart would lose the fault's own words.
func (f *Fault) Unwrap() error {
	switch e := f.error(nil).(type) {
	case interface{ Unwrap() error }:
		return e.Unwrap()
	case interface{ Unwrap() []error }:
		return errors.Join(e.Unwrap()...)
	}
	return nil
}

// error is the fault with the fields by the names that they are given; nil leaves
// them their own.
func (f *Fault) error(name func(Field) string) error {
	args := slices.Clone(f.args)
	for i, a := range args {
		switch a := a.(type) {
		case Field:
			if name != nil {
				args[i] = name(a)
			}
		case error:
			if name != nil {
				args[i] = Named(a, name)
			}
		}
	}
	return fmt.Errorf(f.format, args...)
}

// named is an error with another text.
type named struct {
	error
	text string
}

func (n named) Error() string { return n.text }
func (n named) Unwrap() error { return n.error }

// Named is the error with every field in its faults called by another name,
// however often they are wrapped or joined, as long as what wraps them quotes
// them. What the error is remains, for [errors.Is] and [errors.As].
func Named(err error, name func(Field) string) error {
	if err == nil {
		return nil
	}
	if text := rename(err, name); text != err.Error() {
		return named{err, text}
	}
	return err
}

func rename(err error, name func(Field) string) string {
	text := err.Error()
	switch e := err.(type) {
	case named:
		return text
	case *Fault:
		return e.error(name).Error()
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return strings.Replace(text, inner.Error(), rename(inner, name), 1)
		}
	case interface{ Unwrap() []error }:
		return renameAll(text, e.Unwrap(), name)
	}
	return text
}

// renameAll takes the errors in the order in which the text quotes them, so that
// none is found within another.
func renameAll(text string, list []error, name func(Field) string) string {
	var done strings.Builder
	for _, inner := range list {
		before, after, found := strings.Cut(text, inner.Error())
		if found {
			done.WriteString(before + rename(inner, name))
			text = after
		}
	}
	return done.String() + text
}

// Text is a text about fields by the names that they are given; nil leaves them
// their own.
func Text(name func(Field) string, format string, args ...any) string {
	return (&Fault{format, args}).error(name).Error()
}

// List gathers the faults of one configuration. The zero value is empty.
type List []error

// Add adds a fault; the format is that of [New].
func (l *List) Add(format string, args ...any) { *l = append(*l, New(format, args...)) }

// When adds a fault where something is broken.
func (l *List) When(broken bool, format string, args ...any) {
	if broken {
		l.Add(format, args...)
	}
}

// Join adds the single errors of one that joins several, and nothing for nil.
func (l *List) Join(errs ...error) {
	for _, err := range errs {
		if many, ok := err.(interface{ Unwrap() []error }); ok && isJoined(err) {
			l.Join(many.Unwrap()...)
		} else if err != nil {
			*l = append(*l, err)
		}
	}
}

// isJoined says whether an error is its parts and nothing else, as that of
// [errors.Join] is.
func isJoined(err error) bool {
	var lines []string
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
		lines = append(lines, e.Error())
	}
	return len(lines) > 0 && strings.Join(lines, "\n") == err.Error()
}

// Err joins the faults in a stable order, that of their texts; nil where there is
// none.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	sorted := slices.Clone(l)
	slices.SortStableFunc(sorted, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(sorted...)
}
