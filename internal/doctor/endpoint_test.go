package doctor

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"headway/internal/openai"
	"headway/record"
)

// Whatever does not depend on how fast this machine is must be fine at a server that
// does everything right.
func TestHealthyEndpoint(t *testing.T) {
	s := &fakeServer{}
	all := diagnose(t, s)
	for _, name := range []string{"address", "name", "connect", "proxy", "health", "models", "completion", "streaming",
		"usage", "ignore_eos", "min_tokens", maxTokens, maxCompletionTokens, "chunks", "keep-alive", "clock", "metrics",
		"prefix cache"} {
		expect(t, all, name, OK)
	}
	expect(t, all, "TLS", Skipped, "plain HTTP")
	expect(t, all, "ignore_eos", OK, "32 of 32 tokens with it, 1 without")
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked > mostRequests {
		t.Errorf("%d requests were sent, and at most %d are promised", s.asked, mostRequests)
	}
}

func TestEndpointFaults(t *testing.T) {
	for name, c := range map[string]struct {
		server *fakeServer
		check  string
		want   Status
		says   string
	}{
		"not ready":           {&fakeServer{health: 503}, "health", Fail, "--wait-for-model-timeout"},
		"no health":           {&fakeServer{health: 404}, "health", Skipped, "not every server"},
		"health of a gateway": {&fakeServer{health: 302}, "health", Warn, "302"},
		"no worker":           {&fakeServer{models: []string{}}, "models", Fail, "No worker has registered"},
		"another model":       {&fakeServer{models: []string{"x"}}, "models", Warn, "the server lists x, and not m"},
		"a key":               {&fakeServer{key: "secret-key-of-theirs"}, "models", Fail, "--api-key"},
		"model not found":     {&fakeServer{status: 404, says: "no model m"}, "completion", Fail, "no model m"},
		"worker died":         {&fakeServer{status: 500, says: "engine is dead"}, "completion", Fail, "its log"},
		"too busy":            {&fakeServer{status: 429}, "completion", Fail, "limits requests"},
		"no stream":           {&fakeServer{whole: true}, "streaming", Fail, "came whole"},
		"no usage":            {&fakeServer{noUsage: true}, "usage", Warn, "--tokenizer"},
		"ignore_eos refused":  {&fakeServer{refused: []string{"ignore_eos"}}, "ignore_eos", Warn, "refuses"},
		"min_tokens refused":  {&fakeServer{refused: []string{"min_tokens"}}, "min_tokens", Warn, "refuses"},
		"ignore_eos ignored":  {&fakeServer{ignored: []string{"ignore_eos"}}, "ignore_eos", Warn, "it is ignored"},
		"min_tokens ignored":  {&fakeServer{ignored: []string{"min_tokens"}}, "min_tokens", Warn, "it is ignored"},
		"max_tokens ignored":  {&fakeServer{ignored: []string{maxTokens}}, maxTokens, Warn, "send max_comp"},
		"the other ignored": {&fakeServer{ignored: []string{maxCompletionTokens}}, maxCompletionTokens, Fail,
			"--use-legacy"},
		"the other refused": {&fakeServer{refused: []string{maxCompletionTokens}}, "completion", Fail,
			"with --use-legacy"},
		"several tokens a chunk": {&fakeServer{perChunk: 4}, "chunks", Warn, "32 tokens in 8 chunks: 4.0 in each"},
		"buffered":               {&fakeServer{together: true}, "buffering", Warn, "proxy_buffering off"},
		"no keep-alive":          {&fakeServer{closes: true}, "keep-alive", Warn, "Turn keep-alive on"},
		"a clock ahead":          {&fakeServer{ahead: 1000e9}, "clock", Warn, "s ahead of"},
		"a clock behind":         {&fakeServer{ahead: -1000e9}, "clock", Warn, "s behind"},
		"another page":           {&fakeServer{metrics: "<html>hello</html>\n"}, "metrics", Warn, "not in Prometheus"},
		"no engine's metrics":    {&fakeServer{metrics: "go_threads 4\n"}, "metrics", Warn, "none of a known engine"},
		"no cache":               {&fakeServer{uncached: true}, "prefix cache", Warn, "--enable-prefix-caching"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expect(t, diagnose(t, c.server), c.check, c.want, c.says)
		})
	}
}

// A server that ignores both limits is found by the one that measurements send, and
// headway's own limit for text completions is max_tokens.
func TestBothLimitsIgnored(t *testing.T) {
	all := diagnose(t, &fakeServer{ignored: []string{maxTokens, maxCompletionTokens}})
	expect(t, all, maxTokens, Warn)
	expect(t, all, maxCompletionTokens, Fail, "tokens where 4 were asked for, and no end", "--extra-inputs")
	expect(t, all, "prefix cache", Skipped, "do not stop")
	all = diagnose(t, &fakeServer{ignored: []string{maxTokens}}, func(c *openai.Config) { c.LegacyMaxTokens = true })
	expect(t, all, maxTokens, Fail, "Leave --use-legacy-max-tokens out")
	// The chat server of these tests reads messages alone, so that a text completion
	// gets its short answer.
	all = diagnose(t, &fakeServer{}, func(c *openai.Config) { c.Type = openai.TypeCompletions })
	expect(t, all, maxCompletionTokens, Skipped)
}

// What the user adds to every request takes no part in the checks of lengths.
func TestExtraLengthsAreLeftOut(t *testing.T) {
	all := diagnose(t, &fakeServer{ignored: []string{"ignore_eos"}}, func(c *openai.Config) {
		c.Extra = []byte(`{"min_tokens":32,"temperature":0}`)
	})
	expect(t, all, "ignore_eos", Warn, "it is ignored")
	if got := string(withoutLengths([]byte(`{"max_tokens":1,"seed":2}`))); got != `{"seed":2}` {
		t.Errorf("left: %s", got)
	}
}

func TestModelOfTheList(t *testing.T) {
	none := func(c *openai.Config) { c.Models = nil }
	expect(t, diagnose(t, &fakeServer{}, none), "models", OK, "the checks ask for m")
	at := httptest.NewServer(http.NotFoundHandler())
	defer at.Close()
	c := client(at.URL)
	c.Models = nil
	all := examine(t, c)
	expect(t, all, "models", Fail, "Name the model with --model")
	expect(t, all, "completion", Skipped, "needs the check models, which failed")
	expect(t, all, "usage", Skipped, "which was skipped")
}

// A failed check takes along what builds on it, and no more.
func TestNothingListens(t *testing.T) {
	all := examine(t, client("127.0.0.1:1")) // which nobody may take but root, and nobody does
	expect(t, all, "address", Warn, "the address has no scheme", "http://")
	expect(t, all, "connect", Fail, "connection refused", "start the server")
	expect(t, all, "prefix cache", Skipped)
	expect(t, all, "proxy", OK)
}

func TestAddress(t *testing.T) {
	for url, says := range map[string]string{"http:/h:8000": "a scheme ends in ://", "ftp://h": "must be http, https " +
		"or unix",
		"http://h:99999": "must be 1 to 65535", "http://::1:8000": "brackets"} {
		all := examine(t, client(url))
		expect(t, all, "address", Fail, says)
		expect(t, all, "connect", Skipped)
	}
}

// A service's name has no address outside of its cluster. RFC 6761 says that names
// below .invalid have none anywhere.
func TestNameHasNoAddress(t *testing.T) {
	e := &endpoint{client: client("http://vllm-agg-frontend.dynamo.svc.cluster.local:8000")}
	f := e.unreached(&net.DNSError{Err: "no such host", Name: "vllm-agg-frontend.dynamo.svc.cluster.local",
		IsNotFound: true}, false)
	if f.Status != Fail || !strings.Contains(f.Do, "kubectl port-forward svc/vllm-agg-frontend 8000:8000") {
		t.Errorf("%+v", f)
	}
	if f := lookedUp("h", []string{"10.0.0.1", "10.0.0.2", "a", "b", "c"}, 0.2); f.Status != Warn ||
		!strings.Contains(f.Seen, "and 1 more; the lookup took 200 ms") {
		t.Errorf("%+v", f)
	}
}

func TestTLS(t *testing.T) {
	quiet := httptest.NewUnstartedServer(&fakeServer{models: []string{"m"}})
	quiet.Config.ErrorLog = log.New(io.Discard, "", 0)
	quiet.StartTLS()
	defer quiet.Close()
	all := examine(t, client(quiet.URL))
	expect(t, all, "TLS", Fail, "certificate", "--tls-ca")
	expect(t, all, "models", Skipped)
	trusting := client(quiet.URL)
	trusting.InsecureSkipVerify = true
	all = examine(t, trusting)
	expect(t, all, "TLS", Warn, "it was not checked")
	expect(t, all, "completion", OK)

	plain := httptest.NewServer(&fakeServer{})
	defer plain.Close()
	all = examine(t, client(strings.Replace(plain.URL, "http://", "https://", 1)))
	expect(t, all, "TLS", Fail, "plain HTTP", "write http://")
	all = examine(t, client(strings.Replace(quiet.URL, "https://", "http://", 1)))
	expect(t, all, "models", Fail, "write https://")
}

func TestProxies(t *testing.T) {
	at := httptest.NewServer(&fakeServer{models: []string{"m"}})
	defer at.Close()
	forward := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RequestURI = ""
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer func() { _ = resp.Body.Close() }()
		w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	defer forward.Close()
	c := client(at.URL)
	c.Proxy = strings.Replace(forward.URL, "http://", "http://user:of-the-proxy@", 1)
	all := examine(t, c)
	expect(t, all, "proxy", Warn, "--proxy none")
	expect(t, all, "connect", OK, "the proxy")
	expect(t, all, "completion", OK)
	forward.Close()
	all = examine(t, c)
	expect(t, all, "connect", Fail, "the proxy runs")
	for _, r := range all {
		if strings.Contains(r.Seen+r.Do, "of-the-proxy") {
			t.Errorf("the password stands in %+v", r)
		}
	}
}

func TestUnusedProxy(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://proxy.invalid:3128")
	t.Setenv("NO_PROXY", "")
	t.Setenv("REQUEST_METHOD", "")
	c := client("http://server.invalid:8000")
	c.Proxy = ""
	e := &endpoint{client: c}
	if f := e.proxy(t.Context()); f.Status != Warn || !strings.Contains(f.Seen, "HTTP_PROXY is set and not used") {
		t.Errorf("%+v", f)
	}
}

// A server may say anything, also what was sent to it: no secret comes back, and
// nothing steers a terminal.
func TestHostileServer(t *testing.T) {
	key := "sk-secret-0123456789"
	all := diagnose(t, &fakeServer{status: 400, says: "\x1b]0;x\x07 your key " + key + strings.Repeat("x", 1<<20)},
		func(c *openai.Config) { c.APIKey = key })
	expect(t, all, "completion", Fail)
	for _, r := range all {
		if text := r.Seen + r.Do; strings.Contains(text, key) || strings.ContainsAny(text, "\x1b\x07\n") ||
			len(text) > 4000 {
			t.Errorf("%s: %d bytes: %.200q", r.Name, len(text), text)
		}
	}
	all = diagnose(t, &fakeServer{models: []string{strings.Repeat("m\u202e", 1<<17)}})
	if text := all["models"].Seen; len(text) > 4000 || strings.Contains(text, "\u202e") {
		t.Errorf("%d bytes of a model's name: %.200q", len(text), text)
	}
	all = diagnose(t, &fakeServer{key: "another-key"}, func(c *openai.Config) { c.APIKey = key })
	if strings.Contains(all["models"].Seen, key) {
		t.Errorf("the key stands in %q", all["models"].Seen)
	}
}

// A reply without an end is cut off, and found; one that is slow is told from it.
func TestReplyWithoutEnd(t *testing.T) {
	all := diagnose(t, &fakeServer{ignored: []string{maxTokens, maxCompletionTokens}, long: true})
	expect(t, all, "streaming", Warn, "chunks came, and no end, where 32 tokens were asked for", "does not stop")
	expect(t, all, "usage", Skipped, "cut off")
	expect(t, all, "ignore_eos", OK)
	judged(t, "slow", (&endpoint{}).endless(20), Warn, "--request-timeout-seconds")
	f := (&endpoint{client: client("http://h"), honoured: map[string]bool{}}).unlimited(maxCompletionTokens,
		"at least 2000 tokens where 4 were asked for, and no end")
	if f.Status != Fail || !strings.Contains(f.Do, "--max-reply-events") {
		t.Errorf("%+v", f)
	}
	e := &endpoint{client: client("http://h")}
	if f := e.refused(&record.Failure{Class: record.ClassTimeout}); !strings.Contains(f.Do, "etcd and NATS") {
		t.Errorf("%+v", f)
	}
}
