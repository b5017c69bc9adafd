package study

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"headway/endpoint"
	"headway/internal/audit"
	"headway/internal/study"
	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// measurement puts a plan, an endpoint and options together.
func measurement(ctx context.Context, e *endpoint.Endpoint, p workload.Plan, o Options) (study.Measurement, error) {
	timed, err := check(p)
	if err != nil {
		return study.Measurement{}, err
	}
	if o.Tokens, err = o.tokensOf(e); err != nil {
		return study.Measurement{}, err
	}
	h := o.header(e.Header(), p, timed)
	m := study.Measurement{Header: h, Plan: p, Target: e, Render: e.Render, Metrics: o.metrics(p, timed)}
	m.Count = func(next record.Sink) record.Sink { return e.Count(next, ctx.Done()) }
	m.Metrics.Streaming = e.Streaming()
	m.Names, m.Secrets = report.FileNames(""), e.Secrets()
	m.Warnings = e.Warnings()
	m.Audit = &audit.Options{Lags: e.ReadLags}
	m.Connect = study.OpenAhead(e, p.Connections(max(p.Concurrency, mostAhead)), false)
	return in(m, ""), nil
}

// tokensOf is whose counts the figures are made of. An endpoint that takes the server's
// has no others.
func (o Options) tokensOf(e *endpoint.Endpoint) (metric.TokenSource, error) {
	switch {
	case e.Header().ServerCount:
		return metric.TokensServer, nil
	case o.Tokens == metric.TokensServer:
		return 0, errors.New("Options.Tokens: the server's alone need endpoint.Config.ServerTokens")
	}
	return o.Tokens, nil
}

// mostAhead bounds the connections that are opened before a schedule.
const mostAhead = 4096

// header is what a report says of a measurement.
func (o Options) header(h record.Header, p workload.Plan, timed bool) record.Header {
	h.Version = version()
	h.Concurrency, h.Seed, h.NumGPUs = p.Concurrency, o.Seed, o.GPUs
	h.TokenCount = o.Tokens.String()
	h.Arrivals = "concurrency_burst"
	if timed {
		h.Arrivals = "fixed_schedule"
	}
	return h
}

func (o Options) metrics(p workload.Plan, timed bool) metric.Options {
	m := metric.Options{Objectives: o.Objectives, Goodput: o.Goodput, Tokens: o.Tokens, NumGPUs: o.GPUs}
	m.FixedSchedule = timed
	if !timed {
		m.Concurrency = p.Concurrency
	}
	return m
}

// check refuses plans that cannot be driven, and says whether one has planned times.
func check(p workload.Plan) (timed bool, err error) {
	if p.Source == nil {
		return false, errors.New("Plan.Source: there is none")
	}
	if p.Endless && p.Duration <= 0 {
		return false, errors.New("Plan.Duration: a Source without an end needs one")
	}
	for r, err := range p.Source {
		if err != nil {
			return false, fmt.Errorf("Plan.Source: %w", err)
		}
		if !r.Timed && p.Concurrency < 1 {
			return false, fmt.Errorf("Plan.Concurrency %d: a Source without times needs at least 1", p.Concurrency)
		}
		return r.Timed, nil
	}
	return false, errors.New("Plan.Source: it has no request")
}

// in is the measurement with a folder for its files, "" for none.
func in(m study.Measurement, dir string) study.Measurement {
	m.Dir, m.Lines = dir, true
	m.Header.ID = study.NewID(dir)
	return m
}

// version is that of the module in this program; "" where it is not known.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	modules := append([]*debug.Module{&info.Main}, info.Deps...)
	i := slices.IndexFunc(modules, func(m *debug.Module) bool { return m.Path == "headway" })
	if i < 0 {
		return ""
	}
	return modules[i].Version
}
