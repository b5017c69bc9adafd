package cluster

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"headway/internal/engine"
	"headway/internal/router"
	"headway/record"
	"headway/workload"
)

// kept is a Sink that keeps everything.
type kept struct{ records []*record.Record }

func (k *kept) Take(r *record.Record) error {
	k.records = append(k.records, r)
	return nil
}

// replayed runs a plan and fails the test on an error.
func replayed(t testing.TB, c Config, p workload.Plan) ([]*record.Record, record.Cluster, Outcome) {
	t.Helper()
	var k kept
	facts, out, err := Replay(t.Context(), c, p, &k)
	if err != nil {
		t.Fatal(err)
	}
	return k.records, facts, out
}

// small is a cluster whose caches a few prompts fill.
func small(workers int, mode router.Mode) Config {
	c := Defaults()
	c.Workers, c.Router.Mode = workers, mode
	c.Engine.NumGPUBlocks, c.Engine.BlockSize = 512, 16
	c.Seed = workload.Seed(7)
	return c
}

// synthetic is a plan of lengths, with prefixes from a pool.
func synthetic(s workload.Synthetic) workload.Plan {
	s.Key = workload.Seed(3)
	if s.ISL.IsZero() {
		s.ISL, s.OSL = workload.Length{Mean: 100, SD: 30}, workload.Length{Mean: 20, SD: 5}
	}
	return workload.Plan{Source: s.Source()}
}

// bytesOf is a replay as its file would be.
func bytesOf(t *testing.T, c Config, p workload.Plan) string {
	t.Helper()
	records, facts, out := replayed(t, c, p)
	var b bytes.Buffer
	w, err := record.NewWriter(&b, record.Header{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if err := w.Take(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(record.Trailer{Begin: out.Begin, End: out.End, Cluster: &facts}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReplayIsDeterministic(t *testing.T) {
	for _, mode := range []router.Mode{router.RoundRobin, router.Random, router.LeastLoaded,
		router.PowerOfTwo, router.KV} {
		t.Run(mode.String(), func(t *testing.T) {
			c := small(4, mode)
			c.Regret, c.Router.Temperature = true, 0.3
			p := synthetic(workload.Synthetic{Requests: 300, PrefixPool: 5, PrefixTokens: 200,
				Arrivals: workload.Arrivals{Pattern: workload.Poisson, Rate: 40}, CancelRate: 0.1,
				CancelAfter: 50 * time.Millisecond})
			first := bytesOf(t, c, p)
			if again := bytesOf(t, c, p); again != first {
				t.Error("the same plan gave other bytes")
			}
			if strings.Count(first, "\n") < 300 {
				t.Error("there are not 300 lines")
			}
		})
	}
}

// What the load generator promises holds here: one Record a planned request,
// whatever becomes of it, with times in order and the tokens asked for.
func TestReplayConserves(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		modes := []router.Mode{router.RoundRobin, router.Random, router.LeastLoaded, router.PowerOfTwo, router.KV}
		c := small(rapid.IntRange(1, 4).Draw(rt, "workers"), rapid.SampledFrom(modes).Draw(rt, "mode"))
		c.TokenArrivals = rapid.Bool().Draw(rt, "tokens")
		c.Regret = rapid.Bool().Draw(rt, "regret")
		c.PrefillWorkers = rapid.IntRange(0, 2).Draw(rt, "prefill workers")
		c.Router.UseKVEvents = rapid.Bool().Draw(rt, "events")
		c.Router.QueueThreshold = rapid.SampledFrom([]float64{0, 0.05, 16}).Draw(rt, "threshold")
		c.EventDelay = rapid.SampledFrom([]time.Duration{0, 30 * time.Millisecond}).Draw(rt, "delay")
		n := rapid.IntRange(1, 60).Draw(rt, "requests")
		s := workload.Synthetic{Requests: n, PrefixPool: 3, PrefixTokens: 100, CancelAfter: 20 * time.Millisecond,
			CancelRate: rapid.SampledFrom([]float64{0, 0.3}).Draw(rt, "cancel"),
			Turns:      workload.Length{Mean: float64(rapid.IntRange(1, 4).Draw(rt, "turns"))}}
		if rapid.Bool().Draw(rt, "timed") {
			s.Arrivals = workload.Arrivals{Pattern: workload.Poisson, Rate: 100}
		}
		p := synthetic(s)
		p.Concurrency = rapid.IntRange(0, 8).Draw(rt, "concurrency")
		p.PrefillConcurrency = rapid.IntRange(0, 3).Draw(rt, "prefill concurrency")
		p.ConcurrencyRamp = rapid.SampledFrom([]time.Duration{0, 200 * time.Millisecond}).Draw(rt, "ramp")
		p.Duration = rapid.SampledFrom([]time.Duration{0, 300 * time.Millisecond}).Draw(rt, "duration")
		var k kept
		facts, _, err := Replay(context.Background(), c, p, &k)
		if err != nil {
			rt.Fatal(err)
		}
		checkRecords(rt, c, k.records, n, p.Duration == 0)
		sent := 0
		for _, r := range k.records {
			if r.Start.Known() {
				sent++
			}
		}
		entered := 0
		first := len(facts.Workers) - max(c.PrefillWorkers, c.Workers*boolInt(c.PrefillWorkers == 0))
		for _, w := range facts.Workers[first:] {
			entered += w.Requests
		}
		if entered > sent {
			rt.Errorf("workers had %d requests, of %d sent", entered, sent)
		}
	})
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func checkRecords(t *rapid.T, c Config, records []*record.Record, n int, endless bool) {
	if len(records) != n {
		t.Fatalf("%d records for %d requests", len(records), n)
	}
	seen := make([]bool, n)
	for _, r := range records {
		if seen[r.Index] {
			t.Fatalf("request %d has two records", r.Index)
		}
		seen[r.Index] = true
		switch r.Outcome {
		case record.OK:
			checkAnswered(t, c, r)
		case record.Dropped:
			if r.Start.Known() {
				t.Errorf("request %d was dropped and sent", r.Index)
			}
		case record.Cancelled:
			if r.Failure == nil || r.Failure.Code != 499 || r.Done < r.Start {
				t.Errorf("cancelled: %+v", r)
			}
		default:
			t.Errorf("request %d: %v %v", r.Index, r.Outcome, r.Failure)
		}
		if endless && r.Outcome == record.Dropped && r.Turn == 0 {
			t.Errorf("request %d was never sent", r.Index)
		}
	}
}

func checkAnswered(t *rapid.T, c Config, r *record.Record) {
	total, last := 0, r.Start
	for _, a := range r.Arrivals {
		if a.At < last || !a.Kind.Text() {
			t.Errorf("request %d: arrival %+v after %d", r.Index, a, last)
		}
		total, last = total+a.Tokens, a.At
	}
	if r.TokensOut != r.PlannedOSL || total != r.PlannedOSL || r.Done != last || r.Start < r.Planned || r.Worker == "" {
		t.Errorf("request %d: %d tokens of %d, %d in arrivals, %+v", r.Index, r.TokensOut, r.PlannedOSL, total, r)
	}
	want := min(2, r.PlannedOSL)
	if c.TokenArrivals {
		want = r.PlannedOSL
	}
	if len(r.Arrivals) != want {
		t.Errorf("request %d: %d arrivals, not %d", r.Index, len(r.Arrivals), want)
	}
	if r.TokensIn < r.PlannedISL || r.Usage["prompt_tokens"] != r.TokensIn ||
		r.Usage["completion_tokens"] != r.PlannedOSL ||
		r.Usage["prompt_cache_read_tokens"] >= r.TokensIn {
		t.Errorf("request %d: %d tokens in, of %d, usage %v", r.Index, r.TokensIn, r.PlannedISL, r.Usage)
	}
}

// Records with two arrivals are those with all of them, but for the arrivals.
func TestTokenArrivalsChangeNothingElse(t *testing.T) {
	for _, timing := range []engine.Timing{engine.Polynomial{},
		engine.Fixed{TTFT: 30 * time.Millisecond, ITL: 7 * time.Millisecond, ITLJitterCV: 0.2}} {
		c := small(3, router.KV)
		c.Engine.Timing, c.Engine.NumGPUBlocks = timing, 60 // tight: some are preempted
		p := synthetic(workload.Synthetic{Requests: 200, PrefixPool: 5, PrefixTokens: 200})
		p.Concurrency = 30
		all, facts, _ := replayed(t, c, p)
		c.TokenArrivals = false
		few, fewFacts, _ := replayed(t, c, p)
		if fmt.Sprint(facts) != fmt.Sprint(fewFacts) {
			t.Errorf("%T: other facts:\n%+v\n%+v", timing, facts, fewFacts)
		}
		if _, poly := timing.(engine.Polynomial); poly && facts.Preemptions == 0 {
			t.Error("nobody was preempted: the case is not covered")
		}
		for i, a := range all {
			b := few[i]
			if a.Index != b.Index || a.Start != b.Start || a.Done != b.Done || a.Worker != b.Worker ||
				a.Arrivals[0].At != b.Arrivals[0].At ||
				a.Arrivals[len(a.Arrivals)-1].At != b.Arrivals[len(b.Arrivals)-1].At {
				t.Fatalf("%T: record %d differs:\n%+v\n%+v", timing, i, a, b)
			}
		}
	}
}

// A limit of sessions that is never reached changes nothing, though without it
// workers are stepped from arrival to arrival and not from event to event.
func TestSweepingChangesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := small(rapid.IntRange(1, 5).Draw(rt, "workers"),
			rapid.SampledFrom([]router.Mode{router.KV, router.LeastLoaded}).Draw(rt, "mode"))
		c.TokenArrivals, c.Regret = rapid.Bool().Draw(rt, "tokens"), true
		c.Engine.NumGPUBlocks = rapid.SampledFrom([]int{100, 512}).Draw(rt, "blocks")
		c.EventDelay = rapid.SampledFrom([]time.Duration{0, 30 * time.Millisecond}).Draw(rt, "delay")
		c.Router.QueueThreshold = rapid.SampledFrom([]float64{0, 0.05}).Draw(rt, "threshold")
		p := synthetic(workload.Synthetic{Requests: 80, PrefixPool: 4, PrefixTokens: 200, CancelRate: 0.1,
			CancelAfter: 20 * time.Millisecond,
			Arrivals: workload.Arrivals{Pattern: workload.Poisson,
				Rate: float64(rapid.IntRange(1, 100).Draw(rt, "rate"))}})
		swept := bytesOf(t, c, p)
		p.Concurrency = 1000
		if stepped := bytesOf(t, c, p); stepped != swept {
			rt.Errorf("other records:\n%s\n%s", swept, stepped)
		}
	})
}

func TestClosedLoopKeepsItsConcurrency(t *testing.T) {
	for _, limit := range []int{1, 3, 10} {
		p := synthetic(workload.Synthetic{Requests: 60})
		p.Concurrency = limit
		records, facts, _ := replayed(t, small(2, router.RoundRobin), p)
		if got := mostOpen(records); got != limit {
			t.Errorf("concurrency %d: %d at a time", limit, got)
		}
		if facts.Saturated || facts.Offered.Known() {
			t.Errorf("a closed loop offers nothing: %+v", facts)
		}
	}
}

// mostOpen is how many requests were in flight at most.
func mostOpen(records []*record.Record) int {
	type edge struct {
		at   record.Time
		open int
	}
	var edges []edge
	for _, r := range records {
		if r.Start.Known() {
			edges = append(edges, edge{r.Start, 1}, edge{r.Done, -1})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.open, b.open)) })
	open, most := 0, 0
	for _, e := range edges {
		open += e.open
		most = max(most, open)
	}
	return most
}

func TestRampOpensPlacesOneByOne(t *testing.T) {
	p := synthetic(workload.Synthetic{Requests: 300})
	p.Concurrency, p.ConcurrencyRamp = 5, 4*time.Second
	records, _, _ := replayed(t, small(1, router.RoundRobin), p)
	for i, want := range []time.Duration{0, 1, 2, 3, 4} {
		open := 0
		for _, r := range records {
			at := stamp(want*time.Second + time.Millisecond)
			if r.Start <= at && at < r.Done {
				open++
			}
		}
		if open > i+1 {
			t.Errorf("%d open after %d s", open, want)
		}
	}
	if got := mostOpen(records); got != 5 {
		t.Errorf("%d at a time in the end", got)
	}
}

// The turns of a session follow each other, each with all that was said before
// it, and after its pause.
func TestSessionsKeepTheirOrder(t *testing.T) {
	p := synthetic(workload.Synthetic{Sessions: 20, Turns: workload.Length{Mean: 4}, TurnDelay: 70 * time.Millisecond,
		TurnDelayRatio: 1, SystemTokens: 64})
	p.Concurrency = 6
	records, facts, _ := replayed(t, small(2, router.KV), p)
	bySession := map[string][]*record.Record{}
	for _, r := range records {
		bySession[r.Session] = append(bySession[r.Session], r)
	}
	if len(bySession) != 20 {
		t.Fatalf("%d sessions", len(bySession))
	}
	for name, turns := range bySession {
		for i, r := range turns {
			if r.Turn != i || r.Outcome != record.OK {
				t.Fatalf("session %s: turn %d is %d, %v", name, i, r.Turn, r.Outcome)
			}
			if i == 0 {
				continue
			}
			before := turns[i-1]
			if want := before.Done + record.Time(70*time.Millisecond); r.Start != want || r.Planned != want {
				t.Errorf("session %s turn %d: starts at %d, not %d", name, i, r.Start, want)
			}
			if want := before.TokensIn + before.TokensOut + r.PlannedISL; r.TokensIn != want {
				t.Errorf("session %s turn %d: %d tokens in, not %d", name, i, r.TokensIn, want)
			}
			if full := before.TokensIn / 16 * 16; r.Usage["prompt_cache_read_tokens"] < full &&
				r.Worker == before.Worker {
				t.Errorf("session %s turn %d: %d tokens cached, the turn before had %d", name, i,
					r.Usage["prompt_cache_read_tokens"], full)
			}
		}
	}
	if facts.HitRate < 0.5 {
		t.Errorf("hit rate %.2f", facts.HitRate)
	}
}

func TestKVBeatsRoundRobinOnSharedPrefixes(t *testing.T) {
	p := synthetic(workload.Synthetic{Requests: 200, PrefixPool: 16, PrefixTokens: 1000,
		ISL: workload.Length{Mean: 200}, OSL: workload.Length{Mean: 30},
		Arrivals: workload.Arrivals{Pattern: workload.Poisson, Rate: 8}})
	mean := func(mode router.Mode) (ttft float64, facts record.Cluster) {
		c := small(4, mode)
		c.Regret = true
		records, facts, _ := replayed(t, c, p)
		for _, r := range records {
			ttft += float64(r.Arrivals[0].At-r.Start) / 1e9 / float64(len(records))
		}
		return ttft, facts
	}
	rr, rrFacts := mean(router.RoundRobin)
	kv, kvFacts := mean(router.KV)
	t.Logf("TTFT %.4f and %.4f s, hit rate %.3f and %.3f, regret %.4f and %.4f s", rr, kv, rrFacts.HitRate,
		kvFacts.HitRate, rrFacts.RegretMean, kvFacts.RegretMean)
	if kv >= rr || kvFacts.HitRate <= rrFacts.HitRate || kvFacts.RegretMean >= rrFacts.RegretMean {
		t.Error("KV-aware routing is no better than round-robin")
	}
	if kvFacts.EventsApplied == 0 || rrFacts.EventsApplied != 0 {
		t.Errorf("%d and %d events applied", kvFacts.EventsApplied, rrFacts.EventsApplied)
	}
	if kvFacts.HitRate > kvFacts.IdealAtSize || kvFacts.IdealAtSize > kvFacts.IdealHitRate {
		t.Errorf("hit rates %g, ideal at size %g, ideal %g", kvFacts.HitRate, kvFacts.IdealAtSize, kvFacts.IdealHitRate)
	}
}

// A cluster that fell behind is said to have: what it does with the rest when nothing
// arrives any more is faster than what it did before, and no part of it.
func TestFallingBehindIsSaturated(t *testing.T) {
	x := facts{timed: true}
	for i := range 1000 {
		at := float64(i) / 40 // per second, of which 20 are served until the last came
		x.planned = append(x.planned, at)
		done := float64(i) / 20
		if last := 999.0 / 40; done > last {
			done = last + (done-last)/4
		}
		x.done, x.took = append(x.done, done+1), append(x.took, done+1-at)
	}
	offered, completed, behind := x.rates()
	if !behind || completed < 19 || completed > 21 || offered < 39 || offered > 41 {
		t.Errorf("offered %v, completed %v, behind %v", offered, completed, behind)
	}
}
