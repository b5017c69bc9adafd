package study

import (
	"context"
	"fmt"
	"slices"
	"time"

	"headway/internal/cluster"
	"headway/internal/fault"
	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// Simulation is one run of a load on a simulated cluster in virtual time. It
// leaves the files that a [Measurement] leaves, but for request bodies, which
// are never made.
type Simulation struct {
	Header  record.Header
	Plan    workload.Plan
	Cluster cluster.Config
	Metrics metric.Options

	// Dir takes the files; "" writes none, and the report is all there is.
	Dir   string
	Names report.Names
	// Lines asks for profile_export.jsonl.
	Lines   bool
	Secrets report.Redactor
	// Earlier are results that this run replaces; nil is none.
	Earlier *Earlier
	// Also takes every Record, too; nil does not.
	Also record.Sink
	// Warnings are known before the run.
	Warnings []record.Warning
	// Foretell asks for where the figures of the server are expected, where the
	// cluster's times were calibrated: it takes a dozen simulations more.
	Foretell bool
	// SomeTooLong takes a load with requests that no worker can ever run: they
	// fail, and a warning says so. Otherwise they are a [TooLongError].
	SomeTooLong bool
}

// TooLongError says that a load has requests that no worker can ever run.
type TooLongError struct {
	// Requests is how many, Tokens the longest, prompt and output together,
	// Capacity what fits.
	Requests, Tokens, Capacity int
}

// Error gives the numbers and what to do.
func (e *TooLongError) Error() string { return e.Unwrap().Error() }

// Unwrap is the fault, with the fields that it is about.
func (e *TooLongError) Unwrap() error {
	which := fmt.Sprintf("%d requests do not fit the simulated workers: the longest", e.Requests)
	if e.Requests == 1 {
		which = "1 request does not fit the simulated workers: it"
	}
	return fault.New("%s has %d tokens, prompt and output together, and %d fit; raise %s, %s or %s, or ask for "+
		"shorter requests",
		which, e.Tokens, e.Capacity,
		fault.Field("num-gpu-blocks-override"), fault.Field("block-size"), fault.Field("max-model-len"))
}

// Fits finds out before a run whether the cluster can run every request; the
// history of later turns is not counted. The Source must have an end.
func Fits(c cluster.Config, src workload.Source) error {
	e := TooLongError{Capacity: c.Engine.Capacity()}
	if c.MaxModelLen > 0 {
		e.Capacity = min(e.Capacity, c.MaxModelLen)
	}
	for r, err := range src {
		if err != nil {
			return err
		}
		n := r.Prompt.Tokens + r.Prompt.Prefix.Tokens + r.Prompt.SystemTokens + max(r.OutputTokens, 1)
		if n > e.Capacity {
			e.Requests++
			e.Tokens = max(e.Tokens, n)
		}
	}
	if e.Requests > 0 {
		return &e
	}
	return nil
}

// Run simulates and writes every file. The times in them count from 1970,
// since virtual time has no other beginning: the same configuration gives the
// same bytes on every day. Where ctx ends, the report is of what was done until
// then.
func (s Simulation) Run(ctx context.Context) (*report.Report, error) {
	m := s.measurement()
	if err := makeDir(s.Dir); err != nil {
		return nil, err
	}
	schedule, err := m.writeSchedule(ctx)
	if err != nil {
		return nil, err
	}
	out, err := m.open(schedule)
	if err != nil {
		return nil, err
	}
	hinted := 0
	s.Plan.Source = countPriorities(s.Plan.Source, &hinted)
	facts, o, err := cluster.Replay(ctx, s.Cluster, s.Plan, out)
	run := record.Run{Header: m.Header}
	run.Begin = o.Begin
	run.End = o.End
	run.Cancelled = o.Cancelled
	run.Aborted = o.Aborted
	run.Cluster = &facts
	run.Warnings = append(slices.Clip(s.Warnings), simulationWarnings(s.Cluster, facts, o)...)
	run.Warnings = append(run.Warnings, idlePriorities(s.Cluster, hinted)...)
	rep := &report.Report{Run: run, Result: out.collector.Result(), Secrets: s.Secrets}
	if err == nil && s.Foretell && !o.Cancelled {
		facts.Foretold, err = s.foretell(ctx, rep, m.Metrics)
	}
	rep.Result.Tail = tailOf(&out.tail, run.Trailer)
	err = distinct(err, out.finish(rep))
	if err == nil && o.TooLong > 0 && !s.SomeTooLong {
		err = &TooLongError{Requests: o.TooLong, Tokens: o.TooLongTokens, Capacity: o.Capacity}
	}
	return rep, err
}

// measurement is the run as one on a clock, without what loads it.
func (s Simulation) measurement() Measurement {
	s.Header.Origin, s.Header.Simulated = time.Unix(0, 0).UTC(), true
	s.Metrics.Clock = record.ClockAt(s.Header.Origin)
	return Measurement{
		Header:   s.Header,
		Plan:     s.Plan,
		Metrics:  s.Metrics,
		Dir:      s.Dir,
		Names:    s.Names,
		Lines:    s.Lines,
		Secrets:  s.Secrets,
		Earlier:  s.Earlier,
		Also:     s.Also,
		Warnings: s.Warnings,
	}
}
