package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"headway/internal/engine"
	"headway/internal/router"
	"headway/record"
	"headway/workload"
)

// list is a Source of these requests, each a session of one turn where it
// names none.
func list(requests ...workload.Request) workload.Source {
	return func(yield func(workload.Request, error) bool) {
		for i, r := range requests {
			r.Index = i
			if r.Session == "" {
				r.Session, r.Turns = fmt.Sprint(i), 1
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// made is a request for so many tokens, at a time in milliseconds.
func made(at, in, out int) workload.Request {
	return workload.Request{At: time.Duration(at) * time.Millisecond, Timed: true, OutputTokens: out,
		Prompt: workload.Prompt{Tokens: in, Key: workload.Seed(uint64(at*1000 + in))}}
}

func TestWhatNeverFitsFails(t *testing.T) {
	c := small(1, router.RoundRobin) // 506 blocks of 16 tokens below the watermark
	records, _, out := replayed(t, c, workload.Plan{Source: list(made(0, 8000, 97), made(1, 8000, 96))})
	if out.TooLong != 1 || out.TooLongTokens != 8097 || out.Capacity != 8096 {
		t.Errorf("%+v", out)
	}
	long := records[0]
	if long.Outcome != record.Failed || long.Failure.Class != record.ClassHTTP4 ||
		!strings.Contains(long.Failure.Message, "8096") {
		t.Errorf("%+v %+v", long, long.Failure)
	}
	if records[1].Outcome != record.OK {
		t.Errorf("what just fits: %+v", records[1].Failure)
	}
}

func TestContextEndsAReplay(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var k kept
	sink := sinkFunc(func(r *record.Record) error {
		if len(k.records) == 20 {
			cancel()
		}
		return k.Take(r)
	})
	p := synthetic(workload.Synthetic{Requests: 3000})
	p.Concurrency = 4
	_, out, err := Replay(ctx, small(2, router.KV), p, sink)
	if err != nil || !out.Cancelled {
		t.Fatalf("%+v, %v", out, err)
	}
	count := map[record.Outcome]int{}
	for _, r := range k.records {
		count[r.Outcome]++
	}
	if len(k.records) != 3000 || count[record.Cancelled] == 0 || count[record.Cancelled] > 4 ||
		count[record.Dropped] < 1000 {
		t.Errorf("%d records: %v", len(k.records), count)
	}
}

type sinkFunc func(*record.Record) error

func (f sinkFunc) Take(r *record.Record) error { return f(r) }

func TestErrorsComeBack(t *testing.T) {
	broken := errors.New("broken")
	source := func(yield func(workload.Request, error) bool) {
		for r := range list(made(0, 10, 5)) {
			if !yield(r, nil) {
				return
			}
		}
		yield(workload.Request{}, broken)
	}
	if _, _, err := Replay(t.Context(), small(1, router.KV), workload.Plan{Source: source},
		&kept{}); !errors.Is(err, broken) {
		t.Errorf("of the source: %v", err)
	}
	full := sinkFunc(func(*record.Record) error { return broken })
	if _, _, err := Replay(t.Context(), small(1, router.KV), workload.Plan{Source: list(made(0, 10, 5))},
		full); !errors.Is(err, broken) {
		t.Errorf("of the sink: %v", err)
	}
	bad := Defaults()
	bad.Workers = 0
	bad.EventDelay = -1
	bad.MaxModelLen = 1
	bad.Engine.BlockSize = -1
	_, _, err := Replay(t.Context(), bad, workload.Plan{Source: list()}, &kept{})
	for _, name := range []string{"workers", "kv-event-delay", "max-model-len", "block-size"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in: %v", name, err)
		}
	}
}

// A run ends after its duration: what was not sent is dropped, and what is in
// flight at the end of the grace is cancelled.
func TestDurationAndGrace(t *testing.T) {
	c := small(1, router.RoundRobin)
	c.Engine.Timing = engine.Fixed{TTFT: 100 * time.Millisecond, ITL: 100 * time.Millisecond}
	p := workload.Plan{Duration: 250 * time.Millisecond, Grace: 200 * time.Millisecond,
		Source: list(made(0, 10, 2), made(100, 10, 20), made(249, 10, 2), made(251, 10, 1))}
	records, _, out := replayed(t, c, p)
	want := map[int]record.Outcome{0: record.OK, 1: record.Cancelled, 2: record.OK, 3: record.Dropped}
	for _, r := range records {
		if r.Outcome != want[r.Index] {
			t.Errorf("request %d: %v", r.Index, r.Outcome)
		}
		if r.Index == 1 && (r.Done != stamp(450*time.Millisecond) || r.TokensOut != 3) {
			t.Errorf("cancelled at %d with %d tokens", r.Done, r.TokensOut)
		}
	}
	if out.End != stamp(450*time.Millisecond) {
		t.Errorf("the end is %d", out.End)
	}
}

// What falls on the very end of a duration is not sent, as in real time (package load has
// the same cases), and what falls a nanosecond before it is.
func TestNothingIsSentAtTheEnd(t *testing.T) {
	const second = time.Second
	loop := func(turns int, delay time.Duration) workload.Source {
		var all []workload.Request
		for i := range 6 {
			r := workload.Request{OutputTokens: 10, Prompt: workload.Prompt{Tokens: 10, Key: workload.Seed(uint64(i))}}
			if turns > 1 {
				r.Session, r.Turn = fmt.Sprint(i/turns), i%turns
				r.Turns, r.Delay = turns, delay
			}
			all = append(all, r)
		}
		return list(all...)
	}
	c := small(1, router.RoundRobin)
	c.Engine.Timing = engine.Fixed{TTFT: 100 * time.Millisecond, ITL: 100 * time.Millisecond}
	alone, _, _ := replayed(t, c, workload.Plan{Source: loop(1, 0), Concurrency: 1})
	reply := time.Duration(alone[0].Done - stamp(0))
	for name, tt := range map[string]struct {
		plan          workload.Plan
		at, justAfter int // sent when that is the end, and when the end is a nanosecond later
	}{
		"a planned time": {workload.Plan{Source: list(made(0, 10, 2), made(1000, 10, 2), made(2000, 10, 2)),
			Duration: 2 * second}, 2, 3},
		"a reply": {workload.Plan{Source: loop(1, 0), Concurrency: 1, Duration: reply}, 1, 2},
		"a place": {workload.Plan{Source: loop(1, 0), Concurrency: 3, ConcurrencyRamp: second,
			Duration: second / 2}, 1, 2},
		"a place to be sent in": {workload.Plan{Source: loop(1, 0), Concurrency: 3, PrefillConcurrency: 3,
			PrefillRamp: second / 10, Duration: second / 20}, 1, 2},
		"a pause": {workload.Plan{Source: loop(2, second), Concurrency: 1, Duration: reply + second}, 1, 2},
	} {
		for end, want := range map[time.Duration]int{0: tt.at, 1: tt.justAfter} {
			p := tt.plan
			p.Duration += end
			p.Grace = -1
			records, _, _ := replayed(t, c, p)
			sent := 0
			for _, r := range records {
				if r.Outcome != record.Dropped {
					sent++
				}
			}
			if sent != want {
				t.Errorf("%s, %d ns after it: %d of %d were sent, want %d", name, end, sent, len(records), want)
			}
		}
	}
}

// Under load, those with a higher priority wait less for their first token,
// through the router's queue or the worker's.
func TestPriorityShortensTheWait(t *testing.T) {
	for _, where := range []string{"router", "worker"} {
		c := small(2, router.KV)
		c.Engine.NumGPUBlocks = 4096
		c.Router.QueueThreshold = 0.1
		if where == "worker" {
			c.Router.QueueThreshold, c.PriorityScheduling, c.Engine.MaxNumSeqs = 0, true, 4
		}
		var requests []workload.Request
		for i := range 200 {
			r := made(i*10, 2000, 30)
			r.Extra = fmt.Appendf(nil, `{"nvext":{"agent_hints":{"priority":%d}}}`, i%3)
			requests = append(requests, r)
		}
		records, _, _ := replayed(t, c, workload.Plan{Source: list(requests...)})
		var wait [3]float64
		for _, r := range records {
			wait[r.Index%3] += float64(r.Arrivals[0].At-r.Start) / 1e9 / 67
		}
		t.Logf("%s: mean TTFT by priority %.3f s", where, wait)
		if !(wait[2] < wait[1] && wait[1] < wait[0]) {
			t.Errorf("%s: mean TTFT by priority 0, 1, 2 is %.3f s", where, wait)
		}
	}
}

func TestPrefillWorkersHandOver(t *testing.T) {
	c := small(2, router.KV)
	c.PrefillWorkers = 3
	c.Engine.KVBytesPerToken, c.Engine.TransferBandwidth = 1e6, 1e9 // a millisecond a token
	records, facts, _ := replayed(t, c,
		workload.Plan{Source: list(made(0, 320, 10), made(1000, 320, 10), made(2000, 320, 1))})
	if len(facts.Workers) != 5 || facts.Workers[0].OutputTokens+facts.Workers[1].OutputTokens != 18 {
		t.Errorf("%+v", facts.Workers)
	}
	for _, r := range records[:2] {
		from, to, ok := strings.Cut(r.Worker, "+")
		if !ok || from < "2" || to > "1" {
			t.Errorf("worker %q", r.Worker)
		}
		if gap := time.Duration(r.Arrivals[1].At - r.Arrivals[0].At); gap < 320*time.Millisecond ||
			gap > 340*time.Millisecond {
			t.Errorf("the second token comes %v after the first", gap)
		}
	}
	if last := records[2]; last.Outcome != record.OK || strings.Contains(last.Worker, "+") {
		t.Errorf("a reply of one token: %+v", last)
	}
}

// A router that hears late of what is cached finds less.
func TestEventsCanComeLate(t *testing.T) {
	hits := func(delay time.Duration) float64 {
		c := small(4, router.KV)
		c.EventDelay = delay
		_, facts, _ := replayed(t, c, synthetic(workload.Synthetic{Requests: 200, PrefixPool: 16, PrefixTokens: 1000,
			Arrivals: workload.Arrivals{Pattern: workload.Poisson, Rate: 20}}))
		if facts.EventsApplied == 0 && delay < time.Minute {
			t.Errorf("delay %v: no events applied", delay)
		}
		return float64(facts.HitRate)
	}
	at, late, never := hits(0), hits(2*time.Second), hits(time.Hour)
	if !(at > late && late > never) {
		t.Errorf("hit rates %.3f at once, %.3f after 2 s, %.3f without news", at, late, never)
	}
}

// Saturated is what cannot keep up, and not what is merely slow.
func TestSaturation(t *testing.T) {
	for _, v := range []struct {
		rate float64
		want bool
	}{{2, false}, {10, false}, {60, true}} {
		c := small(2, router.RoundRobin)
		c.Engine.NumGPUBlocks = 4096
		_, facts, _ := replayed(t, c,
			synthetic(workload.Synthetic{Requests: 400, ISL: workload.Length{Mean: 2000},
				OSL:      workload.Length{Mean: 50},
				Arrivals: workload.Arrivals{Pattern: workload.Poisson, Rate: v.rate}}))
		if facts.Saturated != v.want {
			t.Errorf("%g requests/s: %.2f completed of %.2f offered, saturated %v", v.rate, facts.Completed,
				facts.Offered, facts.Saturated)
		}
	}
}

// With one worker there is no better choice; direct requests go where they say.
func TestDirectAndRegret(t *testing.T) {
	c := small(1, router.KV)
	c.Regret = true
	_, facts, _ := replayed(t, c, synthetic(workload.Synthetic{Requests: 50, PrefixPool: 3, PrefixTokens: 100}))
	if facts.RegretMean != 0 || facts.RegretP99 != 0 {
		t.Errorf("regret of one worker: %g, %g", facts.RegretMean, facts.RegretP99)
	}
	c = small(3, router.Direct)
	c.Regret = true
	r := made(0, 1600, 5)
	r.Extra = []byte(`{"nvext":{"backend_instance_id":2}}`)
	again := r
	again.At = time.Second
	away := again
	away.At, away.Extra = 2*time.Second, []byte(`{"nvext":{"backend_instance_id":1}}`)
	nowhere := away
	nowhere.At, nowhere.Extra = 3*time.Second, nil
	records, facts, _ := replayed(t, c, workload.Plan{Source: list(r, again, away, nowhere)})
	if records[0].Worker != "2" || records[1].Worker != "2" || records[2].Worker != "1" ||
		records[3].Outcome != record.Failed {
		t.Errorf("workers %q %q %q, %v", records[0].Worker, records[1].Worker, records[2].Worker, records[3].Outcome)
	}
	// The third request computes on worker 1 what worker 2 has.
	whole := engine.Polynomial{}.Prefill(1600) - engine.Polynomial{}.Prefill(16)
	if got := time.Duration(facts.RegretP99 * 1e9); got < whole-time.Millisecond || got > whole+time.Millisecond {
		t.Errorf("regret %v, want %v", got, whole)
	}
}

func TestHints(t *testing.T) {
	none := hints{worker: -1}
	for _, v := range []struct {
		body string
		want hints
	}{
		{``, none}, {`{}`, none}, {`{"nvext":null}`, none}, {`{"nvext":{}}`, none},
		{`{"nvext":{"agent_hints":{"latency_sensitivity":2.5}}}`, hints{worker: -1, priority: 2.5}},
		{`{"nvext":{"agent_hints":{"latency_sensitivity":2.5,"priority":-1,"osl":7}}}`,
			hints{worker: -1, priority: -1, output: 7}},
		{`{"nvext":{"ignore_eos":true,"backend_instance_id":3}}`, hints{worker: 3, ignoreEOS: true}},
	} {
		if got, err := parseHints([]byte(v.body)); err != nil || got != v.want {
			t.Errorf("%s: %+v, %v", v.body, got, err)
		}
	}
	for _, body := range []string{`{"nvext":7}`, `{"nvext":{"backend_instance_id":-1}}`,
		`{"nvext":{"backend_instance_id":99999999999}}`, `{`} {
		if _, err := parseHints([]byte(body)); err == nil {
			t.Errorf("%s is accepted", body)
		}
	}
}

// The policy family of a request is a header's, and the router hears of it.
func TestPolicyClass(t *testing.T) {
	var j job
	hints{class: "batch"}.apply(&j)
	if j.route.Class != "batch" {
		t.Errorf("the router hears of class %q", j.route.Class)
	}
}

func FuzzHints(f *testing.F) {
	f.Add([]byte(`{"nvext":{"agent_hints":{"priority":1e300,"osl":-1},"backend_instance_id":0}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		h, err := parseHints(body)
		if err == nil && (h.worker < -1 || h.output < 0) {
			t.Errorf("%+v", h)
		}
		var j job
		h.apply(&j)
	})
}

// Prompts given as text are counted and named by their tokens; a session with
// recorded history holds it itself.
func TestGivenPrompts(t *testing.T) {
	long := strings.Repeat(" word", 100)
	c := small(1, router.KV)
	turn := func(session string, n, turns int, p workload.Prompt) workload.Request {
		return workload.Request{Session: session, Turn: n, Turns: turns, OutputTokens: 10, Prompt: p}
	}
	records, _, _ := replayed(t, c, workload.Plan{Source: list(
		turn("a", 0, 2, workload.Prompt{Text: long}),
		turn("a", 1, 2, workload.Prompt{Text: " next"}),
		turn("b", 0, 1, workload.Prompt{Messages: []workload.Message{{Role: "user", Content: long}}}),
		turn("c", 0, 1, workload.Prompt{Payload: []byte(`{"messages":[{"role":"user",` +
			`"content":"` + long + ` and"}]}`)}),
		turn("d", 0, 1, workload.Prompt{Messages: []workload.Message{{
			Raw: []byte(`{"role":"user","content":[{"type":"text","text":"` + long + `"}]}`)}}}),
	)})
	for i, want := range []struct{ in, cached int }{{100, 0}, {111, 96}, {100, 96}, {101, 96}, {100, 96}} {
		r := records[i]
		if r.Outcome != record.OK || r.TokensIn != want.in || r.Usage["prompt_cache_read_tokens"] != want.cached {
			t.Errorf("request %d: %d tokens in, usage %v, want %+v", i, r.TokensIn, r.Usage, want)
		}
	}
}

func TestPartsOfPlansAreNotSimulated(t *testing.T) {
	whole := synthetic(workload.Synthetic{Requests: 8})
	whole.Concurrency = 4
	part, err := workload.Share{Index: 1, Of: 2}.Plan(whole)
	if err != nil {
		t.Fatal(err)
	}
	whole.Bound = true
	for _, p := range []workload.Plan{part, whole} {
		if _, _, err := Replay(t.Context(), small(2, router.KV), p, &kept{}); !errors.Is(err, errPart) {
			t.Errorf("%v", err)
		}
	}
}
