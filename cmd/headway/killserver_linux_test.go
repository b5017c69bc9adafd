package main

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// ledgerServer answers completions slowly and knows when it had answered which.
type ledgerServer struct {
	*httptest.Server
	mu       sync.Mutex
	answered map[string]time.Time // by X-Request-ID
}

// newLedgerServer makes a server of which each reply takes about 60 ms.
func newLedgerServer(t *testing.T) *ledgerServer {
	s := &ledgerServer{answered: map[string]time.Time{}}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *ledgerServer) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		fmt.Fprint(w, `{"object":"list","data":[{"id":"m"}]}`)
		return
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return
	}
	if r.Header.Get("Accept") != "text/event-stream" { // it asks what is taken, and is of no run
		fmt.Fprint(w, `{"choices":[{"message":{"content":"word"}}]}`)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for range 6 {
		select {
		case <-r.Context().Done():
			return
		case <-time.After(10 * time.Millisecond):
		}
		fmt.Fprint(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word \"}}]}\n\n")
		if http.NewResponseController(w).Flush() != nil {
			return
		}
	}
	if _, err := fmt.Fprint(w, "data: [DONE]\n\n"); err != nil || http.NewResponseController(w).Flush() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answered[r.Header.Get("X-Request-ID")] = time.Now()
}

// before are the requests that were answered by then.
func (s *ledgerServer) before(then time.Time) map[string]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := map[string]bool{}
	for id, at := range maps.All(s.answered) {
		if at.Before(then) {
			ids[id] = true
		}
	}
	return ids
}
