package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"headway/report/internal/fixture"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// golden compares with testdata/name, or writes it with -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s differs (-update rewrites it):\n%s", path, d)
	}
}

// made is a run of a load that is always the same.
type made = fixture.Made

var origin = fixture.Origin

// reportOf is the report of a run.
func reportOf(t testing.TB, m made) *Report {
	t.Helper()
	run, result := m.Run(t)
	return &Report{Run: run, Result: result, Secrets: NewRedactor("sk-0123456789abcdef")}
}

func render(t testing.TB, write func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
