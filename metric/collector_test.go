package metric

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"headway/record"
)

func TestTotals(t *testing.T) {
	a, b, c := reply(1000, 1100, 1200, 1300), reply(1500, 1900, 2100), reply(900, 1000)
	a.Usage = map[string]int{"prompt_tokens": 200, "completion_tokens": 3, "prompt_cache_read_tokens": 50}
	b.Usage = map[string]int{"prompt_tokens": 110, "completion_tokens": 2}
	a.PlannedOSL, b.PlannedOSL = 3, 4
	c.Warmup = true
	goals, err := ParseGoodput("time_to_first_token:200 output_token_throughput_per_user:5")
	if err != nil {
		t.Fatal(err)
	}
	gone := failed(100, 9000, record.Failure{Class: record.ClassHTTP4, Code: 400,
		Message: "This model's maximum context length is 4096 tokens."})
	cancelled := reply(1100, 1200)
	cancelled.Outcome = record.Cancelled
	dropped := &record.Record{Planned: ms(20000), Outcome: record.Dropped}
	r := collect(Options{Streaming: true, Goodput: goals, NumGPUs: 2}, a, b, c, gone, cancelled, dropped)

	if got := [5]int{r.Planned, r.OK, r.Failed, r.Cancelled, r.Dropped}; got != [5]int{5, 2, 1, 1, 1} {
		t.Errorf("planned, ok, failed, cancelled, dropped: %v", got)
	}
	const d = 1.1 // 1000 ms to 2100 ms: neither the failure nor the warm-up stretches it
	origin := float64(wall.Unix()) * 1e9
	want := map[string]float64{
		"completed_request_count": 4, "request_count": 2, "error_request_count": 2, "request_error_rate": 50,
		"failed_request_rate": 100. / 3, "context_overflow_count": 1,
		"total_isl": 200, "total_osl": 5, "total_output_tokens": 5, "total_error_isl": 200,
		"min_request_timestamp": origin + 1e9, "max_response_timestamp": origin + 2.1e9, "benchmark_duration": d,
		"decode_speed_per_user": 3 / 0.4,
		"request_throughput":    2 / d, "output_token_throughput": 5 / d, "input_token_throughput": 200 / d,
		"total_token_throughput": 205 / d, "output_token_throughput_per_gpu": 2.5 / d,
		"total_token_throughput_per_gpu": 102.5 / d,
		"good_request_count":             1, "goodput": 1 / d, "good_request_fraction": 0.25,
		"osl_mismatch_count": 1, "usage_discrepancy_count": 1, // 110 of 100 is 10 %, not above
		"total_usage_prompt_tokens": 310, "total_usage_completion_tokens": 5,
		"total_usage_prompt_cache_read_tokens": 50,
		"overall_usage_prompt_cache_read_pct":  100 * 50. / 310,
	}
	if diff := cmp.Diff(want, scalars(r), near); diff != "" {
		t.Errorf("scalars (-want +got):\n%s", diff)
	}
	if r.Warmup == nil || r.Warmup.OK != 1 || scalars(r.Warmup)["benchmark_duration"] != 0.1 {
		t.Errorf("warm-up: %+v", r.Warmup)
	}
	if len(r.Failures) != 2 || r.Failures[0].Failure.Class != record.ClassCancelled ||
		r.Failures[1].Failure.Code != 400 {
		t.Errorf("failures: %+v", r.Failures)
	}
	s, ok := r.Summary("adj_time_to_first_token")
	if !ok || s.Count != 4 || s.Min != 0.1 || !math.IsInf(s.Max, 1) || !math.IsNaN(s.Std) {
		t.Errorf("adjusted: %v %+v", ok, s)
	}
}

func TestEmptyRuns(t *testing.T) {
	goals, err := ParseGoodput("ttft:30")
	if err != nil {
		t.Fatal(err)
	}
	for name, records := range map[string][]*record.Record{
		"nothing":    nil,
		"dropped":    {{Outcome: record.Dropped, Planned: ms(1)}},
		"all failed": {failed(1, 2, record.Failure{Class: record.ClassRefused})},
	} {
		r := collect(Options{Streaming: true, Concurrency: 3, Goodput: goals}, records...)
		for _, s := range r.Summaries {
			if tag := s.Metric.Tag; tag != "error_isl" && tag != "effective_concurrency" {
				t.Errorf("%s: %s has %d values", name, s.Metric.Tag, s.Count)
			}
		}
		want := map[string]float64{}
		if r.Failed > 0 {
			want = map[string]float64{"completed_request_count": 1, "error_request_count": 1, "request_error_rate": 100,
				"failed_request_rate":    100,
				"context_overflow_count": 0, "total_error_isl": 100, "good_request_fraction": 0}
		}
		got := scalars(r)
		if r.Failed == 0 {
			delete(got, "good_request_fraction") // 0 of no requests, as in aiperf
		}
		if diff := cmp.Diff(want, got, near); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestInvalidRepliesAreFailures(t *testing.T) {
	empty := reply(1, 2)
	empty.Arrivals[0].Kind = 0
	backwards := reply(5, 4)
	r := collect(Options{Streaming: true}, empty, backwards)
	want := []FailureCount{
		{record.Failure{Class: record.ClassClient, Type: "InvalidInferenceResultError",
			Message: "the reply's times lie before the request's start"}, 1},
		{record.Failure{Class: record.ClassEmpty, Type: "InvalidInferenceResultError",
			Message: "the reply has no text"}, 1},
	}
	if diff := cmp.Diff(want, r.Failures); diff != "" || r.Failed != 2 || r.OK != 0 {
		t.Errorf("failed %d, ok %d (-want +got):\n%s", r.Failed, r.OK, diff)
	}
}

// A clean run has none of the counters of errors.
func TestCountersOfACleanRun(t *testing.T) {
	got := scalars(collect(Options{Streaming: true}, reply(1, 2, 3)))
	for _, tag := range []string{"error_request_count", "context_overflow_count", "good_request_count",
		"good_request_fraction"} {
		if v, ok := got[tag]; ok {
			t.Errorf("%s is %v", tag, v)
		}
	}
	if got["request_count"] != 1 || got["completed_request_count"] != 1 || got["request_error_rate"] != 0 {
		t.Errorf("%v", got)
	}
}

func TestManyKindsOfFailure(t *testing.T) {
	kind := func(i int) record.Failure {
		return record.Failure{Class: record.ClassHTTP5, Code: 500, Type: "Error",
			Message: fmt.Sprintf("request %04d", i)}
	}
	var records []*record.Record
	for i := range 1003 {
		records = append(records, failed(1, 2, kind(i)))
		if i == 1002 { // the last in every order but that of frequency
			records = append(records, failed(1, 2, kind(i)))
		}
	}
	got := collect(Options{}, records...).Failures
	if len(got) != 1001 || got[0] != (FailureCount{kind(1002), 2}) || got[999] != (FailureCount{kind(998), 1}) {
		t.Fatalf("%d kinds, the first %+v, the last but one %+v", len(got), got[0], got[len(got)-2])
	}
	if last := got[1000]; last.Failure.Type != OtherFailures || last.Count != 3 ||
		!strings.HasPrefix(last.Failure.Message, "3 more kinds") {
		t.Errorf("the others: %+v", last)
	}
	if got := collect(Options{}, records[:1000]...).Failures; len(got) != 1000 ||
		got[999].Failure.Type == OtherFailures {
		t.Errorf("a thousand kinds: %d, the last %+v", len(got), got[len(got)-1])
	}
}

// drawRecord makes a record of any outcome.
func drawRecord(t *rapid.T) *record.Record {
	start := rapid.Float64Range(1, 5000).Draw(t, "start")
	gaps := rapid.SliceOfN(rapid.Float64Range(0, 50), 1, 8).Draw(t, "gaps")
	at, times := start+1, []float64(nil)
	for _, g := range gaps {
		at += g
		times = append(times, at)
	}
	r := reply(start, times...)
	for i := range r.Arrivals {
		r.Arrivals[i].Kind = rapid.SampledFrom([]record.Kind{record.Content, record.Reasoning, record.Usage,
			0}).Draw(t, "kind")
		r.Arrivals[i].Tokens = rapid.IntRange(0, 4).Draw(t, "tokens")
	}
	r.Outcome = rapid.SampledFrom([]record.Outcome{record.OK, record.OK, record.OK, record.Failed, record.Cancelled,
		record.Dropped}).Draw(t, "outcome")
	r.Warmup = rapid.IntRange(0, 5).Draw(t, "warmup") == 0
	r.TokensReasoning = rapid.IntRange(-1, 9).Draw(t, "reasoning")
	r.Usage = map[string]int{"prompt_tokens": rapid.IntRange(90, 130).Draw(t, "prompt")}
	return r
}

func TestTheOrderOfRecordsDoesNotMatter(t *testing.T) {
	exact := cmpopts.EquateNaNs()
	goals, err := ParseGoodput("ttft:30")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		records := rapid.SliceOfN(rapid.Custom(drawRecord), 0, 40).Draw(t, "records")
		o := Options{Streaming: true, Concurrency: 4, Goodput: goals, NumGPUs: 3}
		want := collect(o, records...)
		seed := rapid.Uint64().Draw(t, "seed")
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(records), func(i, j int) {
			records[i], records[j] = records[j], records[i]
		})
		got := collect(o, records...)
		same := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().Type().Name() == "Metric" },
			cmp.Comparer(func(a, b Metric) bool { return a.Tag == b.Tag }))
		if diff := cmp.Diff(want, got, exact, same); diff != "" {
			t.Fatalf("shuffled (-want +got):\n%s", diff)
		}
		if got.Planned != got.OK+got.Failed+got.Cancelled+got.Dropped {
			t.Fatalf("the outcomes do not add up: %+v", got)
		}
	})
}

func stretch(r *record.Record, by record.Time) {
	for j := range r.Arrivals {
		r.Arrivals[j].At *= by
	}
	r.Start *= by
	r.Planned *= by
	r.Done *= by
}

// Twice as slow: every latency doubles, every rate halves, counts stay. Times
// are stretched to where no gap but none at all is that of an emptied buffer.
func TestTimeScales(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := rapid.SliceOfN(rapid.Custom(drawRecord), 1, 20).Draw(t, "records")
		o := Options{Streaming: true, Concurrency: 3}
		slow := make([]*record.Record, len(records))
		for i, r := range records {
			stretch(r, 1e6)
			c := *r
			c.Arrivals = append([]record.Arrival(nil), r.Arrivals...)
			stretch(&c, 2)
			slow[i] = &c
		}
		a, b := collect(o, records...), collect(o, slow...)
		for i, s := range a.Summaries {
			factor := map[string]float64{"ms": 2, "tokens/sec": 0.5, "tokens/sec/user": 0.5, "tokens": 1, "%": 1,
				"requests": 1}[s.Metric.Unit]
			got := b.Summaries[i]
			fast, _ := s.Stat("p50")
			median, ok := got.Stat("p50")
			if got.Metric.Tag != s.Metric.Tag || !ok || !within(median, factor*fast, 1e-12) {
				t.Fatalf("%s: median %v, at half the speed %s %v", s.Metric.Tag, fast, got.Metric.Tag, median)
			}
		}
		if a.Steady == nil {
			return // nothing was sent
		}
		for _, pair := range [][2]*Part{{a.Whole, b.Whole}, {&a.Steady.Part, &b.Steady.Part}} {
			x, known := pair[0].Rate("output_token_throughput")
			y, _ := pair[1].Rate("output_token_throughput")
			if known && !within(y.Value, x.Value/2, 1e-9) {
				t.Fatalf("tokens/s %v, at half the speed %v", x.Value, y.Value)
			}
		}
	})
}

func BenchmarkTake(b *testing.B) {
	times := make([]float64, 256)
	for i := range times {
		times[i] = 100 + float64(i)
	}
	r := reply(1, times...)
	r.Usage = map[string]int{"prompt_tokens": 100, "completion_tokens": 256}
	for _, source := range []TokenSource{TokensClient, TokensAuto} {
		b.Run(source.String(), func(b *testing.B) {
			c := NewCollector(Options{Streaming: true, Concurrency: 10, Clock: record.ClockAt(wall), Tokens: source})
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Take(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestFailureOf(t *testing.T) {
	bare := failed(1, 2, record.Failure{})
	bare.Failure = nil
	given := reply(1, 2)
	given.Outcome = record.Cancelled
	for name, test := range map[string]struct {
		record *record.Record
		class  record.Class
		code   int
		erred  bool
	}{
		"valid":     {reply(1, 2), "", 0, false},
		"dropped":   {&record.Record{}, "", 0, false},
		"cancelled": {given, record.ClassCancelled, 499, true},
		"its own":   {failed(1, 2, record.Failure{Class: record.ClassHTTP5, Code: 503}), record.ClassHTTP5, 503, true},
		"no cause":  {bare, record.ClassClient, 0, true},
	} {
		f, erred := FailureOf(test.record)
		if f.Class != test.class || f.Code != test.code || erred != test.erred {
			t.Errorf("%s: %+v %v", name, f, erred)
		}
	}
}
