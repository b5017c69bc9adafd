package cli

import (
	"fmt"
	"slices"
	"strings"

	"headway/internal/options"
	"headway/report"
)

// Judged are the reports of one load, and where they are from: "" where there is
// one.
type Judged struct {
	Where   string
	Reports []*report.Report
}

// Decide is the exit code of reports. Whatever makes it other than 0 is on
// standard error where no table says it.
func (a App) Decide(all []Judged, failAbove float64, tables bool) int {
	var reports []*report.Report
	for _, j := range all {
		reports = append(reports, j.Reports...)
		for i, r := range j.Reports {
			at := j.Where
			if len(j.Reports) > 1 {
				at = strings.TrimSpace(fmt.Sprintf("%s run %d", at, i+1))
			}
			a.unmet(at, r, failAbove, tables)
		}
	}
	return Decision(reports, failAbove)
}

func (a App) unmet(where string, r *report.Report, failAbove float64, tables bool) {
	var lines []string
	if !tables {
		lines = r.Unmet()
	}
	if share := r.FailedShare(); share > failAbove {
		lines = append(lines, fmt.Sprintf("✗ %.3g %% of requests failed, --fail-above allows %g %%", share, failAbove))
	}
	for _, line := range lines {
		if where != "" {
			line = where + ": " + line
		}
		a.Note("headway: %s", line)
	}
}

// Decision is the exit code of reports: a missed objective, or more failed
// requests than failAbove (percent), weighs more than one that is not decided.
func Decision(reports []*report.Report, failAbove float64) int {
	switch {
	case slices.ContainsFunc(reports, func(r *report.Report) bool { return r.Missed() || r.FailedShare() > failAbove }):
		return Missed
	case slices.ContainsFunc(reports, (*report.Report).Undecided):
		return Undecided
	}
	return Done
}

// Conclude is the exit code of measurements: that of one that is not valid, else
// what [App.Decide] says of them.
func (a App) Conclude(all []Judged, f *options.Audit, o *options.Output) int {
	var bad []InvalidRun
	for _, j := range all {
		bad = append(bad, InvalidRuns(j.Where, j.Reports)...)
	}
	if code := a.Invalid(f, bad); code != Done {
		return code
	}
	return a.Decide(all, o.MostFailed(), o.Tables())
}
