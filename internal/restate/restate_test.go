package restate

import (
	"bytes"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"headway/internal/options"
	"headway/internal/study"
	"headway/metric"
	"headway/record"
	"headway/report"
)

const ms = 1_000_000

// chunk is an arrival at so many milliseconds after the start.
func chunk(start, at int64, kind record.Kind, tokens int) record.Arrival {
	return record.Arrival{At: record.Time((start + at) * ms), Kind: kind, Tokens: tokens}
}

// reply starts at start: a role at 10, content at 20, 30 (two tokens) and 60, the
// finish_reason at 70, usage at 71, the end marker at 72 and the body's end at 75, all in
// milliseconds after it. The server counts 5 tokens, the client 4.
func reply(start int64) *record.Record {
	at := func(n int64) record.Time { return record.Time((start + n) * ms) }
	r := &record.Record{Start: at(0), Planned: at(-5), Done: at(75), Outcome: record.OK, Streamed: true,
		TokensIn: 7, TokensOut: 4, TokensReasoning: -1, PlannedOSL: 6,
		Usage: map[string]int{"prompt_tokens": 9, "completion_tokens": 5},
		Arrivals: []record.Arrival{chunk(start, 10, 0, 0), chunk(start, 20, record.Content, 1),
			chunk(start, 30, record.Content, 2), chunk(start, 60, record.Content, 1), chunk(start, 70, 0, 0),
			chunk(start, 71, record.Usage, 0), chunk(start, 72, 0, 0)},
	}
	r.HTTP.HeadersSent = at(2)
	return r
}

// short begins 100 ms after 1 s: role and one token together at 40, usage at 50 and the end
// at 51; the server says 1 token, the client counts 1.
func short() *record.Record {
	r := reply(1100)
	r.Arrivals = []record.Arrival{chunk(1100, 40, record.Content, 1), chunk(1100, 50, record.Usage, 0),
		chunk(1100, 51, 0, 0)}
	r.Usage["completion_tokens"], r.TokensOut, r.Done = 1, 1, record.Time(1151*ms)
	return r
}

// failed begins 200 ms after 1 s and fails 300 ms later.
func failed() *record.Record {
	return &record.Record{Start: 1200 * ms, Planned: 1200 * ms, Done: 1500 * ms, Outcome: record.Failed,
		TokensIn: 7, TokensOut: -1, TokensReasoning: -1, Failure: &record.Failure{Class: record.ClassHTTP5, Code: 500}}
}

// restated is what a tool says of the three requests, and a warm-up which no tool counts.
func restated(t *testing.T, as string, goals ...string) *Result {
	t.Helper()
	warm := reply(1)
	warm.Warmup = true
	all := []*record.Record{warm, reply(1000), short(), failed(), {Outcome: record.Dropped}}
	o := metric.Options{Streaming: true}
	for _, g := range goals {
		one, err := metric.ParseObjective(g)
		if err != nil {
			t.Fatal(err)
		}
		o.Objectives = append(o.Objectives, one)
	}
	c := metric.NewCollector(o)
	each := func(s record.Sink) error {
		for _, r := range all {
			if err := s.Take(r); err != nil {
				return err
			}
		}
		return nil
	}
	if err := each(c); err != nil {
		t.Fatal(err)
	}
	res, err := Of(as, &report.Report{Result: c.Result()}, each)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// The figures of each tool, computed by hand from the times above. With two values a and
// b, NumPy's p99 is a + 0.99·(b − a), the population's deviation half of their distance.
func TestGolden(t *testing.T) {
	for as, want := range map[string]map[string]float64{
		"aiperf": {
			"time_to_first_token.avg": 30, "time_to_first_token.p99": 39.8, "time_to_first_token.std": 10,
			"time_to_second_token.avg": 10, "request_latency.avg": 50, "inter_token_latency.avg": 40.0 / 3,
			"inter_chunk_latency.avg": 20, "inter_chunk_latency.p99": 29.8, "output_sequence_length.avg": 2.5,
			"input_sequence_length.avg": 7, "request_count": 2, "error_request_count": 1,
			"benchmark_duration": 0.14, "request_throughput": 2 / 0.5, "output_token_throughput": 5 / 0.5,
		},
		"vllm": {
			"completed": 2, "failed": 1, "duration": 0.5, "total_input_tokens": 18, "total_output_tokens": 6,
			"request_throughput": 4, "output_throughput": 12, "total_token_throughput": 48,
			"mean_ttft_ms": 25, "p99_ttft_ms": 39.7, "mean_tpot_ms": 15, "mean_itl_ms": 15, "p99_itl_ms": 29.4,
			"mean_e2el_ms": 55, "max_concurrent_requests": 1,
		},
		"sglang": {
			"completed": 2, "duration": 0.5, "total_input_tokens": 14, "total_output_tokens": 6,
			"total_output_tokens_retokenized": 5, "mean_e2e_latency_ms": 61.5, "mean_ttft_ms": 30,
			"mean_tpot_ms": 13, "mean_itl_ms": 20, "concurrency": 0.123 / 0.5,
		},
		"guidellm": {
			"request_totals.successful": 2, "request_totals.errored": 1,
			"requests_per_second.successful.mean":              2 / 0.498,
			"metrics.request_latency.successful.mean":          0.0595,
			"metrics.time_to_first_token_ms.successful.mean":   28,
			"metrics.time_to_first_token_ms.successful.median": 18,
			"metrics.time_to_first_token_ms.successful.p99":    38,
			"metrics.inter_token_latency_ms.successful.mean":   10,
			"metrics.time_per_output_token_ms.successful.mean": (58 + 38) / 6.0,
			"output_tokens_per_second.successful.mean":         6 / 0.498,
		},
		"inference-perf": {
			"benchmark_time_seconds": 0.5, "successes.count": 2, "failures.count": 1,
			"latency.request_latency.mean":                  0.063,
			"latency.normalized_time_per_output_token.mean": (0.075/4 + 0.051) / 2,
			"latency.time_per_output_token.mean":            0.04 / 3, "latency.time_to_first_token.mean": 0.02,
			"latency.inter_token_latency.mean": 0.04 / 3, "latency.inter_token_latency.min": 0,
			"throughput.output_tokens_per_sec": 10, "output_tokens.mean": 3, "prompt_tokens.mean": 9,
		},
		"genai-perf": {
			"time_to_first_token.avg": 30, "time_to_second_token.avg": 10, "request_latency.avg": 50,
			"inter_token_latency.avg": 13.333333, "output_sequence_length.avg": 2.5, "request_count": 2,
			"output_token_throughput_per_request.avg": (4/0.06 + 1/0.04) / 2, "request_throughput": 2 / 0.14,
		},
		"mlperf": {
			"Completed samples per second": 1 / 0.145, "Completed tokens per second": 6 / 0.145,
			"Scheduled samples per second": 10, "Mean latency (ns)": 55 * ms,
			"Mean first token latency (ns)": 35 * ms, "50.00 percentile first token latency (ns)": 45 * ms,
			"Mean time to output token (ns)": 10 * ms,
		},
	} {
		got := map[string]float64{}
		for _, f := range restated(t, as).Figures {
			for _, v := range f.Values {
				got[v.Key] = float64(v.Value)
			}
		}
		for key, v := range want {
			if g, ok := got[key]; !ok || math.Abs(g-v) > 1e-9*math.Abs(v) {
				t.Errorf("%s: %s is %v (%v), want %v", as, key, g, ok, v)
			}
		}
	}
}

// loadgen's own figures: 90 % takes 64 queries, 99 % 662 (its documentation of early
// stopping), and none above the limit ⌈ln 0.01 / ln 0.99⌉ = 459.
func TestEarlyStopping(t *testing.T) {
	for _, c := range []struct {
		over int
		p    float64
		want int
	}{{1, 0.9, 63}, {1, 0.99, 661}, {0, 0.99, 459}} {
		if got := leastUnder(c.over, c.p); got != c.want {
			t.Errorf("%d above, %v: %d, want %d", c.over, c.p, got, c.want)
		}
	}
	values := make([]float64, 1000)
	for i := range values {
		values[i] = float64(i+1) / 1000
	}
	e := early("TTFT", values, 0.9985)
	if e.Over != 2 || !e.Passed || e.Discarded != 1 || float64(e.Estimate) != 0.999 {
		t.Errorf("%+v", e)
	}
	if e := early("TTFT", values[:400], 0.9); e.Passed || e.Least != 459 || e.Estimate.Known() {
		t.Errorf("%+v", e)
	}
	res := restated(t, "mlperf", "ttft p99 <= 42ms")
	if got := res.Early[0]; got.Limit != 0.042 || got.Over != 1 || got.Queries != 2 {
		t.Errorf("%+v", got)
	}
	if text := res.Early[0].String(); !strings.Contains(text, "at least 660 more are needed") {
		t.Error(text)
	}
}

// Definitions alone differ where headway's figure over the whole run does; each such
// figure has a reason.
func TestDifferencesHaveReasons(t *testing.T) {
	for _, name := range Names() {
		res := restated(t, name)
		c := metric.NewCollector(metric.Options{Streaming: true})
		if err := c.Take(reply(1000)); err != nil {
			t.Fatal(err)
		}
		rep := &report.Report{Result: c.Result()}
		if got := res.Differences(rep); len(got) == 0 {
			t.Errorf("%s has no figure that headway has", name)
		}
		for _, f := range res.Figures {
			if _, known := metric.Lookup(f.Tag); f.Tag != "" && !known {
				t.Errorf("%s: %s: headway has no %s", name, f.Name, f.Tag)
			}
		}
	}
}

// A simulation that kept the first and the last chunk of replies has no gaps, and says so.
func TestSparse(t *testing.T) {
	r := reply(1000)
	r.Sparse = true
	each := func(s record.Sink) error { return s.Take(r) }
	res, err := Of("vllm", &report.Report{Result: metric.NewCollector(metric.Options{}).Result()}, each)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(res.Figures, func(f Figure) bool { return f.Name == "itl_ms" })
	if f := res.Figures[i]; f.Unknown == "" || len(f.Values) > 0 {
		t.Errorf("%+v", f)
	}
	if !strings.Contains(strings.Join(res.Notes, "\n"), "--token-arrivals") {
		t.Error(res.Notes)
	}
}

// --as takes the names of the tools and no others.
func TestNamesAreThoseOfTheOption(t *testing.T) {
	f, _ := reflect.TypeFor[options.Report]().FieldByName("As")
	if want := "," + strings.Join(Names(), ","); f.Tag.Get("enum") != want {
		t.Errorf("--as is one of %q, the tools are %q", f.Tag.Get("enum"), want)
	}
	if _, err := Named("k6"); err == nil || !strings.Contains(err.Error(), "guidellm") {
		t.Error(err)
	}
}

// A folder without requests says what to give.
func TestViewOfNothing(t *testing.T) {
	var out bytes.Buffer
	err := View{As: "vllm"}.Write(&out, &study.Disk{Root: "x"})
	if err == nil || !strings.Contains(err.Error(), "records.jsonl") {
		t.Error(err)
	}
}

// The table of differences names figures that are headway's in one sentence, marks the
// others with the letters of their reasons and rounds no difference to none.
func TestTableOfDifferences(t *testing.T) {
	all := []Difference{
		{Key: "completed", Theirs: 2, Led: 2, Whole: 2},
		{Key: "failed", Theirs: 0, Led: 0, Whole: 0, Why: []string{"one"}},
		{Key: "mean_ttft_ms", Theirs: 25, Led: 30, Whole: 25, Ours: "time_to_first_token avg",
			Why: []string{"one", "two"}},
		{Key: "mean_tpot_ms", Theirs: 10.0001, Led: 10, Whole: 10, Why: []string{"two"}},
	}
	d := &report.Document{}
	differences(d, "vllm", all)
	var out bytes.Buffer
	if err := d.Write(&out, report.ConsoleOptions{Width: report.FullWidth, Markdown: true}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`| mean\_ttft\_ms \[ab\] | 25 | time\_to\_first\_token avg | 30 | 25 | -16.67 % | 0 |`,
		`| mean\_tpot\_ms \[b\] | 10 |  | 10 | 10 | <0.01 % | <0.01 % |`,
		"a: one", "b: two", "The same as headway's: completed, failed.",
	} {
		if !strings.Contains(strings.ReplaceAll(out.String(), "&lt;", "<"), want) {
			t.Errorf("there is no %q in\n%s", want, out.String())
		}
	}
}

// A run without a failure has no count of them, which is 0 and differs from nothing.
func TestNoFailureIsNoDifference(t *testing.T) {
	each := func(s record.Sink) error { return s.Take(reply(1000)) }
	c := metric.NewCollector(metric.Options{Streaming: true})
	if err := each(c); err != nil {
		t.Fatal(err)
	}
	rep := &report.Report{Result: c.Result()}
	res, err := Of("vllm", rep, each)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range res.Differences(rep) {
		if x.Key == "failed" && (x.Theirs != 0 || x.Led != 0 || x.Whole != 0 || len(x.Why) > 0) {
			t.Errorf("%+v", x)
		}
	}
}
