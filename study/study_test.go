package study_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headway/endpoint"
	"headway/metric"
	"headway/report"
	"headway/study"
	"headway/workload"
)

func open(t *testing.T, c endpoint.Config) *endpoint.Endpoint {
	t.Helper()
	c.Model, c.Tokenizer = "qwen3", endpoint.BuiltinTokenizer
	if c.URLs == nil {
		url, stop := simulated()
		t.Cleanup(stop)
		c.URLs = []string{url}
	}
	e, err := endpoint.Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func few(key workload.Key) workload.Source {
	s := workload.Synthetic{Key: key, Requests: 4}
	s.ISL, s.OSL = workload.Length{Mean: 20}, workload.Length{Mean: 2}
	return s.Source()
}

// one and two are plans of requests in flight.
var (
	one = workload.Plan{Source: few(1), Concurrency: 1}
	two = workload.Plan{Source: few(1), Concurrency: 2}
)

// A measurement has what the command's has: a verdict on the client, token counts, the
// machine, and with a folder the same files.
func TestMeasureKeepsFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	o := study.Options{Dir: dir, GPUs: 2, Seed: 3}
	rep, err := study.Measure(context.Background(), open(t, endpoint.Config{}), two, o)
	if err != nil {
		t.Fatal(err)
	}
	h := rep.Run.Header
	if rep.Run.Audit == nil || rep.Result.OK != 4 || h.NumGPUs != 2 || h.Seed != 3 || h.ID == "" ||
		h.Machine.CPUs == 0 {
		t.Errorf("%+v", rep.Run)
	}
	names := report.FileNames("")
	for _, name := range []string{names.JSON, names.CSV, names.Console, names.Records, names.JSONL, "schedule.jsonl"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if l, err := report.Load(filepath.Join(dir, names.JSON)); err != nil || l.GPUs != 2 {
		t.Errorf("read back: %+v, %v", l, err)
	}
}

// A server that answers nothing is an error with the cause, and the report has the
// failures.
func TestMeasureWithoutReply(t *testing.T) {
	e := open(t, endpoint.Config{URLs: []string{"http://127.0.0.1:1"}})
	rep, err := study.Measure(context.Background(), e, one, study.Options{})
	if err == nil || !strings.Contains(err.Error(), "every request failed") || strings.Contains(err.Error(), "--") {
		t.Errorf("nobody listens: %v", err)
	}
	if rep == nil || rep.Result.Failed != 4 {
		t.Errorf("%+v", rep)
	}
}

// Whose tokens count is said by the endpoint where that takes the server's.
func TestTokenCounts(t *testing.T) {
	for _, c := range []struct {
		server bool
		tokens metric.TokenSource
		want   string
	}{{false, metric.TokensClient, "client"}, {false, metric.TokensAuto, "server"}, {true, metric.TokensClient,
		"server"}} {
		e := open(t, endpoint.Config{ServerTokens: c.server})
		rep, err := study.Measure(context.Background(), e, one, study.Options{Tokens: c.tokens})
		if err != nil || rep.Run.CountedBy != c.want {
			t.Errorf("%+v: counted by %q, %v", c, rep.Run.CountedBy, err)
		}
	}
	o := study.Options{Tokens: metric.TokensServer}
	if _, err := study.Measure(context.Background(), open(t, endpoint.Config{}), one, o); err == nil {
		t.Error("the server's counts, of an endpoint that does not take them")
	}
}

// What an ended context left is reported.
func TestMeasureEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	rep, err := study.Measure(ctx, open(t, endpoint.Config{}), one, study.Options{})
	if rep != nil && rep.Complete() || rep == nil && err == nil {
		t.Errorf("%+v, %v", rep, err)
	}
}

func TestSweepKeepsResults(t *testing.T) {
	e, dir := open(t, endpoint.Config{}), t.TempDir()
	plan := func(_ int, key workload.Key) workload.Plan { return workload.Plan{Source: few(key)} }
	sweep := func(overwrite bool) error {
		levels, err := study.Sweep(context.Background(), e, []int{1, 2}, plan,
			study.Options{Dir: dir, Overwrite: overwrite})
		if err == nil && len(levels) != 2 {
			t.Errorf("%d levels", len(levels))
		}
		return err
	}
	if err := sweep(false); err != nil {
		t.Fatal(err)
	}
	found, warnings, err := report.Tree(dir, nil)
	if err != nil || len(warnings) > 0 || len(found) != 1 || len(found[0].Points) != 2 {
		t.Errorf("read back: %+v %v %v", found, warnings, err)
	}
	if err := sweep(false); !errors.Is(err, study.ErrHasResults) || strings.Contains(err.Error(), "--") {
		t.Errorf("a second sweep: %v", err)
	}
	if err := sweep(true); err != nil {
		t.Error(err)
	}
	_, err = study.Sweep(context.Background(), e, []int{0}, plan, study.Options{})
	if err == nil || !strings.Contains(err.Error(), "concurrency 0") {
		t.Errorf("no requests in flight: %v", err)
	}
}

// The same plan, cluster and seed give the same bytes.
func TestSimulateIsDeterministic(t *testing.T) {
	var first []byte
	for range 2 {
		c := study.Cluster{Workers: 2, TTFT: 1e8, ITL: 1e7}
		rep, err := study.Simulate(context.Background(), c, two, study.Options{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := rep.WriteJSON(&b); err != nil {
			t.Fatal(err)
		}
		if first != nil && !bytes.Equal(first, b.Bytes()) {
			t.Errorf("two results:\n%s\n%s", first, b.Bytes())
		}
		first = b.Bytes()
	}
}

func TestFaults(t *testing.T) {
	broken := func(yield func(workload.Request, error) bool) { yield(workload.Request{}, errors.New("no trace")) }
	empty := iter.Seq2[workload.Request, error](func(func(workload.Request, error) bool) {})
	long := workload.Synthetic{Requests: 2, ISL: workload.Length{Mean: 5000}}.Source()
	for want, c := range map[string]struct {
		cluster study.Cluster
		plan    workload.Plan
	}{
		"Plan.Source: there is none":          {plan: workload.Plan{}},
		"Plan.Source: no trace":               {plan: workload.Plan{Source: broken, Concurrency: 1}},
		"Plan.Source: it has no request":      {plan: workload.Plan{Source: empty, Concurrency: 1}},
		"Plan.Concurrency 0":                  {plan: workload.Plan{Source: few(1)}},
		"Plan.Duration":                       {plan: workload.Plan{Source: few(1), Concurrency: 1, Endless: true}},
		"Cluster.Router: ":                    {study.Cluster{Router: "best"}, one},
		"Cluster.Model: ":                     {study.Cluster{Model: "gpt-99", GPU: "h100"}, one},
		"Cluster.GPU: ":                       {study.Cluster{Model: "qwen3-32b", GPU: "abacus"}, one},
		"they need Cluster.Model":             {study.Cluster{GPU: "h100"}, one},
		"Cluster.Batch -1":                    {study.Cluster{Batch: -1}, one},
		"raise Cluster.Blocks":                {study.Cluster{Blocks: 10}, workload.Plan{Source: long, Concurrency: 1}},
		"Cluster.TTFT 1ns, Cluster.ITL 0s: C": {study.Cluster{Model: "qwen3-32b", GPU: "h100", TTFT: 1}, one},
	} {
		_, err := study.Simulate(context.Background(), c.cluster, c.plan, study.Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in: %v", want, err)
		}
	}
}

// Figures of a simulation are marked as simulated.
func TestSimulatedSaysSo(t *testing.T) {
	rep, err := study.Simulate(context.Background(), study.Cluster{}, one, study.Options{Dir: t.TempDir()})
	if err != nil || !rep.Run.Simulated || rep.Run.Cluster == nil || rep.Run.Audit != nil {
		t.Errorf("%+v, %v", rep, err)
	}
}
