// Package study measures in one call: an endpoint under one load ([Measure]), under
// several numbers of requests in flight ([Sweep]), and a cluster that is simulated in
// virtual time ([Simulate]). Each call gives the report that the headway command gives of
// the same, with its intervals, warnings and the verdict on the client, and leaves the
// same files where a folder is given.
//
// What is sent is a plan of package workload. The package decides nothing about it: the
// first requests of a plan meet an idle server and a start in which all slots begin at one
// instant, so that a plan for figures of a loaded server has a Warmup.
package study

import (
	"context"
	"errors"
	"fmt"

	"headway/endpoint"
	"headway/internal/study"
	"headway/metric"
	"headway/report"
	"headway/workload"
)

// Options say what becomes of a measurement. The zero value keeps no files.
type Options struct {
	// Dir takes the files, those of the headway command; it is made where it is missing.
	// "" keeps none.
	Dir string
	// Overwrite lets a sweep replace results in Dir. Without it a folder that has any is
	// refused with [ErrHasResults].
	Overwrite bool
	// Objectives are bounds on results and Goodput on single requests, as
	// metric.ParseObjective and metric.ParseGoodput read them.
	Objectives, Goodput []metric.Objective
	// Tokens says whose token counts the figures are made of: those of the tokenizer
	// (the default), or with metric.TokensAuto the server's where every reply has them.
	// An endpoint with Config.ServerTokens has the server's in any case.
	Tokens metric.TokenSource
	// GPUs is how many the endpoint has, for figures per GPU; 0 is not known.
	GPUs int
	// Seed is that of the plan, for the record; [Sweep] derives keys from it.
	Seed uint64
}

// ErrHasResults says that a folder holds results that would be lost.
var ErrHasResults = errors.New("the folder holds results of an earlier run: " +
	"set Options.Overwrite, or name another Options.Dir")

// Measure drives the plan at the endpoint once. The plan's Source may have prompts that
// are lengths; their text is made here. When ctx ends, what was measured until then is
// reported, and [report.Report.Complete] is false.
//
// The error says that the plan cannot be driven, that files cannot be written, or that no
// request was answered; the report then has what there is, or is nil where that is
// nothing. Whether the client was good enough is [report.Report.Invalid] and no error.
func Measure(ctx context.Context, e *endpoint.Endpoint, p workload.Plan, o Options) (*report.Report, error) {
	m, err := measurement(ctx, e, p, o)
	if err != nil {
		return nil, fmt.Errorf("study: %w", err)
	}
	rep, err := run(ctx, m, o.Dir)
	if rep == nil {
		return nil, err
	}
	return rep, errors.Join(err, answered(e, rep))
}

// run makes one run, in a folder where there is one.
func run(ctx context.Context, m study.Measurement, dir string) (*report.Report, error) {
	if dir == "" {
		return m.Run(ctx)
	}
	release, err := report.Claim(dir, "a measurement of a program")
	if err != nil {
		return nil, fmt.Errorf("study: Options.Dir: %w", err)
	}
	defer release()
	once := study.Repeat{Dir: dir}
	once.Measure = func(_ int, dir string) (study.Measurement, error) { return in(m, dir), nil }
	reports, err := once.Run(ctx)
	if len(reports) == 0 {
		return nil, err
	}
	return reports[0], err
}

// answered is the error of a report without any reply.
func answered(e *endpoint.Endpoint, r *report.Report) error {
	if err := study.Unanswered(r.Result, e.Secrets(), e.Advice); err != nil {
		return fmt.Errorf("study: %w", err)
	}
	return nil
}
