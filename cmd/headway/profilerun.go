package main

import (
	"headway/internal/audit"
	"headway/internal/cli"
	"headway/internal/options"
	"headway/internal/profile"
	"headway/internal/study"
	"headway/internal/tokens"
	"headway/record"
	"headway/report"
)

// pointRun is what all runs of a profile of engines have in common.
func pointRun(a cli.App, f *options.Audit, tok tokens.Tokens, secrets report.Redactor, seed uint64,
	known ...*record.Warning) (study.Measurement, error) {
	h, err := a.Header(secrets, seed)
	if err != nil {
		return study.Measurement{}, err
	}
	h.Tokenizer = tok.Info
	m := study.Measurement{Header: h, Watch: a.Watch, Others: a.Others(),
		Audit: &audit.Options{MaxLag: f.Lag(), Calibration: a.Calibration()}}
	for _, w := range known {
		if w != nil {
			a.Note("warning: %s", w.Text)
			m.Warnings = append(m.Warnings, *w)
		}
	}
	return m, nil
}

// invalidOf are verdicts on points as they are told.
func invalidOf(points []profile.Verdict) []cli.InvalidRun {
	all := make([]cli.InvalidRun, len(points))
	for i, p := range points {
		all[i] = cli.InvalidRun{Where: p.Name, Why: p.Invalid}
	}
	return all
}
