package dgdr

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"headway/internal/config"
	"headway/internal/fault"
)

// fields reads the fields of one object of a request. What it is asked for is what
// the object may have; done refuses the rest. A field that is null counts as not
// given, as the API server has it.
type fields struct {
	path  string // "spec.sla"
	given map[string]any
	known map[string]bool
	bad   *fault.List
	// spelled gives a key of the object the name it is asked for; nil leaves it.
	spelled func(string) string
}

func newFields(path string, given map[string]any, bad *fault.List) *fields {
	return &fields{path: path, given: given, known: map[string]bool{}, bad: bad}
}

// at is the path of a field.
func (f *fields) at(key string) string {
	if f.path == "" {
		return key
	}
	return f.path + "." + key
}

// where is the path of a field as it is spelled there.
func (f *fields) where(name string) string {
	key, _ := f.take(name)
	return f.at(key)
}

// take is a field's value, and the key under which it stands.
func (f *fields) take(name string) (key string, v any) {
	f.known[name] = true
	for _, k := range slices.Sorted(maps.Keys(f.given)) {
		if f.name(k) == name && f.given[k] != nil {
			return k, f.given[k]
		}
	}
	if f.spelled != nil {
		return camel(name), nil
	}
	return name, nil
}

func (f *fields) name(key string) string {
	if f.spelled == nil {
		return key
	}
	return f.spelled(key)
}

// has says that a field is given.
func (f *fields) has(name string) bool {
	_, v := f.take(name)
	return v != nil
}

// wrong says that a value has another type than it must.
func (f *fields) wrong(key string, v any, want string) {
	f.bad.Add("%s: %s is %s, and has to be %s", f.at(key), shown(v), typeOf(v), want)
}

// text is a field that is text; "" where it is not given.
func (f *fields) text(name string) string {
	key, v := f.take(name)
	s, is := v.(string)
	switch {
	case v == nil:
	case !is:
		f.wrong(key, v, "text")
	case strings.TrimSpace(s) == "":
		f.bad.Add("%s: is empty: leave it out, or give it a value", f.at(key))
	}
	return s
}

// oneOf is a field with a value among some; "" where it is not given.
func (f *fields) oneOf(name string, allowed ...string) string {
	s := f.text(name)
	if s != "" && !slices.Contains(allowed, s) {
		key, _ := f.take(name)
		f.bad.Add("%s: %q is not one of %s", f.at(key), s, strings.Join(allowed, ", "))
		return ""
	}
	return s
}

// truth is a field that is true or false.
func (f *fields) truth(name string) (value, given bool) {
	key, v := f.take(name)
	b, is := v.(bool)
	if v != nil && !is {
		f.wrong(key, v, "true or false")
	}
	return b, is
}

// mostNumber bounds what a number may be: in milliseconds some 30 years.
const mostNumber = 1e12

// number is a field above 0 and up to mostNumber, in a unit.
func (f *fields) number(name, unit string) (x float64, given bool) {
	key, v := f.take(name)
	switch n := v.(type) {
	case nil:
		return 0, false
	case int64:
		x = float64(n)
	case float64:
		x = n
	default:
		f.wrong(key, v, "a number, in "+unit+" and without a unit")
		return 0, false
	}
	if !(x > 0 && x <= mostNumber) {
		f.bad.Add("%s: %s must be above 0, and %g at most", f.at(key), shown(v), mostNumber)
		return 0, false
	}
	return x, true
}

// whole is a field that is a whole number of 32 bits, from least on.
func (f *fields) whole(name string, least int) (n int, given bool) {
	key, v := f.take(name)
	if v == nil {
		return 0, false
	}
	x, is := v.(int64)
	if y, decimal := v.(float64); decimal && y == math.Trunc(y) && math.Abs(y) < 1<<53 {
		x, is = int64(y), true
	}
	switch {
	case !is:
		f.wrong(key, v, "a whole number")
	case x < int64(least) || x > math.MaxInt32:
		f.bad.Add("%s: %d must be from %d to %d", f.at(key), x, least, math.MaxInt32)
		is = false
	}
	return int(x), is
}

// object is a field that has fields; nil where it is not given.
func (f *fields) object(name string) *fields {
	m := f.raw(name)
	if m == nil {
		return nil
	}
	key, _ := f.take(name)
	inner := newFields(f.at(key), m, f.bad)
	inner.spelled = f.spelled
	return inner
}

// raw is a field that is an object, as it stands.
func (f *fields) raw(name string) map[string]any {
	key, v := f.take(name)
	m, is := v.(map[string]any)
	if v != nil && !is {
		f.wrong(key, v, "an object with fields")
	}
	return m
}

// list is a field that is a list, as it stands.
func (f *fields) list(name string) []any {
	key, v := f.take(name)
	l, is := v.([]any)
	if v != nil && !is {
		f.wrong(key, v, "a list")
	}
	return l
}

// done refuses what was not asked for.
func (f *fields) done() {
	known := slices.Sorted(maps.Keys(f.known))
	first := map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(f.given)) {
		name := f.name(k)
		if other, twice := first[name]; twice {
			f.bad.Add("%s: is the same field as %s: give it once", f.at(k), f.at(other))
		}
		first[name] = k
		if f.known[name] {
			continue
		}
		meant := ""
		if near := config.Nearest(name, known); near != "" {
			meant = "; did you mean " + near + "?"
		}
		f.bad.Add("%s: there is no such field%s", f.at(k), meant)
	}
}

// shown is a value in a message.
func shown(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("%q", v)
	case map[string]any, []any:
		return "the value"
	}
	return fmt.Sprint(v)
}

func typeOf(v any) string {
	switch v.(type) {
	case string:
		return "text"
	case bool:
		return "true or false"
	case int64, float64:
		return "a number"
	case []any:
		return "a list"
	}
	return "an object"
}
