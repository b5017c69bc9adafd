package study

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headway/report"
)

// stranger is what another procedure left.
type stranger struct{ wrote *[]string }

func (stranger) Document() *report.Document { return &report.Document{} }
func (stranger) JSON() any                  { return nil }
func (stranger) Untold() []string           { return []string{"what it had for breakfast"} }
func (l stranger) Write(dir string) error {
	*l.wrote = append(*l.wrote, dir)
	return nil
}

// What another procedure left is found wherever it lies, takes the runs below it
// along, and is written below the folder that is asked for.
func TestRemakeFindsOthers(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"a/mine/run", "b"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	put(t, "no lines of a run", root, "a", "mine", "run", "records.jsonl")
	var wrote []string
	again := Remake{Others: func(dir string) (Other, error) {
		if filepath.Base(dir) == "mine" {
			return stranger{&wrote}, nil
		}
		return nil, nil
	}}
	d, err := again.Read(root)
	if err != nil || len(d.Others) != 1 || d.Others[0].Name != filepath.Join("a", "mine") || len(d.Missing) != 0 {
		t.Fatalf("%+v, %v", d, err)
	}
	if err := d.Write("out", nil); err != nil || strings.Join(wrote, " ") != filepath.Join("out", "a", "mine") {
		t.Errorf("wrote %v, %v", wrote, err)
	}
	if untold := d.Untold(); len(untold) != 1 || !strings.Contains(untold[0], "breakfast") {
		t.Errorf("untold %v", untold)
	}
	if _, err := again.Read(filepath.Join(root, "b")); err == nil {
		t.Error("an empty folder has results")
	}
}
