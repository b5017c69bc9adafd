package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"headway/internal/audit"
	"headway/internal/openai"
	"headway/internal/profile"
	"headway/internal/prompt"
	"headway/internal/study"
	"headway/internal/tokenizer"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// EndpointConfig says where an engine answers, how to speak to it, and where its
// runs are kept.
type EndpointConfig struct {
	// Client is where requests go: URLs and Models are needed, the rest has
	// openai's defaults. Replies are always streamed, since nothing else shows
	// a first token.
	Client openai.Config
	// Tokenizer makes the prompts and counts the replies; nil is the built-in
	// one.
	Tokenizer *tokenizer.Tokenizer
	// Facts are what is known of the engine. URL is filled in from Client, and
	// GPUs and AttentionDP become 1 where they are 0.
	Facts profile.Facts
	// OpenLength leaves the length of replies to the model: without it every
	// request that plans a length also asks the server for exactly that many
	// tokens (ignore_eos, min_tokens), as Dynamo's profiler does, as far as the
	// server takes these fields, which it is asked for before the first load.
	OpenLength bool
	// NoPreconnect leaves connecting to the requests. Without it a plan begins
	// with a connection open for each of its slots.
	NoPreconnect bool
	// Sampling says what is read beside the load; its Client is filled in. By default
	// the engine's own page of metrics is, before and after each run, for the share of
	// the prompts that was cached.
	Sampling study.Sampling
	// Candidate names the engine among those of a search; "" where there is one.
	Candidate string
	// Dir is the folder below which every run has one of its own, with the files
	// of a measurement; see [study.Points]. It is needed.
	Dir string
	// Run is what all runs have in common: their header, warnings, audit and
	// secrets. What follows from the fields above and from a plan is filled in.
	Run study.Measurement
}

// Endpoint is an engine behind an address, measured in real time. It is a
// profile.Subject; an engine that is started here is one with more to close.
type Endpoint struct {
	cfg    EndpointConfig
	target *openai.Target
	maker  *prompt.Maker
	points study.Points
	// servers is what the engine counts itself; nil is not read.
	servers *study.Servers

	asked  bool          // exact is known
	exact  openai.Agreed // what fixes the length of replies
	untold bool          // that some of it is refused
}

// NewEndpoint opens the client and sends nothing. The error lists every fault
// of the configuration.
func NewEndpoint(cfg EndpointConfig) (*Endpoint, error) {
	cfg.Client.Streaming = true
	cfg.Client.Defaults()
	if err := cfg.Client.Validate(); err != nil {
		return nil, fmt.Errorf("configuring the endpoint: %w", err)
	}
	if cfg.Dir == "" {
		return nil, errors.New("configuring the endpoint: no folder for what is measured")
	}
	if cfg.Tokenizer == nil {
		var err error
		if cfg.Tokenizer, err = tokenizer.Builtin(); err != nil {
			return nil, fmt.Errorf("loading the built-in tokenizer: %w", err)
		}
	}
	target, err := openai.NewTarget(cfg.Client)
	if err != nil {
		return nil, err
	}
	cfg.Facts.GPUs, cfg.Facts.AttentionDP = max(cfg.Facts.GPUs, 1), max(cfg.Facts.AttentionDP, 1)
	if cfg.Facts.URL == "" {
		cfg.Facts.URL = openai.Shown(cfg.Client.URLs[0])
	}
	cfg.Sampling.Client = cfg.Client
	servers, err := cfg.Sampling.Servers()
	if err != nil {
		return nil, err
	}
	e := &Endpoint{cfg: cfg, target: target, servers: servers, maker: prompt.New(cfg.Tokenizer)}
	e.points = study.Points{Dir: cfg.Dir, Names: report.FileNames("")}
	e.describe()
	return e, nil
}

// describe completes what all runs have in common.
func (e *Endpoint) describe() {
	m, c := &e.cfg.Run, e.cfg.Client
	m.Secrets = report.Redactor{Redactor: c.Secrets()}
	m.Lines = true
	h := &m.Header
	h.Model = strings.Join(c.Models, ",")
	h.URL = m.Secrets.Text(strings.Join(c.URLs, ","))
	h.Endpoint, h.Streaming, h.ServerCount = c.Type, c.Streaming, c.UseServerTokenCount
	h.NumGPUs = e.cfg.Facts.GPUs
	h.Tokenizer.Name, h.Tokenizer.Fingerprint = e.cfg.Tokenizer.Name(), e.cfg.Tokenizer.Fingerprint()
	h.Arrivals = "concurrency_burst"
	m.Metrics.Streaming, m.Metrics.PerChunkUsage, m.Metrics.NumGPUs = c.Streaming, c.PerChunkUsage, e.cfg.Facts.GPUs
	m.Target = e.target
	if a := m.Audit; a != nil {
		own := *a
		own.Lags = e.target.ReadLags
		m.Audit = &own
	}
}

// agree finds out, before the first load, which of the fields that fix the length
// of replies the engine takes.
func (e *Endpoint) agree(ctx context.Context) error {
	if e.asked || e.cfg.OpenLength {
		return nil
	}
	exact := openai.Accepted(ctx, e.cfg.Client, append(openai.ExactLength(), openai.Telling()))
	if exact.Tells() {
		e.target.Tell()
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	e.asked, e.exact = true, exact
	if w := exact.Warning(); w != nil {
		e.untold = true
		e.cfg.Run.Warnings = append(slices.Clip(e.cfg.Run.Warnings), *w)
	}
	return nil
}

// Facts is what the configuration says of the engine.
func (e *Endpoint) Facts() profile.Facts { return e.cfg.Facts }

// Client is the configuration of the client, defaults filled in; a caller can
// wait with it until the engine answers (openai.Ready).
func (e *Endpoint) Client() openai.Config { return e.cfg.Client }

// Run measures the plan in real time, into a folder of its own; the sink gets
// one Record for every planned request, tokens counted. When no request of the
// plan got through to a server the error is a *profile.DeadError; when the way to the
// server broke it is [profile.ErrCut]. A plan that ctx ended is
// ctx's error, and its Records have been taken and kept all the same.
func (e *Endpoint) Run(ctx context.Context, p profile.Part, sink record.Sink) (profile.Ran, error) {
	if err := e.agree(ctx); err != nil {
		return profile.Ran{}, err
	}
	reach := &reach{next: sink}
	m := e.measurement(ctx, p)
	m.Also = reach
	rep, err := e.points.Run(ctx, study.PointRun{Section: p.Section, Point: p.Point, Run: p.Run, Anew: p.Anew}, m)
	switch {
	case err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return profile.Ran{}, context.Cause(ctx)
	case err != nil:
		return profile.Ran{}, fmt.Errorf("%w: %w", profile.ErrNotKept, err)
	}
	clock := record.ClockAt(rep.Run.Origin)
	ran := profile.Ran{Span: clock.Wall(rep.Run.End).Sub(clock.Wall(rep.Run.Begin)),
		Telemetry: rep.Run.Telemetry, Invalid: audit.Invalid(rep.Run.Audit)}
	if energy, ok := rep.Energy(); ok {
		ran.Energy = &energy
	}
	ran.Warnings = append(slices.Clone(rep.Run.Warnings[len(m.Warnings):]), rep.Result.Warnings...)
	if e.untold && !p.Prepares {
		// All files have it; of the points one is enough.
		e.untold = false
		ran.Warnings = append(ran.Warnings, *e.exact.Warning())
	}
	switch {
	case rep.Run.Cancelled:
		return ran, context.Cause(ctx)
	case slices.ContainsFunc(rep.Run.Warnings, func(w record.Warning) bool { return w.Code == study.CodeWayBroke }):
		return ran, fmt.Errorf("%w: %d requests failed", profile.ErrCut, rep.Result.Failed)
	case rep.Run.Aborted != "":
		return ran, errors.New("running a plan on " + e.cfg.Facts.URL + ": " + rep.Run.Aborted)
	}
	return ran, reach.dead(e.cfg.Client.Address())
}

// measurement is the run of a part.
func (e *Endpoint) measurement(ctx context.Context, p profile.Part) study.Measurement {
	m := e.cfg.Run
	m.Plan, m.Cached = p.Plan, p.Cached
	if !e.cfg.OpenLength {
		m.Plan.Source = fixedLength(m.Plan.Source, e.exact)
	}
	m.Header.Concurrency, m.Header.TokenCount = p.Concurrency, p.Tokens.String()
	m.Metrics.Concurrency, m.Metrics.Tokens = p.Concurrency, p.Tokens
	if p.Rate > 0 {
		m.Header.Rate, m.Header.Arrivals, m.Metrics.Concurrency = p.Rate, "poisson", 0
	}
	m.Render = func(ctx context.Context, src workload.Source) workload.Source {
		return prompt.Rendered(ctx, src, e.maker)
	}
	m.Count = func(next record.Sink) record.Sink {
		c := openai.CounterConfig{Server: e.cfg.Client.UseServerTokenCount, Stop: ctx.Done()}
		return openai.NewCounter(next, e.cfg.Tokenizer, c)
	}
	m.Servers = e.servers
	m.At = study.Point{"section": p.Section, "point": p.Point}
	if e.cfg.Candidate != "" {
		m.At["candidate"] = e.cfg.Candidate
	}
	if p.Prepares {
		m.Audit, m.Servers, m.Others = nil, nil, study.Others{}
	}
	if !e.cfg.NoPreconnect && e.cfg.Client.ConnectionReuse != openai.ReuseNever && p.Concurrency > 0 {
		m.Connect = func(ctx context.Context) (*record.Ahead, error) { return e.connect(ctx, p.Concurrency), nil }
	}
	return m
}

// connectWithin bounds the time that connecting ahead of the requests may take.
const connectWithin = 10 * time.Second

// connect opens what n requests at once will need. What fails here fails the
// requests, which say it better.
func (e *Endpoint) connect(ctx context.Context, n int) *record.Ahead {
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	_ = e.target.Preconnect(ctx, n)
	return study.Ahead(e.target.Opened())
}

// Close closes the client's connections. The engine itself is somebody else's.
func (e *Endpoint) Close(context.Context) error {
	e.target.Close()
	return nil
}

// fixedLength asks for exactly the planned length: max_tokens beside the
// limit that the API names otherwise, and what the engine takes beyond it. What a
// request brings of its own stays.
func fixedLength(src workload.Source, exact openai.Agreed) workload.Source {
	return func(yield func(workload.Request, error) bool) {
		for r, err := range src {
			if err == nil && r.OutputTokens > 0 && len(r.Extra) == 0 && r.Prompt.Payload == nil {
				r.Extra, err = exactly(r.OutputTokens, exact)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

func exactly(tokens int, exact openai.Agreed) (json.RawMessage, error) {
	extra, err := exact.Add(fmt.Appendf(nil, `{"max_tokens":%d}`, tokens), tokens, "min_tokens")
	if err != nil {
		return nil, err
	}
	return exact.Add(extra, true, "ignore_eos")
}

// reach is a sink before another that notices whether anything got through.
type reach struct {
	next    record.Sink
	through bool
	refused *record.Failure // the last
}

// Take looks at a Record and passes it on.
func (r *reach) Take(rec *record.Record) error {
	switch {
	case rec.Outcome == record.Failed && rec.Failure != nil && unreachable(rec.Failure.Class):
		r.refused = rec.Failure
	case rec.Outcome != record.Dropped:
		r.through = true
	}
	return r.next.Take(rec)
}

func unreachable(c record.Class) bool {
	return c == record.ClassDNS || c == record.ClassRefused || c == record.ClassTLS
}

// dead is the error of a plan none of whose requests got through.
func (r *reach) dead(address string) error {
	if r.through || r.refused == nil {
		return nil
	}
	return &profile.DeadError{Reason: profile.ReasonLost, Message: r.refused.Message,
		Advice: openai.Advice(*r.refused, address)}
}
