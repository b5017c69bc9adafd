package cluster

import (
	"encoding/json"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"headway/internal/engine"
	"headway/internal/openai"
	"headway/internal/tokenizer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestChatStream(t *testing.T) {
	e := serve(t, ServerConfig{Engine: quick()})
	tok, err := tokenizer.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	content := "Write a long poem about queues."
	resp := e.do("POST", chatPath, chat(content, `,"max_tokens":500,"stream":true,`+
		`"stream_options":{"include_usage":true}`),
		"X-Request-ID", "r-1", "X-Correlation-ID", "s-1")
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || !strings.HasPrefix(got, "text/event-stream") ||
		resp.Header.Get("X-Request-ID") != "r-1" {
		t.Errorf("status %d, headers %v", resp.StatusCode, resp.Header)
	}
	all, done := events(t, string(body))
	if !done || len(all) != 503 { // role, tokens, finish, usage
		t.Fatalf("%d events, done %v", len(all), done)
	}
	if d := all[0].Choices[0].Delta; d.Role != "assistant" || d.Content != "" {
		t.Errorf("first event %+v", all[0])
	}
	var text strings.Builder
	for _, c := range all[1:501] {
		if tok.Count(c.Choices[0].Delta.Content) != 1 || c.Choices[0].FinishReason != nil {
			t.Fatalf("event %+v is not one token", c)
		}
		text.WriteString(c.Choices[0].Delta.Content)
	}
	if got := tok.Count(text.String()); got != 500 {
		t.Errorf("the joined text has %d tokens, want 500", got)
	}
	if c := all[501]; *c.Choices[0].FinishReason != "length" || c.Choices[0].Delta.Content != "" {
		t.Errorf("finish %+v", c)
	}
	u := all[502].Usage
	if n := tok.Count(content); len(all[502].Choices) != 0 || u.PromptTokens != n || u.CompletionTokens != 500 ||
		u.TotalTokens != n+500 || *u.PromptTokensDetails.CachedTokens != 0 {
		t.Errorf("usage %+v", all[502])
	}
	for _, c := range all {
		if c.ID != all[0].ID || c.Object != "chat.completion.chunk" || c.Model != "simulated" {
			t.Fatalf("event %+v", c)
		}
	}
	log := e.entries()
	if len(log) != 1 {
		t.Fatalf("%d lines in the log", len(log))
	}
	got := log[0]
	if got.RequestID != "r-1" || got.CorrelationID != "s-1" || got.Outcome != outcomeOK || got.Status != 200 ||
		got.OutputTokens != 500 || got.PromptTokens != tok.Count(content) || got.Path != chatPath {
		t.Errorf("log %+v", got.logEntry)
	}
	if want := "head role" + strings.Repeat(" token", 500) + " finish usage done"; got.kinds() != want {
		t.Errorf("writes %s", got.kinds())
	}
}

func TestCompletionStream(t *testing.T) {
	e := serve(t, ServerConfig{Engine: quick()})
	_, body := e.get("POST", "/v1/completions", `{"model":"simulated","prompt":"once upon","max_tokens":3,`+
		`"stream":true}`)
	all, done := events(t, body)
	if !done || len(all) != 4 {
		t.Fatalf("events: %s", body)
	}
	for _, c := range all[:3] {
		if c.Object != "text_completion" || c.Choices[0].Text == "" || c.Usage != nil {
			t.Errorf("event %+v", c)
		}
	}
	if c := all[3].Choices[0]; c.Text != "" || *c.FinishReason != "length" {
		t.Errorf("finish %+v", c)
	}
	if got := e.entries()[0].kinds(); got != "head token token token finish done" {
		t.Errorf("writes %s", got)
	}
}

func TestWholeReplies(t *testing.T) {
	e := serve(t, ServerConfig{Engine: quick()})
	tok := e.server.cfg.Tokenizer
	for _, v := range []struct{ path, body, object string }{
		{chatPath, chat("hello there", `,"max_completion_tokens":7,"max_tokens":3`), "chat.completion"},
		{"/v1/completions", `{"model":"simulated","prompt":["hello there"],"max_tokens":7}`, "text_completion"},
		{"/v1/completions", `{"model":"simulated","prompt":[5,17],"max_tokens":7,"stream":false}`, "text_completion"},
	} {
		status, body := e.get("POST", v.path, v.body)
		var got struct {
			chunk
			Choices []struct {
				Message      struct{ Role, Content string }
				Text         string
				FinishReason string `json:"finish_reason"`
			}
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil || status != 200 || len(got.Choices) != 1 {
			t.Fatalf("%d %s", status, body)
		}
		text := got.Choices[0].Text + got.Choices[0].Message.Content
		if tok.Count(text) != 7 || got.Object != v.object || got.Choices[0].FinishReason != "length" ||
			got.Usage.PromptTokens != 2 || got.Usage.CompletionTokens != 7 || got.Usage.TotalTokens != 9 {
			t.Errorf("%s: %s", v.path, body)
		}
	}
	for _, line := range e.entries() {
		if line.kinds() != "body" || line.OutputTokens != 7 || line.PromptTokens != 2 {
			t.Errorf("log %+v", line)
		}
	}
}

// Without a limit the length follows from the prompt and is the same for the
// same request; limits are used up exactly.
func TestReplyLength(t *testing.T) {
	e := serve(t, ServerConfig{Engine: engine.Config{Timing: engine.Fixed{}}, MaxModelLen: 1000})
	completion := func(words int, more string) (int, string) {
		_, body := e.get("POST", chatPath, chat("a"+strings.Repeat(" word", words-1), more))
		var c chunk
		if err := json.Unmarshal([]byte(body), &c); err != nil || c.Usage == nil {
			t.Fatalf("%v: %s", err, body)
		}
		return c.Usage.CompletionTokens, *c.Choices[0].FinishReason
	}
	for _, v := range []struct {
		words       int
		more        string
		least, most int
		reason      string
	}{
		{300, ``, 240, 360, "stop"},
		{300, `,"ignore_eos":true`, 240, 360, "stop"},
		{3, ``, 16, 16, "stop"},
		{3, `,"min_tokens":40`, 40, 40, "stop"},
		{300, `,"min_tokens":10,"max_tokens":12`, 12, 12, "length"},
		{3, `,"max_tokens":1`, 1, 1, "length"},
		{3, `,"max_tokens":997,"ignore_eos":true`, 997, 997, "length"},
		{900, ``, 100, 100, "length"},
	} {
		n, reason := completion(v.words, v.more)
		if n < v.least || n > v.most || reason != v.reason {
			t.Errorf("%d words%s: %d tokens, %s; want %d to %d, %s", v.words, v.more, n, reason, v.least,
				v.most, v.reason)
		}
		if again, _ := completion(v.words, v.more); again != n {
			t.Errorf("%d words%s: %d tokens, then %d", v.words, v.more, n, again)
		}
	}
}

// The rule without a limit uses its whole range and no more.
func TestUnlimitedLength(t *testing.T) {
	e := serve(t, ServerConfig{Engine: quick()})
	least, most := 10000, 0 // per thousand of the prompt
	for i := range 500 {
		p, refusal := e.server.planReply(openai.ServerRequest{PromptIDs: make([]int, 1000+i)})
		if refusal != nil {
			t.Fatal(refusal)
		}
		share := float64(p.tokens) / float64(p.prompt)
		if share < 0.799 || share > 1.2 {
			t.Errorf("%d tokens for a prompt of %d", p.tokens, p.prompt)
		}
		least, most = min(least, int(1000*share)), max(most, int(1000*share))
	}
	if least > 810 || most < 1190 {
		t.Errorf("lengths from %d to %d per thousand", least, most)
	}
}

func TestModels(t *testing.T) {
	e := serve(t, ServerConfig{Engine: quick(), Model: "org/model \"x\"", MaxModelLen: 4096})
	status, body := e.get("GET", "/v1/models", "")
	var list struct {
		Object string
		Data   []struct {
			ID          string
			MaxModelLen int `json:"max_model_len"`
		}
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil || status != 200 || list.Object != "list" ||
		len(list.Data) != 1 || list.Data[0].ID != "org/model \"x\"" || list.Data[0].MaxModelLen != 4096 {
		t.Errorf("%d %s", status, body)
	}
	if status, body := e.get("GET", "/v1/models/org/model%20%22x%22", ""); status != 200 ||
		!strings.Contains(body, `"object":"model"`) {
		t.Errorf("%d %s", status, body)
	}
	if status, body := e.get("GET", "/health", ""); status != 200 || body != "" {
		t.Errorf("health: %d %q", status, body)
	}
}

func TestMetrics(t *testing.T) {
	e := serve(t, ServerConfig{Engine: quick(), Model: `m"\`})
	for range 3 {
		e.get("POST", "/v1/completions", `{"model":"m\"\\","prompt":"one two three","max_tokens":5}`)
	}
	_, text := e.get("GET", "/metrics", "")
	labels := `{engine="0",model_name="m\"\\"`
	for _, want := range []string{
		"# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running" + labels + "} 0\n",
		"vllm:num_requests_waiting" + labels + "} 0\n",
		"vllm:kv_cache_usage_perc" + labels + "} 0\n",
		"vllm:prompt_tokens_total" + labels + "} 9\n",
		"vllm:generation_tokens_total" + labels + "} 15\n",
		"vllm:request_success_total" + labels + `,finished_reason="length"} 3` + "\n",
		"vllm:request_success_total" + labels + `,finished_reason="stop"} 0` + "\n",
		"# TYPE vllm:time_to_first_token_seconds histogram\n",
		"vllm:time_to_first_token_seconds_bucket" + labels + `,le="0.001"} 3` + "\n",
		"vllm:time_to_first_token_seconds_bucket" + labels + `,le="2560.0"} 3` + "\n",
		"vllm:time_to_first_token_seconds_bucket" + labels + `,le="+Inf"} 3` + "\n",
		"vllm:time_to_first_token_seconds_count" + labels + "} 3\n",
		"vllm:inter_token_latency_seconds_count" + labels + "} 12\n",
		"vllm:time_per_output_token_seconds_bucket" + labels + `,le="0.01"} 12` + "\n",
		"vllm:e2e_request_latency_seconds_bucket" + labels + `,le="0.3"} 3` + "\n",
		"vllm:e2e_request_latency_seconds_count" + labels + "} 3\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	for name, want := range map[string]float64{
		"time_to_first_token_seconds_sum": 3 * 0.001,
		"inter_token_latency_seconds_sum": 12 * 0.0002,
		"e2e_request_latency_seconds_sum": 3 * 0.0018,
	} {
		_, after, _ := strings.Cut(text, "vllm:"+name+labels+"} ")
		value, _, _ := strings.Cut(after, "\n")
		if got, err := strconv.ParseFloat(value, 64); err != nil || math.Abs(got-want) > 1e-9 {
			t.Errorf("%s is %q, want %g", name, value, want)
		}
	}
}
