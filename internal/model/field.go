package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
)

// largestCount bounds every integer of a configuration: beyond it a value is
// not the size of anything.
const largestCount = 1 << 31

// fields is one JSON object, read by several names for one thing. The first
// fault of each read is kept, so that all of them are reported together.
type fields struct {
	values map[string]json.RawMessage
	faults []error
}

func decodeFields(raw json.RawMessage) (fields, error) {
	var f fields
	if len(raw) == 0 {
		return f, nil
	}
	if err := json.Unmarshal(raw, &f.values); err != nil {
		return fields{}, fmt.Errorf("not a JSON object: %w", err)
	}
	return f, nil
}

func (f *fields) err() error { return errors.Join(f.faults...) }

func (f *fields) fault(format string, args ...any) {
	f.faults = append(f.faults, fmt.Errorf(format, args...))
}

// find gives the first of the names that is there and not null.
func (f *fields) find(names ...string) (string, json.RawMessage) {
	for _, name := range names {
		if raw, ok := f.values[name]; ok && string(raw) != "null" {
			return name, raw
		}
	}
	return "", nil
}

func (f *fields) has(names ...string) bool {
	_, raw := f.find(names...)
	return raw != nil
}

// count is a whole number of at least 0; 0 when none of the names is there.
func (f *fields) count(names ...string) int {
	name, raw := f.find(names...)
	if raw == nil {
		return 0
	}
	var v float64
	if err := json.Unmarshal(raw, &v); err != nil || v != math.Trunc(v) || v < 0 || v > largestCount {
		f.fault("%s is %s: must be a whole number from 0 to %d", name, short(raw), int64(largestCount))
		return 0
	}
	return int(v)
}

// positive is a whole number of at least 1, and a fault that names the first
// name when none is there.
func (f *fields) positive(what string, names ...string) int {
	if !f.has(names...) {
		f.fault("%s is missing (%s)", names[0], what)
		return 0
	}
	faults := len(f.faults)
	v := f.count(names...)
	if v == 0 && len(f.faults) == faults {
		name, _ := f.find(names...)
		f.fault("%s is 0: must be at least 1 (%s)", name, what)
	}
	return v
}

// numbers is a list of whole numbers, or a single one as a list; negative ones,
// which mean "the whole channel", are 0.
func (f *fields) numbers(names ...string) []int {
	name, raw := f.find(names...)
	if raw == nil {
		return nil
	}
	var many []float64
	if json.Unmarshal(raw, &many) != nil {
		many = make([]float64, 1)
		if json.Unmarshal(raw, &many[0]) != nil {
			f.fault("%s is %s: must be a number or a list of them", name, short(raw))
			return nil
		}
	}
	list := make([]int, len(many))
	for i, v := range many {
		if v != math.Trunc(v) || v > largestCount {
			f.fault("%s is %s: must be whole numbers up to %d", name, short(raw), int64(largestCount))
			return nil
		}
		list[i] = max(int(max(v, -1)), 0)
	}
	return list
}

// largest is the largest of a number or a list of numbers, 0 when there is none.
func (f *fields) largest(names ...string) int {
	return slices.Max(append(f.numbers(names...), 0))
}

// indices is a list of layers; unlike numbers it is never a single one.
func (f *fields) indices(name string) []int {
	_, raw := f.find(name)
	if len(raw) > 0 && raw[0] != '[' {
		f.fault("%s is %s: must be a list of layers", name, short(raw))
		return nil
	}
	return f.numbers(name)
}

// text is a string; empty when there is none or it is not one.
func (f *fields) text(names ...string) string {
	_, raw := f.find(names...)
	var s string
	if raw == nil || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// texts is a list of strings.
func (f *fields) texts(names ...string) []string {
	_, raw := f.find(names...)
	var s []string
	if raw == nil || json.Unmarshal(raw, &s) != nil {
		return nil
	}
	return s
}

// flag is a boolean, false unless it is there and true.
func (f *fields) flag(names ...string) bool {
	_, raw := f.find(names...)
	return string(raw) == "true"
}

// short is what an error shows of a value.
func short(raw json.RawMessage) string {
	if len(raw) > 40 {
		return string(raw[:40]) + "…"
	}
	return string(raw)
}
