package main

import (
	"cmp"
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"time"

	"headway/internal/audit"
	"headway/internal/openai"
	"headway/internal/study"
	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// rig is what the measurements of one endpoint share.
type rig struct {
	app      app
	tokens   tokens
	client   openai.Config
	target   *openai.Target
	secrets  report.Redactor
	header   record.Header
	metrics  metric.Options
	warnings []record.Warning
	names    report.Names
	output   *outputFlags
	config   json.RawMessage // the resolved options
	name     string          // of the experiment; its prompts are its own
	varySeed bool
	maxLag   time.Duration // of the client; 0 is the default
	// preconnect is what to open before a run, connected how much was.
	preconnect ahead
	connected  int
	// calibration is what the machine was found to carry, nil where unknown.
	calibration *audit.Calibration
}

// newRig loads the tokenizer, opens the target and waits for the endpoint.
// Everything that can be wrong with the options has been checked before.
func (a app) newRig(ctx context.Context, e *endpointFlags, t tokenizerFlags, o *outputFlags, client openai.Config, seed uint64, simulated bool) (*rig, error) {
	goals, bad := o.goals()
	if bad != nil {
		return nil, bad
	}
	tok, warning, err := a.loadTokens(ctx, t, e.Model[0], simulated)
	if err != nil {
		return nil, err
	}
	g, err := a.openRig(tok, goals, e, o, client, seed, simulated)
	if err != nil {
		return nil, err
	}
	if warning != nil {
		g.warn(*warning)
	}
	if err := a.waitReady(ctx, e, client); err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

// warn says what a reader of the result must know, and keeps it for the files.
func (g *rig) warn(w record.Warning) {
	g.app.note("warning: %s", w.Text)
	g.warnings = append(g.warnings, w)
}

// openRig does all of newRig that needs no endpoint.
func (a app) openRig(tok tokens, goals metric.Options, e *endpointFlags, o *outputFlags, client openai.Config, seed uint64, simulated bool) (*rig, error) {
	g := &rig{app: a, tokens: tok, client: client, output: o, metrics: goals}
	g.metrics.Streaming, g.metrics.PerChunkUsage, g.metrics.NumGPUs = client.Streaming, client.PerChunkUsage, o.NumGPUs
	g.secrets = report.NewRedactor(secretsOf(client, e)...)
	g.header = record.Header{
		Version: version, Model: strings.Join(e.Model, ","), URL: g.secrets.Text(strings.Join(client.URLs, ",")),
		Endpoint: client.Type, Streaming: client.Streaming, Simulated: simulated, NumGPUs: o.NumGPUs, Seed: seed,
		Tokenizer: tok.info, ServerCount: client.UseServerTokenCount, Command: g.secrets.Command("headway", a.args[1:]),
		Machine: record.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), Go: runtime.Version()},
	}
	g.calibration = a.calibration()
	var err error
	if a.options != nil {
		if g.config, err = a.options(); err != nil {
			return nil, err
		}
		g.config = g.secrets.JSON(g.config)
	}
	if g.target, err = openai.NewTarget(client); err != nil {
		return nil, err
	}
	return g, nil
}

func (a app) waitReady(ctx context.Context, e *endpointFlags, client openai.Config) error {
	if e.WaitTimeout == 0 {
		return nil
	}
	timeout := time.Duration(e.WaitTimeout)
	if timeout < 0 {
		timeout = math.MaxInt64
	}
	return openai.Ready(ctx, client, openai.Probe{Mode: e.WaitMode, Timeout: timeout, Interval: time.Duration(e.WaitInterval),
		Tried: func(address string, why error) { a.note("waiting for %s: %v", address, why) }})
}

func (g *rig) close() { g.target.Close() }

// secretsOf are the values that must appear nowhere.
func secretsOf(c openai.Config, e *endpointFlags) []string {
	secrets := []string{e.APIKey}
	for name, values := range c.Headers {
		if report.SecretName(name) {
			secrets = append(secrets, values...)
		}
	}
	var extra map[string]any
	if json.Unmarshal(c.Extra, &extra) == nil { // else there is none
		secrets = append(secrets, secretStrings(extra)...)
	}
	return secrets
}

// secretStrings are the texts under a secret's name in a JSON value.
func secretStrings(v any) []string {
	var list []string
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			if s, ok := x.(string); ok && report.SecretName(name) {
				list = append(list, s)
			}
			list = append(list, secretStrings(x)...)
		}
	case []any:
		for _, x := range v {
			list = append(list, secretStrings(x)...)
		}
	}
	return list
}

// goals reads --goodput and --objective.
func (o *outputFlags) goals() (metric.Options, error) {
	var m metric.Options
	var bad faultList
	for _, text := range o.Goodput {
		list, err := metric.ParseGoodput(text)
		if err != nil {
			bad.add("--goodput: %v", err)
		}
		m.Goodput = append(m.Goodput, list...)
	}
	for _, text := range o.Objectives {
		one, err := metric.ParseObjective(text)
		if err != nil {
			bad.add("--objective: %v", err)
		}
		m.Objectives = append(m.Objectives, one)
	}
	bad.between("confidence-level", o.Confidence, 0.5, 0.9999)
	bad.between("num-profile-runs", float64(o.Runs), 1, 10)
	bad.notNegative("num-gpus", float64(o.NumGPUs))
	if o.FailAbove != nil {
		bad.between("fail-above", *o.FailAbove, 0, 100)
	}
	if o.Compress == "zst" && o.Level == "summary" {
		bad.add("--export-compression zst with --export-level summary: there is no profile_export.jsonl to compress")
	}
	var err error
	if m.ChunkRule, err = metric.ParseChunkRule(cmp.Or(o.ChunkRule, "asis")); err != nil {
		bad.add("--chunk-rule: %v", err)
	}
	if o.Level == "raw" {
		return m, notBuilt{"--export-level raw", "records has every request's times"}
	}
	return m, bad.err()
}

// seedOf is the seed that was asked for, or one of 53 bits from the system:
// more would not survive a reader of JSON whose numbers are floats.
func seedOf(p *uint64) uint64 {
	if p != nil {
		return *p
	}
	var b [8]byte
	crand.Read(b[:]) // never fails: the runtime ends the program instead
	return binary.LittleEndian.Uint64(b[:]) >> 11
}

// measurement prepares one run. level tells its randomness from that of other
// levels, repeat its text from that of other runs of the same load.
func (g *rig) measurement(p *planFlags, level string, repeat int, dir string) (study.Measurement, error) {
	stream := workload.Stream{Run: g.name, Level: level}
	if g.varySeed {
		stream.Repeat = repeat
	}
	key := stream.Key(g.header.Seed)
	plan, err := p.plan(key)
	if err != nil {
		return study.Measurement{}, err
	}
	warm, err := p.warmup(key)
	if err != nil {
		return study.Measurement{}, err
	}
	plan.Source = freshText(plan.Source, repeat)
	h := g.header
	h.ID = fmt.Sprintf("%012x", uint64(workload.Key(time.Now().UnixNano()).Named(dir))>>16)
	h.Concurrency, h.Rate, h.Repeat, h.Arrivals = plan.Concurrency, p.Rate.value, repeat, p.arrivalName()
	h.Config = g.config
	m := study.Measurement{
		Header: h, Warmup: warm, Plan: plan, Target: g.target, Render: g.tokens.render, Count: g.tokens.count(g.client),
		Metrics: g.metrics, Dir: dir, Names: g.names, Lines: g.output.Level != "summary", HTTPTrace: g.output.HTTPTrace,
		Compress: g.output.Compress == "zst", Table: g.output.Parquet,
		Secrets: g.secrets, Warnings: g.warnings, Audit: g.audit(), Connect: g.connect(plan.Concurrency),
		Body: func(r workload.Request) (json.RawMessage, error) { return openai.Body(g.client, r, nil) },
	}
	m.Metrics.FixedSchedule = p.isFixed()
	if !p.Rate.set && !p.isFixed() {
		m.Metrics.Concurrency = plan.Concurrency
	}
	return m, nil
}

// freshText gives the runs after the first a text of their own: lengths and
// times stay, but no run meets the prefix cache that the run before it warmed.
func freshText(src workload.Source, repeat int) workload.Source {
	if repeat == 0 {
		return src
	}
	change := func(k workload.Key) workload.Key { return k.Named("repeat").Index(repeat) }
	return func(yield func(workload.Request, error) bool) {
		for r, err := range src {
			p := &r.Prompt
			p.Key, p.Prefix.Key, p.SystemKey = change(p.Key), change(p.Prefix.Key), change(p.SystemKey)
			if !yield(r, err) {
				return
			}
		}
	}
}

// advise prints what can be done when every request failed, and says whether
// that is so.
func (g *rig) advise(r *metric.Result) error {
	if r.OK > 0 || r.Failed == 0 {
		return nil
	}
	f := r.Failures[0].Failure
	err := fmt.Errorf("every request failed: %s", g.secrets.Text(f.Message))
	if hint := openai.Advice(f, g.client.Address()); hint != "" {
		err = errors.Join(err, errors.New(g.secrets.Text(hint)))
	}
	return err
}
