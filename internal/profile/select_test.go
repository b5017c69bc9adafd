package profile

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"headway/internal/model"
	"headway/metric"
)

func outcome(mapping string, gpus int, points ...[2]float64) Outcome {
	o := Outcome{Version: outcomeVersion, Phase: Decode, Mapping: mapping, Status: Measured, GPUs: gpus}
	for i, p := range points {
		o.Trials = append(o.Trials, Trial{Concurrency: i + 1, TTFT: Figure{Mean: p[0], N: 1},
			ITL: Figure{Mean: p[0], N: 1}, Throughput: Figure{Mean: p[1], N: 1}})
	}
	return o
}

func TestSelectPhase(t *testing.T) {
	for _, c := range []struct {
		name        string
		target      float64
		outcomes    []Outcome
		mapping     string
		concurrency int
		met         bool
	}{
		{"the most within the target", 0.01, []Outcome{outcome("TP=1", 1, [2]float64{.005, 10}, [2]float64{.011, 30}),
			outcome("TP=2", 2, [2]float64{.01, 20})}, "TP=2", 1, true},
		{"the first of equals", 0.01, []Outcome{outcome("TP=1", 1, [2]float64{.009, 20}),
			outcome("TP=2", 2, [2]float64{.004, 20})}, "TP=1", 1, true},
		{"the nearest miss", 0.01, []Outcome{outcome("TP=1", 1, [2]float64{.03, 90}),
			outcome("TP=2", 2, [2]float64{.02, 10}, [2]float64{.02, 20})}, "TP=2", 1, false},
	} {
		p, ok := SelectPhase(Decode, c.outcomes, c.target)
		if !ok || p.Mapping.String() != c.mapping || p.Trial.Concurrency != c.concurrency || p.Met != c.met ||
			(p.Warning == "") != c.met {
			t.Errorf("%s: %+v", c.name, p)
		}
	}
	// What failed requests misses every target, however fast the others were.
	shedding, whole := outcome("TP=1", 1, [2]float64{.001, 90}), outcome("TP=2", 2, [2]float64{.02, 10})
	shedding.Trials[0].Failed = 1
	if p, ok := SelectPhase(Decode, []Outcome{shedding, whole}, 0.01); !ok || p.Met || p.Mapping.String() != "TP=2" {
		t.Errorf("failed requests: %+v", p)
	}
	if p, ok := SelectPhase(Decode, []Outcome{shedding}, 0.01); !ok || p.Met ||
		!strings.Contains(p.Warning, "failed requests") {
		t.Errorf("failed requests alone: %+v", p)
	}
	if _, ok := SelectPhase(Decode, []Outcome{{Phase: Decode, Mapping: "TP=1", Status: Dead, Death: &Death{}}}, 1); ok {
		t.Error("picked of nothing")
	}
}

// phaseOf is a phase of one measured worker.
func phaseOf(p Phase, o Outcome, target float64) PhaseResult {
	o.Phase = p
	r := PhaseResult{Phase: p, Outcomes: []Outcome{o}}
	if pick, ok := SelectPhase(p, r.Outcomes, target); ok {
		r.Pick = &pick
	}
	return r
}

// A prefill worker of 2 GPUs takes 10 prompts a second and a decode worker of 4
// takes 20 replies.
func matched() (Result, SLO) {
	t := SLO{TTFT: 10, ITL: 0.01}
	return Result{
		Prefill: phaseOf(Prefill, outcome("TP=2", 2, [2]float64{.1, 5000}), t.TTFT),
		Decode:  phaseOf(Decode, outcome("TP=4", 4, [2]float64{.01, 500}), t.ITL),
	}, t
}

func TestMatch(t *testing.T) {
	r, target := matched()
	for _, c := range []struct {
		name            string
		rate            float64
		gpus            int
		prefill, decode int
		short           bool
	}{
		{"as small as can be", 0, 0, 2, 1, false}, // 18 and 18.4 requests a second
		{"a rate", 40, 0, 5, 3, false},            // 45 and 55.2
		{"a budget", 0, 16, 4, 2, false},          // 36 and 36.8
		{"a rate in a budget", 40, 22, 5, 3, false},
		{"a rate beyond the budget", 100, 16, 4, 2, true},
	} {
		d := Demand{ISL: 1000, OSL: 100, RequestRate: c.rate, TotalGPUs: c.gpus, GPUHour: 3}
		x := Match(r, target, d)
		if x == nil || x.Prefill.Workers != c.prefill || x.Decode.Workers != c.decode || x.Short != c.short {
			t.Errorf("%s: %+v", c.name, x)
			continue
		}
		if c.gpus > 0 && x.GPUs > c.gpus {
			t.Errorf("%s: %d GPUs", c.name, x.GPUs)
		}
		if want := float64(x.GPUs) * 3 / 3600 / x.Served * 1000; math.Abs(x.Per1000Requests-want) > 1e-9 ||
			math.Abs(x.PerMillionTokens*1.1-want) > 1e-9 {
			t.Errorf("%s: $%.4f per 1000 requests and $%.4f per million tokens, want %.4f and %.4f", c.name,
				x.Per1000Requests, x.PerMillionTokens, want, want/1.1)
		}
	}
	if x := Match(r, target, Demand{ISL: 1000, OSL: 100, TotalGPUs: 5, GPUHour: 3}); x != nil {
		t.Errorf("5 GPUs hold %+v", x)
	}
}

// Prompts that may wait little make prefill workers idle more.
func TestWaitingCostsPrefillWorkers(t *testing.T) {
	r, target := matched()
	patient := Match(r, target, Demand{ISL: 1000, OSL: 100, RequestRate: 40, GPUHour: 3})
	target.TTFT = 0.12
	hasty := Match(r, target, Demand{ISL: 1000, OSL: 100, RequestRate: 40, GPUHour: 3})
	if hasty.Prefill.Workers <= patient.Prefill.Workers || hasty.TTFT > target.TTFT+1e-9 || !hasty.Met {
		t.Errorf("%d workers for a TTFT of 10 s, %d with %.3f s for one of 0.12 s", patient.Prefill.Workers,
			hasty.Prefill.Workers, hasty.TTFT)
	}
}

// With one server the wait is exactly that of M/D/1, ρ/(2(1−ρ)).
func TestQueueing(t *testing.T) {
	for _, busy := range []float64{0.1, 0.5, 0.9} {
		if got, want := queueing(1, busy), busy/(2*(1-busy)); math.Abs(got-want) > 1e-12 {
			t.Errorf("one server busy %g: wait %g, want %g", busy, got, want)
		}
		if queueing(4, busy) >= queueing(1, busy) {
			t.Errorf("four servers busy %g wait longer than one", busy)
		}
	}
}

func TestParetoFront(t *testing.T) {
	front := ParetoFront([]Corner{{1, 5, "a"}, {2, 5, "b"}, {3, 1, "c"}, {2, 2, "d"}, {3, 1, "e"}, {0.5, 4, "f"}})
	got := ""
	for _, p := range front {
		got += p.Label
	}
	if got != "bc" {
		t.Errorf("front %q, want bc", got)
	}
}

// The vector of Dynamo's cost plot: 3000 tokens at 5000/s/GPU and 500 at 100.
func TestCostPer1000(t *testing.T) {
	if got := CostPer1000(3000, 500, 5000, 100, 3); math.Abs(got-(0.6+5)*1000*3/3600) > 1e-9 {
		t.Errorf("cost %g", got)
	}
}

func TestMatchAggregated(t *testing.T) {
	list := []AggregatedOutcome{
		{Mapping: "TP=2", GPUs: 2,
			Trials: []Trial{{Concurrency: 4, TTFT: Figure{Mean: .2, N: 9}, ITL: Figure{Mean: .01, N: 9},
				Throughput: Figure{Mean: 100, N: 1}}}},
		{Mapping: "TP=4", GPUs: 4,
			Trials: []Trial{{Concurrency: 4, TTFT: Figure{Mean: .1, N: 9}, ITL: Figure{Mean: .01, N: 9},
				Throughput: Figure{Mean: 50, N: 1}}}},
	}
	d := Demand{ISL: 1000, OSL: 100, RequestRate: 5, GPUHour: 3}
	if x := MatchAggregated(list, SLO{TTFT: .15, ITL: .02}, d); x == nil || x.Aggregated.Mapping != "TP=4" ||
		x.Aggregated.Workers != 3 || !x.Met {
		t.Errorf("only TP=4 meets both: %+v", x)
	}
	if x := MatchAggregated(list, SLO{TTFT: .01, ITL: .02}, d); x == nil || x.Aggregated.Mapping != "TP=4" || x.Met {
		t.Errorf("the nearest: %+v", x)
	}
	if x := MatchAggregated(nil, SLO{TTFT: 1, ITL: 1}, d); x != nil {
		t.Errorf("of nothing: %+v", x)
	}
}

func TestCandidates(t *testing.T) {
	s := slaSpace(t)
	s.MinGPUs, s.MaxGPUs = 2, 16
	list, rejected, err := s.Candidates(Decode)
	if err != nil {
		t.Fatal(err)
	}
	names := ""
	for _, c := range list {
		names += c.Tag() + " "
	}
	if names != "decode_2gpus_TP2 decode_4gpus_TP4 decode_8gpus_TP8 " {
		t.Errorf("candidates %s", names)
	}
	if len(rejected) != 1 || rejected[0].Candidate.Mapping.Size != 16 ||
		rejected[0].Reasons[0].Rule != model.RuleKVHeads {
		t.Errorf("rejected %+v", rejected)
	}
	if n := s.Setup(list[0]).MaxBatchedTokens; n != stepTokens {
		t.Errorf("a decode worker's steps have %d tokens", n)
	}
	if n := s.Setup(Candidate{Phase: Prefill, Mapping: list[0].Mapping}).MaxBatchedTokens; n != PrefillMaxTokens {
		t.Errorf("a prefill worker's steps have %d tokens", n)
	}
}

// FuzzOutcome reads files that anything may have written.
func FuzzOutcome(f *testing.F) {
	f.Add([]byte(`{"version":1,"phase":"decode","mapping":"TP=4","status":"dead","death":{"reason":"crashed",` +
		`"message":"x"},"gpus":4}`))
	f.Add([]byte(`{"version":1,"phase":"decode","mapping":"TP=4","status":"measured","gpus":4,` +
		`"trials":[{"concurrency":1,"ttft_s":{"mean":1,"repeats":1},"itl_s":{"mean":1,"repeats":1},` +
		`"tokens_per_second_per_gpu":{"mean":1,"repeats":1}}]}`))
	f.Add([]byte(`{"version":1,"phase":"decode","mapping":"TP=4","status":"measured"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := ParseOutcome(data)
		if err != nil {
			return
		}
		// What is taken can be chosen from.
		p, ok := SelectPhase(o.Phase, []Outcome{o}, 1)
		if o.Status == Measured && !ok || ok && !(p.Trial.Throughput.Mean > 0) {
			t.Errorf("%s: pick %+v, %v", data, p, ok)
		}
	})
}

// The ranges of pools are those of their points, carried through by hand.
func TestMatchHasRanges(t *testing.T) {
	r, target := matched()
	repeated := func(p *PhaseResult, ttft, rate Figure) {
		trial := &p.Outcomes[0].Trials[0]
		trial.TTFT, trial.Throughput = ttft, rate
		p.Pick.Trial = *trial
	}
	half := metric.HalfOfRuns(1, 3) // of a standard deviation, with 3 repeats
	d := Demand{ISL: 1000, OSL: 100, GPUHour: 3}
	if x := Match(r, target, d); x.RequestRateRange != nil || x.CostRange != nil || x.Decode.AlwaysBusyRange != nil {
		t.Errorf("points that were measured once have ranges: %+v", x)
	}
	repeated(&r.Prefill, Figure{Mean: .1, Std: .001, N: 3}, Figure{Mean: 5000, Std: 50, N: 3})
	repeated(&r.Decode, Figure{Mean: .01, N: 3}, Figure{Mean: 500, Std: 20, N: 3})
	x := Match(r, target, d)
	if x == nil || x.RequestRateRange == nil || x.CostRange == nil {
		t.Fatalf("no ranges: %+v", x)
	}
	// 2 workers of 2 GPUs and 1 of 4: 18 and 18.4 requests a second.
	decode, prefill := 18.4-4*20*half/100*.92, 18+2*2*50*half/1000*.9
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		{"low rate", x.RequestRateRange.Low, decode}, {"high rate", x.RequestRateRange.High, prefill},
		{"high served", x.ServedRange.High, prefill},
		{"low cost", x.CostRange.Low, 8 * 3000. / 3600 / prefill},
		{"high cost", x.CostRange.High, 8 * 3000. / 3600 / decode},
		{"low decode", x.Decode.AlwaysBusyRange.Low, decode / .92},
		{"high prefill", x.Prefill.AlwaysBusyRange.High, prefill / .9},
	} {
		if math.Abs(c.got-c.want) > 1e-9 {
			t.Errorf("%s: %.6f, want %.6f", c.what, c.got, c.want)
		}
	}
	// A TTFT that may miss the target leaves no rate for certain, at any cost.
	target.TTFT = .101
	d.RequestRate = 1
	x = Match(r, target, d)
	if x == nil || x.ServedRange.Low != 0 || x.ServedRange.High != 1 || !math.IsInf(x.CostRange.High, 1) {
		t.Fatalf("a TTFT of 100 ±2.5 ms for a target of 101: %+v", x)
	}
	if data, err := json.Marshal(x.CostRange); err != nil || !strings.HasSuffix(string(data), `"high":null}`) {
		t.Errorf("%s, %v", data, err)
	}
}

// Nothing is matched to a worker that misses its target, unless the size of the
// pools is asked for.
func TestMatchOfAMissedTarget(t *testing.T) {
	r, target := matched()
	target.ITL = .001
	r.Decode = phaseOf(Decode, outcome("TP=4", 4, [2]float64{.01, 5}), target.ITL)
	d := Demand{ISL: 1000, OSL: 100, GPUHour: 3}
	if x := Match(r, target, d); x != nil {
		t.Errorf("%d GPUs for a target that is missed", x.GPUs)
	}
	d.TotalGPUs = 16
	if x := Match(r, target, d); x == nil || x.Met || x.GPUs > 16 {
		t.Errorf("16 GPUs: %+v", x)
	}
	list := []AggregatedOutcome{{Mapping: "TP=2", GPUs: 2,
		Trials: []Trial{{Concurrency: 4, TTFT: Figure{Mean: .2, N: 9}, ITL: Figure{Mean: .01, N: 9},
			Throughput: Figure{Mean: 100, N: 1}}}}}
	if x := MatchAggregated(list, target, Demand{ISL: 1000, OSL: 100, GPUHour: 3}); x != nil {
		t.Errorf("aggregated: %+v", x)
	}
}

// A front has the wait for a worker in it, and a cost line says that its TTFT
// target is missed.
func TestPicturesSayWhatIsMissed(t *testing.T) {
	r, target := matched()
	report := func(ttft float64) Pictures {
		r.Prefill = phaseOf(Prefill, r.Prefill.Outcomes[0], ttft)
		return Pictures{Result: r, SLO: SLO{TTFT: ttft, ITL: target.ITL},
			Demand: Demand{ISL: 1000, OSL: 100, GPUHour: 3}}
	}
	top := func(r Pictures) float64 { return r.pareto().Series[0].Points[0].Y }
	// 1000 tokens at 5000·0.9 and 100 at 500·0.92, where prompts may wait.
	if got, most := top(report(10)), 100/(1000/4500.+100/460.); got > most+1e-9 || got < 0.97*most {
		t.Errorf("prompts may wait: %.2f tokens/s/GPU, at most %.2f", got, most)
	}
	if loose, tight := top(report(10)), top(report(.1005)); tight > 0.95*loose {
		t.Errorf("prompts that may not wait leave %.2f tokens/s/GPU of %.2f", tight, loose)
	}
	series := report(10).pareto().Series
	if x := Match(r, target, report(10).Demand); len(series) != 2 ||
		series[1].Points[0].Y != x.RequestRate*100/float64(x.GPUs) {
		t.Errorf("the recommended pools are not in the picture: %+v", series)
	}
	if s := report(.05).cost().Series[0]; !s.Faint || !strings.Contains(s.Name, "misses 50 ms") {
		t.Errorf("cost line %q", s.Name)
	}
	if s := report(.2).cost().Series[0]; s.Faint || strings.Contains(s.Name, "misses") {
		t.Errorf("cost line %q", s.Name)
	}
	if s := report(.05).pareto().Series[0]; !strings.Contains(s.Name, "misses the TTFT target") {
		t.Errorf("front %q", s.Name)
	}
}
