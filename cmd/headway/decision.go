package main

import (
	"math"
	"slices"

	"headway/report"
)

// decision is the exit code that follows from objectives and --fail-above.
func (f *outputFlags) decision(reports []*report.Report) int {
	if f.FailAbove == nil {
		return decision(reports, math.Inf(1))
	}
	return decision(reports, *f.FailAbove)
}

// decision is the exit code of reports: a missed objective, or more failed
// requests than failAbove (percent), weighs more than one that is not decided.
func decision(reports []*report.Report, failAbove float64) int {
	switch {
	case slices.ContainsFunc(reports, func(r *report.Report) bool { return r.Missed() || r.FailedShare() > failAbove }):
		return exitMissed
	case slices.ContainsFunc(reports, (*report.Report).Undecided):
		return exitUndecided
	}
	return exitDone
}
