package deploy

import (
	"bytes"
	"context"
	"errors"
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
	never := map[string]Remover{KindObject: func(context.Context, Entry) error { t.Error("it was removed"); return nil }}
	if swept, err := Sweep(t.Context(), dir, never); len(swept) != 0 || err != nil {
		t.Errorf("swept %v: %v", swept, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	fails := map[string]Remover{KindObject: func(context.Context, Entry) error { return errors.New("not today") }}
	swept, err := Sweep(t.Context(), dir, fails)
	if err != nil || len(swept) != 1 || swept[0].Entry.UID != "u" || swept[0].Err == nil {
		t.Fatalf("swept %+v: %v", swept, err)
	}
	works := map[string]Remover{KindObject: func(_ context.Context, e Entry) error { return nil }}
	if swept, err = Sweep(t.Context(), dir, works); err != nil || len(swept) != 1 || swept[0].Err != nil || swept[0].Owner.PID != os.Getpid() {
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
	if _, err := OpenLedger(filepath.Join(file, "state")); err == nil || !strings.Contains(err.Error(), "XDG_STATE_HOME") {
		t.Errorf("the error is %v", err)
	}
}

func TestLedgerOfAnotherHostIsLeft(t *testing.T) {
	dir := t.TempDir()
	text := `{"owner":{"host":"elsewhere.invalid","pid":1,"start":"x/1"}}` + "\n" + `{"made":{"id":"1","kind":"object","name":"n"}}` + "\n"
	path := filepath.Join(dir, "x"+ledgerSuffix)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	swept, err := Sweep(t.Context(), dir, nil)
	if _, e := os.Stat(path); len(swept) != 0 || err != nil || e != nil {
		t.Errorf("swept %v, %v; the list: %v", swept, err, e)
	}
}

func FuzzReadLedger(f *testing.F) {
	f.Add([]byte("{\"owner\":{\"host\":\"h\",\"pid\":3,\"start\":\"b/4\"}}\n{\"made\":{\"id\":\"1\"}}\n{\"gone\":\"1\"}\n{\"made\":"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, left, err := readLedger(bytes.NewReader(data))
		cut, _, _ := bytes.Cut(data, []byte{'\n'})
		if err == nil && len(left) > 0 && len(cut) == len(data) {
			t.Errorf("a line without an end was taken: %q", data)
		}
	})
}
