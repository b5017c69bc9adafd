// Package report shows what was measured. One [Report] is built of a run's
// description and its metrics; every view is a function of it: the terminal's
// table, aiperf's JSON, CSV and JSONL, the pictures and their summary. It also
// reads such files back, ours and aiperf's own, since pictures are drawn of
// what lies in a folder and not of what a process remembers.
//
// Data flows one way: record and metric in, bytes out. The package computes no
// metric, subtracts no times and knows nothing of how Records were made. What
// it writes, it writes whole or not at all, and with secrets taken out.
package report

import (
	"io"
	"slices"

	"headway/internal/plain"
	"headway/metric"
	"headway/record"
)

// Report is one run and what came out of it.
type Report struct {
	Run    record.Run
	Result *metric.Result
	// Secrets takes secrets out of every view. The zero value knows what
	// secrets look like; one made by [NewRedactor] knows the run's own, too.
	Secrets Redactor
}

// Warnings are those of the run and those of its figures, in that order.
func (r *Report) Warnings() []record.Warning {
	var all []record.Warning
	all = append(all, r.Run.Warnings...)
	return append(all, r.Result.Warnings...)
}

// Complete reports whether the run came to its planned end.
func (r *Report) Complete() bool { return !r.Run.Cancelled && r.Run.Aborted == "" }

// cutReason says why a run is not complete.
func (r *Report) cutReason() string {
	if r.Run.Aborted == "" && r.Run.Cancelled {
		return "cancelled by the user"
	}
	return r.Run.Aborted
}

// Missed reports whether an objective was missed.
func (r *Report) Missed() bool { return r.decided(metric.Missed) }

// Undecided reports whether the run does not say of an objective whether it was
// met.
func (r *Report) Undecided() bool { return r.decided(metric.NotDecided) }

// FailedShare is how many of the requests that were not ended by headway itself
// failed, in percent.
func (r *Report) FailedShare() float64 {
	return 100 * float64(r.Result.Failed) / float64(max(1, r.Result.OK+r.Result.Failed))
}

func (r *Report) decided(d metric.Decision) bool {
	return slices.ContainsFunc(r.Result.Verdicts, func(v metric.Verdict) bool { return v.Decision == d })
}

// Invalid reports whether the client was the bottleneck, so that the figures
// are not the server's.
func (r *Report) Invalid() bool {
	return r.Run.Audit != nil && r.Run.Audit.Verdict == record.AuditInvalid
}

// WriteFiles writes the JSON, the CSV and the console's text into dir, each
// whole or not at all.
func (r *Report) WriteFiles(dir string, names Names) error {
	for _, f := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{names.JSON, r.WriteJSON},
		{names.CSV, r.WriteCSV},
		{names.Console, func(w io.Writer) error {
			return r.WriteConsole(plain.NewWriter(w, false), ConsoleOptions{Width: FullWidth})
		}},
	} {
		if err := WriteFile(join(dir, f.name), f.write); err != nil {
			return err
		}
	}
	return nil
}
