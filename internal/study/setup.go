package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"headway/internal/audit"
	"headway/internal/cluster"
	"headway/internal/fault"
	"headway/internal/openai"
	"headway/internal/options"
	"headway/internal/tokens"
	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// Caller is who asks for measurements: what it is told, and what it knows.
type Caller interface {
	Note(format string, args ...any)
	// NoteOnce says a thing that was not said before.
	NoteOnce(format string, args ...any)
	Getenv(name string) string
	// Header is what is known of a run before where it goes is.
	Header(secrets report.Redactor, seed uint64) (record.Header, error)
	// Calibration is what this machine was found to carry, nil where unknown.
	Calibration() *audit.Calibration
	// Others are those who are told of every measurement of the call.
	Others() Others
}

// Setup is what the measurements of one endpoint share.
type Setup struct {
	App      Caller
	Tokens   tokens.Tokens
	Client   openai.Config
	Target   *openai.Target
	Secrets  report.Redactor
	Header   record.Header
	Metrics  metric.Options
	Warnings []record.Warning
	Names    report.Names
	output   *options.Output
	Name     string // of the experiment; its prompts are its own
	VarySeed bool
	MaxLag   time.Duration // of the client; 0 is the default
	FailFast bool
	// Preconnect is what to open before a run.
	Preconnect options.Ahead
	// Servers reads what the servers count themselves; nil does not.
	Servers *Servers
	// Way is as of [Measurement]; nil where the servers are reached directly.
	Way Way
	// calibration is what the machine was found to carry, nil where unknown.
	calibration *audit.Calibration
	Interrupted <-chan struct{} // closed when the user wants to stop
	Room        int             // bytes of finished requests that may wait
}

// Server is what a setup is made for: an endpoint and how it is measured.
// Everything that can be wrong with the options has been checked before.
type Server struct {
	Endpoint  *options.Endpoint
	Tokens    options.Tokens
	Output    *options.Output
	Client    openai.Config
	Telemetry options.Telemetry
	Seed      uint64
	Simulated bool
	// Elsewhere says that the address leads away from this host, whatever it looks like.
	Elsewhere bool
}

// Open loads the tokenizer, opens the target and waits for the endpoint.
func (s Server) Open(ctx context.Context, a Caller) (*Setup, error) {
	tok, warning, err := LoadTokens(ctx, a, s.Tokens, s.Endpoint.Model[0], s.Simulated)
	if err != nil {
		return nil, err
	}
	g, err := s.With(a, tok)
	if err != nil {
		return nil, err
	}
	g.Interrupted = ctx.Done()
	if warning != nil {
		g.Warn(*warning)
	}
	if err := WaitReady(ctx, a, s.Endpoint, s.Client); err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

// Warn says what a reader of the result must know, and keeps it for the files.
func (g *Setup) Warn(w record.Warning) {
	g.App.Note("warning: %s", w.Text)
	g.Warnings = append(g.Warnings, w)
}

// CountBy says whose token counts the figures are made of.
func (g *Setup) CountBy(s metric.TokenSource) {
	g.Metrics.Tokens, g.Header.TokenCount = s, s.String()
}

// With does all of open that needs no endpoint, with a tokenizer that is loaded.
func (s Server) With(a Caller, tok tokens.Tokens) (*Setup, error) {
	s.Client.KeepRaw = s.Output.Level == "raw"
	g := &Setup{App: a, Tokens: tok, Client: s.Client, output: s.Output, Room: s.Endpoint.Room()}
	var err error
	if g.Metrics, err = s.Output.Goals(); err != nil {
		return nil, err
	}
	g.Secrets = report.Redactor{Redactor: s.Client.Secrets()}
	if g.Header, err = a.Header(g.Secrets, s.Seed); err != nil {
		return nil, err
	}
	g.Metrics.Streaming, g.Metrics.PerChunkUsage = s.Client.Streaming, s.Client.PerChunkUsage
	g.Metrics.NumGPUs, g.Metrics.AsAiperf = s.Output.NumGPUs, g.Header.AsAiperf
	s.describe(&g.Header, g.Secrets, tok)
	g.calibration = a.Calibration()
	if s.Simulated {
		// The endpoint that bench and run simulate has the step times of a cluster of no options.
		basis := cluster.Config{}.RestsOn()
		g.Warnings = append(g.Warnings, record.Warning{Code: basis.Code,
			Text: "no interval on a real server is known: " + basis.Text})
	}
	if g.Target, err = openai.NewTarget(s.Client); err != nil {
		return nil, err
	}
	if w := AboutProxies(a, s.Client); w != nil {
		g.Warn(*w)
	}
	if g.Servers, err = s.sampling(a).Servers(); err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

// describe puts into a header what is measured.
func (s Server) describe(h *record.Header, secrets report.Redactor, tok tokens.Tokens) {
	h.Model, h.URL = strings.Join(s.Endpoint.Model, ","), secrets.Text(strings.Join(s.Client.URLs, ","))
	h.Endpoint = s.Client.Type
	h.Streaming = s.Client.Streaming
	h.Simulated = s.Simulated
	h.NumGPUs, h.Prices = s.Output.NumGPUs, s.Output.Prices()
	h.Tokenizer, h.ServerCount = tok.Info, s.Client.UseServerTokenCount
}

// WaitReady waits for the endpoint, as long as the options say.
func WaitReady(ctx context.Context, a Caller, e *options.Endpoint, client openai.Config) error {
	if e.WaitTimeout == 0 {
		return nil
	}
	timeout := time.Duration(e.WaitTimeout)
	if timeout < 0 {
		timeout = math.MaxInt64
	}
	return openai.Ready(ctx, client, openai.Probe{Mode: e.WaitMode, Timeout: timeout,
		Interval: time.Duration(e.WaitInterval),
		Tried:    func(address string, why error) { a.Note("waiting for %s: %v", address, why) }})
}

// Close ends its connections.
func (g *Setup) Close() { g.Target.Close() }

// Measurement prepares one run. level tells its randomness from that of other
// levels, repeat its text from that of other runs of the same load.
func (g *Setup) Measurement(p *options.Plan, level string, repeat int, dir string) (Measurement, error) {
	stream := workload.Stream{Run: g.Name, Level: level}
	if g.VarySeed {
		stream.Repeat = repeat
	}
	key := stream.Key(g.Header.Seed)
	plan, warm, err := p.Phases(key, repeat)
	if err != nil {
		return Measurement{}, err
	}
	if warm != nil {
		warm.FailFast = g.FailFast
	}
	m := g.Of(plan)
	m.Warmup, m.Dir = warm, dir
	h := &m.Header
	h.ID = NewID(dir)
	h.Concurrency = plan.Concurrency
	h.Rate = p.Rate.Value
	h.Repeat = repeat
	h.Arrivals = p.ArrivalName()
	m.Metrics.FixedSchedule = p.IsFixed()
	if !p.Rate.Set && !p.IsFixed() {
		m.Metrics.Concurrency = plan.Concurrency
	}
	return m, nil
}

// Of is a run of a plan, but for what its header says of the load, and where it
// goes.
func (g *Setup) Of(plan workload.Plan) Measurement {
	plan.FailFast = g.FailFast
	return Measurement{
		Header: g.Header, Plan: plan, Target: g.Target, Render: g.Tokens.Render,
		Count:   Counter(g.App, g.Tokens, g.Client, g.Interrupted),
		Metrics: g.Metrics, Names: g.Names, Lines: g.output.Level != "summary", HTTPTrace: g.output.HTTPTrace,
		Compress: g.output.Compress == "zst", Table: g.output.Parquet, Raw: g.Client.KeepRaw,
		Secrets: g.Secrets, Warnings: g.Warnings, Audit: g.Audit(), Connect: g.Connect(plan), Room: g.Room,
		Servers: g.Servers, Others: g.App.Others(), Way: g.Way,
		Body: func(r workload.Request) (json.RawMessage, error) { return openai.Body(g.Client, r, nil) },
	}
}

// Advise is the error of a run that has no reply, with what can be done, or that
// ended itself; under the name aiperf the latter is none.
func (g *Setup) Advise(rep *report.Report) error {
	if err := g.unanswered(rep.Result); err != nil || rep.Run.Aborted == "" || g.Header.AsAiperf {
		return err
	}
	return fmt.Errorf("ended early: %s", g.Secrets.Text(rep.Run.Aborted))
}

// unanswered is the error of a result of which every request failed.
func (g *Setup) unanswered(r *metric.Result) error {
	err := Unanswered(r, g.Secrets, func(f record.Failure) string { return openai.Advice(f, g.Client.Address()) })
	if err != nil && r.Dropped > 0 && g.FailFast {
		err = errors.Join(err, fault.New("%d requests were not sent; %s sends them all the same", r.Dropped,
			fault.Field("no-fail-fast")))
	}
	return err
}

// Connect is what a measurement does before its clock starts; nil where nothing
// is to be opened.
func (g *Setup) Connect(p workload.Plan) func(context.Context) (*record.Ahead, error) {
	n := g.Preconnect.Connections(p, g.Client.ConnectionReuse == openai.ReuseNever)
	open := OpenAhead(g.Target, n, g.Preconnect.Said)
	if open == nil {
		return nil
	}
	return func(ctx context.Context) (*record.Ahead, error) {
		opened, err := open(ctx)
		if err != nil {
			return nil, fault.New("%s: %w", fault.Field("preconnect"), err)
		}
		return opened, nil
	}
}

// AboutProxies is what a reader of figures must know of proxies, nil where there
// are none, and what the user may not know of the environment.
func AboutProxies(a Caller, c openai.Config) *record.Warning {
	if name := c.UnusedProxy(); name != "" {
		a.NoteOnce("note: %s is set and not used, so that no proxy is measured; --proxy env uses it, "+
			"--proxy none ends this note", name)
	}
	return c.Proxied()
}

// Audit is what the measurements are held against.
func (g *Setup) Audit() *audit.Options {
	return &audit.Options{MaxLag: g.MaxLag, Lags: g.Target.ReadLags, Calibration: g.calibration}
}
