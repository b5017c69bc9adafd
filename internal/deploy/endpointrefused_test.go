package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"headway/internal/openai"
	"headway/internal/profile"
	"headway/internal/study"
	"headway/record"
	"headway/workload"
)

// An address at which nothing listens is a dead engine, with advice.
func TestEndpointRefused(t *testing.T) {
	e, err := NewEndpoint(EndpointConfig{Client: openai.Config{URLs: []string{"http://127.0.0.1:1"},
		Models: []string{"m"}}, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(t.Context())
	_, err = profile.MeasurePrefill(t.Context(), e, profile.Grid{MaxContext: 4096, Granularity: 4})
	var dead *profile.DeadError
	if !errors.As(err, &dead) || dead.Reason != profile.ReasonLost || dead.Advice == "" ||
		!strings.Contains(err.Error(), "measuring a prompt of 100 tokens") {
		t.Errorf("%v", err)
	}
}

// Requests ask for exactly the planned length with what the engine takes; what a
// request brings stays.
func TestFixedLength(t *testing.T) {
	src := func(yield func(workload.Request, error) bool) {
		_ = yield(workload.Request{OutputTokens: 7}, nil) && yield(workload.Request{}, nil) &&
			yield(workload.Request{OutputTokens: 7, Extra: json.RawMessage(`{"n":1}`)}, nil)
	}
	for want, exact := range map[string]openai.Agreed{
		`{"max_tokens":7,"min_tokens":7,"ignore_eos":true}||{"n":1}`: openai.Assumed(openai.ExactLength()),
		`{"max_tokens":7}||{"n":1}`:                                  {},
	} {
		var got []string
		for r, err := range fixedLength(src, exact) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(r.Extra))
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// An interrupted plan has a Record for each request, and its error is the
// context's.
func TestEndpointInterrupted(t *testing.T) {
	cfg, _ := simulated(t, true)
	e, _, _ := serve(t, cfg, profile.Facts{})
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	taken := 0
	plan := workload.Plan{Requests: 5, Concurrency: 1,
		Source: workload.Synthetic{Key: 1, Requests: 5, ISL: workload.Length{Mean: 30},
			OSL: workload.Length{Mean: 100}}.Source()} // long enough that others are on their way
	_, err := e.Run(ctx, profile.Part{Section: "s", Point: "p", Run: "r", Plan: plan},
		sinkFunc(func(*record.Record) error {
			if taken++; taken == 1 {
				cancel(why)
			}
			return nil
		}))
	if !errors.Is(err, why) || taken != 5 {
		t.Errorf("%d records, %v", taken, err)
	}
}

// Requests that fail while the way to the engine breaks are no failures of the engine.
func TestEndpointCut(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer s.Close()
	broke := true
	e, err := NewEndpoint(EndpointConfig{Client: openai.Config{URLs: []string{s.URL}, Models: []string{"m"}},
		Dir: t.TempDir(), OpenLength: true,
		Run: study.Measurement{Way: func() func(bool) bool { return func(bool) bool { return broke } }}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(t.Context())
	src := func(yield func(workload.Request, error) bool) {
		yield(workload.Request{Prompt: workload.Prompt{Tokens: 10}, OutputTokens: 5}, nil)
	}
	nothing := sinkFunc(func(*record.Record) error { return nil })
	part := profile.Part{Plan: workload.Plan{Source: src, Requests: 1, Concurrency: 1, Grace: -1}, Section: "s",
		Point: "p", Run: "r"}
	if _, err := e.Run(t.Context(), part, nothing); !errors.Is(err, profile.ErrCut) || !strings.Contains(err.Error(),
		"1 requests failed") {
		t.Errorf("a way that broke: %v", err)
	}
	broke = false
	if _, err := e.Run(t.Context(), part, nothing); err != nil {
		t.Errorf("a way that held: %v", err)
	}
}
