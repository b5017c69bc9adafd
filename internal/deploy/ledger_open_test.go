package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a search could not remove at its end is said, stays on the list, and goes
// when the next one begins; a state folder that cannot be is no reason to stop.
func TestOpenAndSettle(t *testing.T) {
	dir, results := t.TempDir(), t.TempDir()
	var said []string
	say := func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }
	fails := Removers{KindObject: func(context.Context, Entry) (bool, error) { return false, errors.New("not today") }}
	works := Removers{KindObject: func(context.Context, Entry) (bool, error) { return true, nil }}
	l, err := Open(t.Context(), dir, results, works, say)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Add(Entry{Kind: KindObject, Name: "mine", Namespace: "ns"}); err != nil {
		t.Fatal(err)
	}
	if err := l.Settle(fails); err == nil || !strings.Contains(err.Error(), "ns/mine") ||
		!strings.Contains(err.Error(), "may be left behind: not today") {
		t.Errorf("settled with %v", err)
	}
	if n, err := List(dir, say); n != 1 || err != nil || len(said) != 1 ||
		!strings.Contains(said[0], "left behind by process ") {
		t.Errorf("%d on the list, %v, said %q", n, err, said)
	}
	said = nil
	if l, err = Open(t.Context(), dir, results, works, say); err != nil || len(said) != 1 ||
		!strings.HasPrefix(said[0], "note: removed DynamoGraphDeployment ns/mine") {
		t.Errorf("the next search: %v, said %q", err, said)
	}
	if err := l.Settle(fails); err != nil {
		t.Error(err)
	}

	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{"", filepath.Join(file, "state")} {
		l, err := Open(t.Context(), state, results, works, func(string, ...any) {})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(l.path, results) {
			t.Errorf("the list is %s, not with the results", l.path)
		}
		if err := l.Settle(works); err != nil {
			t.Error(err)
		}
	}
}

func TestStateDir(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"XDG_STATE_HOME": "/s", "HOME": "/h"}, "/s/headway"},
		{map[string]string{"HOME": "/h"}, "/h/.local/state/headway"},
		{nil, ""},
	} {
		if got := StateDir(func(name string) string { return c.env[name] }); filepath.ToSlash(got) != c.want {
			t.Errorf("%v: %q, want %q", c.env, got, c.want)
		}
	}
}
