// Package settings compares what two calls were asked for, so that one goes on
// with the results of another only where both would have measured the same.
//
// It knows no option: whoever measures says by name what has to be equal. A name
// in lower case is that of an option, any other a fact that follows from several.
package settings

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Settings are values by name, as text.
type Settings map[string]string

// ErrChanged says that two calls were asked for different things.
var ErrChanged = errors.New("other settings")

// Error is an [ErrChanged] with what changed.
type Error struct {
	Where   string   // what was measured with other settings
	Changed []string // a sentence each
}

// Error lists them.
func (e *Error) Error() string {
	return fmt.Sprintf("%s was begun with other settings: %s; repeat the call that began it, choose another folder, "+
		"or begin anew with --overwrite", e.Where, strings.Join(e.Changed, "; "))
}

// Unwrap makes it an ErrChanged.
func (e *Error) Unwrap() error { return ErrChanged }

// Compare is the error of going on with results in where that were made with
// the settings before: an *Error that names every option that changed.
func Compare(where string, before, now Settings) error {
	names := slices.Collect(maps.Keys(before))
	if len(before) > 0 && !slices.ContainsFunc(names, func(n string) bool { _, both := now[n]; return both }) {
		return &Error{where, []string{"they were kept by another version of headway, under names that do not compare"}}
	}
	var changed []string
	names = slices.AppendSeq(names, maps.Keys(now))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if was, is := before[name], now[name]; was != is && !(none(was) && none(is)) {
			changed = append(changed, fmt.Sprintf("%s was %s and is %s", called(name), words(was), words(is)))
		}
	}
	if len(changed) == 0 {
		return nil
	}
	return &Error{where, changed}
}

// words is a value for people.
func words(v string) string {
	if v != "false" && none(v) {
		return "not set"
	}
	return v
}

// none says that a value is as if the option was not there: nothing, false, an
// empty list or null.
func none(v string) bool {
	switch v {
	case "", "false", "null", "[]", "{}":
		return true
	}
	return false
}

func called(name string) string {
	if strings.ToLower(name) != name || strings.Contains(name, " ") {
		return name
	}
	return "--" + name
}

// Read takes settings from JSON: an object whose values are taken as text, but
// for objects, of which the entries are taken.
func Read(raw json.RawMessage) (Settings, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("reading settings: %w", err)
	}
	s := Settings{}
	for name, v := range all {
		if inner, err := Read(v); err == nil && len(inner) > 0 {
			maps.Copy(s, inner)
			continue
		}
		var text string
		if json.Unmarshal(v, &text) != nil {
			text = string(v)
		}
		s[name] = text
	}
	return s, nil
}
