package openai

import (
	"encoding/json"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseServerRequest(t *testing.T) {
	for _, v := range []struct {
		name string
		chat bool
		body string
		want ServerRequest
	}{
		{"plain chat", true, `{"model":"m","messages":[{"role":"user","content":"a b"}]}`,
			ServerRequest{Chat: true, Model: "m", Text: "a b"}},
		{"everything", true,
			`{"model":"m","messages":[{"role":"system","content":"s"},{"role":"assistant","content":null},
			{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{}},{"type":"text","text":"b"}]}],
			"max_tokens":5,"max_completion_tokens":7,"min_tokens":2,"ignore_eos":true,"stream":true,
			"stream_options":{"include_usage":true},"n":1,"temperature":0.5}`,
			ServerRequest{Chat: true, Model: "m", Text: "s a b", MaxTokens: 7, MinTokens: 2, IgnoreEOS: true,
				Stream: true, IncludeUsage: true}},
		{"nulls", true, `{"model":"m","messages":[{"role":"user","content":""}],"max_tokens":null,"stream":null,` +
			`"stream_options":null,"n":null}`,
			ServerRequest{Chat: true, Model: "m"}},
		{"prompt", false, `{"model":"m","prompt":"x\ny","max_tokens":3}`,
			ServerRequest{Model: "m", Text: "x\ny", MaxTokens: 3}},
		{"prompt in an array", false, `{"model":"m","prompt":[ "x" ]}`, ServerRequest{Model: "m", Text: "x"}},
		{"token ids", false, `{"model":"m","prompt":[1,2,3]}`, ServerRequest{Model: "m", PromptIDs: []int{1, 2, 3}}},
		{"token ids in an array", false, `{"model":"m","prompt":[[1,2]],"stream":true,"stream_options":{}}`,
			ServerRequest{Model: "m", PromptIDs: []int{1, 2}, Stream: true}},
	} {
		got, refusal := ParseServerRequest(v.chat, []byte(v.body))
		if refusal != nil {
			t.Errorf("%s: %v", v.name, refusal)
		} else if diff := cmp.Diff(v.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", v.name, diff)
		}
	}
}

func TestParseServerRequestRefuses(t *testing.T) {
	chat := func(more string) string {
		return `{"model":"m","messages":[{"role":"user","content":"x"}]` + more + `}`
	}
	text := func(prompt string) string { return `{"model":"m","prompt":` + prompt + `}` }
	for _, v := range []struct {
		chat              bool
		body, param, says string
	}{
		{true, ``, "", "not JSON"},
		{true, `[]`, "", "an object"},
		{true, chat(`,`), "", "at byte"},
		{true, `{"messages":[{"role":"user","content":"x"}]}`, "model", "missing"},
		{true, `{"model":7}`, "model", "a string"},
		{true, chat(`,"n":3`), "n", "n is 3"},
		{true, chat(`,"n":0`), "n", "n is 0"},
		{true, chat(`,"max_tokens":1.5`), "max_tokens", "an integer"},
		{true, chat(`,"max_completion_tokens":-1`), "max_completion_tokens", "at least 1"},
		{true, chat(`,"min_tokens":-1`), "min_tokens", "at least 0"},
		{true, chat(`,"min_tokens":9,"max_tokens":8`), "min_tokens", "above the limit of 8"},
		{true, chat(`,"stream":"yes"`), "stream", "true or false"},
		{true, chat(`,"stream_options":{"include_usage":true}`), "stream_options", "stream is not true"},
		{true, `{"model":"m","messages":[]}`, "messages", "at least one"},
		{true, `{"model":"m","messages":"x"}`, "messages", "an array"},
		{true, `{"model":"m","messages":[{"content":"x"}]}`, "messages", "message 0 has no role"},
		{true, `{"model":"m","messages":[{"role":"user","content":7}]}`, "messages", "content of message 0"},
		{false, `{"model":"m"}`, "prompt", "missing"},
		{false, text(`null`), "prompt", "missing"},
		{false, text(`7`), "prompt", "neither"},
		{false, text(`[]`), "prompt", "0 prompts"},
		{false, text(`["a","b"]`), "prompt", "2 prompts"},
		{false, text(`[[1],[2]]`), "prompt", "2 prompts"},
		{false, text(`[null]`), "prompt", "neither"},
		{false, text(`[{}]`), "prompt", "neither"},
		{false, text(`[[]]`), "prompt", "neither"},
		{false, text(`[["a"]]`), "prompt", "neither"},
	} {
		_, refusal := ParseServerRequest(v.chat, []byte(v.body))
		if refusal == nil {
			t.Errorf("accepted: %s", v.body)
			continue
		}
		if refusal.Status != 400 || refusal.Param != v.param || !strings.Contains(refusal.Message, v.says) {
			t.Errorf("%s: %v (param %q); want %q and %q", v.body, refusal, refusal.Param, v.param, v.says)
		}
	}
}

func FuzzParseServerRequest(f *testing.F) {
	for _, body := range []string{
		`{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":1,"stream":true,` +
			`"stream_options":{"include_usage":true}}`,
		`{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"x"},{}]}],"min_tokens":3}`,
		`{"model":"m","prompt":"x"}`, `{"model":"m","prompt":["x"]}`, `{"model":"m","prompt":[1,2]}`,
		`{"model":"m","prompt":[[1,2]]}`,
		`{"model":"m","prompt":[null]}`, `null`, `{`, `{"model":"m","prompt":[ ]}`,
	} {
		f.Add(true, []byte(body))
		f.Add(false, []byte(body))
	}
	f.Fuzz(func(t *testing.T, chat bool, body []byte) {
		r, refusal := ParseServerRequest(chat, body)
		if refusal != nil {
			if refusal.Status != 400 || refusal.Message == "" || !json.Valid(refusal.Body()) {
				t.Errorf("refusal %+v", refusal)
			}
			return
		}
		if !json.Valid(body) || r.Model == "" || r.MaxTokens < 0 || r.MinTokens < 0 ||
			len(r.Text) > 0 && len(r.PromptIDs) > 0 ||
			(r.MaxTokens > 0 && r.MinTokens > r.MaxTokens) || (r.IncludeUsage && !r.Stream) ||
			(chat && len(r.PromptIDs) > 0) {
			t.Errorf("accepted %q as %+v", body, r)
		}
	})
}

func TestServerErrorBody(t *testing.T) {
	for _, v := range []struct {
		e    ServerError
		want string
	}{
		{ServerError{Status: 400, Type: "t", Param: "p", Code: "c", Message: `"m"`},
			`{"error":{"message":"\"m\"","type":"t","param":"p","code":"c"}}`},
		{ServerError{Status: 500, Type: "t", Message: "m"}, `{"error":{"message":"m","type":"t","param":null,` +
			`"code":null}}`},
	} {
		if got := string(v.e.Body()); got != v.want {
			t.Errorf("got %s, want %s", got, v.want)
		}
	}
	if got := (&ServerError{Status: 404, Message: "m"}).Error(); got != "404 Not Found: m" {
		t.Error(got)
	}
}

// serverReplyCases are the cases of TestServerReply.
var serverReplyCases = []struct {
	chat                                    bool
	role, text, garbage, finish, end, whole string
}{
	{
		true,
		`data: {"id":"i\"d","object":"chat.completion.chunk","created":1700000000,"model":"m",` +
			`"choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,` +
			`"finish_reason":null}]}` + "\n\n",
		`data: {"id":"i\"d","object":"chat.completion.chunk","created":1700000000,"model":"m",` +
			`"choices":[{"index":0,"delta":{"content":" a\n"},"logprobs":null,"finish_reason":null}]}` + "\n\n",
		`data: {"id":"i\"d","object":"chat.completion.chunk","created":1700000000,"model":"m",` +
			`"choices":[{"index":0,"delta":{"content":"` + "\n\n",
		`data: {"id":"i\"d","object":"chat.completion.chunk","created":1700000000,"model":"m",` +
			`"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}` + "\n\n",
		`data: {"id":"i\"d","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[],` +
			`"usage":{"prompt_tokens":3,"total_tokens":7,"completion_tokens":4,` +
			`"prompt_tokens_details":{"cached_tokens":0}}}` + "\n\n",
		`{"id":"i\"d","object":"chat.completion","created":1700000000,"model":"m","choices":[{"index":0,` +
			`"message":{"role":"assistant","content":" a\n"},"logprobs":null,"finish_reason":"stop"}],` +
			`"usage":{"prompt_tokens":3,"total_tokens":7,"completion_tokens":4,` +
			`"prompt_tokens_details":{"cached_tokens":0}}}`,
	}, {
		false,
		``,
		`data: {"id":"i\"d","object":"text_completion","created":1700000000,"model":"m","choices":[{"index":0,` +
			`"text":" a\n","logprobs":null,"finish_reason":null}]}` + "\n\n",
		`data: {"id":"i\"d","object":"text_completion","created":1700000000,"model":"m",` +
			`"choices":[{"index":0,"text":"` + "\n\n",
		`data: {"id":"i\"d","object":"text_completion","created":1700000000,"model":"m","choices":[{"index":0,` +
			`"text":"","logprobs":null,"finish_reason":"stop"}]}` + "\n\n",
		`data: {"id":"i\"d","object":"text_completion","created":1700000000,"model":"m","choices":[],` +
			`"usage":{"prompt_tokens":3,"total_tokens":7,"completion_tokens":4,` +
			`"prompt_tokens_details":{"cached_tokens":0}}}` + "\n\n",
		`{"id":"i\"d","object":"text_completion","created":1700000000,"model":"m","choices":[{"index":0,` +
			`"text":" a\n","logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"total_tokens":7,` +
			`"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":0}}}`,
	},
}

// What a reply is made of, spelled out.
func TestServerReply(t *testing.T) {
	at := time.Unix(1700000000, 5)
	for _, v := range serverReplyCases {
		r := NewServerReply(v.chat, `i"d`, "m", at)
		text, usage := ServerText(" a\n"), ServerUsage{PromptTokens: 3, CompletionTokens: 4}
		for _, part := range []struct{ got, want []byte }{
			{r.AppendRole(nil), []byte(v.role)},
			{r.AppendText(nil, text), []byte(v.text)},
			{r.AppendGarbage(nil), []byte(v.garbage)},
			{r.AppendFinish(nil, "stop"), []byte(v.finish)},
			{r.AppendUsage(nil, usage), []byte(v.end)},
			{r.AppendWhole(nil, text, "stop", usage), []byte(v.whole)},
		} {
			if diff := cmp.Diff(string(part.want), string(part.got)); diff != "" {
				t.Errorf("chat %v (-want +got):\n%s", v.chat, diff)
			}
		}
	}
}

func TestServerModels(t *testing.T) {
	got := ServerModels([]string{"org/m"}, time.Unix(5, 0), 4096)
	want := `{"object":"list","data":[{"id":"org/m","object":"model","created":5,"owned_by":"headway",` +
		`"max_model_len":4096}]}`
	if string(got) != want {
		t.Errorf("got %s", got)
	}
}

// A connection from the listener knows its times; without one the clock
// answers.
func TestServerConn(t *testing.T) {
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ours, err := ServerListen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for _, ln := range []net.Listener{ServerListener(plain), ours} {
		client, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		accepted, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c := ServerConnOf(ServerConnContext(t.Context(), accepted))
		start := time.Now()
		if _, err := client.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := accepted.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		if at, _ := c.Received(); at.Before(start) || at.After(time.Now()) {
			t.Errorf("received %v after the write began", at.Sub(start))
		}
		if _, err := accepted.Write([]byte("y")); err != nil {
			t.Fatal(err)
		}
		if before, after := c.LastWrite(); before.Before(start) || after.Before(before) || after.After(time.Now()) {
			t.Errorf("written from %v to %v after the start", before.Sub(start), after.Sub(start))
		}
		for _, close := range []func() error{client.Close, accepted.Close, ln.Close} {
			if err := close(); err != nil {
				t.Error(err)
			}
		}
	}
	start := time.Now()
	at, kernel := ServerConnOf(t.Context()).Received()
	before, after := ServerConnOf(t.Context()).LastWrite()
	if kernel || at.Before(start) || before.Before(at) || after.Before(before) {
		t.Error("without a connection the clock does not answer")
	}
}
