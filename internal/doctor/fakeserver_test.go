package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"headway/internal/fault"
	"headway/internal/openai"
)

// fakeServer is an OpenAI-compatible server with faults to play. The zero value has
// none.
type fakeServer struct {
	refused  []string // fields that it does not know
	ignored  []string // fields without effect
	noUsage  bool
	whole    bool // never streams
	long     bool // the model never ends by itself
	together bool // a stream is written in one piece
	perChunk int  // tokens in a chunk, 1 by default
	closes   bool // each connection after one reply
	uncached bool // cached_tokens stay 0
	key      string
	models   []string
	health   int // a status; 0 is 200
	ahead    time.Duration
	metrics  string // the page; empty is none
	status   int    // of completions; 0 is 200
	says     string // beside status

	mu    sync.Mutex
	seen  map[string]bool
	asked int
}

// request is what is read of one.
type request struct {
	Messages []struct {
		Content string `json:"content"`
	} `json:"messages"`
	Stream              bool `json:"stream"`
	MaxTokens           int  `json:"max_tokens"`
	MaxCompletionTokens int  `json:"max_completion_tokens"`
	MinTokens           int  `json:"min_tokens"`
	IgnoreEOS           bool `json:"ignore_eos"`
}

func (s *fakeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", time.Now().Add(s.ahead).UTC().Format(http.TimeFormat))
	if s.closes {
		w.Header().Set("Connection", "close")
	}
	if s.key != "" && r.Header.Get("Authorization") != "Bearer "+s.key {
		http.Error(w, `{"error":{"message":"no such key: `+r.Header.Get("Authorization")+`"}}`, http.StatusUnauthorized)
		return
	}
	switch r.URL.Path {
	case "/health":
		w.WriteHeader(max(s.health, http.StatusOK))
	case "/v1/models":
		list := []map[string]string{}
		for _, m := range s.models {
			list = append(list, map[string]string{"id": m})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": list})
	case "/metrics":
		if s.metrics == "" {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, s.metrics)
	default:
		s.complete(w, r)
	}
}

func (s *fakeServer) complete(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var raw map[string]json.RawMessage
	var q request
	if json.Unmarshal(body, &raw) != nil || json.Unmarshal(body, &q) != nil {
		http.Error(w, "no JSON", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.asked++
	s.mu.Unlock()
	for _, name := range s.refused {
		if _, has := raw[name]; has {
			http.Error(w, `{"error":{"message":"Unsupported parameter(s): `+name+`"}}`, http.StatusBadRequest)
			return
		}
	}
	if s.status != 0 {
		http.Error(w, s.says, s.status)
		return
	}
	s.reply(w, q, s.length(q))
}

// length is how many tokens a reply has: the model says one word, or two hundred.
func (s *fakeServer) length(q request) int {
	heeds := func(name string) bool { return !slices.Contains(s.ignored, name) }
	n := 1
	if q.prompt() == longAnswer || s.long {
		n = 200
	}
	if q.IgnoreEOS && heeds("ignore_eos") {
		n = 1000
	}
	if heeds("min_tokens") {
		n = max(n, q.MinTokens)
	}
	for name, most := range map[string]int{maxTokens: q.MaxTokens, maxCompletionTokens: q.MaxCompletionTokens} {
		if most > 0 && heeds(name) {
			n = min(n, most)
		}
	}
	return min(n, 300)
}

func (q request) prompt() string {
	if len(q.Messages) == 0 {
		return ""
	}
	return q.Messages[len(q.Messages)-1].Content
}

// usage says what was counted; a prompt that was there before is cached.
func (s *fakeServer) usage(q request, n int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = map[string]bool{}
	}
	cached := 0
	if s.seen[q.prompt()] && !s.uncached {
		cached = len(q.prompt()) / 4
	}
	s.seen[q.prompt()] = true
	return fmt.Sprintf(`{"prompt_tokens":%d,"completion_tokens":%d,"prompt_tokens_details":{"cached_tokens":%d}}`,
		len(q.prompt())/4+1, n, cached)
}

func (s *fakeServer) reply(w http.ResponseWriter, q request, n int) {
	usage := s.usage(q, n)
	if s.noUsage {
		usage = "null"
	}
	if !q.Stream || s.whole {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"choices":[{"message":{"content":%q},"finish_reason":"stop"}],"usage":%s}`,
			strings.Repeat("a ", n), usage)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	var all strings.Builder
	out, flush := io.Writer(w), w.(http.Flusher).Flush
	if s.together {
		out, flush = &all, func() {}
	}
	per := max(s.perChunk, 1)
	for i := 0; i < n; i += per {
		fmt.Fprintf(out, `data: {"choices":[{"delta":{"content":%q}}]}`+"\n\n", strings.Repeat("a ", min(per, n-i)))
		flush()
	}
	fmt.Fprintf(out, `data: {"choices":[{"delta":{},"finish_reason":"length"}]}`+"\n\n")
	fmt.Fprintf(out, `data: {"choices":[],"usage":%s}`+"\n\ndata: [DONE]\n\n", usage)
	_, _ = io.WriteString(w, all.String())
}

// client is a configuration for a server at an address.
func client(url string) openai.Config {
	c := openai.Config{URLs: []string{url}, Models: []string{"m"}, Proxy: openai.ProxyNone}
	c.Defaults()
	return c
}

// diagnose checks a server with faults, by the names of the checks.
func diagnose(t *testing.T, s *fakeServer, change ...func(*openai.Config)) map[string]Result {
	t.Helper()
	if s.models == nil {
		s.models = []string{"m", "n"}
	}
	if s.metrics == "" {
		s.metrics = "# TYPE vllm:a counter\nvllm:a{model=\"m\"} 1\nprocess_cpu 2 1700000000000\n"
	}
	at := httptest.NewServer(s)
	t.Cleanup(at.Close)
	c := client(at.URL)
	for _, f := range change {
		f(&c)
	}
	return examine(t, c)
}

// flag is what an option is called here.
func flag(f fault.Field) string { return "--" + string(f) }

// examine makes the checks of a configuration.
func examine(t *testing.T, c openai.Config) map[string]Result {
	t.Helper()
	subject, end := OfEndpoint(c, flag)
	defer end()
	all := map[string]Result{}
	for _, r := range subject.Run(t.Context()) {
		all[r.Name] = r
	}
	if len(all) != len(subject.Checks) {
		t.Errorf("%d results of %d checks", len(all), len(subject.Checks))
	}
	return all
}

// expect holds one result against what it must be, and say.
func expect(t *testing.T, all map[string]Result, check string, want Status, says ...string) {
	t.Helper()
	r, has := all[check]
	if !has || r.Status != want {
		t.Errorf("%s: %+v, want %s", check, r, want)
	}
	for _, text := range says {
		if !strings.Contains(r.Seen+" → "+r.Do, text) {
			t.Errorf("%s does not say %q: %s → %s", check, text, r.Seen, r.Do)
		}
	}
	if (r.Status == Fail || r.Status == Warn) && r.Do == "" {
		t.Errorf("%s does not say what to do: %s", check, r.Seen)
	}
}
