package router

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"headway/internal/openai"
	"headway/internal/study"
	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// run is one run: a load on a variant, the repeat counted from 0.
type run struct {
	load    Load
	variant Variant
	repeat  int
	dir     string

	id   string // the same in every call
	plan workload.Plan
	also record.Sink // takes every Record, too; nil does not
}

// measure makes a run, or keeps that of an earlier call. Tiers may be nil.
func (s *Study) measure(ctx context.Context, r run) (*report.Report, []report.Tier, error) {
	key := s.key(r.load, r.variant, r.repeat)
	plan, err := r.load.Plan(key, r.repeat)
	if err != nil {
		return nil, nil, err
	}
	r.id, r.plan, r.also = fmt.Sprintf("%012x", uint64(key.Named(r.variant.Name))>>16), plan, s.also()
	make := s.simulate
	if s.Options.Live() {
		make = s.live
	}
	rep, kept, err := make(ctx, r)
	if kept {
		s.kept++
	}
	if s.Tiers == nil {
		return rep, nil, err
	}
	return rep, s.Tiers.End(), err
}

// asked are requests with what a real server is asked for, and the hints of their
// tier, as far as the server takes these.
func (s *Study) asked(src workload.Source, v Variant, a openai.Agreed) workload.Source {
	if s.Options.Live() {
		src = exactOutput(src, a)
	}
	if s.Tiers != nil && v.Tagged {
		src = tagged(s.Tiers, src, a)
	}
	return src
}

// also is what takes every Record of a run beside its metrics; nil is nothing.
func (s *Study) also() record.Sink {
	var sinks sinks
	if s.Tiers != nil {
		source := metric.TokensClient
		if s.Options.Live() {
			source = s.Options.TokenSource(metric.TokensAuto)
		}
		sinks = append(sinks, s.Tiers.Begin(study.TierOptions(source)))
	}
	if s.Talks && s.replies == nil && !s.Options.Live() {
		// What is said is the same in all variants, and so are the workers.
		if cfg, err := s.cluster(s.Variants[0], 0); err == nil && !cfg.CachesReplies() {
			s.replies = study.NewReplies(cfg.BlockSize())
			sinks = append(sinks, s.replies)
		}
	}
	if sinks == nil {
		return nil
	}
	return sinks
}

// describe adds to a header which run it is of.
func (r run) describe(h record.Header) record.Header {
	h.ID, h.Repeat = r.id, r.repeat
	h.Concurrency, h.Rate, h.Arrivals = r.load.Concurrency, r.load.Rate, r.load.Arrivals
	return h
}

// simulate makes a run in virtual time, or keeps that of an earlier call.
func (s *Study) simulate(ctx context.Context, r run) (rep *report.Report, kept bool, err error) {
	cfg, err := s.cluster(r.variant, r.repeat)
	if err != nil {
		return nil, false, err
	}
	cfg.Tokenizer = s.tokenizer
	r.plan.Source = s.asked(r.plan.Source, r.variant, openai.Assumed(s.fields(r.variant)))
	return s.book.Simulate(ctx, r.dir, study.Simulation{
		Header: r.describe(s.header), Plan: r.plan, Cluster: cfg, Lines: true, Also: r.also, Warnings: s.Warnings,
		Metrics: metric.Options{Streaming: true, Concurrency: r.plan.Concurrency, Samples: true},
		// What is not known of the server is the same in all repeats.
		Foretell: r.repeat == 0,
	})
}

// live makes a run on an endpoint or its replicas, or keeps that of an earlier call.
func (s *Study) live(ctx context.Context, r run) (rep *report.Report, kept bool, err error) {
	g, err := s.setup(ctx, r.variant)
	if err != nil {
		return nil, false, err
	}
	r.plan.Source = s.agreeable(r.plan.Source, r.variant)
	m := g.Of(r.plan)
	m.Header, m.Also, m.Watch = r.describe(m.Header), r.also, s.Watch
	m.At = study.Point{"load": r.load.Name, "variant": r.variant.Name}
	m.Metrics.Samples, m.Metrics.Concurrency = true, r.plan.Concurrency
	m.Metrics.FixedSchedule = r.load.Arrivals == schedule
	m.Warnings = slices.Concat(m.Warnings, s.Warnings)
	heard(&m, g.Client)
	s.agree(&m, g, r.variant)
	return s.book.Measure(ctx, r.dir, m)
}

// agree finds out, before the first run on a variant, which fields its endpoint
// takes. A run that an earlier call made needs no answer.
func (s *Study) agree(m *study.Measurement, g *study.Setup, v Variant) {
	connect, after := m.Connect, m.After
	var fresh []record.Warning // the setup has it for the runs that follow
	m.Connect = func(ctx context.Context) (*record.Ahead, error) {
		if _, known := s.agreed[v.Name]; !known {
			s.agreed[v.Name] = g.Agree(ctx, s.fields(v))
			if w := s.agreed[v.Name].Warning(); w != nil {
				fresh = append(fresh, *w)
			}
		}
		return connect(ctx)
	}
	m.After = func() []record.Warning { return append(fresh, after()...) }
}

// agreeable are requests with what the endpoint takes of what they are to have,
// which is known when the first of them is made.
func (s *Study) agreeable(src workload.Source, v Variant) workload.Source {
	return func(yield func(workload.Request, error) bool) { s.asked(src, v, s.agreed[v.Name])(yield) }
}

// heard has a run warn of a router that heard nothing of caches meanwhile.
func heard(m *study.Measurement, client openai.Config) {
	var before study.KVEvents
	connect, ctx := m.Connect, context.Background()
	m.Connect = func(within context.Context) (*record.Ahead, error) {
		ctx = within
		before = study.CountKVEvents(ctx, client)
		if connect == nil {
			return nil, nil
		}
		return connect(ctx)
	}
	m.After = func() []record.Warning {
		if w := before.Warning(study.CountKVEvents(ctx, client)); w != nil {
			return []record.Warning{*w}
		}
		return nil
	}
}

// sinks hand Records to each of several.
type sinks []record.Sink

// Take hands a Record on.
func (all sinks) Take(r *record.Record) error {
	var errs []error
	for _, s := range all {
		errs = append(errs, s.Take(r))
	}
	return errors.Join(errs...)
}
