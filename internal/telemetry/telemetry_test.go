package telemetry

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"headway/record"
)

func real(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open("testdata/" + name + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// page is a source that gives one text after the other, the last for ever.
func page(texts ...string) Source {
	n := 0
	return Source{Name: "http://a", Paths: []string{"/metrics"},
		Fetch: func(_ context.Context, _ string, most int64) ([]byte, error) {
			text := texts[min(n, len(texts)-1)]
			n++
			return []byte(text[:min(int64(len(text)), most)]), nil
		}}
}

// The pages of a vLLM 0.25 and an SGLang 0.5.15 on an H200, and of a Dynamo 1.6.1
// frontend.
func TestRealPages(t *testing.T) {
	for name, want := range map[string]map[Quantity]float64{
		"vllm-0.25": {Running: 0, Waiting: 0, KVUsage: 0, Preemptions: 0, PrefixHits: 0, PrefixQueries: 531476,
			PromptTokens: 531476, GeneratedTokens: 65792, Requests: 514},
		"sglang-0.5.15": {Running: 8, Waiting: 0, KVUsage: 0.02, Retracted: 0, AcceptRate: 0,
			PrefixHits: 1460623, PrefixQueries: 5577554,
			PromptTokens: 5577554, GeneratedTokens: 903855, Requests: 4827},
		"dynamo-1.6.1-frontend": {Running: 0, Waiting: 0, PrefixHits: 0, PrefixQueries: 138 + 13, PrefixReports: 20,
			PromptTokens: 138, GeneratedTokens: 17, Requests: 10},
	} {
		snap, err := page(real(t, name)).Scrape(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := map[Quantity]float64{}
		for _, x := range snap.Samples {
			if x.Part == "" {
				got[x.Quantity] += x.Value
			}
		}
		if name == "dynamo-1.6.1-frontend" {
			// Both the frontend and its router are there.
			want[PrefixQueries] = got[PrefixQueries]
			if !snap.Has(DynamoFrontend) || !snap.Has(DynamoRouter) || snap.Has(VLLM) {
				t.Errorf("%+v", snap)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

const vllmPage = `# HELP vllm:prefix_cache_hits_total x
# TYPE vllm:prefix_cache_hits_total counter
vllm:prefix_cache_hits_total{engine="0"} %d
vllm:prefix_cache_hits_total{engine="1"} 5
vllm:prefix_cache_queries_total{engine="0"} %d
vllm:num_requests_running 3
`

// By how much counters moved: of all series, those that came in the meantime too.
func TestSpan(t *testing.T) {
	before, after := fmt.Sprintf(vllmPage, 10, 100), fmt.Sprintf(vllmPage, 40, 200)
	after += `vllm:prefix_cache_queries_total{engine="2"} 20` + "\n"
	set := NewSet(page(before, after))
	moved, notes := set.Begin(t.Context()).End(t.Context())
	want := &record.ServerCounters{Sources: []record.ServerSource{{URL: "http://a", Engine: VLLM,
		Moved: map[string]float64{"prefix_hits": 30, "prefix_queries": 120}}}}
	if diff := cmp.Diff(want, moved); diff != "" || notes != nil || set.Notes() != nil {
		t.Errorf("%s, %q", diff, notes)
	}
}

// TensorRT-LLM counts blocks that it found and those that it did not.
func TestTensorRTLLM(t *testing.T) {
	const text = "trtllm_kv_cache_reused_blocks_total{model_name=\"m\"} %d\n" +
		"trtllm_kv_cache_missed_blocks_total{model_name=\"m\"} %d\n"
	set := NewSet(page(fmt.Sprintf(text, 1, 2), fmt.Sprintf(text, 11, 32)))
	moved, _ := set.Begin(t.Context()).End(t.Context())
	want := map[string]float64{"prefix_hits": 10, "prefix_queries": 40}
	if moved == nil || !maps.Equal(moved.Sources[0].Moved, want) {
		t.Errorf("%+v", moved)
	}
}

// A counter that went back, or went away, says nothing, and the others do.
func TestRestart(t *testing.T) {
	before := fmt.Sprintf(vllmPage, 40, 200)
	for name, after := range map[string]string{
		"back": fmt.Sprintf(vllmPage, 3, 300),
		"away": strings.Replace(fmt.Sprintf(vllmPage, 41, 300), `vllm:prefix_cache_hits_total{engine="1"}`, "x", 1),
	} {
		moved, notes := NewSet(page(before, after)).Begin(t.Context()).End(t.Context())
		want := map[string]float64{"prefix_queries": 100}
		if moved == nil || !maps.Equal(moved.Sources[0].Moved, want) || len(notes) != 1 {
			t.Errorf("%s: %+v, %q", name, moved, notes)
		}
	}
}

// Whatever a page is, there is a note and nothing else happens; a source that gave
// nothing is not asked again.
func TestHostilePages(t *testing.T) {
	many := &strings.Builder{}
	for i := range MostSamples + 1 {
		fmt.Fprintf(many, "vllm:num_requests_running{engine=\"%d\"} 1\n", i)
	}
	for name, text := range map[string]string{
		"empty": "", "html": "<html><body>404</body></html>", "json": `[{"iter":1}]`, "others": "up 1\n",
		"huge": strings.Repeat("x", MostBytes+2), "many": many.String(), "nul": "\x00\x00{",
		"broken":   "vllm:num_requests_running{engine=\"0 1\n",
		"no value": "vllm:num_requests_running\nvllm:num_requests_waiting{} x\n",
		"nonsense": "vllm:prefix_cache_hits_total NaN\nvllm:prefix_cache_queries_total -Inf\n" +
			"vllm:prompt_tokens_total -3\n",
	} {
		asked := 0
		s := page(text)
		fetch := s.Fetch
		s.Fetch = func(ctx context.Context, path string, most int64) ([]byte, error) {
			asked++
			return fetch(ctx, path, most)
		}
		set := NewSet(s)
		moved, notes := set.Begin(t.Context()).End(t.Context())
		why := set.Notes()
		again, _ := set.Begin(t.Context()).End(t.Context())
		if moved != nil || again != nil || notes != nil || len(why) != 1 || len(why[0]) > 400 || asked != 1 {
			t.Errorf("%s: %+v, %q, %.300q, asked %d times", name, moved, notes, why, asked)
		}
	}
}

// One that does not answer costs so much time and no more, however many there are;
// one that stops answering has counted until then, which is not known.
func TestSlowPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := Source{Name: "http://slow", Paths: []string{"/metrics", "/other"},
			Fetch: func(ctx context.Context, _ string, _ int64) ([]byte, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}}
		good := page(fmt.Sprintf(vllmPage, 1, 2))
		dies := good
		asked := 0
		dies.Name, dies.Fetch = "http://dies", func(ctx context.Context, path string, most int64) ([]byte, error) {
			if asked++; asked > 1 {
				return nil, errors.New("connection refused")
			}
			return good.Fetch(ctx, path, most)
		}
		set := NewSet(slow, slow, good, dies)
		moved, notes := set.Begin(t.Context()).End(t.Context())
		if why := set.Notes(); len(why) != 2 || !strings.Contains(why[0], "no answer within 2s") {
			t.Errorf("%q", why)
		}
		if moved == nil || len(moved.Sources) != 1 || len(notes) != 1 || !strings.Contains(notes[0], "http://dies") {
			t.Errorf("%+v, %q", moved, notes)
		}
	})
}

// An interrupt gives no source up.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := page(fmt.Sprintf(vllmPage, 1, 2))
	good := s.Fetch
	s.Fetch = func(ctx context.Context, path string, most int64) ([]byte, error) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return good(ctx, path, most)
	}
	set := NewSet(s)
	if moved, _ := set.Begin(ctx).End(ctx); moved != nil || set.Notes() != nil {
		t.Errorf("%+v", moved)
	}
	if !set.Serves(t.Context(), VLLM) {
		t.Error("the source was given up")
	}
}

// Any text is read, or refused, and never more than is bounded.
func FuzzPage(f *testing.F) {
	f.Add(fmt.Sprintf(vllmPage, 1, 2))
	f.Add("sglang:token_usage{a=\"\\\"}\"} 1 123 # {x=\"y\"} 3\n")
	f.Add("{\"vllm:num_requests_running\",a=\"b\"} 1\n")
	f.Add("vllm:prefix_cache_hits_total{eng")
	f.Fuzz(func(t *testing.T, text string) {
		samples, err := parse([]byte(text))
		if err != nil && samples != nil {
			t.Errorf("%v beside %+v", err, samples)
		}
		for _, x := range samples {
			if !(x.Value >= 0) || x.Series == "" {
				t.Errorf("%+v", x)
			}
		}
	})
}

func BenchmarkPage(b *testing.B) {
	var t testing.T
	text := []byte(real(&t, "vllm-0.25"))
	for b.Loop() {
		if _, err := parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

// A span has the sums and the counts of the server's own times.
func TestTimesOfASpan(t *testing.T) {
	for name, want := range map[string]map[string]float64{
		"vllm-0.25": {"ttft_sum_s": 545.8771035671234, "ttft_count": 514, "itl_sum_s": 1285.4530895851535,
			"itl_count": 65278, "queue_sum_s": 269.4639959449991, "queue_count": 514},
		"sglang-0.5.15": {"ttft_sum_s": 4085.5937958810046, "ttft_count": 4827, "itl_sum_s": 33772.30400596452,
			"itl_count": 899021, "queue_sum_s": 2123.5396561469865, "queue_count": 4828},
		"dynamo-1.6.1-frontend": {"ttft_sum_s": 0.18387456100000002, "ttft_count": 10, "itl_sum_s": 0.039808864,
			"itl_count": 7},
	} {
		after, err := page(real(t, name)).Scrape(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		list, _ := difference(Snapshot{}, after)
		for key, v := range want {
			if got := list[0].Moved[key]; math.Abs(got-v) > 1e-9*v {
				t.Errorf("%s: %s moved by %v, want %v", name, key, got, v)
			}
		}
	}
}
