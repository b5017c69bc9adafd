package main

import (
	"path/filepath"
	"testing"
	"time"

	"headway/internal/audit"
)

// A calibration of a busy machine takes the place of another such one, of one
// of another machine and of none, and not of a good one.
func TestNoisyCalibrationDoesNotReplaceGood(t *testing.T) {
	good := audit.Calibration{EventsPerSecond: 2e5}.Here(time.Now())
	noisy := audit.Calibration{EventsPerSecond: 1e5, Noisy: true}.Here(time.Now())
	other := good
	other.CPUs++
	for name, tt := range map[string]struct {
		was  *audit.Calibration
		now  audit.Calibration
		kept bool // that what was there stays
	}{
		"nothing there":      {nil, noisy, false},
		"good, now noisy":    {&good, noisy, true},
		"good, now good":     {&good, good, false},
		"noisy, now noisy":   {&noisy, noisy, false},
		"noisy, now good":    {&noisy, good, false},
		"of another machine": {&other, noisy, false},
	} {
		path := filepath.Join(t.TempDir(), "calibration.json")
		if tt.was != nil {
			if err := tt.was.Save(path); err != nil {
				t.Fatal(err)
			}
		}
		better := betterKept(path, tt.now)
		if (better != nil) != tt.kept {
			t.Errorf("%s: %+v is held to be better", name, better)
		}
	}
}
