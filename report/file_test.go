package report

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestWriteFileIsAtomic(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "f.json")
	put := func(text string, fault error) error {
		return WriteFile(path, func(w io.Writer) error {
			if _, err := io.WriteString(w, text); err != nil {
				return err
			}
			return fault
		})
	}
	if err := put("first", nil); err != nil {
		t.Fatal(err)
	}
	err := put("half of the sec", syscall.ENOSPC)
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), path) ||
		!strings.Contains(err.Error(), "disk is full") {
		t.Errorf("a full disk gives %v", err)
	}
	if got := read(t, path); got != "first" {
		t.Errorf("after a failure the file holds %q", got)
	}
	for fault, hint := range map[error]string{syscall.EFBIG: "ulimit -f", syscall.EDQUOT: "quota"} {
		temporary := &fs.PathError{Op: "write", Path: filepath.Join(filepath.Dir(path), ".f.json.tmp-1"), Err: fault}
		err := put("x", errors.Join(temporary))
		if !errors.Is(err, fault) || !strings.Contains(err.Error(), hint) || strings.Contains(err.Error(), "tmp-") {
			t.Errorf("%v gives %v", fault, err)
		}
		if again := advise("writing", "other", err); again != err {
			t.Errorf("advice is given twice: %v", again)
		}
	}
	if err := put("second", nil); err != nil || read(t, path) != "second" {
		t.Errorf("%v, %q", err, read(t, path))
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("left in the folder: %v, %v", entries, err)
	}
}

// What is not a file stays what it is: a rename would put a file in the place
// of a device.
func TestWriteFileReplacesOnlyFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.json")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = WriteFile(path, func(io.Writer) error { return nil })
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "another name") {
		t.Errorf("writing in the place of a socket gives %v", err)
	}
	if s, err := os.Stat(path); err != nil || s.Mode()&os.ModeSocket == 0 {
		t.Errorf("the socket is now %v, %v", s, err)
	}
}

func TestWriteFileFaults(t *testing.T) {
	dir := t.TempDir()
	write(t, "a file", dir, "file")
	for _, path := range []string{filepath.Join(dir, "file", "x.json"), filepath.Join(dir, "file", "deep", "x.json")} {
		err := WriteFile(path, func(io.Writer) error { return nil })
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("writing %s gives %v", path, err)
		}
		if err := Probe(filepath.Dir(path)); err == nil || !strings.Contains(err.Error(), filepath.Dir(path)) {
			t.Errorf("probing for %s gives %v", path, err)
		}
	}
	// The rename fails where a folder has the name.
	if err := os.Mkdir(filepath.Join(dir, "taken"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(dir, "taken"), func(io.Writer) error { return nil }); err == nil {
		t.Error("a folder was replaced by a file")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("left in the folder: %v", entries)
	}
}

func TestProbeLeavesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	if err := Probe(dir); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("left in the folder: %v, %v", entries, err)
	}
	if free, ok := freeBytes(dir); !ok || free < minFree {
		t.Errorf("%d bytes free, %v", free, ok)
	}
}

func TestFileNames(t *testing.T) {
	for _, c := range []struct{ prefix, json, jsonl, console string }{
		{"", "profile_export_aiperf.json", "profile_export.jsonl", "profile_export_console.txt"},
		{"foo", "foo.json", "foo.jsonl", "foo_console.txt"},
		{"foo.csv", "foo.json", "foo.jsonl", "foo_console.txt"},
		{"foo_raw.jsonl", "foo.json", "foo.jsonl", "foo_console.txt"},
		{"a.b", "a.b.json", "a.b.jsonl", "a.b_console.txt"},
	} {
		n := FileNames(c.prefix)
		if n.JSON != c.json || n.JSONL != c.jsonl || n.Console != c.console || n.Inputs != "inputs.json" {
			t.Errorf("%q gives %+v", c.prefix, n)
		}
	}
}
