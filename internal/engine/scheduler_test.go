package engine

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// numbered is a request whose prompt's full blocks of 10 are hashed as given.
func numbered(id uint64, prompt, output int, blocks ...uint64) Request {
	return Request{ID: id, PromptTokens: prompt, MaxTokens: output, Blocks: blocks}
}

// small is a worker with blocks of 10 and no watermark.
func small(t Type, blocks int) Config {
	return Config{Type: t, NumGPUBlocks: blocks, BlockSize: 10, Watermark: -1}
}

func submit(t *testing.T, e *Engine, at time.Duration, requests ...Request) {
	t.Helper()
	for _, r := range requests {
		if err := e.Submit(at, r); err != nil {
			t.Fatal(err)
		}
	}
}

// brief is who came to what, without times: "1 admitted, 1 token".
func brief(events []Event) string {
	var what []string
	for _, ev := range events {
		what = append(what, fmt.Sprintf("%d %v", ev.ID, ev.Kind))
	}
	return strings.Join(what, ", ")
}

// What the cache has is not computed again, and how much that is depends on
// the engine.
func TestPrefixCredit(t *testing.T) {
	p := Polynomial{}
	for _, v := range []struct {
		name    string
		cfg     Config
		second  Request
		cached  int
		compute int // tokens
	}{
		{"vllm", small(VLLM, 100), numbered(2, 45, 1, 1, 2, 3, 4), 40, 5},
		{"sglang", small(SGLang, 100), numbered(2, 45, 1, 1, 2, 3, 4), 40, 5},
		{"trtllm", small(TRTLLM, 100), numbered(2, 45, 1, 1, 2, 3, 4), 40, 5},
		{"mocker-2025", small(Mocker2025, 100), numbered(2, 45, 1, 1, 2, 3, 4), 40, 5},
		{"another tail", small(VLLM, 100), numbered(2, 45, 1, 1, 2, 7, 8), 20, 25},
		{"the last token is computed in any case", small(VLLM, 100), numbered(2, 40, 1, 1, 2, 3, 4), 30, 10},
		{"but not in 2025", small(Mocker2025, 100), numbered(2, 40, 1, 1, 2, 3, 4), 40, 0},
		{"only what leads counts", small(VLLM, 100), numbered(2, 45, 1, 9, 2, 3, 4), 0, 45},
		{"in 2025 any position does", small(Mocker2025, 100), numbered(2, 45, 1, 9, 2, 3, 4), 30, 15},
		{"no caching", Config{NumGPUBlocks: 100, BlockSize: 10, NoPrefixCaching: true},
			numbered(2, 45, 1, 1, 2, 3, 4), 0, 45},
		{"no hashes", small(VLLM, 100), numbered(2, 45, 1), 0, 45},
	} {
		e := newEngine(t, v.cfg)
		submit(t, e, 0, numbered(1, 45, 1, 1, 2, 3, 4))
		submit(t, e, time.Second, v.second)
		events := stepTo(t, e, forever)
		admitted, token := events[3], events[4]
		want := time.Second + p.Prefill(v.compute)
		if v.cfg.Type == Mocker2025 {
			want += p.Decode(5.0 / 100) // the same step decodes; a token has its block
		}
		if admitted.Cached != v.cached || token.At != want {
			t.Errorf("%s: %d cached, token at %v; want %d, %v", v.name, admitted.Cached, token.At, v.cached, want)
		}
		if s := e.Stats(); s.CachedTokens != int64(v.cached) || s.QueriedTokens != int64(45+v.second.PromptTokens) {
			t.Errorf("%s: %+v", v.name, s)
		}
	}
}

// Blocks that a running sequence holds cost no room at admission, but in 2025
// every prompt counted in full.
func TestSharedRoom(t *testing.T) {
	for typ, want := range map[Type]string{
		VLLM:       "1 admitted, 2 admitted, 1 token, 2 token, 1 token, 1 finished, 2 token, 2 finished",
		Mocker2025: "1 admitted, 1 token, 1 token, 1 finished, 2 admitted, 2 token, 2 token, 2 finished",
	} {
		got := brief(play(t, small(typ, 11), numbered(1, 64, 2, 1, 2, 3, 4, 5, 6),
			numbered(2, 64, 2, 1, 2, 3, 4, 5, 6)))
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", typ, got, want)
		}
	}
}

// In 2025 the blocks of the whole prompt were taken with its first chunk.
func TestFirstChunk(t *testing.T) {
	for typ, want := range map[Type]float64{VLLM: 0.02, Mocker2025: 0.05} {
		cfg := small(typ, 100)
		cfg.MaxNumSeqs, cfg.MaxNumBatchedTokens = 4, 20
		e := newEngine(t, cfg)
		submit(t, e, 0, numbered(1, 45, 2, 1, 2, 3, 4))
		e.Step(0)
		if got := e.Stats().KVShare; got != want {
			t.Errorf("%s: %v of the cache after the first chunk, want %v", typ, got, want)
		}
	}
}

// Who gives way when both need a third block and there are five.
func TestVictims(t *testing.T) {
	for _, v := range []struct {
		cfg  Config
		want string // who is preempted
	}{
		{small(VLLM, 5), "2"},
		{Config{NumGPUBlocks: 5, BlockSize: 10, Watermark: -1, Preemption: FIFO}, "1"},
		// Request 1 comes back at once, as the newest.
		{small(Mocker2025, 5), "12"},
		{small(TRTLLM, 5), ""},
		// Both have as much output, request 2 the longer prompt.
		{Config{Type: SGLang, NumGPUBlocks: 5, BlockSize: 10, SGLang: SGLangConfig{ClipMaxNewTokens: 1}}, "2"},
	} {
		var got []string
		e := newEngine(t, v.cfg)
		submit(t, e, 0, numbered(1, 11, 12), numbered(2, 12, 12))
		for _, ev := range stepTo(t, e, forever) {
			if ev.Kind == Preempted {
				got = append(got, fmt.Sprint(ev.ID))
			}
		}
		if strings.Join(got, "") != v.want {
			t.Errorf("%s %s: preempted %v, want %q", v.cfg.Type, v.cfg.Preemption, got, v.want)
		}
	}
}

// SGLang computes prompts before it goes on decoding, and never both in a step.
func TestPhases(t *testing.T) {
	p := Polynomial{}
	cfg := small(SGLang, 100)
	cfg.SGLang.ChunkedPrefillSize = 30
	e := newEngine(t, cfg)
	submit(t, e, 0, numbered(1, 25, 3))
	submit(t, e, time.Nanosecond, numbered(2, 45, 1), numbered(3, 10, 1))
	one := p.Prefill(25)
	two := one + p.Prefill(30)
	three := two + p.Prefill(25) // 15 of request 2 and 10 of request 3
	four := three + p.Decode(26.0/1000)
	five := four + p.Decode(27.0/1000)
	want := []Event{
		{Kind: Admitted, ID: 1}, {At: one, ID: 1, Kind: Token, Token: 1},
		{At: one, ID: 2, Kind: Admitted}, {At: two, ID: 3, Kind: Admitted},
		{At: three, ID: 2, Kind: Token, Token: 1}, {At: three, ID: 2, Kind: Finished, Token: 1},
		{At: three, ID: 3, Kind: Token, Token: 1}, {At: three, ID: 3, Kind: Finished, Token: 1},
		{At: four, ID: 1, Kind: Token, Token: 2},
		{At: five, ID: 1, Kind: Token, Token: 3},
		{At: five, ID: 1, Kind: Finished, Token: 3},
	}
	if diff := cmp.Diff(want, stepTo(t, e, forever)); diff != "" {
		t.Error(diff)
	}
}

// The longest cached prefix goes first, but never before a higher priority.
func TestLongestPrefixFirst(t *testing.T) {
	for policy, want := range map[string][]uint64{"fcfs": {1, 5, 2, 3, 4}, "lpm": {1, 5, 4, 3, 2}} {
		cfg := small(SGLang, 100)
		cfg.SGLang.Policy, cfg.MaxNumSeqs = policy, 1
		e := newEngine(t, cfg)
		submit(t, e, 0, numbered(1, 45, 1, 1, 2, 3, 4))
		urgent := numbered(5, 25, 1)
		urgent.Priority = 1
		submit(t, e, time.Millisecond, numbered(2, 25, 1), numbered(3, 25, 1, 1), numbered(4, 25, 1, 1, 2), urgent)
		var got []uint64
		for _, ev := range stepTo(t, e, forever) {
			if ev.Kind == Admitted {
				got = append(got, ev.ID)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: order %v, want %v", policy, got, want)
		}
	}
}

// Higher priorities leave the queue first; equals in order of submission.
func TestPriority(t *testing.T) {
	cfg := Config{MaxNumSeqs: 1, Timing: Fixed{TTFT: time.Millisecond}}
	e := newEngine(t, cfg)
	for id, priority := range []int{0, 0, 2, -1, 2, 1, 0} {
		submit(t, e, 0, Request{ID: uint64(id), PromptTokens: 1, MaxTokens: 1, Priority: priority})
	}
	var got []uint64
	for _, ev := range stepTo(t, e, forever) {
		if ev.Kind == Finished {
			got = append(got, ev.ID)
		}
	}
	if want := []uint64{2, 4, 5, 0, 1, 6, 3}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}

// A roofline's function gets tokens and what they attend to.
func TestStepFunc(t *testing.T) {
	var got [][4]int
	f := StepFunc(func(a, b, c, d int) time.Duration {
		got = append(got, [4]int{a, b, c, d})
		return time.Millisecond
	})
	cfg := Config{Timing: f, MaxNumSeqs: 2, MaxNumBatchedTokens: 5}
	play(t, cfg, Request{ID: 1, PromptTokens: 3, MaxTokens: 3}, Request{ID: 2, PromptTokens: 4, MaxTokens: 1})
	// 1+2+3 and 1+2; then 3+4 beside a context of 4; then a context of 5.
	want := [][4]int{{5, 9, 0, 0}, {2, 7, 1, 4}, {0, 0, 1, 5}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := New(Config{Timing: StepFunc(nil)}); err == nil {
		t.Error("no function was taken")
	}
}

// What the cache tells of itself: runs of new blocks with their parent, and
// one event per eviction.
func TestKVEventVector(t *testing.T) {
	cfg := small(VLLM, 6)
	var got []string
	cfg.OnKV = func(ev KVEvent) {
		what := fmt.Sprintf("%d: stored %v", ev.ID, ev.Blocks)
		if ev.Removed {
			what = fmt.Sprintf("%d: removed %v", ev.ID, ev.Blocks)
		}
		if ev.HasParent {
			what += fmt.Sprintf(" after %d", ev.Parent)
		}
		got = append(got, what)
	}
	e := newEngine(t, cfg)
	submit(t, e, 0, numbered(1, 35, 1, 1, 2, 3))
	submit(t, e, time.Second, numbered(2, 45, 1, 1, 2, 7, 8))
	submit(t, e, 2*time.Second, numbered(3, 45, 1))
	stepTo(t, e, forever)
	want := []string{"0: stored [1 2 3]", "1: stored [7 8] after 2",
		// The fifth block of request 2 has room; request 3 needs five.
		"2: removed [3]", "3: removed [8]", "4: removed [7]", "5: removed [2]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Options that do nothing together are refused.
func TestKindsThatDoNotMix(t *testing.T) {
	for want, cfg := range map[string]Config{
		"engine-type sglang: must be vllm with fixed times": {Type: SGLang, Timing: Fixed{}},
		"engine-type tgi": {Type: "tgi"},
		"preemption-mode lifo: must be left out with sglang": {Type: SGLang, Preemption: LIFO},
		"preemption-mode random":                             {Preemption: "random"},
		"disaggregation-mode both":                           {Role: "both"},
		"kv-transfer-timing-mode half":                       {Transfer: "half"},
		"sglang-schedule-policy lifo":                        {Type: SGLang, SGLang: SGLangConfig{Policy: "lifo"}},
		"sglang-chunked-prefill-size 63: must be at least blo": {Type: SGLang,
			SGLang: SGLangConfig{ChunkedPrefillSize: 63}},
		"ticks true":             {KeepTicks: true, Timing: Fixed{}},
		"decode-speedup-ratio 2": {DecodeSpeedupRatio: 2, Timing: Fixed{}},
	} {
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	e := newEngine(t, small(VLLM, 10))
	if err := e.Submit(0, numbered(1, 19, 1, 1, 2)); err == nil ||
		!strings.Contains(err.Error(), "2 block hashes: the 20 tokens of its prompt and reply but for the last ha") {
		t.Errorf("a hash of half a block: %v", err)
	}
	cfg := Config{NoChunkedPrefill: true, MaxNumSeqs: 10, MaxNumBatchedTokens: 100}
	if cfg.Capacity() != 100 {
		t.Errorf("a prompt that no step can compute has room: %d", cfg.Capacity())
	}
}
