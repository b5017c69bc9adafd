package openai

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"headway/workload"
)

func textPrompt(s string) workload.Prompt { return workload.Prompt{Text: s} }

// bodyCases are the cases of TestBody.
var bodyCases = []struct {
	name    string
	c       Config
	r       workload.Request
	history []workload.Message
	want    string
	texts   string
}{
	{name: "least", r: workload.Request{Prompt: textPrompt("hi")},
		want: `{"messages":[{"role":"user","content":"hi"}],"model":"m","stream":false}`, texts: "hi"},
	{name: "empty text", r: workload.Request{},
		want: `{"messages":[{"role":"user","content":""}],"model":"m","stream":false}`},
	{name: "limit", r: workload.Request{Prompt: textPrompt("hi"), OutputTokens: 7},
		want:  `{"messages":[{"role":"user","content":"hi"}],"model":"m","stream":false,"max_completion_tokens":7}`,
		texts: "hi"},
	{name: "legacy limit", c: Config{LegacyMaxTokens: true},
		r:     workload.Request{Prompt: textPrompt("hi"), OutputTokens: 7},
		want:  `{"messages":[{"role":"user","content":"hi"}],"model":"m","stream":false,"max_tokens":7}`,
		texts: "hi"},
	{name: "extras in order, the request's last",
		c: Config{Streaming: true, Extra: []byte(`{"ignore_eos":true,"a":{"b":1},"model":"other"}`)},
		r: workload.Request{Prompt: textPrompt("hi"), OutputTokens: 7,
			Extra: []byte(`{"a":2,"max_completion_tokens":9}`)},
		want: `{"messages":[{"role":"user","content":"hi"}],"model":"other","stream":true,` +
			`"max_completion_tokens":9,"ignore_eos":true,"a":2,"stream_options":{"include_usage":true}}`,
		texts: "hi"},
	{name: "stream options of the user",
		c: Config{Streaming: true, Extra: []byte(`{"stream_options":{"include_usage":false}}`)},
		r: workload.Request{Prompt: textPrompt("hi")},
		want: `{"messages":[{"role":"user","content":"hi"}],"model":"m","stream":true,` +
			`"stream_options":{"include_usage":false}}`, texts: "hi"},
	{name: "stream options null", c: Config{Streaming: true, Extra: []byte(`{"stream_options":null,"z":1}`)},
		r: workload.Request{Prompt: textPrompt("hi")},
		want: `{"messages":[{"role":"user","content":"hi"}],"model":"m","stream":true,` +
			`"stream_options":{"include_usage":true},"z":1}`, texts: "hi"},
	{name: "stream options in part", c: Config{Streaming: true, Extra: []byte(`{"stream_options":{"x":1,` +
		`"include_usage":null}}`)},
		r: workload.Request{Prompt: textPrompt("hi")},
		want: `{"messages":[{"role":"user","content":"hi"}],"model":"m","stream":true,"stream_options":{"x":1,` +
			`"include_usage":true}}`, texts: "hi"},
	{name: "usage with every chunk", c: Config{Streaming: true, PerChunkUsage: true},
		r: workload.Request{Prompt: textPrompt("hi")},
		want: `{"messages":[{"role":"user","content":"hi"}],"model":"m","stream":true,` +
			`"stream_options":{"include_usage":true,"continuous_usage_stats":true}}`,
		texts: "hi"},
	{name: "stream switched off", c: Config{Streaming: true},
		r:    workload.Request{Prompt: textPrompt("hi"), Extra: []byte(`{"stream":false}`)},
		want: `{"messages":[{"role":"user","content":"hi"}],"model":"m","stream":false}`, texts: "hi"},
	{name: "system, history, messages",
		r: workload.Request{Prompt: workload.Prompt{System: "be", Messages: []workload.Message{
			{Role: "user", Content: "c"}, {Raw: []byte(`{"role":"user","content":[{"type":"text","text":"d"},` +
				`{"type":"image_url","image_url":{"url":"u"}},{"type":"text","text":"e"}]}`)}}}},
		history: []workload.Message{{Role: "user", Content: "a"}, {Role: "assistant", Content: "b"}},
		want: `{"messages":[{"role":"system","content":"be"},{"role":"user","content":"a"},` +
			`{"role":"assistant","content":"b"},{"role":"user","content":"c"},{"role":"user",` +
			`"content":[{"type":"text","text":"d"},{"type":"image_url","image_url":{"url":"u"}},{"type":"text",` +
			`"text":"e"}]}],"model":"m","stream":false}`,
		texts: "be a b c d e"},
	{name: "payload", c: Config{Streaming: true, Extra: []byte(`{"x":1}`)},
		r: workload.Request{OutputTokens: 3,
			Prompt: workload.Prompt{Payload: []byte(`{ "messages": [{"content":"p"}], "prompt":["q","r"] }`)}},
		want: `{ "messages": [{"content":"p"}], "prompt":["q","r"] }`, texts: "p q r"},
	{name: "messages replaced",
		r: workload.Request{Prompt: textPrompt("hi"), Extra: []byte(`{"messages":[{"role":"user",` +
			`"content":"other"}]}`)},
		want: `{"messages":[{"role":"user","content":"other"}],"model":"m","stream":false}`, texts: "other"},
	{name: "completions", c: Config{Type: TypeCompletions, Streaming: true},
		r:     workload.Request{Prompt: textPrompt("hi"), OutputTokens: 2},
		want:  `{"prompt":"hi","model":"m","stream":true,"max_tokens":2,"stream_options":{"include_usage":true}}`,
		texts: "hi"},
	{name: "completions with history", c: Config{Type: TypeCompletions}, r: workload.Request{Prompt: textPrompt("c")},
		history: []workload.Message{{Role: "user", Content: "a"},
			{Raw: []byte(`{"role":"assistant","content":"b"}`)}},
		want: `{"prompt":"a\nb\nc","model":"m","stream":false}`, texts: "a\nb\nc"},
	{name: "escapes", r: workload.Request{Prompt: textPrompt("a\"\\\n\t\r\x01<&>é\u2028\xff")},
		want: `{"messages":[{"role":"user","content":"a\"\\\n\t\r\u0001<&>é` + "\u2028\uFFFD" +
			`"}],"model":"m","stream":false}`,
		texts: "a\"\\\n\t\r\x01<&>é\u2028\xff"},
}

func TestBody(t *testing.T) {
	tests := bodyCases
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.c.Models = []string{"m"}
			got, err := Body(tt.c, tt.r, tt.history)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tt.want {
				t.Errorf("body %s\nwant %s", got, tt.want)
			}
			if !json.Valid(got) {
				t.Error("not JSON")
			}
			tt.c.Defaults()
			w, err := newWriter(tt.c)
			if err != nil {
				t.Fatal(err)
			}
			if b, _ := w.body(&tt.r, tt.history); b.texts != tt.texts {
				t.Errorf("texts %q, want %q", b.texts, tt.texts)
			}
		})
	}
}

func TestBodyRefuses(t *testing.T) {
	for _, tt := range []struct {
		c    Config
		r    workload.Request
		want string
	}{
		{Config{}, workload.Request{}, "no model"},
		{Config{Models: []string{"m"}}, workload.Request{Index: 4, Prompt: workload.Prompt{Tokens: 5}},
			"request 4: its prompt is a length"},
		{Config{Models: []string{"m"}}, workload.Request{Extra: []byte(`[1]`)}, "must be a JSON object"},
		{Config{Models: []string{"m"}}, workload.Request{Extra: []byte(`{"a":}`)}, "not valid JSON"},
		{Config{Models: []string{"m"}, Extra: []byte(`7`)}, workload.Request{}, "extra-inputs"},
		{Config{Models: []string{"m"}, Streaming: true}, workload.Request{Extra: []byte(`{"stream_options":3}`)},
			"stream_options"},
		{Config{Models: []string{"m"}}, workload.Request{Prompt: workload.Prompt{Payload: []byte(`[]`)}},
			"not a JSON object"},
	} {
		if b, err := Body(tt.c, tt.r, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: body %s, error %v, want one with %q", tt.r, b, err, tt.want)
		}
	}
}

func TestModelsAtRandom(t *testing.T) {
	c := Config{Models: []string{"a", "b", "c"}, ModelStrategy: Random, Seed: 5}
	draw := func(seed uint64) string {
		c.Seed = seed
		w, err := newWriter(c)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for i := range 3000 {
			b.WriteString(w.model(i))
		}
		return b.String()
	}
	first := draw(5)
	if first != draw(5) || first == draw(6) {
		t.Error("the draw must follow from the seed")
	}
	for _, m := range c.Models {
		if n := strings.Count(first, m); n < 900 || n > 1100 {
			t.Errorf("model %s drawn %d times of 3000", m, n)
		}
	}
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\/\b\f\n\r\t\x00\x1f\x7f", "é漢😀\u2028", "\xff\xfe\xc0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		if err := json.Unmarshal(appendString(nil, s), &got); err != nil {
			t.Fatal(err)
		}
		want := string([]rune(s)) // U+FFFD for each byte that is not UTF-8
		if got != want || utf8.ValidString(s) && got != s {
			t.Fatalf("%q became %q", s, got)
		}
	})
}

func TestURLs(t *testing.T) {
	for _, tt := range []struct{ base, endpoint, want string }{
		{"localhost:8000", "", "http://localhost:8000/v1/chat/completions"},
		{"http://h", "", "http://h/v1/chat/completions"},
		{"http://h/", "", "http://h/v1/chat/completions"},
		{"http://h/v1", "", "http://h/v1/chat/completions"},
		{"http://h/v1/", "", "http://h/v1/chat/completions"},
		{"https://h/api/v1", "", "https://h/api/v1/chat/completions"},
		{"https://h/api", "", "https://h/api/v1/chat/completions"},
		{"http://h/v1/chat/completions", "", "http://h/v1/chat/completions"},
		{"http://h/p/v1/chat/completions/", "", "http://h/p/v1/chat/completions"},
		{"http://h/v1", "/v1/other", "http://h/v1/other"},
		{"http://h/v1", "other", "http://h/v1/other"},
		{"http://h/v2", "/v1/chat/completions", "http://h/v2/v1/chat/completions"},
		{"http://h", "/openai/x?api-version=1", "http://h/openai/x?api-version=1"},
		{"http://h?a=1", "/x?b=2", "http://h/x?a=1&b=2"},
		{"http://u:p@h", "", "http://u:p@h/v1/chat/completions"},
		{"[::1]:80", "", "http://[::1]:80/v1/chat/completions"},
		{"h", "/", "http://h"},
		// What is escaped stays so, in both parts.
		{"http://h/a%2Fb", "", "http://h/a%2Fb/v1/chat/completions"},
		{"http://h/a%2Fb/v1/", "/v1/models/x%2Fy:gen?k=%2F", "http://h/a%2Fb/v1/models/x%2Fy:gen?k=%2F"},
		{"http://h", "/a b/é/%41", "http://h/a%20b/%C3%A9/%41"},
		{"http://h", "/slash/", "http://h/slash/"},
		{"http://h/slash", "/slash/", "http://h/slash/"},
		// An address that ends in an endpoint is the address.
		{"https://h/openai/deployments/d/chat/completions?api-version=2024-10-21", "",
			"https://h/openai/deployments/d/chat/completions?api-version=2024-10-21"},
		{"https://h/api/v3/chat/completions", "", "https://h/api/v3/chat/completions"},
		{"https://h/api/v3", "", "https://h/api/v3/chat/completions"},
		{"https://h/api/v3?a=1", "", "https://h/api/v3/chat/completions?a=1"},
		{"http://h/v1/chat/completions", "/v1/chat/completions?x=1", "http://h/v1/chat/completions?x=1"},
		{"http://h/v1x", "", "http://h/v1x/v1/chat/completions"},
		{"HTTP://H:80/", "", "http://H:80/v1/chat/completions"},
		{"[fe80::1%25eth0]:80", "", "http://[fe80::1%25eth0]:80/v1/chat/completions"},
		{"http://u%40x:p%2F@h", "", "http://u%40x:p%2F@h/v1/chat/completions"},
	} {
		u, err := parseURL(tt.base)
		if err != nil {
			t.Errorf("%s: %v", tt.base, err)
			continue
		}
		c := Config{Endpoint: tt.endpoint, Type: TypeChat}
		if got := c.requestURL(u).String(); got != tt.want {
			t.Errorf("%s + %s = %s, want %s", tt.base, tt.endpoint, got, tt.want)
		}
	}
}

func TestConfigFaults(t *testing.T) {
	c := Config{Transport: "fast", SourceAddresses: []string{"here"}, TLSKey: "k", Proxy: "ftp://u:secret@p",
		URLs: []string{"unix://h/x", "ftp://h", "http://", "http://h:0", "http://h:99999", "http://h:x",
			"http://me:pa%zzss@h", "http://a b"},
		URLStrategy: "best", Type: "chats", ModelStrategy: "weighted", ConnectionReuse: "some",
		Endpoint: "http://q:secret@h/v1",
		Extra:    []byte(`{"a"`), Timeout: -1, PerChunkUsage: true, APIKey: "se\ncret", SessionHeader: "a b",
		Headers: map[string][]string{"b d": {"secret"}, "Good": {"se\x00cret"}}}
	err := c.Validate()
	if err == nil {
		t.Fatal("accepted")
	}
	text := err.Error()
	for _, want := range []string{`scheme "ftp"`, `"http://": no host`, "port 0", "port 99999", "http://h:x", "a b",
		"<redacted>@h", "url-strategy", "endpoint-type \"chats\"", "model-selection-strategy",
		"connection-reuse-strategy",
		"endpoint \"http://<redacted>@h/v1\"", "extra-inputs", "request-timeout-seconds", "per-chunk-usage", "api-key",
		"unix:///path", `transport "fast"`, `source-address "here"`, `tls-key "k"`, "proxy",
		"session-header", `header "b d"`, "header Good", "model"} {
		if !strings.Contains(text, want) {
			t.Errorf("no word of %s", want)
		}
	}
	if strings.Contains(text, "secret") || strings.Contains(text, "pa%zz") {
		t.Errorf("a secret is told:\n%s", text)
	}
	if n := strings.Count(text, "\n") + 1; n != 25 {
		t.Errorf("%d faults told, want 25:\n%s", n, text)
	}
	ok := Config{Models: []string{"m"}}
	ok.Defaults()
	if err := ok.Validate(); err != nil {
		t.Error(err)
	}
	if _, err := NewTarget(Config{}); err == nil {
		t.Error("a target without a model")
	}
}

// What another address is surely meant by is refused with what to write.
func TestMisspeltURLs(t *testing.T) {
	for _, tt := range []struct {
		url, endpoint, kind, want string
	}{
		{"http:/h", "", "", "a scheme ends in ://"},
		{"https:h:443", "", "", "a scheme ends in ://"},
		{"http://::1:8000", "", "", "goes in brackets"},
		{"::1", "", "", "goes in brackets"},
		{"http://me:secret@fe80::1/v1", "", "", "goes in brackets"},
		{"http://[fe80::1%eth0]:80", "", "", "%25eth0"},
		{"http://h/v1#x", "", "", "not sent to a server"},
		{" http://h", "", "", "a blank before or after"},
		{"http://h:123456", "", "", "port 123456: must be 1 to 65535"},
		{"http://h:-1", "", "", "port"},
		{"unix://me@/x", "", "", "unix:///path"},
		{"unix:///x?y", "", "", "unix:///path"},
		{"http://h/v1/embeddings", "", "", "/embeddings is not spoken here"},
		{"http://h/v1/completions", "", "", "endpoint-type completions"},
		{"http://h/v1/chat/completions", "", TypeCompletions, "endpoint-type chat"},
		{"http://h/v1/chat/completions", "/other", "", "give one of them"},
		{"http://h", "/x#y", "", "not sent to a server"},
		{"http://h", "/x%zz", "", "written %25"},
		{"http://[fe80::1%25\x99]/", "", "", "the name of a network interface"},
		{"http://me:secret@h", "", "", "a request carries one of them"},
		{"http://me:secret@h/v1/embeddings", "", "", "<redacted>@h"},
	} {
		c := Config{URLs: []string{tt.url}, Endpoint: tt.endpoint, Type: tt.kind, Models: []string{"m"}}
		if strings.Contains(tt.want, "carries") {
			c.APIKey = "k"
		}
		c.Defaults()
		err := c.Validate()
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s %s: %v, want %s", tt.url, tt.endpoint, err, tt.want)
		}
	}
}

func TestModelsURL(t *testing.T) {
	for base, want := range map[string]string{
		"http://h": "http://h/v1/models", "http://h/api/v1/": "http://h/api/v1/models",
		"http://h/api/v3/chat/completions?a=1": "http://h/api/v3/models?a=1",
		"http://h/v1/completions":              "http://h/v1/models", "http://h/a%2Fb": "http://h/a%2Fb/v1/models",
	} {
		u, err := parseURL(base)
		if err != nil {
			t.Fatal(err)
		}
		if got := modelsURL(u).String(); got != want {
			t.Errorf("%s: %s, want %s", base, got, want)
		}
	}
}

func FuzzParseURL(f *testing.F) {
	for _, s := range []string{"localhost:8000", "http://u:p@h:1/v1?x#y", "://", "http://[::1", "a b",
		"http://h:99999999999", "h/%2F%2f%41?%2F", "::1", "http://[fe80::1%25e]/v3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := parseURL(s)
		if err != nil {
			return
		}
		again, err := parseURL(join(u, "/v1/chat/completions").String())
		if err != nil {
			t.Fatalf("%q joined is no URL: %v", s, err)
		}
		if twice := join(again, "/v1/chat/completions"); twice.String() != again.String() {
			t.Fatalf("%q: joined twice %s, once %s", s, twice, again)
		}
		// Nothing that was escaped is another character afterwards.
		if n := strings.Count(u.EscapedPath(), "%"); strings.Count(join(u, "/x").EscapedPath(), "%") < n {
			t.Fatalf("%q: %s has lost an escape", s, join(u, "/x"))
		}
	})
}

func ExampleBody() {
	b, err := Body(Config{Models: []string{"m"}},
		workload.Request{Prompt: workload.Prompt{Text: "Hi"}, OutputTokens: 8}, nil)
	fmt.Println(string(b), err)
	// Output: {"messages":[{"role":"user","content":"Hi"}],"model":"m","stream":false,"max_completion_tokens":8} <nil>
}

// An address of another machine is found out before a run and not when the
// ports of the usual one are used up.
func TestSourceAddressOfAnotherMachine(t *testing.T) {
	c := Config{URLs: []string{"http://127.0.0.1:1"}, Models: []string{"m"},
		SourceAddresses: []string{"127.0.0.1", "203.0.113.7", "198.51.100.7"}}
	_, err := NewTarget(c)
	if err == nil || !strings.Contains(err.Error(), "source-address 203.0.113.7: must be") ||
		!strings.Contains(err.Error(), "198.51.100.7") ||
		strings.Contains(err.Error(), "127.0.0.1:") {
		t.Errorf("addresses for documents: %v", err)
	}
	c.SourceAddresses = c.SourceAddresses[:1]
	target, err := NewTarget(c)
	if err != nil {
		t.Fatal(err)
	}
	target.Close()
}
