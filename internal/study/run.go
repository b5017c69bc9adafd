package study

import (
	"context"
	"strings"
	"time"

	"headway/internal/options"
	"headway/metric"
	"headway/report"
)

// OpenRun makes the setup of one measurement and waits for the endpoint. The
// options have been checked, and their addresses are those to be measured.
func OpenRun(ctx context.Context, a Caller, env options.Caller, o *options.OneRun, p *options.Plan) (*Setup, error) {
	client, err := o.Client(env, o.URLs, o.Streaming)
	if err != nil {
		return nil, err
	}
	g, err := Server{Endpoint: &o.Endpoint, Tokens: o.Tokens, Output: &o.Output, Client: client, Telemetry: o.Telemetry,
		Seed: options.SeedOr(o.Seed), Simulated: o.Simulated, Elsewhere: o.Forwarded > 0}.Open(ctx, a)
	if err != nil {
		return nil, err
	}
	for _, f := range p.IdleNotes(o.Runs) {
		a.Note("note: %v", f)
	}
	for _, w := range p.FileWarnings() {
		g.Warn(w)
	}
	if !env.AsAiperf && g.Servers.dynamo(ctx) {
		g.Agree(ctx, nil)
	}
	g.CountBy(o.TokenSource(metric.TokensClient)) // as aiperf
	g.MaxLag, g.FailFast, g.Preconnect = o.Lag(), o.On(env), o.Ahead(!env.AsAiperf)
	g.Names, g.Name = report.FileNames(o.Prefix), strings.Join(o.Model, ",")
	g.VarySeed = o.VarySeed || !o.ConsistentSeed
	return g, nil
}

// Repeat is the run, or the runs, that the options ask for.
func (g *Setup) Repeat(o *options.OneRun, p *options.Plan) Repeat {
	r := Repeat{Dir: o.Folder(p), Runs: o.Runs, Cooldown: time.Duration(o.Cooldown), Confidence: o.Confidence}
	r.Until = o.Until.Wanted()
	r.Measure = func(run int, dir string) (Measurement, error) {
		q := *p
		if run > 0 && o.WarmOnlyFirst {
			q.WarmCount, q.WarmSessions, q.WarmDuration = 0, 0, 0
		}
		m, err := g.Measurement(&q, "", run, dir)
		g.Control(&m, o.Controls)
		return m, err
	}
	return r
}
