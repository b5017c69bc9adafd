package interp

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"headway/internal/bound"
)

// ReadHalf reads named arrays from the results of Dynamo's profiler in dir. half
// is "prefill" or "decode": the arrays come from
// selected_<half>_interpolation/raw_data.npz or, where that is missing, from
// <half>_raw_data.json, a JSON object of lists in which a single number stands
// for a list of one. All of the arrays must be there. Where there is neither
// file the error is fs.ErrNotExist.
func ReadHalf(dir, half string, names ...string) (map[string][]float64, error) {
	file := filepath.Join("selected_"+half+"_interpolation", "raw_data.npz")
	data, err := bound.ReadFile(filepath.Join(dir, file), bound.Document, "the data")
	if errors.Is(err, fs.ErrNotExist) {
		alternative := half + "_raw_data.json"
		data, err = bound.ReadFile(filepath.Join(dir, alternative), bound.Document, "the data")
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is neither %s nor %s in %s: %w", file, alternative, dir, fs.ErrNotExist)
		}
		if err == nil {
			values, err := ParseLists(data, names...)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", alternative, err)
			}
			return values, nil
		}
	}
	if err != nil {
		return nil, err
	}
	arrays, err := ReadNPZ(data, names...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	values := map[string][]float64{}
	for name, a := range arrays {
		values[name] = a.Values
	}
	return values, nil
}

// ParseLists reads the named members of a JSON object, each a list of numbers
// or one number. All of them must be there; others are ignored.
func ParseLists(data []byte, names ...string) (map[string][]float64, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, err
	}
	values := map[string][]float64{}
	for _, name := range names {
		var list []float64
		var number float64
		switch {
		case raw[name] == nil:
			return nil, fmt.Errorf("no %s", name)
		case json.Unmarshal(raw[name], &number) == nil:
			list = []float64{number}
		default:
			if err := json.Unmarshal(raw[name], &list); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		values[name] = list
	}
	return values, nil
}
