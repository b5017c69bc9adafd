package engine

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// play submits all requests at time 0 and steps to the end in one go.
func play(t *testing.T, cfg Config, requests ...Request) []Event {
	t.Helper()
	e := newEngine(t, cfg)
	for _, r := range requests {
		if err := e.Submit(0, r); err != nil {
			t.Fatal(err)
		}
	}
	return stepTo(t, e, forever)
}

const forever = 1000 * time.Hour

func newEngine(t testing.TB, cfg Config) *Engine {
	t.Helper()
	e, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func stepTo(t testing.TB, e *Engine, now time.Duration) []Event {
	t.Helper()
	events, _, busy := e.Step(now)
	if busy && now == forever {
		t.Fatal("work is left at the end of time")
	}
	return slices.Clone(events)
}

// line prints events compactly: "32.106ms 1 token 1".
func line(events []Event) string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "%v %d %v %d\n", e.At.Round(time.Microsecond), e.ID, e.Kind, e.Token)
	}
	return b.String()
}

func wantEvents(t *testing.T, got []Event, want string) {
	t.Helper()
	want = strings.TrimLeft(strings.ReplaceAll(want, "\t", ""), "\n")
	if diff := cmp.Diff(want, line(got)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestPolynomialVectors(t *testing.T) {
	for _, v := range []struct {
		tokens int
		want   float64
	}{{0, 0}, {1000, 32.1059}, {3000, 65.8407}, {8192, 169.1369}} {
		if got := ms(Polynomial{}.Prefill(v.tokens)); math.Abs(got-v.want) > 5e-5 {
			t.Errorf("prefill of %d tokens: %.5f ms, want %.4f", v.tokens, got, v.want)
		}
	}
	for _, v := range []struct{ share, want float64 }{
		{0, 5.74}, {0.1, 10.8836}, {0.5, 26.31}, {1, 34.01}, {-1, 1},
	} {
		if got := ms(Polynomial{}.Decode(v.share)); math.Abs(got-v.want) > 5e-5 {
			t.Errorf("decode at share %v: %.5f ms, want %.4f", v.share, got, v.want)
		}
	}
}

func ms(d time.Duration) float64 { return float64(d) / 1e6 }

// A lone request's first token comes after exactly its prefill, the others a
// decode apart.
func TestAlone(t *testing.T) {
	cfg := Config{NumGPUBlocks: 200, BlockSize: 64}
	first := Polynomial{}.Prefill(1000)
	second := first + Polynomial{}.Decode(1001.0/(200*64)) // the prompt, and the first token
	third := second + Polynomial{}.Decode(1002.0/(200*64))
	want := []Event{
		{At: 0, ID: 7, Kind: Admitted, Token: 0},
		{At: first, ID: 7, Kind: Token, Token: 1},
		{At: second, ID: 7, Kind: Token, Token: 2},
		{At: third, ID: 7, Kind: Token, Token: 3},
		{At: third, ID: 7, Kind: Finished, Token: 3},
	}
	got := play(t, cfg, Request{ID: 7, PromptTokens: 1000, MaxTokens: 3})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Times of Dynamo 1.6.1's own offline replay, on one worker with its defaults. The
// two requests share 1,024 tokens, which each of them counts while it decodes.
func TestTimesOfDynamo(t *testing.T) {
	first, second := make([]uint64, 18), make([]uint64, 24)
	for i := range first {
		first[i] = uint64(i + 1)
	}
	for i := range second {
		second[i] = uint64(i + 1)
		if i >= 16 {
			second[i] += 100
		}
	}
	e := newEngine(t, Config{})
	submit(t, e, 0, Request{ID: 1, PromptTokens: 1103, MaxTokens: 29, Blocks: first[:17]})
	submit(t, e, 50*time.Millisecond, Request{ID: 2, PromptTokens: 1500, MaxTokens: 40, Blocks: second[:23]})
	got := map[string]time.Duration{}
	for _, ev := range stepTo(t, e, forever) {
		if ev.Token == 1 || ev.Kind == Finished {
			got[fmt.Sprint(ev.ID, " ", ev.Kind)] = ev.At
		}
	}
	want := map[string]time.Duration{"1 token": 33760945, "1 finished": 221782488, "2 token": 80772725,
		"2 finished": 309065316}
	for what, at := range want {
		if got[what] != at {
			t.Errorf("%s at %v, want %v", what, got[what], at)
		}
	}
}

// The speed-up divides the times of steps, and not the start-up.
func TestSpeedupAndStartup(t *testing.T) {
	e := newEngine(t, Config{Timing: Fixed{TTFT: 20 * time.Millisecond, ITL: 5 * time.Millisecond},
		SpeedupRatio: 2, StartupTime: time.Second})
	if err := e.Submit(time.Millisecond, Request{ID: 1, PromptTokens: 10, MaxTokens: 2}); err != nil {
		t.Fatal(err)
	}
	if got := e.Stats().Waiting; got != 1 {
		t.Errorf("%d waiting during start-up, want 1", got)
	}
	if events, next, busy := e.Step(500 * time.Millisecond); len(events) != 0 || next != time.Second || !busy {
		t.Errorf("before the start: %v, next %v, busy %v", events, next, busy)
	}
	wantEvents(t, stepTo(t, e, forever), `
	1s 1 admitted 0
	1.01s 1 token 1
	1.0125s 1 token 2
	1.0125s 1 finished 2
	`)
}

// Prompts share the token budget of a step; what does not fit is computed in
// later ones, beside the decodes.
func TestChunkedPrefill(t *testing.T) {
	cfg := Config{MaxNumSeqs: 2, MaxNumBatchedTokens: 100}
	got := play(t, cfg,
		Request{ID: 1, PromptTokens: 60, MaxTokens: 2},
		Request{ID: 2, PromptTokens: 140, MaxTokens: 1},
	)
	p := Polynomial{}
	one := p.Prefill(100)                        // 60 of request 1, 40 of request 2
	share := 61.0 / (16384 * 64)                 // of request 1, which decodes
	two := one + p.Prefill(99) + p.Decode(share) // 1 decode leaves 99 tokens
	three := two + p.Prefill(1)                  // the last token of the prompt
	want := []Event{
		{At: 0, ID: 1, Kind: Admitted, Token: 0}, {At: 0, ID: 2, Kind: Admitted, Token: 0},
		{At: one, ID: 1, Kind: Token, Token: 1},
		{At: two, ID: 1, Kind: Token, Token: 2}, {At: two, ID: 1, Kind: Finished, Token: 2},
		{At: three, ID: 2, Kind: Token, Token: 1}, {At: three, ID: 2, Kind: Finished, Token: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The queue is first come, first served: a small request does not pass a large
// one that does not fit yet.
func TestAdmissionWaits(t *testing.T) {
	fixed := Fixed{TTFT: 10 * time.Millisecond, ITL: time.Millisecond}
	t.Run("sequences", func(t *testing.T) {
		got := play(t, Config{Timing: fixed, MaxNumSeqs: 1},
			Request{ID: 1, PromptTokens: 5, MaxTokens: 2},
			Request{ID: 2, PromptTokens: 5, MaxTokens: 1})
		wantEvents(t, got, `
		0s 1 admitted 0
		10ms 1 token 1
		11ms 1 token 2
		11ms 1 finished 2
		11ms 2 admitted 0
		21ms 2 token 1
		21ms 2 finished 1
		`)
	})
	t.Run("blocks", func(t *testing.T) {
		got := play(t, Config{Timing: fixed, NumGPUBlocks: 10, BlockSize: 10, Watermark: 0.2},
			Request{ID: 1, PromptTokens: 50, MaxTokens: 1},
			Request{ID: 2, PromptTokens: 40, MaxTokens: 1}, // 5 + 4 blocks > 8
			Request{ID: 3, PromptTokens: 10, MaxTokens: 1})
		wantEvents(t, got, `
		0s 1 admitted 0
		10ms 1 token 1
		10ms 1 finished 1
		10ms 2 admitted 0
		10ms 3 admitted 0
		20ms 2 token 1
		20ms 2 finished 1
		20ms 3 token 1
		20ms 3 finished 1
		`)
	})
}

// When the blocks run out the newest sequence goes back to the head of the
// queue and later goes on with its next token.
func TestPreemption(t *testing.T) {
	for _, timing := range []Timing{Polynomial{}, Fixed{TTFT: 10 * time.Millisecond, ITL: time.Millisecond}} {
		cfg := Config{Timing: timing, NumGPUBlocks: 4, BlockSize: 2, Watermark: -1}
		e := newEngine(t, cfg)
		for id := range uint64(2) {
			if err := e.Submit(0, Request{ID: id + 1, PromptTokens: 3, MaxTokens: 5}); err != nil {
				t.Fatal(err)
			}
		}
		var order []string
		for _, ev := range stepTo(t, e, forever) {
			order = append(order, fmt.Sprintf("%d%s%d", ev.ID, ev.Kind.String()[:1], ev.Token))
		}
		// Two blocks each hold 4 tokens; at the fifth one of them must go.
		want := "1a0 2a0 1t1 2t1 1t2 2t2 2p2 1t3 1t4 1t5 1f5 2a2 2t3 2t4 2t5 2f5"
		if timing != (Timing)(Polynomial{}) {
			// Each on its own: request 1 grows before request 2's second token.
			want = "1a0 2a0 1t1 2t1 1t2 2p1 1t3 1t4 1t5 1f5 2a1 2t2 2t3 2t4 2t5 2f5"
		}
		if got := strings.Join(order, " "); got != want {
			t.Errorf("%T:\n got %s\nwant %s", timing, got, want)
		}
		if s := e.Stats(); s.Preempted != 1 || s.KVShare != 0 || s.Finished != 2 || s.PromptTokens != 6 ||
			s.GeneratedTokens != 10 {
			t.Errorf("%T: %+v", timing, s)
		}
	}
}

// A preempted request goes before those that wait, computes its prompt and its
// output so far again as one prefill, and decodes from then on.
func TestRecomputation(t *testing.T) {
	got := play(t, Config{NumGPUBlocks: 4, BlockSize: 2, Watermark: -1},
		Request{ID: 1, PromptTokens: 3, MaxTokens: 5}, Request{ID: 2, PromptTokens: 3, MaxTokens: 4},
		Request{ID: 3, PromptTokens: 3, MaxTokens: 1})
	var free, third, fourth time.Duration
	for _, ev := range got {
		switch {
		case ev.ID == 1 && ev.Kind == Finished:
			free = ev.At
		case ev.ID == 2 && ev.Token == 3 && ev.Kind == Token:
			third = ev.At
		case ev.ID == 2 && ev.Token == 4 && ev.Kind == Token:
			fourth = ev.At
		case ev.ID == 3 && ev.Kind == Admitted && fourth == 0:
			t.Errorf("request 3 went first: %s", line(got))
		}
	}
	// 3 tokens of the prompt and 2 of the output, in 3 of 4 blocks.
	if want := free + (Polynomial{}).Prefill(5); third != want {
		t.Errorf("token 3 at %v, want %v", third, want)
	}
	if want := third + (Polynomial{}).Decode(0.75); fourth != want {
		t.Errorf("token 4 at %v, want %v", fourth, want)
	}
}

func TestSubmitRefuses(t *testing.T) {
	e := newEngine(t, Config{NumGPUBlocks: 100, BlockSize: 10})
	for _, r := range []Request{{PromptTokens: 0, MaxTokens: 5}, {PromptTokens: 5}, {PromptTokens: -3, MaxTokens: 5}} {
		if err := e.Submit(0, r); err == nil {
			t.Errorf("%+v was taken", r)
		}
	}
	var long *TooLongError
	if err := e.Submit(0, Request{ID: 1, PromptTokens: 900, MaxTokens: 91}); !errors.As(err, &long) ||
		long.Capacity != 990 || long.Tokens != 991 {
		t.Errorf("991 tokens in 99 blocks of 10: %v", err)
	}
	if err := e.Submit(0, Request{ID: 1, PromptTokens: 900, MaxTokens: 90}); err != nil {
		t.Error(err)
	}
	if err := e.Submit(0, Request{ID: 1, PromptTokens: 5, MaxTokens: 5}); err == nil {
		t.Error("an id was taken twice")
	}
	if got := (Config{NumGPUBlocks: 100, BlockSize: 10}).Capacity(); got != 990 {
		t.Errorf("capacity %d, want 990", got)
	}
}

func TestConfigNamesEveryFault(t *testing.T) {
	_, err := New(Config{
		Timing:     Fixed{TTFT: -1, ITL: -1, TTFTJitterCV: -1, ITLJitterCV: math.NaN()},
		MaxNumSeqs: 10, MaxNumBatchedTokens: 9, NumGPUBlocks: -1, BlockSize: -1, Watermark: 1,
		SpeedupRatio: -2, StartupTime: -1,
	})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, name := range []string{"max-num-batched-tokens", "num-gpu-blocks", "block-size", "watermark",
		"speedup-ratio", "startup-time", "ttft ", "itl ", "ttft-jitter-cv", "itl-jitter-cv"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in: %v", name, err)
		}
	}
	if (Config{BlockSize: -1}).Capacity() != 0 {
		t.Error("an invalid configuration has a capacity")
	}
}

// The jitter's factor has mean 1 and the asked coefficient of variation.
func TestJitter(t *testing.T) {
	const n = 20000
	e := newEngine(t, Config{Timing: Fixed{TTFT: time.Second, TTFTJitterCV: 0.3}, MaxNumSeqs: n, MaxNumBatchedTokens: n,
		NumGPUBlocks: 2 * n, Seed: 3})
	for id := range uint64(n) {
		if err := e.Submit(0, Request{ID: id, PromptTokens: 1, MaxTokens: 1}); err != nil {
			t.Fatal(err)
		}
	}
	var sum, squares float64
	for _, ev := range stepTo(t, e, forever) {
		if ev.Kind == Token {
			sum += ev.At.Seconds()
			squares += ev.At.Seconds() * ev.At.Seconds()
		}
	}
	mean := sum / n
	cv := math.Sqrt(squares/n-mean*mean) / mean
	// Standard errors are 0.002 for both; the seed is fixed.
	if math.Abs(mean-1) > 0.01 || math.Abs(cv-0.3) > 0.01 {
		t.Errorf("mean %.4f and cv %.4f, want 1 and 0.3", mean, cv)
	}
}
