package cluster

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"headway/internal/engine"
)

func TestErrorRate(t *testing.T) {
	run := func() string {
		e := serve(t, ServerConfig{Engine: engine.Config{Timing: engine.Fixed{}}, ErrorRate: 30, Seed: 5})
		var got []byte
		for range 200 {
			status, body := e.get("POST", chatPath, chat("x", `,"max_tokens":1`))
			switch {
			case status == 200:
				got = append(got, '.')
			case status == 500 && strings.Contains(body, `"type":"server_error"`):
				got = append(got, 'E')
			default:
				t.Fatalf("%d %s", status, body)
			}
		}
		failed := 0
		for _, line := range e.entries() {
			if line.Outcome == outcomeError && line.Status == 500 {
				failed++
			}
		}
		if failed != strings.Count(string(got), "E") {
			t.Errorf("%d errors in the log of %s", failed, got)
		}
		return string(got)
	}
	got := run()
	// 60 expected, standard deviation 6.5; the seed is fixed.
	if n := strings.Count(got, "E"); n < 40 || n > 80 {
		t.Errorf("%d of 200 failed", n)
	}
	if again := run(); again != got {
		t.Errorf("the same seed hit others:\n%s\n%s", got, again)
	}
}

// A cut stream stops in the middle, without [DONE]; half of them end as if
// nothing were wrong, the others lose their connection.
func TestCutRate(t *testing.T) {
	e := serve(t, ServerConfig{Engine: engine.Config{Timing: engine.Fixed{}}, CutRate: 100, Seed: 1})
	proper, broken := 0, 0
	for range 40 {
		resp := e.do("POST", chatPath, chat("x", `,"max_tokens":10,"stream":true`))
		body, err := io.ReadAll(resp.Body)
		switch {
		case err == nil:
			proper++
		case errors.Is(err, io.ErrUnexpectedEOF):
			broken++
		default:
			t.Fatal(err)
		}
		if all, done := events(t, string(body)); done || len(all) != 6 { // role and 5 tokens
			t.Fatalf("%d events, done %v", len(all), done)
		}
	}
	if proper < 8 || broken < 8 {
		t.Errorf("%d ended early, %d were broken off", proper, broken)
	}
	for _, line := range e.entries() {
		if line.Outcome != outcomeCut || line.OutputTokens != 5 ||
			line.kinds() != "head role token token token token token" {
			t.Errorf("log %+v", line)
		}
	}
	if s := e.server.driver.fleet.members[0].eng.Stats(); s.Running+s.Waiting != 0 {
		t.Errorf("left behind: %+v", s)
	}
}

// Garbage is one event more; the tokens are all there.
func TestGarbageRate(t *testing.T) {
	e := serve(t, ServerConfig{Engine: quick(), GarbageRate: 100})
	_, body := e.get("POST", chatPath, chat("x", `,"max_tokens":10,"stream":true`))
	all, done := events(t, body)
	garbage := 0
	for _, c := range all {
		if c.ID == "" {
			garbage++
		}
	}
	if !done || len(all) != 13 || garbage != 1 || all[6].ID != "" {
		t.Errorf("%d events, %d of them garbage, done %v", len(all), garbage, done)
	}
	if line := e.entries()[0]; line.Outcome != outcomeOK || line.OutputTokens != 10 ||
		strings.Count(line.kinds(), "garbage") != 1 {
		t.Errorf("log %+v", line)
	}
}

// Until the start the server says that it is not ready.
func TestSlowStartSaysSo(t *testing.T) {
	e := serve(t, ServerConfig{Engine: quick(), SlowStart: time.Hour})
	for _, path := range []string{"/health", "/v1/models", "/v1/models/simulated"} {
		resp := e.do("GET", path, "")
		after, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		if resp.StatusCode != http.StatusServiceUnavailable || err != nil || after < 3000 || after > 3600 {
			t.Errorf("%s: %d %v", path, resp.StatusCode, resp.Header)
		}
	}
}

// Completions that come before the start wait for it.
func TestSlowStartHolds(t *testing.T) {
	const slow = 100 * time.Millisecond
	e := serve(t, ServerConfig{Engine: quick(), SlowStart: slow})
	if status, body := e.get("POST", chatPath, chat("x", `,"max_tokens":2`)); status != 200 {
		t.Errorf("%d %s", status, body)
	}
	if d := e.server.driver.now(); d < slow {
		t.Errorf("answered after %v", d)
	}
	if status, _ := e.get("GET", "/health", ""); status != 200 {
		t.Errorf("health after the start: %d", status)
	}
}

// A client that goes away frees its place; the next one gets it.
func TestDisconnect(t *testing.T) {
	endless := engine.Config{Timing: engine.Fixed{ITL: time.Minute}, MaxNumSeqs: 1}
	for _, stream := range []string{"true", "false"} {
		e := serve(t, ServerConfig{Engine: endless})
		ctx, cancel := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, "POST", e.url+chatPath,
			strings.NewReader(chat("x", `,"max_tokens":100000,"stream":`+stream)))
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		began := make(chan struct{})
		go func() {
			resp, err := e.client.Do(req)
			if err == nil {
				_, err = bufio.NewReader(resp.Body).ReadString('\n')
				close(began)
				_, rest := io.Copy(io.Discard, resp.Body)
				err = errors.Join(err, rest, resp.Body.Close())
			}
			ended <- err
		}()
		if stream == "true" {
			<-began
		} else {
			e.waitRunning()
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("stream %s: %v", stream, err)
		}
		if status, body := e.get("POST", chatPath, chat("y", `,"max_tokens":1`)); status != 200 {
			t.Errorf("the next request: %d %s", status, body)
		}
		if _, text := e.get("GET", "/metrics", ""); !strings.Contains(text, `finished_reason="abort"} 1`) {
			t.Errorf("stream %s: no aborted request in:\n%s", stream, text)
		}
		gone := 0
		for _, line := range e.entries() {
			if line.Outcome == outcomeCancelled && line.Engine.FinishedNs == 0 && line.Engine.AdmittedNs != 0 {
				gone++
			}
		}
		if gone != 1 {
			t.Errorf("stream %s: %d cancelled requests in the log", stream, gone)
		}
	}
}

// waitRunning returns once the worker has something to do.
func (e *endpoint) waitRunning() {
	for {
		if _, text := e.get("GET", "/metrics", ""); strings.Contains(text,
			"num_requests_running{engine=\"0\",model_name=\"simulated\"} 1\n") {
			return
		}
	}
}

// Shutdown waits for what is in flight as long as it may, and no longer.
func TestShutdown(t *testing.T) {
	endless := engine.Config{Timing: engine.Fixed{ITL: time.Minute}}
	e := serve(t, ServerConfig{Engine: endless})
	resp := e.do("POST", chatPath, chat("x", `,"max_tokens":100000,"stream":true`))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	e.once.Do(func() {
		if err := e.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("shutting down: %v", err)
		}
	})
	if _, err := io.Copy(io.Discard, resp.Body); err == nil {
		t.Error("the stream ended well")
	}
	if line := e.entries()[0]; line.Outcome != outcomeCancelled {
		t.Errorf("log %+v", line)
	}
	e.client.CloseIdleConnections()
}

// A log that cannot be written does not stop the server, and is reported.
func TestLogFails(t *testing.T) {
	e := serve(t, ServerConfig{Engine: quick(), Log: brokenWriter{}})
	for range 3 {
		if status, _ := e.get("POST", chatPath, chat("x", `,"max_tokens":2`)); status != 200 {
			t.Errorf("status %d", status)
		}
	}
	e.client.CloseIdleConnections()
	e.once.Do(func() {
		if err := e.server.Shutdown(t.Context()); !errors.Is(err, errDisk) {
			t.Errorf("shutting down: %v", err)
		}
	})
}

var errDisk = errors.New("no space left")

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errDisk }
