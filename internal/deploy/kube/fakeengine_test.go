package kube

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// enginePage is what an engine and the exporter of its node say of themselves.
const enginePage = `vllm:num_requests_waiting 3
vllm:kv_cache_usage_perc 0.5
DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="GPU-a",namespace="ns",pod="another"} 100
`

// fakeEngine answers as an OpenAI-compatible server does, five tokens each.
func fakeEngine(t *testing.T) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/models" {
			_, _ = io.WriteString(w, `{"data":[{"id":"m"}]}`)
			return
		}
		if r.URL.Path == "/metrics" {
			_, _ = io.WriteString(w, enginePage)
			return
		}
		body, _ := io.ReadAll(r.Body)
		if !strings.Contains(string(body), `"stream":true`) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w,
				`{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"length"}],`+
					`"usage":{"prompt_tokens":1,"completion_tokens":1}}`)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for range 5 {
			_, _ = io.WriteString(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word\"}}]}\n\n")
			w.(http.Flusher).Flush()
		}
		_, _ = io.WriteString(w, "data: [DONE]\n\n")
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// portforward is the kubelet's side: each pair of streams becomes a
// connection. It speaks SPDY alone, so that the fall back from websockets is
// used.
func (f *fakeAPI) portforward(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		reply(w, 400, statusOf(400, "BadRequest", "no websockets here"))
		return
	}
	if _, err := httpstream.Handshake(r, w, []string{"portforward.k8s.io"}); err != nil {
		return
	}
	var mu sync.Mutex
	type half struct {
		httpstream.Stream
		replied <-chan struct{} // what is written before is lost
	}
	pairs, over := map[string]half{}, false
	var wg sync.WaitGroup
	conn := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(s httpstream.Stream, replied <-chan struct{}) error {
		mu.Lock()
		defer mu.Unlock()
		id := s.Headers().Get("requestID")
		other, there := pairs[id]
		switch {
		case over:
			_ = s.Reset()
			return nil
		case !there:
			pairs[id] = half{s, replied}
			return nil
		}
		delete(pairs, id)
		errs, data := other.Stream, s
		if s.Headers().Get("streamType") == "error" {
			errs, data = data, errs
		}
		wg.Go(func() {
			<-other.replied
			<-replied
			f.bridge(errs, data)
		})
		return nil
	})
	if conn == nil {
		return
	}
	f.mu.Lock()
	drop := f.drop
	f.mu.Unlock()
	select {
	case <-conn.CloseChan():
	case <-drop:
	}
	// What nobody reads would hold up the end of the connection.
	mu.Lock()
	over = true
	for _, s := range pairs {
		_ = s.Reset()
	}
	mu.Unlock()
	_ = conn.Close()
	wg.Wait()
}

func (f *fakeAPI) bridge(errs, data httpstream.Stream) {
	f.mu.Lock()
	to := f.forward
	f.mu.Unlock()
	c, err := net.Dial("tcp", to)
	if err != nil {
		_, _ = fmt.Fprintf(errs, "nothing listens on port %s: %v", data.Headers().Get("port"), err)
		_, _, _ = errs.Close(), data.Reset(), errs.Reset()
		return
	}
	defer func() { _ = c.Close() }()
	go func() {
		_, _ = io.Copy(c, data)
		_ = c.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(data, c)
	_, _ = data.Close(), errs.Close()
	_, _ = data.Reset(), errs.Reset() // what still comes is read by nobody
}
