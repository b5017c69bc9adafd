// Package endpoint loads real servers that speak the OpenAI API. An [Endpoint] is a
// load.Target: it makes a request's body, sends it, and notes when each part of the reply
// came, on Linux by the kernel's own receive stamp. It also makes prompts of exact lengths
// and counts tokens, with the tokenizer of the model.
//
//	workload.Source ─► Endpoint.Render ─► load.Generator ─► Endpoint
//	report, metric  ◄─ Endpoint.Count  ◄─ record.Record  ◄────┘
//
// Package study puts these together in one call. The package computes no metric and
// writes no file.
package endpoint

import (
	"context"
	"fmt"
	"iter"
	"os"
	"time"

	"headway/internal/fault"
	"headway/internal/hub"
	"headway/internal/openai"
	"headway/internal/tokens"
	"headway/record"
	"headway/workload"
)

// Endpoint is a server to load. It is safe for use by several goroutines, and ended by
// [Endpoint.Close].
type Endpoint struct {
	client   openai.Config
	target   *openai.Target
	tokens   tokens.Tokens
	model    string
	warnings []record.Warning
}

// Open checks the configuration, loads the tokenizer, and prepares connections; it sends
// nothing to the server. ctx bounds the download of a tokenizer.
func Open(ctx context.Context, c Config) (*Endpoint, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("endpoint: %w", err)
	}
	client, err := c.client()
	if err != nil {
		return nil, err
	}
	t, warning, err := tokens.Load(ctx, hub.OptionsFromEnv(os.Getenv), c.Tokenizer, c.Model)
	if err != nil {
		return nil, fmt.Errorf("endpoint: Config.Tokenizer: %w", err)
	}
	target, err := openai.NewTarget(client)
	if err != nil {
		return nil, fmt.Errorf("endpoint: %w", fault.Named(err, fieldName))
	}
	e := &Endpoint{client: client, target: target, tokens: t, model: c.Model}
	for _, w := range []*record.Warning{warning, client.Proxied()} {
		if w != nil {
			e.warnings = append(e.warnings, *w)
		}
	}
	return e, nil
}

// Close ends the connections. Requests under way are waited for; end their context
// first where they are not wanted.
func (e *Endpoint) Close() { e.target.Close() }

// Start sends a request whose prompt has text; see load.Target and [Endpoint.Render].
func (e *Endpoint) Start(ctx context.Context, r workload.Request, tape *record.Tape, done func()) {
	e.target.Start(ctx, r, tape, done)
}

// Prepare makes a request without sending it; see load.Preparer.
func (e *Endpoint) Prepare(r workload.Request, tape *record.Tape, done func()) (start func(context.Context)) {
	return e.target.Prepare(r, tape, done)
}

// Render makes the text of requests whose prompts are lengths, ahead of need. A plan's
// Source goes through it before it is driven: a prompt that is still a length fails.
func (e *Endpoint) Render(ctx context.Context, src workload.Source) workload.Source {
	return e.tokens.Render(ctx, src)
}

// Count puts a token counter in front of a sink: it counts prompts and replies, lets
// their texts go, and passes the Records on. Without it lengths in tokens, and what is
// divided by them, stay unknown. stop ends the counting of texts above a megabyte; nil
// does not.
func (e *Endpoint) Count(next record.Sink, stop <-chan struct{}) record.Sink {
	return e.tokens.Count(next, openai.CounterConfig{Server: e.client.UseServerTokenCount, Stop: stop})
}

// Ready waits until the server answers a request for one token, and tries for at most so
// long; 0 tries once. The error has the last failure and what to do. A reply that waiting
// cannot change, such as 401, ends it at once.
func (e *Endpoint) Ready(ctx context.Context, within time.Duration) error {
	return fault.Named(openai.Ready(ctx, e.client, openai.Probe{Timeout: within, Interval: time.Second}), fieldName)
}

// Preconnect opens connections until n are free, so that no request has the time of
// connecting in it. No request may be under way.
func (e *Endpoint) Preconnect(ctx context.Context, n int) error { return e.target.Preconnect(ctx, n) }

// Opened is how long the connections took that Preconnect opened, in order of that time.
func (e *Endpoint) Opened() []time.Duration { return e.target.Opened() }

// ReadLags is how long replies lay in the kernel before they were read, since the
// program began, as a histogram: the longest lag of a cell and how many reads are in it.
func (e *Endpoint) ReadLags() iter.Seq2[time.Duration, int64] { return e.target.ReadLags() }
