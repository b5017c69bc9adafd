package workload

import (
	"fmt"
	"iter"
	"strings"
)

// eachCSV yields what parse makes of each row after the header. It gets the
// fields that the wanted header names, in its order; columns of the file may be
// in any order, and others are passed over. Fields hold no commas in the formats
// that are read.
func eachCSV(in *input, wanted string, parse func(fields []string) (Request, error)) iter.Seq2[conversation, error] {
	return func(yield func(conversation, error) bool) {
		var at []int
		for l, err := range in.lines() {
			if err != nil {
				yield(conversation{}, err)
				return
			}
			if at == nil {
				if at, err = columns(string(l.text), wanted); err != nil {
					yield(conversation{}, in.broken(l.number, err))
					return
				}
				continue
			}
			var r Request
			fields, err := pick(string(l.text), at)
			if err == nil {
				r, err = parse(fields)
			}
			if err != nil {
				if l.last {
					err = fmt.Errorf("%w (the last line, without a line end: half-written file?)", err)
				}
				err = in.at(l.number, err)
			}
			if !yield(conversation{turns: []turn{{l.number, r}}}, err) {
				return
			}
		}
	}
}

// columns finds the places of the names of the wanted header in one.
func columns(header, wanted string) ([]int, error) {
	var at []int
	names := strings.Split(strings.TrimSpace(header), ",")
	for _, want := range strings.Split(wanted, ",") {
		found := -1
		for j, name := range names {
			if strings.EqualFold(unquote(name), want) {
				found = j
			}
		}
		if found < 0 {
			return nil, fmt.Errorf("the header %.80q has no column %s", header, want)
		}
		at = append(at, found)
	}
	return at, nil
}

// pick returns the fields of a row at the places.
func pick(row string, at []int) ([]string, error) {
	all := strings.Split(row, ",")
	fields := make([]string, len(at))
	for i, c := range at {
		if c >= len(all) {
			return nil, fmt.Errorf("%d fields, fewer than the header has", len(all))
		}
		fields[i] = unquote(all[c])
	}
	return fields, nil
}

// unquote trims space and one pair of quotation marks.
func unquote(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}
