package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"headway/internal/study"
	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// routerLoad is a load and how it is made. The key names its randomness and
// its text.
type routerLoad struct {
	study.Load
	plan        func(key workload.Key, repeat int) (workload.Plan, error)
	concurrency int
	rate        float64
	arrivals    string
}

// routerBench is one call of a router benchmark.
type routerBench struct {
	app     app
	flags   *contestFlags
	verb    string
	speedup float64 // of simulated times
	arms    []routerArm
	loads   []routerLoad
	tiers   *tiers // of the priority benchmark
	fixed   bool   // the load is the same in every repeat
	talks   bool   // there are sessions of several turns
	replies *replies
	summary report.Comparison
	seed    uint64
	secrets report.Redactor
}

func (f *contestFlags) bench(a app, verb string, arms []routerArm, loads []routerLoad) *routerBench {
	b := &routerBench{app: a, flags: f, verb: verb, arms: arms, loads: loads, speedup: 1, seed: seedOf(f.Seed)}
	if f.live() {
		if c, err := f.config(a, arms[0].urls, true); err == nil {
			b.secrets = report.NewRedactor(secretsOf(c, &f.endpointFlags)...)
		}
	}
	b.summary = report.Comparison{Benchmark: verb, Simulated: !f.live(), Command: b.secrets.Command("headway", a.args[1:]), Seed: b.seed,
		Baseline: baseline(arms), Secrets: b.secrets}
	return b
}

// run makes all runs and shows what they gave. Files and pictures are written
// of what was measured before an error, too.
func (b *routerBench) run(ctx context.Context) (int, error) {
	if err := b.fits(); err != nil {
		return exitUsage, usageError{err}
	}
	c := study.Contest{Dir: b.flags.dir(b.verb), Overwrite: b.flags.Overwrite, Repeats: b.repeats(), Measure: b.measure, Done: b.progress}
	for _, l := range b.loads {
		c.Loads = append(c.Loads, l.Load)
	}
	for _, a := range b.arms {
		c.Arms = append(c.Arms, a.name)
	}
	cases, err := c.Run(ctx)
	var long *study.TooLongError
	if errors.As(err, &long) {
		return exitUsage, usageError{err}
	}
	if len(cases) == 0 {
		return exitFailed, err
	}
	b.summary.Cases = cases
	b.warn()
	pictures, e := b.summary.WriteFiles(c.Dir)
	if err = errors.Join(err, e); err != nil {
		return exitFailed, err
	}
	if b.flags.JSON {
		err = b.summary.WriteJSON(b.app.stdout)
	} else if !b.flags.Quiet {
		err = b.summary.WriteTable(b.app.stdout, report.ConsoleOptions{Width: b.app.width(), Color: b.app.color()})
	}
	b.note("results: %s (results_summary.json, %d pictures), seed %d", c.Dir, len(pictures)/2, b.seed)
	if err != nil {
		return exitFailed, err
	}
	if err := b.failures(); err != nil {
		return exitFailed, err
	}
	return b.app.invalid(&b.flags.auditFlags, b.invalid()), nil
}

// invalid are the runs that are not valid.
func (b *routerBench) invalid() []invalidRun {
	var all []invalidRun
	for _, k := range b.summary.Cases {
		for _, a := range k.Arms {
			all = append(all, invalidRuns(k.Name+" on "+a.Name, []*report.Report{a.Report})...)
		}
	}
	return all
}

func (b *routerBench) note(format string, args ...any) {
	if !b.flags.Quiet {
		b.app.note(format, args...)
	}
}

func (b *routerBench) progress(l study.Load, a report.Arm) {
	ttft := "no TTFT"
	if s := a.Lead("time_to_first_token", "avg"); s != "" {
		ttft = "TTFT mean " + s + " ms"
	}
	b.note("%s on %s: %d ok, %d failed, %s", l.Name, a.Name, a.Report.Result.OK, a.Report.Result.Failed, ttft)
}

// failures is the error of a benchmark in which an arm answered nothing.
func (b *routerBench) failures() error {
	for _, k := range b.summary.Cases {
		for _, a := range k.Arms {
			if r := a.Report.Result; r.OK == 0 && r.Failed > 0 {
				return fmt.Errorf("%s on %s: every request failed: %s", k.Name, a.Name, b.secrets.Text(r.Failures[0].Failure.Message))
			}
		}
	}
	return nil
}

// repeats is how many runs there are of each load on each arm. Rows that are
// played as they are give the same run again.
func (b *routerBench) repeats() int {
	switch {
	case b.flags.Repeats > 0:
		return b.flags.Repeats
	case b.flags.live() || b.fixed:
		return 1
	}
	return simulatedRepeats
}

// simulatedRepeats is how many runs there are where nothing is said: in virtual
// time they cost little.
const simulatedRepeats = 5

// fits checks the loads against the simulated workers before anything is run.
func (b *routerBench) fits() error {
	if b.flags.live() {
		return nil
	}
	cfg, err := b.flags.cluster(b.arms[0].mode, b.speedup, b.seed)
	if err != nil {
		return err
	}
	for _, l := range b.loads {
		p, err := l.plan(b.key(l, b.arms[0], 0), 0)
		if err != nil {
			return err
		}
		if err := study.Fits(cfg, p.Source); err != nil {
			return fmt.Errorf("%s: %w", l.Name, err)
		}
	}
	return nil
}

// key names the text of a load. All arms get the same, but for tagged and
// untagged requests to one endpoint: the second run would meet the cache that
// the first one warmed. Lengths, times and tiers are the same for all.
func (b *routerBench) key(l routerLoad, a routerArm, repeat int) workload.Key {
	key := workload.Stream{Run: "router " + b.verb, Level: l.Name, Repeat: repeat}.Key(b.seed)
	if a.tagged {
		key = key.Named("tagged")
	}
	return key
}

func (b *routerBench) arm(name string) routerArm {
	for _, a := range b.arms {
		if a.name == name {
			return a
		}
	}
	return routerArm{}
}

func (b *routerBench) load(name string) routerLoad {
	for _, l := range b.loads {
		if l.Name == name {
			return l
		}
	}
	return routerLoad{}
}

// measure makes one run.
func (b *routerBench) measure(ctx context.Context, at study.Load, arm string, repeat int, dir string) (*report.Report, []report.Tier, error) {
	l, a := b.load(at.Name), b.arm(arm)
	key := b.key(l, a, repeat)
	plan, err := l.plan(key, repeat)
	if err != nil {
		return nil, nil, err
	}
	h := record.Header{Version: version, Model: strings.Join(b.flags.Model, ","), Endpoint: b.flags.EndpointType, Streaming: true, Seed: b.seed,
		ID: fmt.Sprintf("%012x", uint64(key.Named(arm))>>16), Repeat: repeat, Command: b.summary.Command, Concurrency: l.concurrency, Rate: l.rate, Arrivals: l.arrivals,
		Machine: record.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), Go: runtime.Version()}}
	var also record.Sink
	if b.tiers != nil {
		plan.Source = b.tiers.tag(plan.Source, a.tagged)
		o := metric.Options{Streaming: true, Clock: record.ClockAt(time.Unix(0, 0))}
		if b.flags.live() {
			o.Tokens = b.flags.tokenSource(metric.TokensAuto)
		}
		also = b.tiers.begin(o)
	}
	if b.talks && b.replies == nil && !b.flags.live() {
		// What is said is the same in all arms.
		b.replies = newReplies(b.block())
		also = both{b.replies, also}
	}
	var rep *report.Report
	if b.flags.live() {
		rep, err = b.measureLive(ctx, a, plan, h, dir, also)
	} else {
		rep, err = b.simulate(ctx, a, plan, h, dir, also, repeat)
	}
	if b.tiers == nil {
		return rep, nil, err
	}
	return rep, b.tiers.end(), err
}

func (b *routerBench) simulate(ctx context.Context, a routerArm, plan workload.Plan, h record.Header, dir string, also record.Sink, repeat int) (*report.Report, error) {
	cfg, err := b.flags.cluster(a.mode, b.speedup, b.seed+uint64(repeat))
	if err != nil {
		return nil, err
	}
	tok, _, err := b.app.loadTokens(ctx, b.flags.tokenizerFlags, h.Model, b.flags.Tokenizer == "")
	if err != nil {
		return nil, err
	}
	cfg.Tokenizer, h.Tokenizer = tok.tokenizer, tok.info
	return study.Simulation{Header: h, Plan: plan, Cluster: cfg, Metrics: metric.Options{Streaming: true, Concurrency: plan.Concurrency, Samples: true}, Dir: dir,
		Names: report.FileNames(""), Lines: true, Also: also}.Run(ctx)
}

// block is the tokens of a simulated KV block.
func (b *routerBench) block() int {
	cfg, err := b.flags.cluster(b.arms[0].mode, b.speedup, b.seed)
	if err != nil {
		return 1
	}
	return cfg.BlockSize()
}

// measureLive runs a plan on an endpoint or its replicas.
func (b *routerBench) measureLive(ctx context.Context, a routerArm, plan workload.Plan, h record.Header, dir string, also record.Sink) (*report.Report, error) {
	f := b.flags
	client, err := f.config(b.app, a.urls, true)
	if err != nil {
		return nil, err
	}
	g, err := b.app.newRig(ctx, &f.endpointFlags, f.tokenizerFlags, &outputFlags{Runs: 1, Confidence: 0.95}, client, b.seed, false)
	if err != nil {
		return nil, err
	}
	defer g.close()
	g.maxLag, g.preconnect = f.lag(), f.ahead()
	g.metrics.Samples, g.metrics.Concurrency = true, plan.Concurrency
	g.countBy(f.tokenSource(metric.TokensAuto))
	before := kvEvents(ctx, a.urls)
	h.URL, h.Tokenizer = g.header.URL, g.header.Tokenizer
	h.ServerCount, h.TokenCount = g.header.ServerCount, g.header.TokenCount
	count := g.tokens.count(client)
	m := study.Measurement{Header: h, Plan: plan, Target: g.target, Render: g.tokens.render, Metrics: g.metrics, Dir: dir,
		Names: report.FileNames(""), Lines: true, Secrets: g.secrets, Warnings: g.warnings, Audit: g.audit(), Connect: g.connect(plan),
		Count: func(next record.Sink) record.Sink { return count(both{next, also}) }}
	rep, err := m.Run(ctx)
	if rep != nil {
		if w := before.warning(kvEvents(ctx, a.urls)); w != nil {
			rep.Run.Warnings = append(rep.Run.Warnings, *w)
		}
	}
	return rep, err
}

// both hands Records to two sinks, of which the second may be missing.
type both struct{ first, second record.Sink }

// Take hands a Record on.
func (b both) Take(r *record.Record) error {
	err := b.first.Take(r)
	if b.second != nil {
		err = errors.Join(err, b.second.Take(r))
	}
	return err
}

// warn gathers what is wrong with the runs.
func (b *routerBench) warn() {
	b.tell()
	seen := map[string]bool{}
	for _, k := range b.summary.Cases {
		// The arms of priority come in pairs: without and with the hints.
		for i := 0; b.tiers != nil && i+1 < len(k.Arms); i += 2 {
			if sameTiers(k.Arms[i].Tiers, k.Arms[i+1].Tiers) {
				b.addWarning(seen, record.Warning{Code: "priorities_without_effect", Text: k.Name +
					": priorities changed nothing, since the router's queue never held a request back; raise the load (--speedup-ratio) or lower --router-queue-threshold"})
			}
		}
		for _, a := range k.Arms {
			for _, w := range a.Report.Run.Warnings {
				b.addWarning(seen, record.Warning{Code: w.Code, Text: filepath.Join(k.Name, a.Name) + ": " + w.Text})
			}
			if audit := a.Report.Run.Audit; audit != nil {
				for _, r := range audit.Reasons {
					b.addWarning(seen, record.Warning{Code: "client_" + string(r.Level), Text: fmt.Sprintf("%s on %s: the client is %s, %s; %s", k.Name, a.Name, r.Level, r.Found, r.Change)})
				}
			}
			if a.LagDegraded() {
				b.addWarning(seen, record.Warning{Code: "replay_sched_degraded", Text: fmt.Sprintf(
					"%s on %s: more than one request in a hundred was sent over 500 ms late, so this is not the schedule that was asked for", k.Name, a.Name)})
			}
			if sat, share := a.Saturation(); sat && a.Name == b.summary.Baseline && len(b.arms) > 1 {
				b.addWarning(seen, record.Warning{Code: "saturated_baseline", Text: fmt.Sprintf(
					"%s: the baseline %s is saturated (completed %.0f %% of offered): its queue grows as long as the load lasts, so figures over it are no gain to quote", k.Name, a.Name, 100*share)})
			}
		}
	}
}

// tell adds what is to be said of simulated runs.
func (b *routerBench) tell() {
	if b.replies != nil {
		b.addNote(b.replies.note())
	}
	b.addNote(b.tokenNote())
	if !b.flags.live() {
		b.addNote(b.flags.idleNote(hasKV(b.arms)))
		b.addNote(b.frontend())
	}
}

// tokenNote says whose token counts the figures of real endpoints are made of.
func (b *routerBench) tokenNote() string {
	var server, client []string
	for _, k := range b.summary.Cases {
		for _, a := range k.Arms {
			switch a.Report.Result.Tokens.By() {
			case "server":
				server = append(server, k.Name+" on "+a.Name)
			case "client":
				client = append(client, k.Name+" on "+a.Name)
			}
		}
	}
	switch {
	case !b.flags.live() || len(server)+len(client) == 0:
		return ""
	case len(client) == 0:
		return "tokens: the server's counts"
	case len(server) == 0:
		return "tokens: counted by this client"
	}
	return "tokens are the server's counts, but for those counted by this client: " + strings.Join(client, ", ") +
		"; token figures of the two do not compare: --token-count client counts all alike"
}

// frontend is the note on the delay of requests, which all runs share.
func (b *routerBench) frontend() string {
	for _, k := range b.summary.Cases {
		for _, a := range k.Arms {
			if c := a.Report.Run.Cluster; c != nil {
				return frontendNote(*c)
			}
		}
	}
	return ""
}

func (b *routerBench) addNote(text string) {
	if text != "" {
		b.summary.Notes = append(b.summary.Notes, text)
	}
}

// sameTiers says whether every tier has the same mean TTFT in both.
func sameTiers(a, b []report.Tier) bool {
	return len(a) > 0 && slices.EqualFunc(a, b, func(x, y report.Tier) bool {
		p, _ := x.Result.Summary("time_to_first_token")
		q, _ := y.Result.Summary("time_to_first_token")
		return p.Count == q.Count && p.Mean == q.Mean
	})
}

func (b *routerBench) addWarning(seen map[string]bool, w record.Warning) {
	if seen[w.Text] {
		return
	}
	seen[w.Text] = true
	b.summary.Warnings = append(b.summary.Warnings, w)
}
