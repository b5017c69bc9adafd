// Package study holds the procedures of a benchmark: one measurement with its
// files (Measurement), its twin in virtual time (Simulation), repeats of either,
// a sweep over concurrency levels (Bench, Sweep), and what is kept of an earlier
// call (Book, Points). Setup is what the measurements of one endpoint share, made
// of the options. Remake, View and Recover show again what lies on disk.
//
// A measurement is handed a plan and a target; it drives the load, sends Records
// through the counting sink to the files and the metrics, and builds the report.
// The package draws on no terminal and parses no command line.
package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"headway/internal/audit"
	"headway/load"
	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// Measurement is one run of one load on one target.
type Measurement struct {
	Header record.Header
	// Warmup is driven first, and the server drained after it; nil where there
	// is none. A warm-up that hands its load over is Plan.Warmup. Both are
	// reported apart.
	Warmup *workload.Plan
	Plan   workload.Plan

	Target load.Target
	// Render makes the text of requests ahead of need.
	Render func(context.Context, workload.Source) workload.Source
	// Count puts the token counter in front of a sink.
	Count   func(record.Sink) record.Sink
	Metrics metric.Options
	// Body makes the request body for inputs.json; nil writes no such file.
	Body func(workload.Request) (json.RawMessage, error)

	// Dir takes the files; "" keeps none.
	Dir   string
	Names report.Names
	// Lines asks for profile_export.jsonl, HTTPTrace for connection times in it.
	Lines, HTTPTrace bool
	// Compress makes that profile_export.jsonl.zst, Table asks for
	// records.parquet beside it, Raw for profile_export_raw.jsonl, for which the
	// Target keeps what goes over the wire.
	Compress, Table, Raw bool
	Secrets              report.Redactor
	// Earlier are results that a good reply of this run replaces; nil is none.
	Earlier *Earlier
	// Warnings are known before the run.
	Warnings []record.Warning
	// After gives warnings that are known when the run has ended; nil gives none.
	After func() []record.Warning
	Watch Watcher
	// Before is called first of all; an error ends the run. Around is called after
	// the warm-up, and what it returns when the measured phase has ended. Nil does
	// nothing.
	Before func(context.Context) error
	Around func(context.Context) (end func() []record.Warning, err error)
	Way    Way
	// Servers reads what the servers count themselves; nil does not.
	Servers *Servers
	// Connect opens connections before anything is written or sent, and says
	// how long they took; nil opens none.
	Connect func(context.Context) (*record.Ahead, error)
	// Room is how many bytes of finished requests may wait for the Sink; see
	// load.Generator.
	Room int
	// Audit is what the client is held against; nil makes no audit.
	Audit *audit.Options
	// Also takes every Record too, tokens counted; nil does not.
	Also record.Sink
	// Others are told of the run, as one of the point At.
	Others Others
	At     Point
	// Cached says that the prompts were sent before on purpose, so that a server
	// which finds them in its cache is no reason for a warning.
	Cached bool
}

// NewID is the name of a run that begins now in a folder.
func NewID(dir string) string {
	return fmt.Sprintf("%012x", uint64(workload.Key(time.Now().UnixNano()).Named(dir))>>16)
}

// Watcher sees a run while it goes: it is called when a phase begins, and what
// it returns when the phase has ended. Nil does not look.
type Watcher func(h record.Header, ph workload.Phase, g *load.Generator, live *metric.Collector) (stop func())

// Run measures and writes every file. A run that was ended early returns its
// report too, with a Record of every planned request. When the error is not
// nil the report holds what was measured before it, or is nil where that is
// nothing.
//
// What an earlier run left in the folder is replaced when the new results are
// there, and what the new run does not write is removed then, so that a folder
// never holds two runs. Without a good reply they stay, see [ErrOldStay].
func (m Measurement) Run(ctx context.Context) (*report.Report, error) {
	if err := makeDir(m.Dir); err != nil {
		return nil, err
	}
	if m.Before != nil {
		if err := m.Before(ctx); err != nil {
			return nil, err
		}
	}
	if m.Connect != nil {
		ahead, err := m.Connect(ctx)
		if err != nil {
			return nil, err
		}
		m.Header.Ahead = ahead
	}
	broke := m.Way.watch()
	clock := record.NewClock()
	m.Header.Origin = clock.Origin()
	m.Metrics.Clock = clock
	schedule, err := m.writeSchedule(ctx)
	if err != nil {
		return nil, err
	}
	out, err := m.open(schedule)
	if err != nil {
		return nil, err
	}
	run := record.Run{Header: m.Header}
	run.Warnings = m.Warnings
	err = m.drive(ctx, clock, out, &run.Trailer)
	if m.After != nil {
		run.Warnings = append(slices.Clip(run.Warnings), m.After()...)
	}
	err = distinct(err, out.dropRest(m.Plan))
	run.Aborted = m.Secrets.Text(run.Aborted) // it may have the server's words
	rep := &report.Report{Run: run, Result: out.collector.Result(), Secrets: m.Secrets}
	rep.Result.Tail = tailOf(&out.tail, run.Trailer)
	rep.Run.Warnings = append(slices.Clip(rep.Run.Warnings), rep.CountWarnings()...)
	rep.Run.Warnings = append(rep.Run.Warnings, broke(rep.Result.Failed)...)
	rep.Run.CountedBy = rep.Result.Tokens.By()
	m.Servers.tell(rep)
	if out.audit != nil {
		rep.Run.Audit = out.audit.Audit(m.Header, rep.Result)
	}
	if out.told != nil {
		out.told.End(rep)
	}
	return rep, distinct(err, out.finish(rep))
}

// drive runs the warm-up and the measurement on one generator.
func (m Measurement) drive(ctx context.Context, clock record.Clock, out *outputs, t *record.Trailer) error {
	sink := m.Count(out)
	if !m.Cached {
		texts := newReuse(sink)
		defer func() { t.Warnings = texts.warn(t.Warnings) }()
		sink = texts
	}
	g := &load.Generator{Target: m.Target, Sink: sink, Clock: clock, Room: m.Room}
	if m.Warmup != nil {
		stop := m.watch(workload.Warmup, g, out)
		o, err := m.phase(ctx, g, *m.Warmup, workload.Warmup, out)
		stop()
		if err != nil || o.Cancelled {
			t.Cancelled = o.Cancelled
			t.Aborted = o.Aborted
			t.Begin = o.Begin
			t.End = o.End
			return err
		}
	}
	end := func() []record.Warning { return nil }
	if m.Around != nil {
		var err error
		if end, err = m.Around(ctx); err != nil {
			return err
		}
	}
	m.Servers.begin(ctx)
	m.Servers.sample(ctx, clock, out.telemetryLines, m.Secrets.Text)
	o, err := m.measure(ctx, g, out)
	out.unsampled = errors.Join(out.unsampled, m.Servers.end(ctx, t))
	m.Servers.summarise(o.Begin, o.End, t)
	t.Warnings = append(slices.Clip(t.Warnings), end()...)
	if b := o.Backlog; out.audit != nil {
		out.audit.Waited(record.AuditBacklog{Records: b.Records, Bytes: b.Bytes, Limit: b.Room,
			HeldRequests: b.HeldRequests, Held: b.Held.Seconds()})
	}
	t.Begin = o.Begin
	t.End = o.End
	t.Cancelled = o.Cancelled
	t.Aborted = o.Aborted
	t.Warmup, t.Cooldown = o.Warmup, o.Cooldown
	if w := o.Warmup; w != nil && w.Drift > startDrift {
		t.Warnings = append(slices.Clip(t.Warnings), record.Warning{Code: "start_not_passed", Text: fmt.Sprintf(
			"the start of the load may be in the figures: after %d warm-up requests the time to first token still "+
				"changed by %.0f %% from one round to the next; "+
				"--warmup-request-count sets a longer warm-up", w.Requests, 100*w.Drift)})
	}
	return err
}

// startDrift is by which share rounds of a warm-up may differ at its end without
// a warning.
const startDrift = 0.05

// measure drives the measurement, with the warm-up that hands over to it.
func (m Measurement) measure(ctx context.Context, g *load.Generator, out *outputs) (load.Outcome, error) {
	begin := func() (end func()) {
		if out.audit != nil {
			out.audit.Begin()
		}
		m.Servers.mark()
		stop := m.watch(workload.Profiling, g, out)
		return func() {
			stop()
			if out.audit != nil {
				out.audit.End()
			}
		}
	}
	if m.Plan.Warmup == nil {
		defer begin()()
		return m.phase(ctx, g, m.Plan, workload.Profiling, out)
	}
	// What begins with the measured phase takes longer than its first request
	// may wait, so that it is done beside.
	handed, ended := make(chan struct{}), make(chan struct{})
	end := m.watch(workload.Warmup, g, out)
	var beside sync.WaitGroup
	beside.Go(func() {
		select {
		case <-handed:
		case <-ended:
		}
		select {
		case <-handed:
			end()
			end = begin()
		default: // the run ended in its warm-up
		}
	})
	g.Handover = func() { close(handed) }
	o, err := m.phase(ctx, g, m.Plan, workload.Profiling, out)
	close(ended)
	beside.Wait()
	end()
	return o, err
}

func (m Measurement) phase(ctx context.Context, g *load.Generator, p workload.Plan, ph workload.Phase,
	out *outputs) (load.Outcome, error) {
	// Text for requests that will not be sent is not worth waiting for, when
	// ctx has ended or when results can no longer be kept.
	render, stop := context.WithCancel(ctx)
	defer stop()
	out.failed = stop
	p.Source = m.Render(render, p.Source)
	if ph == workload.Profiling {
		p.Source = out.tee(p.Source, m.Body)
	}
	if p.Cooldown != nil {
		p.Cooldown = m.Render(render, p.Cooldown)
	}
	if w := p.Warmup; w != nil {
		warm := *w
		warm.Source = m.Render(render, w.Source)
		p.Warmup = &warm
	}
	g.Aside = aside
	defer spare()()
	return g.Run(ctx, p)
}

// writeSchedule writes what will be sent, before anything is sent, counts it
// and measures how the planned arrivals are spread. The file gets its name with
// those of the results, so that it never lies beside those of another run. A
// closed loop that runs for a time has no end to write down: nil, as without a folder.
func (m *Measurement) writeSchedule(ctx context.Context) (*report.File, error) {
	if m.Plan.Endless {
		return nil, nil
	}
	if m.Dir == "" {
		planned, err := workload.Survey(until(ctx, m.Plan.Source))
		if err == nil {
			m.planned(planned)
		}
		return nil, err
	}
	f, err := report.CreatePartial(filepath.Join(m.Dir, scheduleName))
	if err != nil {
		return nil, err
	}
	planned, err := workload.WriteSchedule(f, until(ctx, m.Plan.Source))
	if err != nil {
		f.Abort()
		return nil, err
	}
	m.planned(planned)
	return f, nil
}

func makeDir(dir string) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the result folder: %w", err)
	}
	return nil
}

// planned notes what a plan has.
func (m *Measurement) planned(p workload.Planned) {
	m.Plan.Requests = p.Requests
	if p.Timed == 0 {
		return
	}
	d := p.Arrivals
	m.Header.Schedule = record.Schedule{
		Timed:      true,
		Count:      d.Count,
		Span:       d.Span,
		Rate:       record.Number(d.Rate),
		Dispersion: record.Number(d.VarianceOverMean),
		GapCV2:     record.Number(d.GapCV2),
	}
}

const scheduleName = "schedule.jsonl"

// until ends a Source with the error of ctx when that has ended.
func until(ctx context.Context, src workload.Source) workload.Source {
	return func(yield func(workload.Request, error) bool) {
		for r, err := range src {
			if err == nil {
				err = ctx.Err()
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// distinct joins errors and says each once: a full disk fails whoever writes
// next.
func distinct(errs ...error) error {
	var list []error
	said := map[string]bool{}
	for _, err := range errs {
		for _, e := range parts(err) {
			if !said[e.Error()] {
				said[e.Error()] = true
				list = append(list, e)
			}
		}
	}
	return errors.Join(list...)
}

// parts takes joined errors apart.
func parts(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, parts(e)...)
	}
	return all
}
