package cluster

import (
	"slices"
	"testing"
	"time"

	"headway/internal/engine"
	"headway/record"
	"headway/workload"
)

// behind has an engine of fixed times behind an API server of round ones.
func behind(change func(*APIServer)) Config {
	us := func(n int) time.Duration { return time.Duration(n) * time.Microsecond }
	c := Defaults()
	c.Engine.Timing = engine.Fixed{TTFT: us(10000), ITL: us(5000)}
	c.API = &APIServer{
		Accept: us(1000), Turn: us(100), TurnsIn: 1, TurnsOn: 1, Tokenize: us(1), Prepare: us(2000), Submit: us(1000),
		Collect: us(500), Detokenize: us(20), Write: us(50), First: us(10), Close: us(150),
	}
	change(c.API)
	return c
}

// prompts are n of 100 tokens.
func prompts(n, output int, timed bool) workload.Plan {
	source := func(yield func(workload.Request, error) bool) {
		for i := range n {
			if !yield(workload.Request{Index: i, Timed: timed, Session: string(rune('A' + i)), Turns: 1,
				Prompt: workload.Prompt{Tokens: 100, Key: workload.Seed(uint64(i))}, OutputTokens: output}, nil) {
				return
			}
		}
	}
	return workload.Plan{Source: source, Requests: n}
}

// stations sends n prompts at once and gives the times of each in microseconds:
// head, first token, last, end.
func stations(t *testing.T, c Config, n int) [][4]int64 {
	t.Helper()
	all, _, _ := replayed(t, c, prompts(n, 1, true))
	slices.SortFunc(all, func(a, b *record.Record) int { return a.Index - b.Index })
	var times [][4]int64
	for _, r := range all {
		us := func(at record.Time) int64 { return int64(at-r.Start) / 1000 }
		times = append(times, [4]int64{us(r.Ack), us(r.Arrivals[0].At), us(r.Arrivals[len(r.Arrivals)-1].At),
			us(r.Done)})
	}
	return times
}

// The stations of one request, and how two delay each other on the one thread.
func TestAPIServer(t *testing.T) {
	none := func(*APIServer) {}
	if got, want := stations(t, behind(none), 1)[0], [4]int64{3300, 14870, 14870, 15030}; got != want {
		t.Errorf("alone: %v, want %v", got, want)
	}
	// The second is accepted before the first has its turn. Both are in one step of
	// the engine's, 100 µs apart, and so are written one after the other.
	got := stations(t, behind(none), 2)
	if want := [][4]int64{{4300, 15870, 15870, 16030}, {4400, 16100, 16100, 16260}}; !slices.Equal(got, want) {
		t.Errorf("two: %v, want %v", got, want)
	}
}

// A server that tokenizes between everything else, and one that keeps the head
// back.
func TestAPIServerOfSGLang(t *testing.T) {
	late := func(a *APIServer) { a.LateHead, a.TurnsOut = true, 2 }
	if got, want := stations(t, behind(late), 1)[0], [4]int64{15070, 15070, 15070, 15230}; got != want {
		t.Errorf("late head: %v, want %v", got, want)
	}
	inline := func(a *APIServer) { a.Inline, a.Tokenize = true, 100*time.Microsecond }
	got := stations(t, behind(inline), 2)
	apart := stations(t, behind(func(a *APIServer) { a.Tokenize = 100 * time.Microsecond }), 2)
	if got[0][0] <= apart[0][0] {
		t.Errorf("the second's tokenizing does not hold up the first: head after %d and %d µs", got[0][0], apart[0][0])
	}
}

// Tokens between the first and the last have times of their own, also where none of
// them is waited for; a router, prefill workers and a closed loop go with it.
func TestAPIServerKeepsEveryToken(t *testing.T) {
	c := behind(func(*APIServer) {})
	c.Workers = 2
	p := prompts(40, 7, false)
	p.Concurrency = 8
	all, _, _ := replayed(t, c, p)
	if len(all) != 40 {
		t.Fatalf("%d Records", len(all))
	}
	for _, r := range all {
		if r.Outcome != record.OK || len(r.Arrivals) != 7 || r.Done < r.Arrivals[6].At {
			t.Fatalf("%+v", r)
		}
		for i := 1; i < 7; i++ {
			if r.Arrivals[i].At <= r.Arrivals[i-1].At {
				t.Errorf("request %d: token %d at %d, the one before at %d", r.Index, i, r.Arrivals[i].At,
					r.Arrivals[i-1].At)
			}
		}
	}
}

// What is measured at the first and the last token does not depend on whether anybody
// hears of those between.
func TestTokensBetweenChangeNothing(t *testing.T) {
	for _, batch := range []int{0, 1, 3, 16} {
		for _, e := range []engine.Type{engine.VLLM, engine.SGLang} {
			c := behind(func(a *APIServer) { a.Batch, a.TurnsOut = batch, 2 })
			c.Engine = engine.Config{Type: e, MaxNumSeqs: 16, NumGPUBlocks: 60, BlockSize: 16, Timing: engine.Pipelined{
				Pass: func(tokens, _, n, context int) time.Duration {
					return time.Duration(3000+40*tokens+20*n+context/10) * time.Microsecond
				}, Launch: engine.Launch{Decode: time.Millisecond, Prompt: 2 * time.Millisecond, Jitter: 0.2}}}
			p := prompts(24, 33, false)
			p.Concurrency = 12
			c.TokenArrivals = true
			all, account, out := replayed(t, c, p)
			c.TokenArrivals = false
			ends, same, again := replayed(t, c, p)
			if out != again || account.Preemptions != same.Preemptions || account.Preemptions == 0 {
				t.Errorf("%s, %d: %+v and %+v; %d and %d preempted", e, batch, out, again, account.Preemptions,
					same.Preemptions)
			}
			for i, r := range all {
				first, last := r.Arrivals[0].At, r.Arrivals[len(r.Arrivals)-1].At
				o := ends[i]
				if o.Arrivals[0].At != first || o.Arrivals[len(o.Arrivals)-1].At < last || o.Done != r.Done ||
					o.TokensOut != r.TokensOut {
					t.Fatalf("%s, %d: request %d: %v with all tokens, %v without", e, batch, r.Index, r, o)
				}
			}
		}
	}
}

// Engines of fixed times have no steps, and all their tokens are written all the same.
func TestTokensOfFixedTimesAreWritten(t *testing.T) {
	c := behind(func(*APIServer) {})
	p := prompts(2, 9, false)
	c.TokenArrivals = true
	all, _, _ := replayed(t, c, p)
	c.TokenArrivals = false
	ends, _, _ := replayed(t, c, p)
	for i, r := range all {
		if ends[i].Done != r.Done {
			t.Errorf("request %d ends at %v with all tokens, at %v without", r.Index, r.Done, ends[i].Done)
		}
	}
}
