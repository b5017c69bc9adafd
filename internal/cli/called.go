package cli

import (
	"reflect"
	"strings"
)

// called is a grammar in which only the command that the arguments call has its options
// and commands; of the others it has the names. It is nil where no command is called.
//
// Nearly all of a grammar are options of other commands, and to build those takes several
// times as long as what many commands do. Which words are values of options takes the
// grammar to tell, so this is a guess: what was parsed with it counts only where it ended
// at the command that was kept ([App.readCalled]).
func called(grammar any, args []string) any {
	t, ok := keep(reflect.TypeOf(grammar).Elem(), args)
	if !ok {
		return nil
	}
	return reflect.New(t).Interface()
}

// keep is a struct of commands without what is below those that the words do not call.
func keep(t reflect.Type, words []string) (reflect.Type, bool) {
	for i, w := range words {
		at := commandAt(t, w)
		if at < 0 {
			continue
		}
		fields := make([]reflect.StructField, t.NumField())
		for j := range fields {
			fields[j] = t.Field(j)
			if j != at && isCommand(fields[j]) {
				fields[j].Type = reflect.TypeFor[struct{}]()
			}
		}
		if below, ok := keep(fields[at].Type, words[i+1:]); ok {
			fields[at].Type = below
		}
		return reflect.StructOf(fields), true
	}
	return nil, false
}

// commandAt is which field of a struct of commands is the one of that name, -1 for none.
func commandAt(t reflect.Type, name string) int {
	name = strings.ReplaceAll(name, "-", "")
	for i := range t.NumField() {
		if f := t.Field(i); isCommand(f) && strings.EqualFold(nameIn(f), name) {
			return i
		}
	}
	return -1
}

// nameIn is the name of a command, without hyphens.
func nameIn(f reflect.StructField) string {
	if name := f.Tag.Get("name"); name != "" {
		return strings.ReplaceAll(name, "-", "")
	}
	return f.Name
}

func isCommand(f reflect.StructField) bool {
	_, ok := f.Tag.Lookup("cmd")
	return ok
}
