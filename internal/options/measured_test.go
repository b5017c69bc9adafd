package options

import (
	"path/filepath"
	"strings"
	"testing"

	"headway/internal/cluster"
	"headway/internal/engine"
)

// A profile's folder is taken apart into steps and what lies outside of the engine; a
// file of the mocker's, and a folder with its scheduler, are charged as it does.
func TestMeasuredStepTimes(t *testing.T) {
	data := filepath.Join("..", "engine", "testdata")
	for _, tt := range []struct {
		path    string
		kind    engine.Type
		outside bool
		says    string
	}{
		{"profile", "", true, "neither repeats nor intervals are known"},
		{"profile-json", engine.SGLang, true, "headway twin fit"},
		{"profile", engine.Mocker14, false, "as Dynamo's mocker does"},
		{"mocker.npz", "", false, "as Dynamo's mocker does"},
	} {
		c := cluster.Defaults()
		c.Engine.Type = tt.kind
		var f Cluster
		if err := f.measured(&c, filepath.Join(data, tt.path)); err != nil {
			t.Errorf("%s: %v", tt.path, err)
			continue
		}
		_, steps := c.Engine.Timing.(engine.StepFunc)
		if steps != tt.outside || c.Outside > 0 != tt.outside || (c.Basis.Seen != nil) != tt.outside {
			t.Errorf("%s with %q: %T, %v outside, seen %v", tt.path, tt.kind, c.Engine.Timing, c.Outside, c.Basis.Seen)
		}
		if b := c.Basis; b.Code != "profile_basis" || !strings.Contains(b.Text, tt.says) {
			t.Errorf("%s with %q: %+v, want %q", tt.path, tt.kind, b, tt.says)
		}
	}
	var f Cluster
	c := cluster.Defaults()
	for _, path := range []string{"nowhere", t.TempDir()} {
		if err := f.measured(&c, path); err == nil || !strings.Contains(err.Error(), "reading step times") {
			t.Errorf("%s: %v", path, err)
		}
	}
}
