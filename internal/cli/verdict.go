package cli

import (
	"fmt"
	"slices"
	"strings"

	"headway/internal/audit"
	"headway/internal/options"
	"headway/report"
)

// Calibration is what this machine was found to carry; nil where that is not
// known. A file that cannot be read costs a note and no measurement.
func (a App) Calibration() *audit.Calibration {
	path, err := audit.CalibrationPath(a.Environ)
	if err != nil {
		return nil // there is no folder to keep one in
	}
	c, err := audit.LoadCalibration(path)
	if err != nil {
		a.Note("warning: %v", err)
	}
	return c
}

// Invalid says on standard error which measurements are not valid, and is the
// exit code that follows. where names the run, "" where there is one.
//
// Under the name aiperf the code stays 0 unless --max-lag was given: aiperf
// knows no such verdict, and a script around it would stop.
func (a App) Invalid(f *options.Audit, bad []InvalidRun) int {
	for _, b := range bad {
		a.Note("headway: %s", b.text())
	}
	if len(bad) == 0 || a.AsAiperf && f.MaxLag == nil {
		return Done
	}
	return Invalid
}

// InvalidRun is a measurement that is not valid.
type InvalidRun struct {
	Where, Why string
}

// InvalidPoints says on standard error which points of a profile are not valid,
// and is the exit code that follows: code, unless there are some. A place without
// a reason is that of a valid point.
func (a App) InvalidPoints(f *options.Audit, points []InvalidRun, code int) int {
	bad := slices.DeleteFunc(slices.Clone(points), func(p InvalidRun) bool { return p.Why == "" })
	if c := a.Invalid(f, bad); c != Done {
		return c
	}
	return code
}

// InvalidRuns are those among the runs of one load.
func InvalidRuns(where string, reports []*report.Report) []InvalidRun {
	var all []InvalidRun
	for i, r := range reports {
		if !r.Invalid() {
			continue
		}
		at := where
		if len(reports) > 1 {
			at = strings.TrimSpace(fmt.Sprintf("%s run %d", where, i+1))
		}
		all = append(all, InvalidRun{at, audit.Invalid(r.Run.Audit)})
	}
	return all
}

func (b InvalidRun) text() string {
	if b.Where == "" {
		return b.Why
	}
	return b.Where + ": " + b.Why
}
