package cluster

import (
	"encoding/json"
	"strings"
	"testing"

	"headway/internal/engine"
	"headway/internal/router"
	"headway/record"
	"headway/workload"
)

// talks are sessions whose turns follow at once.
func talks() workload.Plan {
	return synthetic(workload.Synthetic{Requests: 12, Turns: workload.Length{Mean: 4}, ISL: workload.Length{Mean: 70},
		OSL: workload.Length{Mean: 90}})
}

// Every turn finds the prompt and the reply before it, and so does the ideal cache;
// a mocker, and workers that are told so, find the prompt alone.
func TestTurnsFindReplies(t *testing.T) {
	for _, v := range []struct {
		name   string
		change func(*Config)
		kept   bool
	}{
		{"vllm", func(*Config) {}, true},
		{"sglang", func(c *Config) { c.Engine.Type = engine.SGLang }, true},
		{"mocker", func(c *Config) { c.Engine.Type = engine.Mocker14 }, false},
		{"forgotten", func(c *Config) { c.ForgetReplies = true }, false},
	} {
		c := small(1, router.KV)
		c.Engine.NumGPUBlocks = 4000
		v.change(&c)
		records, facts, _ := replayed(t, c, talks())
		before := map[string]*record.Record{}
		for _, r := range records {
			if b := before[r.Session]; b != nil {
				want := b.TokensIn
				if v.kept {
					want += b.TokensOut - 1
				}
				if got := r.Usage["prompt_cache_read_tokens"]; got != want/16*16 {
					t.Errorf("%s: turn %d found %d tokens, want %d", v.name, r.Turn, got, want/16*16)
				}
			}
			before[r.Session] = r
		}
		if facts.HitRate != facts.IdealHitRate || facts.HitRate != facts.IdealAtSize {
			t.Errorf("%s: hits %v, ideal %v and %v", v.name, facts.HitRate, facts.IdealHitRate, facts.IdealAtSize)
		}
	}
}

// A client that sends the reply back with its next question is served from the cache
// up to there.
func TestServedRepliesAreFound(t *testing.T) {
	e := serve(t, ServerConfig{Cluster: &Config{Workers: 1, Router: router.Defaults(),
		Engine: engine.Config{Timing: quick().Timing, BlockSize: 4}}})
	ask := func(messages ...string) (text string, prompt, cached int) {
		var said []map[string]string
		for i, m := range messages {
			said = append(said, map[string]string{"role": []string{"user", "assistant"}[i%2], "content": m})
		}
		body, err := json.Marshal(map[string]any{"model": "simulated", "messages": said, "max_tokens": 41})
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Choices []struct{ Message struct{ Content string } }
			Usage   struct {
				PromptTokens int `json:"prompt_tokens"`
				Details      struct {
					Cached int `json:"cached_tokens"`
				} `json:"prompt_tokens_details"`
			}
		}
		status, answer := e.get("POST", chatPath, string(body))
		if err := json.Unmarshal([]byte(answer), &got); err != nil || status != 200 {
			t.Fatalf("%d %s: %v", status, answer, err)
		}
		return got.Choices[0].Message.Content, got.Usage.PromptTokens, got.Usage.Details.Cached
	}
	question := strings.Repeat("why is it so ", 9) + "then?"
	reply, first, _ := ask(question)
	// A token stands between question and reply, and the reply's last one has no keys.
	if _, _, cached := ask(question, reply, "and then?"); cached != (first+40)/4*4 {
		t.Errorf("%d tokens found, want %d", cached, (first+40)/4*4)
	}
}
