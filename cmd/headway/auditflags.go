package main

import (
	"fmt"
	"strings"
	"time"

	"headway/internal/audit"
	"headway/record"
	"headway/report"
)

// auditFlags say what the client itself is held against.
type auditFlags struct {
	MaxLag *milliseconds `name:"max-lag" placeholder:"TIME" help:"Largest delay of this client's own (ms), at the 99th percentile, with which a measurement is valid; exit code 4 when it is not. Default: 1 ms, or 5% of the latency (stamps) or of the mean time between sends (schedule) where that is more."`
}

func (f *auditFlags) faults(bad *faultList) {
	if f.MaxLag != nil && *f.MaxLag <= 0 {
		bad.add("--max-lag: must be a time above zero, such as 1ms; to go without a verdict, do not look at it")
	}
}

// lag is the bound that the user has set, 0 where none.
func (f *auditFlags) lag() time.Duration {
	if f.MaxLag == nil {
		return 0
	}
	return time.Duration(*f.MaxLag)
}

// calibrationVariable is the environment variable, without its prefix, that
// says where the calibration is; it sets no option.
const calibrationVariable = "calibration"

// audit is what the rig's measurements are held against.
func (g *rig) audit() *audit.Options {
	return &audit.Options{MaxLag: g.maxLag, Lags: g.target.ReadLags, Calibration: g.calibration}
}

// calibration is what this machine was found to carry; nil where that is not
// known. A file that cannot be read costs a note and no measurement.
func (a app) calibration() *audit.Calibration {
	path, err := audit.CalibrationPath(a.environ)
	if err != nil {
		return nil // there is no folder to keep one in
	}
	c, err := audit.LoadCalibration(path)
	if err != nil {
		a.note("warning: %v", err)
	}
	return c
}

// invalid says on standard error which measurements are not valid, and is the
// exit code that follows. where names the run, "" where there is one.
//
// Under the name aiperf the code stays 0 unless --max-lag was given: aiperf
// knows no such verdict, and a script around it would stop.
func (a app) invalid(f *auditFlags, bad []invalidRun) int {
	for _, b := range bad {
		a.note("headway: %s", b.text())
	}
	if len(bad) == 0 || a.asAiperf && f.MaxLag == nil {
		return exitDone
	}
	return exitInvalid
}

// invalidRun is a measurement that is not valid.
type invalidRun struct {
	where string
	audit *record.Audit
}

// invalidRuns are those among the runs of one load.
func invalidRuns(where string, reports []*report.Report) []invalidRun {
	var all []invalidRun
	for i, r := range reports {
		if !r.Invalid() {
			continue
		}
		at := where
		if len(reports) > 1 {
			at = strings.TrimSpace(fmt.Sprintf("%s run %d", where, i+1))
		}
		all = append(all, invalidRun{at, r.Run.Audit})
	}
	return all
}

func (b invalidRun) text() string {
	s := "the measurement is not valid"
	if b.where != "" {
		s = b.where + ": " + s
	}
	for _, r := range b.audit.Reasons {
		if r.Level == record.AuditInvalid {
			s += fmt.Sprintf(": %s; %s", r.Found, r.Change)
			break
		}
	}
	switch a := b.audit; {
	case a.StampsVerdict == record.AuditValid:
		s += "; the latencies are right, of another load than the planned one"
	case a.ScheduleVerdict == record.AuditValid:
		s += "; requests were sent as planned"
	}
	return s
}
