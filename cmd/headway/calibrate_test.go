package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"headway/internal/audit"
	"headway/internal/cli"
)

// A result of a busy machine is not kept unasked, also where there is none yet.
func TestNoisyCalibrationIsNotKept(t *testing.T) {
	yes, no := true, false
	for name, c := range map[string]struct {
		keep  *bool
		noisy bool
		kept  bool
	}{
		"idle": {nil, false, true}, "busy": {nil, true, false}, "busy, --keep": {&yes, true, true},
		"idle, --no-keep": {&no, false, false}, "busy, --no-keep": {&no, true, false},
	} {
		path := filepath.Join(t.TempDir(), "calibration.json")
		at, err := (&calibrateCmd{Keep: c.keep}).store(cli.App{Notes: &cli.Notes{W: t.Output()}}, path,
			audit.Calibration{Noisy: c.noisy}.Here(time.Now()))
		_, missing := os.Stat(path)
		if err != nil || (missing == nil) != c.kept || (at != "") != c.kept {
			t.Errorf("%s: kept at %q, %v, %v", name, at, missing, err)
		}
	}
}
