// Package live measures a twin's server over HTTP: it makes the endpoint of the
// options, asks its metrics how it was started, and hands it to the calibration of
// internal/twin/probe. It knows no terminal and parses no command line.
package live

import (
	"context"
	"errors"
	"strings"
	"time"

	"headway/internal/audit"
	"headway/internal/deploy"
	"headway/internal/fault"
	"headway/internal/openai"
	"headway/internal/options"
	"headway/internal/study"
	"headway/internal/telemetry"
	"headway/internal/twin"
	"headway/internal/twin/probe"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// Caller is who asks.
type Caller interface {
	study.Caller
	// Claim takes a folder for this process, until release is called.
	Claim(dir string) (release func(), err error)
}

// Asked is where a twin is measured, and who wants to know.
type Asked struct {
	Caller Caller
	Env    options.Caller
	*options.TwinURL
	// Dir takes the results.
	Dir string
	// Quiet tells nothing but warnings.
	Quiet bool
}

// Server is a server that answers.
type Server struct {
	Asked
	client openai.Config
	engine *deploy.Endpoint
	seed   uint64
}

// Open makes the client and waits for the server. The folder is this process's until
// end is called, which is to be called where there is an error, too.
func Open(ctx context.Context, asked Asked) (s *Server, end func(), err error) {
	s, end = &Server{Asked: asked, seed: options.SeedOr(asked.Seed)}, func() {}
	if s.client, err = asked.Config(asked.Env); err != nil {
		return nil, end, fault.Usage(err)
	}
	release, err := asked.Caller.Claim(asked.Dir)
	if err != nil {
		return nil, release, err
	}
	if err = s.open(ctx); err != nil {
		return nil, release, err
	}
	end = func() {
		_ = s.engine.Close(ctx) // connections of the client; all is read
		release()
	}
	return s, end, study.WaitReady(ctx, asked.Caller, &asked.Endpoint, s.client)
}

func (s *Server) open(ctx context.Context) error {
	tok, warning, err := study.LoadTokens(ctx, s.Caller, s.Tokens, s.Model[0], false)
	if err != nil {
		return err
	}
	m := study.Measurement{Audit: &audit.Options{MaxLag: s.Lag(), Calibration: s.Caller.Calibration()}, Room: s.Room(),
		Others: s.Caller.Others()}
	if m.Header, err = s.Caller.Header(report.Redactor{Redactor: s.client.Secrets()}, s.seed); err != nil {
		return err
	}
	m.Header.Tokenizer = tok.Info
	for _, w := range []*record.Warning{warning, study.AboutProxies(s.Caller, s.client)} {
		if w != nil {
			s.Caller.Note("warning: %s", w.Text)
			m.Warnings = append(m.Warnings, *w)
		}
	}
	s.engine, err = deploy.NewEndpoint(deploy.EndpointConfig{Client: s.client, Tokenizer: tok.Tokenizer,
		NoPreconnect: s.NoPreconnect, Dir: s.Dir, Run: m,
		Sampling: study.Sampling{Telemetry: s.Telemetry, Path: s.Caller.Getenv("PATH")}})
	return err
}

// URL is the server as it may be written down.
func (s *Server) URL() string { return openai.Shown(s.client.URLs[0]) }

// Served is the name of its model.
func (s *Server) Served() string { return strings.Join(s.client.Models, ",") }

func (s *Server) tell(format string, args ...any) {
	if !s.Quiet {
		s.Caller.Note(format, args...)
	}
}

// learn takes what the server says of itself where no option says it.
func (s *Server) learn(ctx context.Context, o *options.TwinServer) {
	within, cancel := context.WithTimeout(ctx, telemetry.Within)
	defer cancel()
	page, err := s.client.Get(within, 0, "/metrics", telemetry.MostBytes)
	c, ok := telemetry.ReadConfigured(page)
	if err != nil || !ok {
		s.tell("the server's /metrics do not say how it was started: it is taken for %s with a cache that no load "+
			"fills, unless options say otherwise", o.Engine)
		return
	}
	o.Learn(s.Env.Given, c.Engine, c.KVTokens, c.BlockSize)
	s.tell("the server's /metrics: %s, a KV cache of %d tokens in blocks of %d", c.Engine, c.KVTokens, c.BlockSize)
	if c.Busy > 0 {
		s.Caller.Note("warning: %d requests of others run on the server; what they cost will look like the server's "+
			"own time", c.Busy)
	}
}

func (s *Server) calibration(e twin.Engine, limits probe.Limits) *probe.Calibration {
	return &probe.Calibration{Subject: s.engine, Engine: e, Limits: limits, Tokens: s.Counts(), Tell: s.tell,
		Key: workload.Seed(s.seed)}
}

// Calibrate measures what a twin is fitted on. The options learn what the server says
// of how it was started.
func (s *Server) Calibrate(ctx context.Context, o *options.TwinFit) (*probe.Measured, error) {
	s.learn(ctx, &o.TwinServer)
	if n := s.longestContext(ctx); n > 0 && n < o.MaxContext && !s.Env.Given["max-context-length"] {
		s.tell("the server takes %d tokens for a prompt and its reply together", n)
		o.MaxContext = n
	}
	e, err := o.TwinServer.Config()
	if err != nil {
		return nil, err
	}
	k := s.calibration(e, probe.Limits{Concurrency: o.Flight, Context: o.MaxContext, Load: time.Duration(o.MaxLoad)})
	k.Journal, err = probe.OpenJournal(s.Dir, probe.Journal{URL: s.URL(), Model: s.Served(), Concurrency: o.Flight,
		Context: o.MaxContext}, o.Resume, o.Overwrite)
	if err != nil {
		return nil, err
	}
	m, err := k.Run(ctx)
	if err != nil && !errors.Is(err, probe.ErrUnfit) {
		err = fault.New("%w\nthe probes that were measured are kept in %s; the same call with %s goes on", err, s.Dir,
			fault.Field("resume"))
	}
	return m, err
}

// Check measures a load that a twin has not seen. Results of an earlier check are
// replaced.
func (s *Server) Check(ctx context.Context, f *twin.File) (*probe.Measured, error) {
	longest := f.Range.ISL[1] + f.Range.OSL[1]
	k := s.calibration(f.Engine, probe.Limits{Concurrency: s.Flight, Context: max(longest, 256)})
	var err error
	k.Journal, err = probe.OpenJournal(s.Dir, probe.Journal{URL: s.URL(), Model: s.Served()}, false, true)
	if err != nil {
		return nil, err
	}
	return k.Check(ctx, f)
}
