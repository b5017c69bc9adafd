package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A comparison is read without its figures; one that points out of its folder is
// refused, and a file of something else is told apart.
func TestLoadComparison(t *testing.T) {
	c := routed(t, false)
	c.Benchmark, c.Notes = "trace", []string{"a note"}
	for i := range c.Cases {
		for j := range c.Cases[i].Arms {
			c.Cases[i].Arms[j].Dir = "speedup_1/" + c.Cases[i].Arms[j].Name
		}
	}
	dir := t.TempDir()
	path := filepath.Join(dir, ComparisonName)
	if err := WriteFile(path, c.WriteJSON); err != nil {
		t.Fatal(err)
	}
	got, err := LoadComparison(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.Benchmark != "trace" || got.XKey != c.XKey || got.Baseline != c.Baseline || len(got.Cases) != len(c.Cases) ||
		got.Notes[0] != "a note" {
		t.Errorf("%+v", got)
	}
	if arms := got.Cases[0].Arms; len(arms) != len(c.Cases[0].Arms) || arms[0].Dir != c.Cases[0].Arms[0].Dir ||
		arms[0].Report != nil {
		t.Errorf("%+v", arms)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range [][3]string{
		{`"dir": "speedup_1/`, `"dir": "../../`, "not one of its folder"},
		{`"repeats": 1`, `"repeats": 999999999`, "not one of its folder"},
		{`"headway.router"`, `"other"`, ErrNoComparison.Error()},
		{`"version": 1`, `"version": 99`, "version 99 of the format is unknown"},
	} {
		changed := strings.ReplaceAll(string(text), change[0], change[1])
		if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadComparison(path); err == nil || !strings.Contains(err.Error(), change[2]) {
			t.Errorf("%s: %v", change[1], err)
		}
	}
}
