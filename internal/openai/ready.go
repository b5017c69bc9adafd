package openai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"time"

	"headway/internal/fault"
	"headway/record"
	"headway/workload"
)

// The ways to find out whether a server is ready.
const (
	ReadyModels    = "models"    // /v1/models lists every model
	ReadyInference = "inference" // a request for one token is answered
	ReadyBoth      = "both"      // first the one, then the other
)

// Probe says how to wait for a server. The zero value tries once in the way
// ReadyInference and takes Interval as 5 s.
type Probe struct {
	// Mode is ReadyModels, ReadyInference or ReadyBoth.
	Mode string
	// Timeout is how long to try, all servers together; 0 tries once.
	Timeout time.Duration
	// Interval is the pause between two tries.
	Interval time.Duration
	// Tried, which may be nil, hears of each failed try.
	Tried func(address string, why error)
}

// Ready waits until every server of c answers, and returns nil then. Otherwise
// the error names the server, the last failure and advice. It sends what a
// measurement sends, so a wrong key, path or model name is found here; a reply
// that waiting cannot change (401, 403) ends it at once.
func Ready(ctx context.Context, c Config, p Probe) error {
	if p.Mode == "" {
		p.Mode = ReadyInference
	}
	if p.Interval == 0 {
		p.Interval = 5 * time.Second
	}
	if !slices.Contains([]string{ReadyModels, ReadyInference, ReadyBoth}, p.Mode) {
		return fault.New("%s %q: must be models, inference or both", fault.Field("wait-for-model-mode"), p.Mode)
	}
	if p.Interval < 0 || p.Timeout < 0 {
		return fault.New("%s %v, %s %v: must not be negative", fault.Field("wait-for-model-timeout"), p.Timeout,
			fault.Field("wait-for-model-interval"), p.Interval)
	}
	c.Streaming = false
	c.PerChunkUsage = false
	c.ModelStrategy = RoundRobin // the i-th request asks for the i-th model
	t, err := NewTarget(c)
	if err != nil {
		return err
	}
	defer t.Close()
	within, cancel := ctx, context.CancelFunc(func() {})
	if p.Timeout > 0 {
		within, cancel = context.WithTimeout(ctx, p.Timeout)
	}
	defer cancel()
	for i := range t.servers {
		if err := t.await(within, i, p); err != nil {
			return err
		}
	}
	return nil
}

// await tries one server until it is ready or the time is up.
func (t *Target) await(ctx context.Context, server int, p Probe) error {
	address := t.servers[server].shown
	for last := error(nil); ; {
		f := t.probe(ctx, server, p.Mode)
		if f == nil {
			return nil
		}
		switch {
		case ctx.Err() == nil:
			last = notReady(f, address)
		case last != nil:
			// The failure of a try that was cut short says less than the one
			// before it.
		case errors.Is(ctx.Err(), context.DeadlineExceeded):
			last = notReady(timedOut(fmt.Sprintf("no answer within %v", p.Timeout)), address)
		default:
			last = notReady(f, address)
		}
		if ctx.Err() != nil || p.Timeout == 0 || f.Code == 401 || f.Code == 403 {
			return last
		}
		if p.Tried != nil {
			p.Tried(address, f)
		}
		pause := time.NewTimer(p.Interval)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return last
		}
	}
}

func notReady(f *record.Failure, address string) error {
	err := fmt.Errorf("waiting for %s: %w", address, f)
	if advice := Advice(*f, address); advice != "" {
		return fmt.Errorf("%w. %s", err, advice)
	}
	return err
}

// probe tries once.
func (t *Target) probe(ctx context.Context, server int, mode string) *record.Failure {
	if mode != ReadyInference {
		if f := t.listed(ctx, server); f != nil {
			return f
		}
	}
	if mode == ReadyModels {
		return nil
	}
	for i := range t.c.Models {
		r := workload.Request{Index: i, Session: fmt.Sprint("probe ", server, " ", i),
			Prompt: workload.Prompt{Text: "hi"}, Extra: t.probeExtra()}
		if f, _, _ := t.one(ctx, server, r); f != nil {
			return f
		}
	}
	return nil
}

// one asks a server for one token, beside all sessions, and returns what failed
// and the body of a refusal, or what the server told of the request.
func (t *Target) one(ctx context.Context, server int, r workload.Request) (*record.Failure, []byte, *record.Told) {
	r.Turns, r.OutputTokens = 1, 1
	tape := record.NewTape(record.NewClock(), record.Record{}, nil)
	s := &session{id: t.id("probe", server, r.Session), url: server, transport: t.outlet.transport(t.c)}
	defer s.transport.CloseIdleConnections()
	v := newOverHTTP(ctx, t.open(&r, s, tape))
	t.close(&v.exchange, v.run(&r))
	f := tape.Failure
	if f == nil || f.Class == record.ClassEmpty {
		// One token may well be invisible: that the server generates is all
		// that was asked.
		return nil, nil, tape.Told
	}
	if v.reply.how != asRefusal {
		return f, nil, nil
	}
	return f, v.reply.data, nil
}

// probeExtra undoes what the extras of all requests say of the output's least
// length: servers refuse one above the probe's single token.
func (t *Target) probeExtra() json.RawMessage {
	if t.writer.extra.index("min_tokens") < 0 {
		return nil
	}
	return json.RawMessage(`{"min_tokens":1}`)
}

// listed asks /v1/models for the models' names.
func (t *Target) listed(ctx context.Context, server int) *record.Failure {
	s := &session{url: server, transport: t.outlet.transport(t.c)}
	defer s.transport.CloseIdleConnections()
	v := newOverHTTP(ctx, exchange{t: t, s: s, tape: record.NewTape(record.NewClock(), record.Record{}, nil)})
	defer v.cancel(nil)
	stop := v.limits(&workload.Request{})
	defer stop()
	f := v.models(t.servers[server].models)
	if f != nil {
		t.words.tell(f)
		t.servers[server].named(f)
	}
	return f
}

// models asks for the list and looks for the models in it.
func (v *overHTTP) models(from *url.URL) *record.Failure {
	ctx := httptrace.WithClientTrace(v.ctx, v.trace.hooks())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from.String(), nil)
	if err != nil {
		return &record.Failure{Class: record.ClassClient, Type: "ValueError", Message: err.Error()}
	}
	v.t.headers(req, v.s.url)
	resp, err := v.s.transport.RoundTrip(req)
	if err != nil {
		at, _ := v.trace.reached()
		return v.broken(err, at)
	}
	defer func() { _ = resp.Body.Close() }() // read to its end, or broken
	// Read as the body of a refusal is, which is kept and not interpreted.
	head := headOf(resp)
	defer v.release()
	v.reply.how, v.reply.head = asRefusal, &head
	err = v.pull(resp.Body, make([]byte, bodyBuffer), func() {})
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return v.refused(err)
	}
	if err != nil && !errors.Is(err, errFull) {
		return v.cut(err)
	}
	return v.lists(v.reply.data)
}

// lists reports which model a list of models lacks.
func (v *overHTTP) lists(data []byte) *record.Failure {
	names, err := ModelNames(data)
	if err != nil {
		return garbage("its list of models is not the API's: " + v.t.words.excerpt(data))
	}
	for _, want := range v.t.c.Models {
		if !slices.Contains(names, want) {
			return &record.Failure{Class: record.ClassHTTP4, Code: 404, Type: "Not Found",
				Message: fmt.Sprintf("it does not list the model %q, only %s", want, someNames(names))}
		}
	}
	return nil
}

// ModelNames reads the answer of /v1/models: the names in their order.
func ModelNames(data []byte) (names []string, err error) {
	var list struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("its list of models is not JSON of the API: %w", err)
	}
	for _, m := range list.Data {
		names = append(names, m.ID)
	}
	return names, nil
}

// someNames are names for a message, which must not grow with a server's list.
func someNames(names []string) string {
	const most, longest = 10, 100
	shown := slices.Clone(names[:min(len(names), most)])
	for i, n := range shown {
		if r := []rune(n); len(r) > longest {
			shown[i] = string(r[:longest]) + "…"
		}
	}
	if more := len(names) - len(shown); more > 0 {
		return fmt.Sprintf("%q and %d more", shown, more)
	}
	return fmt.Sprintf("%q", shown)
}
