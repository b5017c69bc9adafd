package workload

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// MostUnknown is how many names of unknown fields a [Dataset] keeps: a file whose
// names are made up must not fill the memory.
const MostUnknown = 100

// fieldsOf are the names that encoding/json looks for in a struct.
func fieldsOf(row any) []string {
	t := reflect.TypeOf(row)
	names := make([]string, t.NumField())
	for i := range names {
		names[i], _, _ = strings.Cut(t.Field(i).Tag.Get("json"), ",")
	}
	return names
}

// decode reads an object and counts the fields that are not among those known.
func (in *input) decode(text []byte, row any, known []string) error {
	if err := json.Unmarshal(text, row); err != nil {
		return err
	}
	members(text, func(quoted []byte) {
		name := string(quoted[1 : len(quoted)-1])
		if strings.Contains(name, `\`) {
			_ = json.Unmarshal(quoted, &name) // it is valid: the whole was read
		}
		// encoding/json takes any case of letters.
		if !slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, name) }) {
			in.count(name)
		}
	})
	return nil
}

func (in *input) count(name string) {
	if in.unknown == nil {
		in.unknown = map[string]int{}
	}
	if _, there := in.unknown[name]; there || len(in.unknown) < MostUnknown {
		in.unknown[name]++
	}
}

// members calls f with the name of every member of an object, in its quotes. The
// text must be valid JSON, so that a byte tells what begins; a second decoding of
// every row would take as long as the first.
func members(object []byte, f func(quoted []byte)) {
	depth, name := 0, false
	for i := 0; i < len(object); i++ {
		switch object[i] {
		case '{', '[':
			depth++
			name = depth == 1
		case '}', ']':
			depth--
		case ',':
			name = depth == 1
		case '"':
			end := stringEnd(object, i)
			if name {
				f(object[i:end])
			}
			name = false
			i = end - 1
		}
	}
}

// stringEnd is the index after the string that begins at from.
func stringEnd(text []byte, from int) int {
	for i := from + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// UnknownFields says which fields of the rows are not read; "" where all are.
func (d *Dataset) UnknownFields() string {
	if len(d.Unknown) == 0 {
		return ""
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(d.Unknown)) {
		rows := "rows"
		if d.Unknown[name] == 1 {
			rows = "row"
		}
		list = append(list, fmt.Sprintf("%.60q (%d %s)", name, d.Unknown[name], rows))
	}
	more := ""
	if shown := 10; len(list) > shown {
		more = fmt.Sprintf(" and %d more", len(list)-shown)
		list = list[:shown]
	}
	return fmt.Sprintf("%s has fields that headway does not read, so no request carries them: %s%s; what belongs "+
		"into the request's body goes into extra", d.Name, strings.Join(list, ", "), more)
}
