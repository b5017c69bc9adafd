package engine

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The turns of a conversation, one after the other, find all full blocks of what was
// said before, replies included, but for a reply's last token, for which nothing was
// computed, and for the prompt's own last token, which always is.
func TestConversationFindsReplies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := Config{Type: rapid.SampledFrom([]Type{VLLM, SGLang, TRTLLM}).Draw(t, "type"),
			BlockSize: rapid.IntRange(1, 16).Draw(t, "block size"), NumGPUBlocks: 4000}
		if cfg.Type == VLLM && rapid.Bool().Draw(t, "fixed") {
			cfg.Timing = Fixed{}
		}
		cfg.SkipTokens = rapid.Bool().Draw(t, "skip")
		e := mustNew(t, cfg)
		said, now := 0, time.Duration(0)
		for turn := range uint64(rapid.IntRange(1, 6).Draw(t, "turns")) {
			r := Request{ID: turn, PromptTokens: said + rapid.IntRange(1, 60).Draw(t, "asked"),
				MaxTokens: rapid.IntRange(1, 60).Draw(t, "answered")}
			for k := range (r.PromptTokens + r.MaxTokens - 1) / cfg.BlockSize {
				r.Blocks = append(r.Blocks, uint64(k+1))
			}
			if err := e.Submit(now, r); err != nil {
				t.Fatal(err)
			}
			want := max(min(said-1, r.PromptTokens-1), 0) / cfg.BlockSize * cfg.BlockSize
			now += time.Minute
			events, _, _ := e.Step(now)
			if events[0].Kind != Admitted || events[0].Cached != want {
				t.Fatalf("turn %d: %+v, want %d tokens found", turn, events[0], want)
			}
			said = r.PromptTokens + r.MaxTokens
		}
	})
}

// A preempted request finds its own output again, as far as nobody took its blocks.
func TestPreemptedFindsItsReply(t *testing.T) {
	cfg := Config{BlockSize: 4, NumGPUBlocks: 12, Watermark: -1}
	first, second := numbered(1, 20, 12), numbered(2, 12, 20, 11, 12, 13, 14, 15, 16, 17)
	again := 0
	for _, ev := range play(t, cfg, first, second) {
		if ev.Kind == Admitted && ev.Token > 0 {
			again = ev.Cached
			if ev.ID != 2 || ev.Cached <= 12 {
				t.Errorf("%+v: the %d tokens of its reply are not found", ev, ev.Token)
			}
		}
	}
	if again == 0 {
		t.Error("nobody was preempted")
	}
}
