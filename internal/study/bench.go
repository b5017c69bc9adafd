package study

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"headway/internal/bound"
	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/settings"
	"headway/internal/tokens"
	"headway/metric"
	"headway/report"
)

// Endpoint is one server to be measured.
type Endpoint struct {
	Name, URL string
	Simulated bool
	// Forward is the service behind a port-forward, whose URL is another each
	// time.
	Forward string
	// Pages are those of workers behind it.
	Pages []options.Page
}

// EndpointsOf are those of addresses and names; without an address it is one that
// is simulated.
func EndpointsOf(names, urls []string) []Endpoint {
	if len(urls) == 0 {
		return []Endpoint{{Name: names[0], Simulated: true}}
	}
	ends := make([]Endpoint, len(urls))
	for i, url := range urls {
		ends[i] = Endpoint{Name: names[i], URL: url}
	}
	return ends
}

// Bench is a sweep over concurrency levels of each of several endpoints.
type Bench struct {
	Options *options.Bench
	Env     options.Caller
	Caller  Caller
	// Claim takes a folder for this process, until release is called.
	Claim func(dir string) (release func(), err error)
	// Asked are the options of this call that two calls must have in common, secrets
	// taken out; records says that figures are made of the records again.
	Asked func(secrets report.Redactor, records bool) (settings.Settings, error)
	// Simulate starts an endpoint in this process, until stop is called.
	Simulate func(model string) (url string, stop func(), err error)
	// Way is as of [Measurement].
	Way Way
}

// Trial is the sweep over one endpoint, from its preparation to its results.
type Trial struct {
	Endpoint Endpoint
	Setup    *Setup
	Sweep    Sweep
	// Levels are what was measured, in order.
	Levels []Level
	// Ready is called when the endpoint answers, before the first request; nil is
	// not.
	Ready func()

	wait  *options.Endpoint
	exact int      // how many tokens replies are to have; 0 leaves it to the model
	ends  []func() // what to give back, last first
}

// Close gives back what the trial holds.
func (t *Trial) Close() {
	for i := range t.ends {
		t.ends[len(t.ends)-1-i]()
	}
}

// Prepare makes every endpoint's sweep and looks at every folder, before the
// first request is sent. What it returns with an error is to be closed too.
func (b Bench) Prepare(ctx context.Context, ends []Endpoint) ([]*Trial, error) {
	o := b.Options
	tok, warning, err := LoadTokens(ctx, b.Caller, o.Tokens, o.Model[0], o.Simulated())
	if err != nil {
		return nil, err
	}
	var trials []*Trial
	seed := options.SeedOr(o.Seed)
	for i, e := range ends {
		t := &Trial{Endpoint: e, wait: &o.Endpoint}
		trials = append(trials, t)
		if err := b.open(t, tok, seed); err != nil {
			return trials, err
		}
		if warning != nil {
			t.Setup.Warnings = append(t.Setup.Warnings, *warning)
			if i == 0 {
				b.Caller.Note("warning: %s", warning.Text)
			}
		}
	}
	var faults []error
	taken := false
	for _, t := range trials {
		err := t.Sweep.Prepare()
		taken = taken || errors.Is(err, ErrHasResults) || errors.Is(err, settings.ErrChanged)
		faults = append(faults, err)
	}
	if err = errors.Join(faults...); taken {
		err = fault.Usage(err)
	}
	return trials, err
}

// open makes the setup and the sweep of one endpoint.
func (b Bench) open(t *Trial, tok tokens.Tokens, seed uint64) error {
	o, dir := b.Options, filepath.Join(b.Options.OutputDir, t.Endpoint.Name)
	free, err := b.Claim(dir)
	t.ends = append(t.ends, free)
	if err != nil {
		return err
	}
	if t.Endpoint.Simulated {
		url, stop, err := b.Simulate(o.Model[0])
		if err != nil {
			return err
		}
		t.ends, t.Endpoint.URL = append(t.ends, stop), url
		if o.NumGPUs == 0 {
			o.NumGPUs = 1 // the one worker that is simulated
		}
	}
	if err := b.setup(t, tok, seed); err != nil {
		return err
	}
	t.ends = append(t.ends, func() { t.Setup.Close() })
	asked, err := b.settings(t)
	if err != nil {
		return err
	}
	t.Sweep = Sweep{
		Dir: dir, Levels: o.Levels, Runs: o.Runs, Cooldown: time.Duration(o.Cooldown),
		Confidence: o.Confidence, Resume: o.Resume, Overwrite: o.Overwrite, Settings: asked,
	}
	t.Sweep.Until = o.Until.Wanted()
	if o.Saturated {
		t.Sweep.Enough = func(all []Level) bool { return saturated(all, b.Caller.Note) }
	}
	t.Sweep.Measure = func(level, run int, dir string) (Measurement, error) {
		m, err := t.Setup.Measurement(o.Plan(level), fmt.Sprintf("c%d", level), run, dir)
		m.At = Point{"endpoint": t.Endpoint.Name, "level": strconv.Itoa(level)}
		return m, err
	}
	return nil
}

func (b Bench) setup(t *Trial, tok tokens.Tokens, seed uint64) error {
	o, flags := b.Options, b.Options.Endpoint
	if o.IgnoreEOS {
		t.exact = int(o.OSL.Value)
	}
	client, err := flags.Client(b.Env, []string{t.Endpoint.URL}, o.Streaming)
	if err != nil {
		return err
	}
	beside := o.Telemetry
	beside.Pages = t.Endpoint.Pages
	server := Server{Endpoint: &flags, Output: &o.Output, Client: client, Telemetry: beside, Seed: seed,
		Simulated: t.Endpoint.Simulated, Elsewhere: t.Endpoint.Forward != ""}
	g, err := server.With(b.Caller, tok)
	if err != nil {
		return err
	}
	g.CountBy(o.TokenSource(metric.TokensAuto))
	g.MaxLag, g.FailFast, g.Preconnect = o.Lag(), o.On(b.Env), o.Ahead(true)
	g.Names, g.Name = report.FileNames(""), streamName(t.Endpoint.Name)
	t.Setup, g.Way = g, b.Way
	return nil
}

var timeName = regexp.MustCompile(`^(run|simulated)-[0-9]{8}-[0-9]{6}(-[0-9]+)?$`)

// streamName is what an experiment's randomness is named after: its own name,
// so that experiments of one seed share no prompt. A name that was made of the
// time counts without it, or the same command would not repeat itself.
func streamName(name string) string { return timeName.ReplaceAllString(name, "$1$2") }

// Run measures all levels. The error says what could not be done, and last
// what can be done where every request of a level failed.
func (t *Trial) Run(ctx context.Context) error {
	t.Setup.Interrupted = ctx.Done()
	if err := WaitReady(ctx, t.Setup.App, t.wait, t.Setup.Client); err != nil {
		return err
	}
	if t.exact > 0 {
		if err := t.Setup.Exactly(ctx, t.exact); err != nil {
			return err
		}
	} else {
		t.Setup.Agree(ctx, nil)
	}
	if t.Ready != nil {
		t.Ready()
	}
	var err error
	t.Levels, err = t.Sweep.Run(ctx)
	return errors.Join(err, t.refresh())
}

// refresh writes the summaries of kept levels again where they differ from
// what is shown: another objective, a limit of good requests or a number of
// GPUs, all of which follow from the records.
func (t *Trial) refresh() error {
	if !t.Sweep.Resume {
		return nil
	}
	for _, l := range t.Levels {
		for i, rep := range l.Reports {
			dir := folderOfRun(l.Dir, i, t.Sweep.Runs)
			rep.Run.NumGPUs, rep.Run.Prices = t.Setup.Header.NumGPUs, t.Setup.Header.Prices
			if err := refresh(rep, dir, t.Setup.Names, t.Setup.App.Others()); err != nil {
				return err
			}
		}
	}
	return nil
}

// refresh writes a kept run's files of figures again where they differ, and what an
// earlier call was not asked for.
func refresh(rep *report.Report, dir string, names report.Names, others Others) error {
	if others.LLMD {
		if err := writeLLMD(dir, rep); err != nil {
			return err
		}
	}
	var now bytes.Buffer
	if err := rep.WriteJSON(&now); err != nil {
		return err
	}
	was, err := bound.ReadFile(filepath.Join(dir, names.JSON), bound.Document, "the result")
	if err == nil && bytes.Equal(was, now.Bytes()) {
		return nil
	}
	if err := rep.WriteFiles(dir, names); err != nil {
		return fmt.Errorf("writing a kept run again: %w", err)
	}
	return nil
}

// Failed is the first cause, with what can be done about it, where every
// request of a level failed; nil where there is no such level.
func (t *Trial) Failed() error {
	var first error
	var levels []string
	for _, l := range t.Levels {
		for _, rep := range l.Reports {
			if err := t.Setup.Advise(rep); err != nil {
				if first == nil {
					first = err
				}
				levels = append(levels, fmt.Sprint(l.Concurrency))
				break
			}
		}
	}
	if first == nil || len(levels) == len(t.Sweep.Levels) {
		return first
	}
	return fmt.Errorf("concurrency %s: %w", strings.Join(levels, ", "), first)
}
