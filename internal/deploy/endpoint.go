package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"time"

	"headway/internal/openai"
	"headway/internal/profile"
	"headway/internal/prompt"
	"headway/internal/tokenizer"
	"headway/load"
	"headway/record"
	"headway/workload"
)

// EndpointConfig says where an engine answers and how to speak to it.
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
	// tokens (ignore_eos, min_tokens), as Dynamo's profiler does. Some servers
	// refuse fields that they do not know.
	OpenLength bool
	// NoPreconnect leaves connecting to the requests. Without it a plan begins
	// with a connection open for each of its slots.
	NoPreconnect bool
	// Watch, which may be nil, sees each plan while it runs; what it returns is
	// called when the plan has ended.
	Watch func(g *load.Generator, p workload.Plan) (stop func())
}

// Endpoint is an engine behind an address: the load generator drives plans on
// it in real time. It is a profile.Engine; an engine that is started here is
// one with more to close.
type Endpoint struct {
	cfg    EndpointConfig
	target *openai.Target
	maker  *prompt.Maker
	clock  record.Clock
}

// NewEndpoint opens the client and sends nothing. The error lists every fault
// of the configuration.
func NewEndpoint(cfg EndpointConfig) (*Endpoint, error) {
	extra, err := lengthExtras(cfg.Client.Extra, cfg.OpenLength)
	if err != nil {
		return nil, fmt.Errorf("configuring the endpoint: %w", err)
	}
	cfg.Client.Extra, cfg.Client.Streaming = extra, true
	cfg.Client.Defaults()
	if err := cfg.Client.Validate(); err != nil {
		return nil, fmt.Errorf("configuring the endpoint: %w", err)
	}
	if cfg.Tokenizer == nil {
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
		cfg.Facts.URL = withoutUser(cfg.Client.URLs[0])
	}
	return &Endpoint{cfg: cfg, target: target, maker: prompt.New(cfg.Tokenizer), clock: record.NewClock()}, nil
}

// withoutUser takes a name and a password out of an address.
func withoutUser(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.User == nil {
		return address
	}
	u.User = nil
	return u.String()
}

// lengthExtras adds to the body's extras what makes a server go on to the
// length that was asked for. What the user set stays.
func lengthExtras(extra json.RawMessage, open bool) (json.RawMessage, error) {
	if open {
		return extra, nil
	}
	all := map[string]json.RawMessage{"ignore_eos": json.RawMessage("true"), "nvext": json.RawMessage(`{"ignore_eos":true}`)}
	if len(extra) > 0 {
		var own map[string]json.RawMessage
		if err := json.Unmarshal(extra, &own); err != nil {
			return nil, fmt.Errorf("--extra-inputs: not a JSON object: %w", err)
		}
		maps.Copy(all, own)
	}
	return json.Marshal(all)
}

// Facts is what the configuration says of the engine.
func (e *Endpoint) Facts() profile.Facts { return e.cfg.Facts }

// Client is the configuration of the client, defaults filled in; a caller can
// wait with it until the engine answers (openai.Ready).
func (e *Endpoint) Client() openai.Config { return e.cfg.Client }

// Run drives the plan in real time; the sink gets one Record for every planned
// request, tokens counted. When no request of the plan got through to a server
// the error is a *profile.DeadError. A plan that ctx ended is ctx's error, and
// its Records have been taken all the same.
func (e *Endpoint) Run(ctx context.Context, p workload.Plan, sink record.Sink) (time.Duration, error) {
	reach := &reach{next: sink}
	counter := openai.NewCounter(reach, e.cfg.Tokenizer, openai.CounterConfig{Server: e.cfg.Client.UseServerTokenCount})
	g := &load.Generator{Target: e.target, Sink: counter, Clock: e.clock}
	if !e.cfg.OpenLength {
		p.Source = fixedLength(p.Source)
	}
	render, stop := context.WithCancel(ctx)
	defer stop()
	p.Source = prompt.Rendered(render, p.Source, e.maker)
	if !e.cfg.NoPreconnect && p.Concurrency > 0 {
		e.connect(ctx, p.Concurrency)
	}
	if e.cfg.Watch != nil {
		defer e.cfg.Watch(g, p)()
	}
	o, err := g.Run(ctx, p)
	span := e.clock.Wall(o.End).Sub(e.clock.Wall(o.Begin))
	switch {
	case err != nil:
		return span, fmt.Errorf("running a plan on %s: %w", e.cfg.Facts.URL, err)
	case o.Cancelled:
		return span, context.Cause(ctx)
	case o.Aborted != "":
		return span, errors.New("running a plan on " + e.cfg.Facts.URL + ": " + o.Aborted)
	}
	return span, reach.dead(e.cfg.Client.Address())
}

// connectWithin bounds the time that connecting ahead of the requests may take.
const connectWithin = 10 * time.Second

// connect opens what n requests at once will need. What fails here fails the
// requests, which say it better.
func (e *Endpoint) connect(ctx context.Context, n int) {
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	_ = e.target.Preconnect(ctx, n)
}

// Close closes the client's connections. The engine itself is somebody else's.
func (e *Endpoint) Close(context.Context) error {
	e.target.Close()
	return nil
}

// fixedLength asks for exactly the planned length: max_tokens beside the
// limit that the API names otherwise, and min_tokens. What a request brings of
// its own stays.
func fixedLength(src workload.Source) workload.Source {
	return func(yield func(workload.Request, error) bool) {
		for r, err := range src {
			if err == nil && r.OutputTokens > 0 && len(r.Extra) == 0 && r.Prompt.Payload == nil {
				r.Extra = fmt.Appendf(nil, `{"max_tokens":%d,"min_tokens":%d}`, r.OutputTokens, r.OutputTokens)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
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
	return &profile.DeadError{Reason: profile.ReasonLost, Message: r.refused.Message, Advice: openai.Advice(*r.refused, address)}
}
