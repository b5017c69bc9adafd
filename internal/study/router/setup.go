package router

import (
	"context"
	"strings"

	"headway/internal/openai"
	"headway/internal/options"
	"headway/internal/settings"
	"headway/internal/study"
	"headway/metric"
	"headway/report"
)

// Asked are the options of this call that two calls must have in common, secrets
// taken out; records says that figures are made of the records again.
type Asked func(secrets report.Redactor, records bool) (settings.Settings, error)

// Prepare sets what all runs have in common, and what two calls must have in
// common.
func (s *Study) Prepare(ctx context.Context, asked Asked) error {
	o := s.Options
	client, err := s.client(s.Variants[0])
	if err != nil {
		return err
	}
	s.secrets = report.Redactor{Redactor: client.Secrets()}
	tok, _, err := study.LoadTokens(ctx, s.Caller, o.Tokens, o.Model[0], !o.Live())
	if err != nil {
		return err
	}
	if s.header, err = s.Caller.Header(s.secrets, s.Seed); err != nil {
		return err
	}
	s.header.Model, s.header.Endpoint, s.header.Streaming = strings.Join(o.Model, ","), o.EndpointType, true
	s.header.Tokenizer, s.tokenizer = tok.Info, tok.Tokenizer
	if s.settings, err = asked(s.secrets, true); err != nil {
		return err
	}
	if o.Live() {
		study.Speaking(s.settings, &o.Endpoint, client, tok, o.TokenSource(metric.TokensAuto).String())
	}
	return s.addFacts()
}

// client is how the endpoint of a variant is spoken to; the zero value where it is
// simulated.
func (s *Study) client(v Variant) (openai.Config, error) {
	if !s.Options.Live() {
		return openai.Config{}, nil
	}
	return s.Options.Client(s.Env, v.URLs, true)
}

// setup makes the endpoint of a variant ready, once.
func (s *Study) setup(ctx context.Context, v Variant) (*study.Setup, error) {
	if g := s.setups[v.Name]; g != nil {
		return g, nil
	}
	client, err := s.client(v)
	if err != nil {
		return nil, err
	}
	o := s.Options
	server := study.Server{Endpoint: &o.Endpoint, Tokens: o.Tokens, Client: client,
		Telemetry: o.Telemetry, Seed: s.Seed,
		Output: &options.Output{Runs: 1, Confidence: 0.95}}
	g, err := server.Open(ctx, s.Caller)
	if err != nil {
		return nil, err
	}
	g.MaxLag, g.Preconnect, g.FailFast = o.Lag(), o.Ahead(), o.On(s.Env)
	g.CountBy(o.TokenSource(metric.TokensAuto))
	s.setups[v.Name] = g
	return g, nil
}
