package openai

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"headway/record"
)

func TestCancellation(t *testing.T) { overBoth(t, testCancellation) }

func testCancellation(t *testing.T, via string) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, chunk("s"))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	check := func(t *testing.T, r *record.Record, class record.Class, code int, kind string) {
		t.Helper()
		f := r.Failure
		if f == nil || f.Class != class || f.Code != code || f.Type != kind {
			t.Fatalf("failure %+v", f)
		}
		if r.Outcome != record.Cancelled == (class == record.ClassCancelled) || !r.Sent.Known() || r.Done < r.Sent {
			t.Errorf("outcome %v, sent %d, done %d", r.Outcome, r.Sent, r.Done)
		}
	}
	t.Run("after sending", func(t *testing.T) {
		target := newTestTarget(t, Config{Transport: via, URLs: []string{s.URL}, Streaming: true})
		req := say("x")
		req.Cancel, req.CancelAfter = true, 5*time.Millisecond
		r := ask(t.Context(), target, req)
		check(t, r, record.ClassCancelled, 499, "RequestCancellationError")
		if wait := time.Duration(r.Done - r.Sent); wait < 5*time.Millisecond {
			t.Errorf("given up %v after sending, not 5ms", wait)
		}
		req.CancelAfter = 0
		check(t, ask(t.Context(), target, req), record.ClassCancelled, 499, "RequestCancellationError")
	})
	t.Run("context", func(t *testing.T) {
		target := newTestTarget(t, Config{Transport: via, URLs: []string{s.URL}, Streaming: true})
		ctx, cancel := context.WithCancel(t.Context())
		tape := record.NewTape(record.NewClock(), record.Record{}, cancel)
		done := make(chan struct{})
		target.Start(ctx, say("x"), tape, func() { close(done) })
		<-done
		r := &tape.Record
		check(t, r, record.ClassCancelled, 499, "RequestCancellationError")
		if r := ask(ctx, target, say("x")); r.Outcome != record.Cancelled || !r.Start.Known() || !r.Done.Known() {
			t.Errorf("a request after the end: %v %+v", r.Outcome, r.Failure)
		}
	})
	t.Run("timeout", func(t *testing.T) {
		// A machine that is too slow for one timeout has its time with a longer one.
		for timeout := 50 * time.Millisecond; ; timeout *= 4 {
			target := newTestTarget(t, Config{Transport: via, URLs: []string{s.URL}, Streaming: true, Timeout: timeout})
			r := ask(t.Context(), target, say("x"))
			if f := r.Failure; f == nil || f.Class != record.ClassTimeout || f.Code != 0 || f.Type != "TimeoutError" ||
				r.Outcome != record.Failed {
				t.Fatalf("%v, failure %+v", r.Outcome, f)
			}
			if contents(r) == "s" {
				check(t, r, record.ClassTimeout, 0, "TimeoutError")
				return
			}
			if timeout > time.Minute {
				t.Fatalf("what came before the end is lost: %q", contents(r))
			}
		}
	})
}
