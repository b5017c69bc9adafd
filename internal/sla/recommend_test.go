package sla

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"headway/internal/deploy/dgd"
	"headway/internal/model"
	"headway/internal/options/profiling"
	"headway/internal/profile"
	"headway/report"
)

// written is a file of a search's folder; "" where there is none.
func written(t *testing.T, c Config, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(c.Search.Dir, name))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(data)
}

// searched is a search that came to its end.
func searched(t *testing.T, c Config) *Search {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Run(t.Context(), c.bench()); err != nil {
		t.Fatal(err)
	}
	return s
}

// of is the search with another deployment.
func (c Config) of(t *testing.T, backend, manifest string) Config {
	t.Helper()
	from := Source{Backend: backend, Manifest: manifest, Model: dgd.Model{Path: "qwen3-32b"}}
	served, err := from.Read()
	if err != nil {
		t.Fatal(err)
	}
	c.Served, c.Search.Dir = served, t.TempDir()
	return c
}

// The recommended deployment has the workers that were found, with the limits they
// were measured with, on every backend.
func TestRecommendedFile(t *testing.T) {
	limits := map[string][]string{
		dgd.VLLM: {`--max-num-seqs
            - "1"
            - --max-num-batched-tokens
            - "32768"`, `--max-num-seqs
            - "2048"
            - --max-num-batched-tokens
            - "8192"`, `--max-model-len
            - "4096"`},
		dgd.SGLang: {`--max-running-requests
            - "1"
            - --chunked-prefill-size
            - "32768"`, `--max-running-requests
            - "2048"
            - --chunked-prefill-size
            - "8192"`, `--context-length
            - "4096"`},
		dgd.TRTLLM: {`"max_batch_size":1,"max_num_tokens":32768,"max_seq_len":4096`,
			`"max_batch_size":2048,"max_num_tokens":8192,"max_seq_len":4096`},
	}
	for _, backend := range dgd.Backends() {
		t.Run(backend, func(t *testing.T) {
			c := small(t).of(t, backend, "")
			c.Curves, c.Demand.RequestRate = false, 40
			s := searched(t, c)
			got := written(t, c, RecommendedName)
			for _, want := range limits[backend] {
				if !strings.Contains(got, want) {
					t.Errorf("no %s in\n%s", want, got)
				}
			}
			doc, err := dgd.Read([]byte(got))
			if err != nil {
				t.Fatal(err)
			}
			if n := replicas(doc, "prefill"); n != int64(s.best.Prefill.Workers) || n < 2 {
				t.Errorf("%d prefill workers of %d", n, s.best.Prefill.Workers)
			}
			if n := replicas(doc, "decode"); n != int64(s.best.Decode.Workers) {
				t.Errorf("%d decode workers of %d", n, s.best.Decode.Workers)
			}
			if strings.Contains(got, "planner") {
				t.Errorf("it has a planner:\n%s", got)
			}
		})
	}
}

// replicas is how many there are of a service in v1alpha1.
func replicas(d *dgd.Document, service string) int64 {
	spec := d.Object()["spec"].(map[string]any)
	one, _ := spec["services"].(map[string]any)[service].(map[string]any)
	n, _ := one["replicas"].(int64)
	return n
}

// Workers that do both halves are recommended where they are better; their file is
// an aggregated deployment, of whatever it was made.
func TestAggregatedIsRecommended(t *testing.T) {
	aggregated := filepath.Join("..", "deploy", "dgd", "testdata", "in", "vllm-agg-v1beta1.yaml")
	for _, manifest := range []string{"", aggregated} {
		c := small(t).of(t, dgd.VLLM, manifest)
		c.Curves, c.Aggregated = false, true
		c.Demand.TotalGPUs = 1 // on which no pair fits
		s := searched(t, c)
		got := written(t, c, RecommendedName)
		doc, err := dgd.Read([]byte(got))
		if err != nil || !doc.Aggregated(dgd.VLLM) || !strings.Contains(got, "1× worker TP=1") {
			t.Errorf("%v: %s", err, got)
		}
		r := s.Result().Recommended
		if r == nil || r.Kind != aggregatedKind || r.Why != "there is no disaggregated one" {
			t.Errorf("%+v", r)
		}
		base := map[bool]string{true: "disagg_config.yaml", false: "agg_config.yaml"}[manifest == ""]
		if planner := written(t, c, plannerName); written(t, c, base) == "" || !strings.Contains(planner, "prefill") {
			t.Errorf("%s or the two workers for the planner are missing", base)
		}
	}
}

// Without pools there is no such file, not even that of an earlier call for another
// load; what was written says so.
func TestNothingRecommended(t *testing.T) {
	c := small(t)
	c.Curves, c.Search.SLO.TTFT, c.Demand.TotalGPUs = false, .001, 8
	searched(t, c)
	if got := written(t, c, RecommendedName); !strings.Contains(got, "a target is missed") {
		t.Errorf("sized by GPUs it is %s", got)
	}
	c.Demand.TotalGPUs, c.Search.Resume = 0, true
	s := searched(t, c)
	if got := written(t, c, RecommendedName); got != "" || s.Result().Recommended != nil {
		t.Errorf("there is\n%s\n%+v", got, s.Result().Recommended)
	}
	if said := status(t, c.Search.Dir); !strings.Contains(said, "nothing to recommend; picked: prefill TP=") {
		t.Errorf("the status is %s", said)
	}
}

// Where pools have other workers than the picks, it is said what the picks would
// have come to.
func TestUnlikePicks(t *testing.T) {
	pick := func(p profile.Phase, size, gpus int, rate float64) *profile.Pick {
		return &profile.Pick{Phase: p, Mapping: model.Mapping{Kind: model.TP, Size: size}, GPUs: gpus, Met: true,
			Trial: profile.Trial{Concurrency: 1, TTFT: profile.Figure{Mean: .05, N: 1},
				ITL: profile.Figure{Mean: .01, N: 1}, Throughput: profile.Figure{Mean: rate, N: 1}}}
	}
	c := small(t)
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	s.found.Result.Prefill.Pick = pick(profile.Prefill, 2, 2, 4000)
	s.found.Result.Decode.Pick = pick(profile.Decode, 4, 4, 900)
	s.best = &profile.Deployment{GPUs: 6, Served: 12, Per1000Requests: 1, Met: true,
		Prefill: &profile.Pool{Mapping: "TP=2", Workers: 1}, Decode: &profile.Pool{Mapping: "TP=1", Workers: 4}}
	r := s.recommend()
	if len(r.Unlike) != 1 || !strings.HasPrefix(r.Unlike[0], "decode TP=1 in its pool, though TP=4 was picked for the "+
		"phase alone: pools of the picks would be 4× prefill TP=2, 1× decode TP=4, ") {
		t.Errorf("%q", r.Unlike)
	}
	s.Demand.TotalGPUs = 5
	if r := s.recommend(); len(r.Unlike) != 1 || !strings.HasSuffix(r.Unlike[0], "does not fit <total-gpus> 5") {
		t.Errorf("%q", r.Unlike)
	}
	s.advice = s.recommend()
	s.files = []File{{RecommendedName, "the deployment to take"}}
	text := shown(t, (Result{Recommended: s.advice, Files: s.files}).Document(s.Name), report.ConsoleOptions{})
	for _, want := range []string{
		"recommended: disaggregated: aggregated workers were not measured\n  decode TP=1 in its pool",
		"configurations:\n  recommended_config.yaml: the deployment to take\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// In a cluster the limits are the candidates', and on this host the engine's own.
func TestLimits(t *testing.T) {
	c := small(t)
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	m := model.Mapping{Kind: model.TP, Size: 1}
	for on, want := range map[string]dgd.Limits{
		"sim":     {Sequences: 1, Tokens: 32768, Context: 4096},
		"kube":    {AsCandidate: true},
		"process": {Context: 4096},
	} {
		s.On, s.Simulated = on, on == "sim"
		if got := s.limits(profile.Prefill, m); got != want {
			t.Errorf("%s: %+v, want %+v", on, got, want)
		}
	}
}

// picky is a bench on which some candidates do not start.
type picky struct {
	profile.Bench
	why func(profile.Candidate) error
}

func (p picky) Open(ctx context.Context, c profile.Candidate) (profile.Subject, error) {
	if err := p.why(c); err != nil {
		return nil, err
	}
	return p.Bench.Open(ctx, c)
}

// What a worker that does both halves came to is kept, and is not measured again.
func TestAggregatedIsKept(t *testing.T) {
	c := small(t)
	c.Curves, c.Aggregated = false, true
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	dies := func(c profile.Candidate) error {
		if c.Phase == profile.Aggregated && c.Mapping.Size == 1 {
			return &profile.DeadError{Reason: profile.ReasonMemory, Message: "too large"}
		}
		return nil
	}
	if _, err := s.Run(t.Context(), picky{c.bench(), dies}); err != nil {
		t.Fatal(err)
	}
	first := s.Result().AggTrials
	if len(first) != 2 || first[0].Problem != "out-of-memory: too large" || len(first[1].Trials) == 0 ||
		first[1].GPUMinutes <= 0 {
		t.Fatalf("%+v", first)
	}
	if s.whole == nil || s.whole.Aggregated.Mapping != "TP=2" {
		t.Errorf("%+v", s.whole)
	}
	c.Search.Resume = true
	if s, err = New(c); err != nil {
		t.Fatal(err)
	}
	again := picky{c.bench(), func(c profile.Candidate) error { return fmt.Errorf("%s is started again", c.Tag()) }}
	if _, err := s.Run(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(first, s.Result().AggTrials); d != "" {
		t.Errorf("resumed it is another (-first +again):\n%s", d)
	}
}

// Real engines measure such workers for who asks, by name or by what is deployed.
func TestWhoAsksForAggregated(t *testing.T) {
	whole := filepath.Join("..", "deploy", "dgd", "testdata", "in", "vllm-agg-v1beta1.yaml")
	yes, no := true, false
	for _, c := range []struct {
		on, manifest string
		asked        *bool
		want         bool
	}{
		{"sim", "", nil, true}, {"sim", "", &no, false},
		{"kube", "", nil, false}, {"kube", "", &yes, true},
		{"process", whole, nil, true}, {"process", whole, &no, false},
	} {
		q := Asked{SLA: &profiling.SLA{}}
		q.On, q.Aggregated = c.on, c.asked
		if got := q.config(small(t).of(t, dgd.VLLM, c.manifest).Served, profile.Search{}).Aggregated; got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// A plan counts what such workers cost on real engines.
func TestPlanCountsAggregated(t *testing.T) {
	c := small(t)
	for _, simulated := range []bool{true, false} {
		c.Aggregated, c.Simulated = true, simulated
		s, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := s.Plan(t.Context(), c.bench())
		if err != nil {
			t.Fatal(err)
		}
		text := shown(t, plan, report.ConsoleOptions{})
		if strings.Contains(text, "aggregated workers (<compare-aggregated>): about ") == simulated {
			t.Errorf("simulated %v:\n%s", simulated, text)
		}
	}
}
