package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"headway/internal/engine"
)

// endpoint is a running server and a client for it.
type endpoint struct {
	t      testing.TB
	server *Server
	url    string
	client *http.Client
	log    bytes.Buffer // complete after stop
	once   sync.Once
}

// quick is a worker that hardly takes time.
func quick() engine.Config {
	return engine.Config{Timing: engine.Fixed{TTFT: time.Millisecond, ITL: 200 * time.Microsecond}}
}

func serve(t testing.TB, cfg ServerConfig) *endpoint {
	t.Helper()
	e := &endpoint{t: t}
	if cfg.Log == nil {
		cfg.Log = &e.log
	}
	s, err := NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	addr, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e.server, e.url = s, "http://"+addr.String()
	e.client = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 300}}
	t.Cleanup(e.stop)
	return e
}

// stop shuts the server down, giving what is in flight half a minute.
func (e *endpoint) stop() {
	e.once.Do(func() {
		e.client.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := e.server.Shutdown(ctx); err != nil {
			e.t.Error(err)
		}
	})
}

// entry is a line of the log, read back.
type entry struct {
	logEntry
	Writes [][3]any `json:"writes"`
}

// entries stops the server and reads its log.
func (e *endpoint) entries() []entry {
	e.t.Helper()
	e.stop()
	var all []entry
	for dec := json.NewDecoder(&e.log); ; {
		var one entry
		err := dec.Decode(&one)
		if err == io.EOF {
			return all
		}
		if err != nil {
			e.t.Fatal(err)
		}
		all = append(all, one)
	}
}

// kinds lists what was written: "head role token token".
func (e entry) kinds() string {
	var all []string
	for _, w := range e.Writes {
		all = append(all, w[0].(string))
	}
	return strings.Join(all, " ")
}

func (e *endpoint) do(method, path, body string, headers ...string) *http.Response {
	e.t.Helper()
	req, err := http.NewRequest(method, e.url+path, strings.NewReader(body))
	if err != nil {
		e.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := e.client.Do(req)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func (e *endpoint) get(method, path, body string, headers ...string) (int, string) {
	e.t.Helper()
	resp := e.do(method, path, body, headers...)
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		e.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// chat is the body of a chat; more is appended to its fields.
func chat(content, more string) string {
	return fmt.Sprintf(`{"model":"simulated","messages":[{"role":"user","content":%q}]%s}`, content, more)
}

const chatPath = "/v1/chat/completions"

// chunk is what a client looks at in an event.
type chunk struct {
	ID, Object, Model string
	Choices           []struct {
		Delta        struct{ Role, Content string }
		Text         string
		FinishReason *string `json:"finish_reason"`
	}
	Usage *struct {
		PromptTokens        int `json:"prompt_tokens"`
		CompletionTokens    int `json:"completion_tokens"`
		TotalTokens         int `json:"total_tokens"`
		PromptTokensDetails struct {
			CachedTokens *int `json:"cached_tokens"`
		} `json:"prompt_tokens_details"`
	}
}

// events splits a stream; data that is not JSON gives a chunk with no ID.
func events(t testing.TB, stream string) (all []chunk, done bool) {
	t.Helper()
	for _, block := range strings.Split(strings.TrimSuffix(stream, "\n\n"), "\n\n") {
		data, ok := strings.CutPrefix(block, "data: ")
		if !ok {
			t.Fatalf("not an event: %q", block)
		}
		if data == "[DONE]" {
			return all, true
		}
		var c chunk
		if json.Unmarshal([]byte(data), &c) != nil {
			c = chunk{}
		}
		all = append(all, c)
	}
	return all, false
}
