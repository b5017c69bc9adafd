package deploy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLedgerKeepsWhatIsLeft(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "state")
	l, err := OpenLedger(dir)
	if err != nil {
		t.Fatal(err)
	}
	one, err := l.Add(Entry{Kind: KindObject, Name: "one"})
	if err != nil {
		t.Fatal(err)
	}
	two, err := l.Add(Entry{Kind: KindObject, Name: "two"})
	if err != nil {
		t.Fatal(err)
	}
	two.UID = "u"
	if err := errors.Join(l.Update(two), l.Gone(one)); err != nil {
		t.Fatal(err)
	}
	// A live process's list is not touched.
	never := map[string]Remover{KindObject: func(context.Context, Entry) (bool,
		error) {
		t.Error("it was removed")
		return false, nil
	}}
	if swept, err := Sweep(t.Context(), dir, never); len(swept) != 0 || err != nil {
		t.Errorf("swept %v: %v", swept, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	fails := map[string]Remover{KindObject: func(context.Context, Entry) (bool, error) {
		return true,
			errors.New("not today")
	}}
	swept, err := Sweep(t.Context(), dir, fails)
	if err != nil || len(swept) != 1 || swept[0].Entry.UID != "u" || swept[0].Err == nil {
		t.Fatalf("swept %+v: %v", swept, err)
	}
	works := map[string]Remover{KindObject: func(_ context.Context, e Entry) (bool, error) { return false, nil }}
	if swept, err = Sweep(t.Context(), dir, works); err != nil || len(swept) != 1 || swept[0].Err != nil ||
		swept[0].Ended || swept[0].Owner.PID != os.Getpid() {
		t.Fatalf("swept %+v: %v", swept, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%v is left in the folder (%v)", left, err)
	}
	if swept, err := Sweep(t.Context(), filepath.Join(dir, "none"), works); swept != nil || err != nil {
		t.Errorf("a folder that is not there: %v, %v", swept, err)
	}
}

func TestLedgerClosedEmptyLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	l, err := OpenLedger(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%v is left in the folder (%v)", left, err)
	}
}

func TestLedgerFolderThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLedger(filepath.Join(file, "state")); err == nil ||
		!strings.Contains(err.Error(), "XDG_STATE_HOME") {
		t.Errorf("the error is %v", err)
	}
}

func TestLedgerOfAnotherHostIsLeft(t *testing.T) {
	dir := t.TempDir()
	text := `{"owner":{"host":"elsewhere.invalid","pid":1,"start":"x/1"}}` + "\n" +
		`{"made":{"id":"1","kind":"object","name":"n"}}` + "\n"
	path := filepath.Join(dir, "x"+ledgerSuffix)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	swept, err := Sweep(t.Context(), dir, nil)
	if _, e := os.Stat(path); len(swept) != 0 || err != nil || e != nil {
		t.Errorf("swept %v, %v; the list: %v", swept, err, e)
	}
}

// A list that is not locked is left all the same while its process lives, and a
// process that has got the number of an engine is not ended.
func TestSweepLeavesTheLiving(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	parent := os.Getppid()
	for start, entries := range map[string]int{processStart(parent): 0, "another boot/1": 1} {
		if start == "" {
			t.Skip("this system does not tell when processes started")
		}
		dir := t.TempDir()
		text := fmt.Sprintf(`{"owner":{"host":%q,"pid":%d,"start":%q}}`+"\n"+
			`{"made":{"id":"1","kind":"process","pid":%d,"marker":"of nobody"}}`+"\n", host, parent, start, parent)
		if err := os.WriteFile(filepath.Join(dir, "x"+ledgerSuffix), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		swept, err := Sweep(t.Context(), dir, map[string]Remover{KindProcess: RemoveProcess})
		if err != nil || len(swept) != entries {
			t.Fatalf("%s: swept %+v, %v", start, swept, err)
		}
		if entries > 0 && (swept[0].Ended || swept[0].Err != nil) {
			t.Errorf("%s: %+v", start, swept[0])
		}
		if processStart(parent) == "" {
			t.Error("the process was ended")
		}
	}
}

func FuzzReadLedger(f *testing.F) {
	f.Add([]byte("{\"owner\":{\"host\":\"h\",\"pid\":3,\"start\":\"b/4\"}}\n{\"made\":{\"id\":\"1\"}}" +
		"\n{\"gone\":\"1\"}\n{\"made\":"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, left, err := readLedger(bytes.NewReader(data))
		cut, _, _ := bytes.Cut(data, []byte{'\n'})
		if err == nil && len(left) > 0 && len(cut) == len(data) {
			t.Errorf("a line without an end was taken: %q", data)
		}
	})
}
