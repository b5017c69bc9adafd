package cluster

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"headway/internal/engine"
	"headway/internal/router"
	"headway/record"
	"headway/workload"
)

// drafted is a load on two workers that draft three tokens.
func drafted() (Config, workload.Plan) {
	c := small(2, router.RoundRobin)
	c.Engine.Speculation = engine.Speculation{Tokens: 3, Acceptance: []float64{0.8, 0.5}, DraftCost: 0.1}
	return c, synthetic(workload.Synthetic{Requests: 300, ISL: workload.Length{Mean: 300},
		OSL: workload.Length{Mean: 120}, Arrivals: workload.Arrivals{Pattern: workload.Poisson, Rate: 10}})
}

// Tokens of one step have one arrival, replies are as long as without drafts, and the
// account says how many were accepted.
func TestDraftsInAReplay(t *testing.T) {
	c, p := drafted()
	c.TokenArrivals = true
	records, facts, _ := replayed(t, c, p)
	several := 0
	for _, r := range records {
		tokens := 0
		for i, a := range r.Arrivals {
			tokens += a.Tokens
			several += min(a.Tokens-1, 1)
			if a.Tokens > 4 || i > 0 && a.At <= r.Arrivals[i-1].At {
				t.Fatalf("request %d: arrival %d of %d tokens at %d", r.Index, i, a.Tokens, a.At)
			}
		}
		if tokens != r.TokensOut || r.TokensOut != r.PlannedOSL || r.Sparse {
			t.Fatalf("request %d: %d tokens arrive, %d of %d", r.Index, tokens, r.TokensOut, r.PlannedOSL)
		}
	}
	s := facts.Speculation
	if several < 1000 || s == nil {
		t.Fatalf("%d arrivals of several tokens; %+v", several, s)
	}
	for i, want := range []float64{0.8, 0.4, 0.2} {
		if spread := math.Sqrt(want * (1 - want) / float64(s.Drafts)); math.Abs(s.AcceptedAt[i]-want) > 4*spread {
			t.Errorf("position %d accepted in %v, want %v ± %v", i, s.AcceptedAt[i], want, spread)
		}
	}
	if got := 1 + 3*float64(s.Accepted); math.Abs(got-float64(s.TokensPerStep)) > 1e-9 ||
		s.DraftTokens != 3*s.Drafts {
		t.Errorf("%v tokens per step, %+v", got, s)
	}
	sparse, p := drafted()
	sparse.TokenArrivals = false
	few, other, _ := replayed(t, sparse, p)
	for i, r := range few {
		if r.Done != records[i].Done || r.Arrivals[0].At != records[i].Arrivals[0].At {
			t.Fatalf("request %d ends at %d without the times of tokens, at %d with them", i, r.Done, records[i].Done)
		}
	}
	if other.Speculation.Drafts != s.Drafts {
		t.Errorf("%d drafts without the times of tokens, %d with them", other.Speculation.Drafts, s.Drafts)
	}
}

// Behind an API server drafts are written with their token, and counted by it.
func TestDraftsBehindAnAPIServer(t *testing.T) {
	c, p := drafted()
	c.API = &APIServer{Write: time.Microsecond, Detokenize: time.Microsecond}
	records, facts, _ := replayed(t, c, p)
	for _, r := range records {
		if r.Outcome != record.OK || r.TokensOut != r.PlannedOSL {
			t.Fatalf("%+v", r)
		}
	}
	if s := facts.Speculation; math.Abs(float64(s.TokensPerStep)-2.4) > 0.05 {
		t.Errorf("%+v", s)
	}
}

// A served stream has one event for the tokens of a step, a usage of all, and the
// counters that vLLM has.
func TestDraftsAreServed(t *testing.T) {
	one := Defaults()
	each := func(int, int, int, int) time.Duration { return time.Millisecond }
	one.Engine = engine.Config{Timing: engine.StepFunc(each),
		Speculation: engine.Speculation{Tokens: 3, Acceptance: []float64{1}}}
	e := serve(t, ServerConfig{Cluster: &one})
	_, body := e.get("POST", "/v1/completions", `{"model":"simulated","prompt":"once upon","max_tokens":11,`+
		`"stream":true,"stream_options":{"include_usage":true}}`)
	all, done := events(t, body)
	// The first token, twice four, and two before the end.
	if !done || len(all) != 6 || all[5].Usage.CompletionTokens != 11 {
		t.Fatalf("events: %s", body)
	}
	tok := e.server.cfg.Tokenizer
	for i, want := range []int{1, 4, 4, 2} {
		if got := tok.Count(all[i].Choices[0].Text); got != want {
			t.Errorf("event %d has %d tokens, want %d", i, got, want)
		}
	}
	_, text := e.get("GET", "/metrics", "")
	for _, line := range []string{
		`vllm:spec_decode_num_drafts_total{engine="0",model_name="simulated"} 3`,
		`vllm:spec_decode_num_draft_tokens_total{engine="0",model_name="simulated"} 9`,
		`vllm:spec_decode_num_accepted_tokens_total{engine="0",model_name="simulated"} 9`,
		`vllm:spec_decode_num_accepted_tokens_per_pos_total{engine="0",model_name="simulated",position="2"} 3`,
		`vllm:generation_tokens_total{engine="0",model_name="simulated"} 11`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
	got := e.entries()[0]
	if got.kinds() != "head token token token token finish usage done" || got.OutputTokens != 11 {
		t.Errorf("log %s, %d tokens", got.kinds(), got.OutputTokens)
	}
}

// adapted is a request for an adapter by name.
func adapted(at int, name string) workload.Request {
	r := made(at, 640, 2)
	r.Prompt.Key = workload.Seed(5)
	if name != "" {
		r.Extra = json.RawMessage(`{"model":"` + name + `"}`)
	}
	return r
}

// Blocks of different adapters are different blocks, and those of one are found again.
func TestAdaptersHaveCachesOfTheirOwn(t *testing.T) {
	c := small(1, router.KV)
	c.Engine.MaxLoras, c.Model = 2, "base"
	records, facts, _ := replayed(t, c, workload.Plan{Source: list(adapted(0, ""), adapted(5000, "a"),
		adapted(10000, "a"), adapted(15000, "b"), adapted(20000, "base"), adapted(25000, "b"))})
	var cached []int
	for _, r := range records {
		cached = append(cached, r.Usage["prompt_cache_read_tokens"])
	}
	if all := cached[2]; all < 500 || !slices.Equal(cached, []int{0, 0, all, 0, all, all}) {
		t.Errorf("cached %v", cached)
	}
	if a := facts.Adapters; a.Slots != 2 || a.Loads != 2 || facts.IdealHitRate != facts.HitRate {
		t.Errorf("%+v, hits %v of ideal %v", a, facts.HitRate, facts.IdealHitRate)
	}
	c.Engine.MaxLoras = 0 // everything is the model itself
	_, facts, _ = replayed(t, c, workload.Plan{Source: list(adapted(0, "a"), adapted(5000, "b"))})
	if facts.Adapters != nil || facts.HitRate < 0.4 {
		t.Errorf("%+v, hits %v", facts.Adapters, facts.HitRate)
	}
}

// Sessions draw adapters with the shares asked for, and keep them; later turns find
// what was said before.
func TestSessionsDrawAdapters(t *testing.T) {
	c := small(1, router.RoundRobin)
	c.Engine.MaxLoras, c.Engine.LoraLoadTime = 2, 20*time.Millisecond
	c.Adapters, c.AdapterSkew = 4, 1
	r := &replay{cfg: c}
	r.lora = r.newAdapters()
	counts := make([]float64, 4)
	const sessions = 20_000
	for i := range sessions {
		j := job{}
		req := workload.Request{Session: time.Duration(i).String()}
		if err := r.adapt(&j, &req); err != nil {
			t.Fatal(err)
		}
		counts[j.adapter-1]++
	}
	for i, n := range counts {
		want := 1 / float64(i+1) / (1 + 1./2 + 1./3 + 1./4)
		if spread := math.Sqrt(want * (1 - want) / sessions); math.Abs(n/sessions-want) > 4*spread {
			t.Errorf("adapter %d has a share of %v, want %v", i, n/sessions, want)
		}
	}
	load := workload.Synthetic{Requests: 60, ISL: workload.Length{Mean: 300}, OSL: workload.Length{Mean: 20},
		Arrivals: workload.Arrivals{Pattern: workload.Poisson, Rate: 3}}
	_, with, _ := replayed(t, c, synthetic(load))
	if a := with.Adapters; a.Loads < 10 || math.Abs(a.LoadTime-0.02*float64(a.Loads)) > 1e-9 {
		t.Errorf("%+v", a)
	}
}

// A server has the adapters among its models, and no others.
func TestAdaptersAreServed(t *testing.T) {
	one := Defaults()
	one.Engine, one.Adapters = quick(), 2
	one.Engine.MaxLoras = 1
	e := serve(t, ServerConfig{Cluster: &one})
	_, body := e.get("GET", "/v1/models", "")
	for _, name := range []string{"simulated", "lora-0", "lora-1"} {
		if !strings.Contains(body, `"id":"`+name+`"`) {
			t.Errorf("no %s in %s", name, body)
		}
	}
	for name, want := range map[string]int{"lora-1": 200, "lora-2": 404, "lora-01": 404, "lora--1": 404, "other": 404} {
		status, body := e.get("POST", "/v1/completions", `{"model":"`+name+`","prompt":"once upon","max_tokens":3}`)
		if status != want || want == 200 && !strings.Contains(body, `"model":"lora-1"`) {
			t.Errorf("%s: status %d, %s", name, status, body)
		}
		if status, _ := e.get("GET", "/v1/models/"+name, ""); status != want {
			t.Errorf("%s: status %d of the model", name, status)
		}
	}
}

// Transfers over links that are shared wait for each other; the account has the time.
func TestTransfersAreCounted(t *testing.T) {
	run := func(sharers int) *record.ClusterTransfers {
		c := small(4, router.RoundRobin)
		c.PrefillWorkers, c.TransferSharers = 4, sharers
		c.Engine.KVBytesPerToken, c.Engine.TransferBandwidth = 100_000, 1e9
		_, facts, _ := replayed(t, c, synthetic(workload.Synthetic{Requests: 100, ISL: workload.Length{Mean: 1000},
			OSL: workload.Length{Mean: 20}, Arrivals: workload.Arrivals{Pattern: workload.Poisson, Rate: 24}}))
		return facts.Transfers
	}
	free, own, shared := run(0), run(1), run(4)
	// 1,000 tokens of 100 kB at 1 GB/s are 0.1 s.
	if free.Transfers != 100 || free.Links != 0 || math.Abs(float64(free.Mean)-0.1) > 0.001 || free.MeanWait != 0 {
		t.Errorf("links of nobody: %+v", free)
	}
	if own.Links != 8 || shared.Links != 2 || own.MeanWait <= 0 || shared.MeanWait <= own.MeanWait {
		t.Errorf("own links %+v, shared %+v", own, shared)
	}
	if math.Abs(shared.Busiest-10) > 0.1 || math.Abs(float64(shared.Mean-shared.MeanWait)-0.1) > 0.001 {
		t.Errorf("one link for all: %+v", shared)
	}
}
