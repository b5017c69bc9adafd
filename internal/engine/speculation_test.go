package engine

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"
)

// tenEach takes 10 ms for every step, whatever is in it.
var tenEach StepFunc = func(int, int, int, int) time.Duration { return 10 * time.Millisecond }

// drafting is a worker that drafts.
func drafting(k int, acceptance ...float64) Config {
	return Config{Timing: tenEach, Speculation: Speculation{Tokens: k, Acceptance: acceptance}, Seed: 7}
}

// played submits requests at 0 and returns all events and what the engine counted.
func played(t *testing.T, c Config, every time.Duration, requests ...Request) ([]Event, *Engine) {
	t.Helper()
	e, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range requests {
		if err := e.Submit(0, r); err != nil {
			t.Fatal(err)
		}
	}
	var all []Event
	for at := time.Duration(0); ; at += every {
		events, next, busy := e.Step(at)
		all = append(all, events...)
		if !busy {
			return all, e
		}
		if every == 0 {
			at = next
		}
	}
}

// Tokens of a step, and the shares of each position, are those of the formula within
// four standard errors.
func TestTokensOfADraftedStep(t *testing.T) {
	for _, acceptance := range [][]float64{{0.8, 0.6, 0.5}, {0.7}, {0.9, 0.1}, {1, 0.5, 0.5, 1}} {
		k := max(3, len(acceptance))
		c := drafting(k, acceptance...)
		c.NumGPUBlocks = 1 << 17
		const tokens = 200_000
		events, e := played(t, c, 0, Request{ID: 1, PromptTokens: 10, MaxTokens: tokens})
		s := e.Stats()
		steps := float64(s.Drafts)
		mean, square, reach := 1.0, 1.0, 1.0
		for i := range k {
			reach *= acceptance[min(i, len(acceptance)-1)]
			mean += reach
			square += reach * float64(2*i+3) // (n+1)² − n² for each token that comes
			got, spread := float64(s.AcceptedAt[i])/steps, math.Sqrt(reach*(1-reach)/steps)
			if math.Abs(got-reach) > 4*spread {
				t.Errorf("%v: position %d accepted in %v of the drafts, want %v ± %v", acceptance, i, got, reach,
					spread)
			}
		}
		if got := c.Speculation.TokensPerStep(); math.Abs(got-mean) > 1e-12 {
			t.Errorf("%v: %v tokens per step, want %v", acceptance, got, mean)
		}
		got, spread := (tokens-1)/steps, math.Sqrt((square-mean*mean)/steps)
		if math.Abs(got-mean) > 4*spread+float64(k)/steps {
			t.Errorf("%v: %v tokens per step, want %v ± %v", acceptance, got, mean, spread)
		}
		if s.DraftTokens != s.Drafts*int64(k) || s.GeneratedTokens != tokens {
			t.Errorf("%v: %+v", acceptance, s)
		}
		seen := 0
		for _, ev := range events {
			if ev.Kind != Token {
				continue
			}
			if seen += 1 + ev.Drafted; ev.Token != seen {
				t.Fatalf("%v: token %d with %d drafts after %d tokens", acceptance, ev.Token, ev.Drafted, seen)
			}
		}
	}
}

// Drafts that are never accepted change no token, those that always are bring k more
// with each step, and a reply ends where it was asked to.
func TestDraftsAtTheBounds(t *testing.T) {
	r := Request{ID: 1, PromptTokens: 100, MaxTokens: 30}
	plain, _ := played(t, Config{Timing: tenEach}, 0, r)
	never, e := played(t, drafting(4, 0), 0, r)
	if !slices.Equal(plain, never) || e.Stats().AcceptedTokens != 0 || e.Stats().DraftTokens != 4*29 {
		t.Errorf("drafts that are never accepted: %v, want %v", never, plain)
	}
	always, e := played(t, drafting(4, 1), 0, r)
	// 29 tokens after the first, 5 a step: 6 steps, of whose last one a token is left out.
	last := always[len(always)-1]
	if s := e.Stats(); last.Kind != Finished || last.Token != 30 || last.At != 70*time.Millisecond || s.Drafts != 6 ||
		s.AcceptedTokens != 24 || s.GeneratedTokens != 30 {
		t.Errorf("drafts that are always accepted end with %+v, %+v", last, s)
	}
}

// A step computes 1 + k tokens of each sequence, attending to all before them, and a
// draft takes its share of the passes.
func TestTimeOfADraftedStep(t *testing.T) {
	pairs := StepFunc(func(prompt, attended, seqs, context int) time.Duration {
		return time.Duration(1000*prompt + 10*attended + 100*seqs + context)
	})
	c := drafting(3, 0.5)
	c.Speculation.DraftCost = 0.25
	c.Timing = pairs
	c = c.withDefaults()
	l := load{decodeSeqs: 2, decodeContext: 30, prefillTokens: 5, prefillContext: 15}
	// Of sequences of 10 and 20 tokens: 11+12+13 and 21+22+23.
	verified := pairs(5+6, 15+36+66, 2, 30)
	drafted := (pairs(5, 15, 2, 30) + 2*pairs(0, 0, 2, 30)) / 4
	if got, want := c.stepTime(pairs, l), verified+drafted; got != want {
		t.Errorf("a step takes %v, want %v", got, want)
	}
	// A model that has no word for them charges what more of a prompt takes.
	l = load{decodeSeqs: 2, decodeContext: 30}
	c.Speculation.DraftCost = 0
	p := Polynomial{}
	want := p.Decode(30/float64(c.NumGPUBlocks*c.BlockSize)) + p.Prefill(7) - p.Prefill(1)
	if got := c.stepTime(p, l); got != want {
		t.Errorf("a step takes %v, want %v", got, want)
	}
}

// While a step runs, everybody has places for the draft, too; afterwards all are free.
func TestBlocksOfDrafts(t *testing.T) {
	for _, engine := range []Type{VLLM, SGLang, TRTLLM} {
		for blocks := 40; blocks <= 80; blocks += 10 {
			c := drafting(5, 0.9, 0.6)
			c.Type, c.BlockSize, c.NumGPUBlocks = engine, 4, blocks
			c.MaxNumSeqs, c.Watermark = 12, -1
			e, err := New(c)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 20 {
				r := Request{ID: uint64(i), PromptTokens: 3 + i, MaxTokens: 10 + 3*i}
				if err := e.Submit(0, r); err != nil {
					t.Fatal(err)
				}
			}
			for at, busy := time.Duration(0), true; busy; {
				_, at, busy = e.Step(at)
				ticking := e.pace.(*lockstep).ticking // SGLang gives steps to prompts alone
				for s := e.running.first; busy && ticking && s != nil; s = s.next {
					held := len(s.held) + s.private
					if want := c.blocksFor(s.req.PromptTokens + e.tokens(s) + 5); s.phase == decodes && held < want {
						t.Fatalf("%s: a sequence of %d tokens has %d blocks for a draft of 5, want %d", engine,
							s.req.PromptTokens+e.tokens(s), held, want)
					}
				}
			}
			if s := e.Stats(); s.Finished != 20 || e.pool.active != 0 || e.holding != 0 || e.dec.context != 0 ||
				engine != TRTLLM && blocks == 40 && s.Preempted == 0 {
				t.Errorf("%s with %d blocks: %d in use, %+v", engine, blocks, e.pool.active, s)
			}
		}
	}
	long := drafting(5, 0.9)
	long.BlockSize, long.NumGPUBlocks, long.Watermark = 4, 10, -1
	if got := long.Capacity(); got != 35 {
		t.Errorf("room for %d tokens, want 35: 40 less the draft", got)
	}
}

// One call of Step gives what many give, and tokens that nobody hears of change no time.
func TestDraftsInOneStepAndInMany(t *testing.T) {
	var requests []Request
	for i := range 30 {
		requests = append(requests, Request{ID: uint64(i), PromptTokens: 50 * (i + 1), MaxTokens: 5 + 7*i})
	}
	c := drafting(3, 0.8, 0.5)
	c.Timing, c.NumGPUBlocks = Polynomial{}, 400
	whole, _ := played(t, c, time.Hour, requests...)
	for _, every := range []time.Duration{0, 7 * time.Millisecond} {
		if parts, _ := played(t, c, every, requests...); !slices.Equal(parts, whole) {
			t.Errorf("stepped every %v, other events", every)
		}
	}
	c.SkipTokens = true
	short, _ := played(t, c, time.Hour, requests...)
	ends := func(events []Event) (all []string) {
		for _, ev := range events {
			if ev.Kind == Finished {
				all = append(all, fmt.Sprint(ev.ID, ev.At))
			}
		}
		return all
	}
	if got, want := ends(short), ends(whole); !slices.Equal(got, want) {
		t.Errorf("without the events of tokens replies end at %v, want %v", got, want)
	}
}

// What cannot be is refused.
func TestSpeculationIsChecked(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"no acceptance":      func(c *Config) { c.Speculation.Acceptance = nil },
		"too many":           func(c *Config) { c.Speculation.Acceptance = []float64{1, 1, 1} },
		"above 1":            func(c *Config) { c.Speculation.Acceptance = []float64{1.1} },
		"not a number":       func(c *Config) { c.Speculation.Acceptance = []float64{math.NaN()} },
		"too long":           func(c *Config) { c.Speculation.Tokens = 17 },
		"negative":           func(c *Config) { c.Speculation.Tokens = -1 },
		"cost":               func(c *Config) { c.Speculation.DraftCost = -1 },
		"acceptance alone":   func(c *Config) { c.Speculation.Tokens = 0 },
		"fixed times":        func(c *Config) { c.Timing = Fixed{} },
		"a mocker":           func(c *Config) { c.Type = Mocker14 },
		"ticks":              func(c *Config) { c.KeepTicks = true },
		"a step's budget":    func(c *Config) { c.MaxNumBatchedTokens, c.MaxNumSeqs = 256, 86 },
		"no place for draft": func(c *Config) { c.NumGPUBlocks, c.BlockSize = 1, 1 },
	} {
		c := drafting(2, 0.5)
		change(&c)
		if e, err := New(c); err == nil && e.Submit(0, Request{PromptTokens: 1, MaxTokens: 1}) == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// Where every draft is accepted, an outlook says exactly when the first token comes.
func TestOutlookOfDrafts(t *testing.T) {
	for k := 1; k <= 4; k++ {
		for _, now := range []time.Duration{0, 35 * time.Millisecond, 200 * time.Millisecond} {
			c := drafting(k, 1)
			c.MaxNumSeqs = 3
			e, err := New(c)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 9 {
				if err := e.Submit(0, Request{ID: uint64(i), PromptTokens: 100, MaxTokens: 20 + 13*i}); err != nil {
					t.Fatal(err)
				}
			}
			e.Step(now)
			r := Request{ID: 99, PromptTokens: 50, MaxTokens: 5}
			foreseen := e.Outlook(now, r)
			if err := e.Submit(now, r); err != nil {
				t.Fatal(err)
			}
			events, _, _ := e.Step(time.Hour)
			i := slices.IndexFunc(events, func(ev Event) bool { return ev.ID == 99 && ev.Kind == Token })
			if i < 0 || events[i].At != foreseen {
				t.Errorf("drafts of %d, asked at %v: first token at %v, foreseen at %v", k, now, events[i].At, foreseen)
			}
		}
	}
}
