package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"headway/internal/openai"
	"headway/internal/study"
	"headway/metric"
	"headway/report"
)

// trial is the sweep over one endpoint, from its preparation to its results.
type trial struct {
	e      endpoint
	rig    *rig
	sweep  study.Sweep
	show   *display
	stop   func() // of the simulated endpoint
	levels []study.Level
}

func (t *trial) close() {
	if t.rig != nil {
		t.rig.close()
	}
	if t.stop != nil {
		t.stop()
	}
}

// reports are those of all levels.
func (t *trial) reports() []*report.Report {
	var all []*report.Report
	for _, l := range t.levels {
		all = append(all, l.Reports...)
	}
	return all
}

// invalid are the measurements that are not valid. named says that there are
// other endpoints.
func (t *trial) invalid(named bool) []invalidRun {
	var all []invalidRun
	for _, l := range t.levels {
		where := fmt.Sprintf("concurrency %d", l.Concurrency)
		if named {
			where = t.e.name + ", " + where
		}
		all = append(all, invalidRuns(where, l.Reports)...)
	}
	return all
}

// prepare makes every endpoint's sweep and looks at every folder, before the
// first request is sent. What it returns with an error is to be closed too.
func (b *benchCmd) prepare(ctx context.Context, a app, ends []endpoint) ([]*trial, error) {
	tok, warning, err := a.loadTokens(ctx, b.tokenizerFlags, b.Model[0], b.simulated())
	if err != nil {
		return nil, err
	}
	var trials []*trial
	seed := seedOf(b.Seed)
	for i, e := range ends {
		t := &trial{e: e}
		trials = append(trials, t)
		if err := b.open(a, t, tok, seed); err != nil {
			return trials, err
		}
		if warning != nil {
			t.rig.warnings = append(t.rig.warnings, *warning)
			if i == 0 {
				a.note("warning: %s", warning.Text)
			}
		}
	}
	var faults []error
	taken := false
	for _, t := range trials {
		err := t.sweep.Prepare()
		taken = taken || errors.Is(err, study.ErrHasResults) || errors.Is(err, study.ErrOtherConfig)
		faults = append(faults, err)
	}
	err = errors.Join(faults...)
	if taken {
		err = usageError{err}
	}
	return trials, err
}

// open makes the rig and the sweep of one endpoint.
func (b *benchCmd) open(a app, t *trial, tok tokens, seed uint64) error {
	if t.e.simulated {
		sim, err := startSimulated(b.Model[0])
		if err != nil {
			return err
		}
		t.stop, t.e.url = sim.stop, sim.url
		if b.NumGPUs == 0 {
			b.NumGPUs = 1 // the one worker that is simulated
		}
	}
	flags := b.endpointFlags
	if b.IgnoreEOS {
		flags.ExtraInputs = append([]string{"ignore_eos:true", fmt.Sprintf("min_tokens:%d", int(b.OSL.value))}, flags.ExtraInputs...)
	}
	client, err := flags.config(a, []string{t.e.url}, b.Streaming)
	if err != nil {
		return err
	}
	goals, err := b.goals()
	if err != nil {
		return err
	}
	if t.rig, err = a.openRig(tok, goals, &flags, &b.outputFlags, client, seed, t.e.simulated); err != nil {
		return err
	}
	t.rig.countBy(b.tokenSource(metric.TokensAuto))
	t.rig.maxLag, t.rig.preconnect = b.lag(), b.ahead(true)
	t.rig.names, t.rig.name = report.FileNames(""), streamName(t.e.name)
	t.show = newDisplay(t.rig, t.e, b.Levels)
	t.sweep = study.Sweep{
		Dir: filepath.Join(b.OutputDir, t.e.name), Levels: b.Levels, Runs: b.Runs, Cooldown: time.Duration(b.Cooldown),
		Confidence: b.Confidence, Resume: b.Resume, Overwrite: b.Overwrite, Fingerprint: b.fingerprint(t.e, t.rig),
		Watch: t.show.watch, Done: t.show.level,
	}
	t.sweep.Measure = func(level, run int, dir string) (study.Measurement, error) {
		return t.rig.measurement(b.plan(level), fmt.Sprintf("c%d", level), run, dir)
	}
	return nil
}

var timeName = regexp.MustCompile(`^(run|simulated)-[0-9]{8}-[0-9]{6}(-[0-9]+)?$`)

// streamName is what an experiment's randomness is named after: its own name,
// so that experiments of one seed share no prompt. A name that was made of the
// time counts without it, or the same command would not repeat itself.
func streamName(name string) string { return timeName.ReplaceAllString(name, "$1$2") }

// run measures all levels. The error says what could not be done, and last
// what can be done where every request of a level failed.
func (t *trial) run(ctx context.Context, b *benchCmd) error {
	if err := t.rig.app.waitReady(ctx, &b.endpointFlags, t.rig.client); err != nil {
		return err
	}
	t.show.begin(fmt.Sprintf("%g", b.ISL.value), fmt.Sprintf("%g", b.OSL.value), t.sweep.Dir)
	all, err := t.sweep.Run(ctx)
	t.levels = all
	return errors.Join(err, t.refresh(), t.show.end(all), t.failed())
}

// refresh writes the summaries of kept levels again where they differ from
// what is shown: another objective, a limit of good requests or a number of
// GPUs, all of which follow from the records.
func (t *trial) refresh() error {
	if !t.sweep.Resume {
		return nil
	}
	for _, l := range t.levels {
		for i, rep := range l.Reports {
			dir := l.Dir
			if t.sweep.Runs > 1 {
				dir = filepath.Join(dir, "profile_runs", report.RunLabel(i))
			}
			rep.Run.NumGPUs = t.rig.header.NumGPUs
			now, err := jsonOf(rep)
			if err != nil {
				return err
			}
			if was, err := os.ReadFile(filepath.Join(dir, t.rig.names.JSON)); err == nil && bytes.Equal(was, now) {
				continue
			}
			if err := rep.WriteFiles(dir, t.rig.names); err != nil {
				return fmt.Errorf("writing a kept level again: %w", err)
			}
		}
	}
	return nil
}

// failed is the first cause, with what can be done about it, where every
// request of a level failed; nil where there is no such level.
func (t *trial) failed() error {
	var first error
	var levels []string
	for _, l := range t.levels {
		for _, rep := range l.Reports {
			if err := t.rig.advise(rep.Result); err != nil {
				if first == nil {
					first = err
				}
				levels = append(levels, fmt.Sprint(l.Concurrency))
				break
			}
		}
	}
	if first == nil || len(levels) == len(t.sweep.Levels) {
		return first
	}
	return fmt.Errorf("concurrency %s: %w", strings.Join(levels, ", "), first)
}

// benchPrint is what two calls must have in common for one to go on with the
// other's results. What the metrics make of the records is not in it.
type benchPrint struct {
	Model, URL, Type   string
	Path               string
	Headers            map[string]string
	ISL, Std, OSL      float64
	Count              int
	Streaming, EOS     bool
	Tokenizer          string
	Warmup, Runs       int
	Entries, Prefixes  int
	PrefixLength       int
	Extra              string
	Seed               *uint64
	ServerTokens       bool
	LegacyMaxTokens    bool
	PerChunkUsage      bool
	ModelStrategy      string
	SessionHeader      string
	Timeout            float64
	ConnectionReuse    string
	Simulated          bool
	HeadwayMajorFormat int
	ChunkRule          string `json:",omitempty"`
	TokenCount         string `json:",omitempty"` // client; auto was none once
	// Transport is what --transport chose where auto would have chosen
	// another, so that a folder of a version without it is still taken.
	Transport  string `json:",omitempty"`
	HTTP2      bool   `json:",omitempty"`
	Preconnect string `json:",omitempty"`
	// Start is what comes before the measured requests.
	Start string `json:",omitempty"`
}

// fingerprint is the [benchPrint] of a call on one endpoint.
func (b *benchCmd) fingerprint(e endpoint, g *rig) any {
	f := benchPrint{
		Model: strings.Join(b.Model, ","), URL: g.header.URL, Type: g.client.Type, Path: g.client.Endpoint, Headers: headerPrints(b.Headers),
		ISL: b.ISL.value, Std: b.Std.value, OSL: b.OSL.value, Count: b.Count.value, Streaming: b.Streaming, EOS: b.IgnoreEOS,
		Tokenizer: g.header.Tokenizer.Fingerprint, Warmup: b.Warmup.value, Runs: b.Runs,
		Entries: b.Entries.value, Prefixes: b.PrefixCount, PrefixLength: b.PrefixLen,
		Extra: g.secrets.Text(string(g.client.Extra)), Seed: b.Seed, ServerTokens: g.metrics.Tokens == metric.TokensServer,
		LegacyMaxTokens: b.LegacyMax, PerChunkUsage: b.PerChunkUsage, ModelStrategy: b.ModelStrategy, SessionHeader: b.SessionHeader,
		Timeout: time.Duration(b.Timeout).Seconds(), ConnectionReuse: b.Reuse, Simulated: e.simulated, HeadwayMajorFormat: 1,
	}
	if g.metrics.Tokens == metric.TokensClient {
		f.TokenCount = g.metrics.Tokens.String()
	}
	if g.metrics.ChunkRule != metric.ChunkAsIs {
		f.ChunkRule = g.metrics.ChunkRule.String()
	}
	usual := g.client
	usual.Transport = openai.TransportAuto
	if used := g.client.TransportUsed(); used != usual.TransportUsed() {
		f.Transport = used
	}
	f.HTTP2 = g.client.HTTP2
	switch c := b.ahead(true); {
	case c.auto:
		f.Preconnect = "concurrency"
	case c.n > 0:
		f.Preconnect = fmt.Sprint(c.n)
	}
	switch {
	case !b.Warmup.set:
		f.Start = "settled"
	case b.Warmup.value > 0:
		f.Start = "handover"
	}
	if e.simulated {
		f.URL = "" // its port is another each time
	}
	if e.forward != "" {
		f.URL = e.forward
	}
	return f
}

// headerPrints tell headers apart without saying them. Those that hold secrets
// are there by name only: a token may be renewed between two calls, and the
// hash of a short one can be guessed.
func headerPrints(list []string) map[string]string {
	prints := map[string]string{}
	for _, h := range list {
		name, value, _ := strings.Cut(h, ":")
		name = strings.ToLower(strings.TrimSpace(name))
		if report.SecretName(name) {
			prints[name] = report.Redacted
			continue
		}
		prints[name] += fmt.Sprintf("%x", sha256.Sum256([]byte(strings.TrimSpace(value))))[:12]
	}
	return prints
}
