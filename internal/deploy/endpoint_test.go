package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"headway/internal/cluster"
	"headway/internal/engine"
	"headway/internal/openai"
	"headway/internal/profile"
	"headway/record"
	"headway/workload"
)

var accuracy = flag.Bool("accuracy", false,
	"profile a simulated endpoint in real time at the size of docs/profiling.md and print the errors; takes minutes")

// curve is the simulated engine's truth: Dynamo's polynomials, with every
// decode step that was made kept.
type curve struct {
	capacity int // tokens of the KV cache

	mu    sync.Mutex
	total time.Duration // of steps that only decode
	steps int
}

func (c *curve) step(prefill, _, seqs, context int) time.Duration {
	d := engine.Polynomial{}.Prefill(prefill)
	if seqs == 0 {
		return d
	}
	each := engine.Polynomial{}.Decode(float64(context) / float64(c.capacity))
	if prefill == 0 {
		c.mu.Lock()
		c.total, c.steps = c.total+each, c.steps+1
		c.mu.Unlock()
	}
	return d + each
}

// visited is the mean time in seconds of the decode steps since the last call.
func (c *curve) visited() (float64, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	mean, known := c.total.Seconds()/float64(c.steps), c.steps > 0
	c.total, c.steps = 0, 0
	return mean, known
}

// watched is an engine whose truth is asked after each run.
type watched struct {
	profile.Subject
	truth *curve
	// itl is the mean step of each run that generated more than one token, by
	// prompt length and number of requests.
	itl map[[2]int][]float64
}

func (w *watched) Run(ctx context.Context, p profile.Part, sink record.Sink) (profile.Ran, error) {
	w.truth.visited()
	d, err := w.Subject.Run(ctx, p, sink)
	for r := range p.Source {
		if mean, known := w.truth.visited(); known && r.OutputTokens > 5 {
			at := [2]int{r.Prompt.Tokens, p.Requests}
			w.itl[at] = append(w.itl[at], mean)
		}
		break
	}
	return d, err
}

// virtual is an engine in virtual time whose caches last.
type virtual struct {
	facts   profile.Facts
	cluster *cluster.Standing
}

func (v *virtual) Facts() profile.Facts        { return v.facts }
func (v *virtual) Close(context.Context) error { return nil }
func (v *virtual) Run(ctx context.Context, p profile.Part, sink record.Sink) (profile.Ran, error) {
	_, o, err := v.cluster.Replay(ctx, p.Plan, sink)
	return profile.Ran{Span: time.Duration(o.End - o.Begin)}, err
}

const (
	blockTokens = 64
	blockCount  = 1024
)

func simulated(t *testing.T, caching bool) (cluster.Config, *curve) {
	t.Helper()
	truth := &curve{capacity: blockTokens * blockCount}
	c := cluster.Defaults()
	c.Frontend = 0
	c.Engine = engine.Config{Timing: engine.StepFunc(truth.step), BlockSize: blockTokens, NumGPUBlocks: blockCount,
		MaxNumSeqs: 2048, NoPrefixCaching: !caching}
	return c, truth
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// In virtual time, where nothing but the method can be wrong, TTFT is the
// engine's curve at every prompt length, and ITL the curve averaged over the
// shares of the cache that were visited.
func TestProfileInVirtualTime(t *testing.T) {
	t.Parallel()
	sweep := profile.Grid{MaxContext: 4096, Granularity: 4, Key: workload.Seed(5)}
	cfg, truth := simulated(t, false)
	standing, err := cluster.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	e := &virtual{facts: profile.Facts{GPUs: 1, KVTokens: truth.capacity}, cluster: standing}
	prefill, err := profile.MeasurePrefill(t.Context(), e, sweep)
	if err != nil {
		t.Fatal(err)
	}
	if len(prefill.Points) != 5 {
		t.Errorf("%d prompt lengths, want 5", len(prefill.Points))
	}
	for _, p := range prefill.Points {
		want := engine.Polynomial{}.Prefill(p.ISL).Seconds()
		if math.Abs(p.TTFT.Mean-want) > 1e-6 || p.TTFT.N != 3 || p.Wide || len(p.Warnings) > 0 || p.Cached != 0 {
			t.Errorf("%d tokens: TTFT %v s, want %v: %+v", p.ISL, p.TTFT.Mean, want, p)
		}
		if rate := float64(p.ISL) / want; math.Abs(p.Throughput.Mean-rate) > 1e-3*rate {
			t.Errorf("%d tokens: %v tokens/s, want %v", p.ISL, p.Throughput.Mean, rate)
		}
	}

	cfg, truth = simulated(t, true)
	if standing, err = cluster.Start(cfg); err != nil {
		t.Fatal(err)
	}
	w := &watched{Subject: &virtual{facts: profile.Facts{GPUs: 2, KVTokens: truth.capacity}, cluster: standing},
		truth: truth, itl: map[[2]int][]float64{}}
	decode, err := profile.MeasureDecode(t.Context(), w, sweep)
	if err != nil {
		t.Fatal(err)
	}
	if len(decode.Points) != 16 {
		t.Errorf("%d points, want 16", len(decode.Points))
	}
	for _, p := range decode.Points {
		want := mean(w.itl[[2]int{p.ISL, p.Requests}])
		if off := p.ITL.Mean/want - 1; !(math.Abs(off) < 0.02) {
			t.Errorf("%d requests of %d tokens: ITL %v s, want %v (%+.2f %%)", p.Requests, p.ISL, p.ITL.Mean, want,
				100*off)
		}
		// Tokens of all requests in the time of their steps; the first token
		// comes with the rest of the prompt.
		if rate := float64(p.Requests) / p.ITL.Mean / 2; !(math.Abs(p.Throughput.Mean/rate-1) < 0.05) {
			t.Errorf("%d requests of %d tokens: %v tokens/s/GPU, want about %v", p.Requests, p.ISL, p.Throughput.Mean,
				rate)
		}
		if p.KVUsage > 1 || p.Wide {
			t.Errorf("%+v", p)
		}
	}
}

// With several attention ranks that compute a prompt at a time, as the profiler
// sets them up, the burst's formula gives the time of one prompt, and throughput
// is that of all ranks.
func TestProfileRanksInVirtualTime(t *testing.T) {
	const ranks = 4
	cfg, _ := simulated(t, false)
	cfg.Workers, cfg.Engine.MaxNumSeqs = ranks, 1
	standing, err := cluster.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	e := &virtual{facts: profile.Facts{GPUs: ranks, AttentionDP: ranks}, cluster: standing}
	curve, err := profile.MeasurePrefill(t.Context(), e,
		profile.Grid{MaxContext: 4096, Granularity: 4, Key: workload.Seed(7)})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range curve.Points {
		want := engine.Polynomial{}.Prefill(p.ISL).Seconds()
		if off := p.TTFT.Mean/want - 1; !(math.Abs(off) < 0.005) {
			t.Errorf("%d tokens: TTFT %v s, want %v (%+.2f %%)", p.ISL, p.TTFT.Mean, want, 100*off)
		}
		if rate := float64(p.ISL) / p.TTFT.Mean; math.Abs(p.Throughput.Mean/rate-1) > 1e-9 {
			t.Errorf("%d tokens: %v tokens/s/GPU, want %v", p.ISL, p.Throughput.Mean, rate)
		}
	}
}

// serve starts a simulated endpoint and an engine over it. log is whole when
// stop has returned.
func serve(t *testing.T, cfg cluster.Config, facts profile.Facts) (e *Endpoint, log *bytes.Buffer, stop func()) {
	t.Helper()
	log = &bytes.Buffer{}
	srv, err := cluster.NewServer(cluster.ServerConfig{Cluster: &cfg, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		if err := srv.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	addr, err := srv.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e, err = NewEndpoint(EndpointConfig{Client: openai.Config{URLs: []string{"http://" + addr.String()},
		Models: []string{"simulated"}}, Facts: facts, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close(context.Background()) })
	return e, log, stop
}

// own is how much the server's log says that it took beside the engine: from
// the request's last byte to the queue, and from the token to its write; by
// prompt length, the mean in seconds over requests that are not the first.
func own(t *testing.T, log []byte, warmups int) map[int]float64 {
	t.Helper()
	all := map[int][]float64{}
	for line := range strings.Lines(string(log)) {
		var l struct {
			Received int64 `json:"received_ns"`
			Prompt   int   `json:"prompt_tokens"`
			Engine   struct {
				Submitted int64 `json:"submitted_ns"`
				First     int64 `json:"first_ns"`
			} `json:"engine"`
			Writes [][3]any `json:"writes"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		for _, w := range l.Writes {
			if w[0] == "token" {
				var before int64
				if _, err := fmt.Sscan(fmt.Sprintf("%.0f", w[1]), &before); err != nil {
					t.Fatal(err)
				}
				all[l.Prompt] = append(all[l.Prompt], float64(l.Engine.Submitted-l.Received+before-l.Engine.First)/1e9)
				break
			}
		}
	}
	out := map[int]float64{}
	for n, v := range all {
		out[n] = mean(v[min(warmups, len(v)-1):])
	}
	return out
}

// Over HTTP the same holds but for what the server and the machine take beside
// the engine, which the server's log tells. How much that is depends on what else
// the machine does: with -accuracy the errors are bounded and printed; without,
// every point is measured and no prompt is answered before its engine could.
func TestProfileOverHTTP(t *testing.T) {
	t.Parallel()
	sweep := profile.Grid{MaxContext: 1100, Granularity: 3, Repeats: 2, MostRepeats: 2, ReplyTokens: 80,
		Key: workload.Seed(6)}
	if *accuracy {
		sweep = profile.Grid{MaxContext: 4096, Granularity: 4, Key: workload.Seed(6)}
	}
	cfg, _ := simulated(t, false)
	e, log, stop := serve(t, cfg, profile.Facts{})
	prefill, err := profile.MeasurePrefill(t.Context(), e, sweep)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	beside := own(t, log.Bytes(), 3)
	if len(prefill.Points) < 2 {
		t.Errorf("prefill: %+v", prefill.Points)
	}
	for _, p := range prefill.Points {
		want := engine.Polynomial{}.Prefill(p.ISL).Seconds()
		off := p.TTFT.Mean - want - beside[p.ISL]
		if *accuracy {
			fmt.Printf("| %d | %.2f | %.2f | %+.2f | %.2f | %+.2f |\n", p.ISL, 1e3*want, 1e3*p.TTFT.Mean,
				1e3*(p.TTFT.Mean-want), 1e3*beside[p.ISL], 1e3*off)
		}
		if p.TTFT.Mean < want || *accuracy && !(math.Abs(off) < max(0.02*want, 0.5e-3)) {
			t.Errorf("%d tokens: TTFT %v s, the curve says %v and the log %v beside it", p.ISL, p.TTFT.Mean, want,
				beside[p.ISL])
		}
	}

	if !*accuracy {
		sweep.Granularity, sweep.MaxContext = 2, 900
	}
	cfg, truth := simulated(t, true)
	e, _, _ = serve(t, cfg, profile.Facts{KVTokens: truth.capacity / 8})
	if *accuracy {
		e, _, _ = serve(t, cfg, profile.Facts{KVTokens: truth.capacity})
	}
	w := &watched{Subject: e, truth: truth, itl: map[[2]int][]float64{}}
	decode, err := profile.MeasureDecode(t.Context(), w, sweep)
	if err != nil {
		t.Fatal(err)
	}
	if len(decode.Points) < 2 {
		t.Errorf("decode: %+v", decode.Points)
	}
	for _, p := range decode.Points {
		want := mean(w.itl[[2]int{p.ISL, p.Requests}])
		if *accuracy {
			fmt.Printf("| %.0f | %d | %.1f | %.3f | %.3f | %+.2f |\n", p.Context, p.Requests, 100*p.KVUsage, 1e3*want,
				1e3*p.ITL.Mean, 100*(p.ITL.Mean/want-1))
		}
		if !(p.ITL.Mean > 0) || *accuracy && !(math.Abs(p.ITL.Mean-want) < 0.02*want) {
			t.Errorf("%d requests of %d tokens: ITL %v s, want %v", p.Requests, p.ISL, p.ITL.Mean, want)
		}
	}
}

type sinkFunc func(*record.Record) error

func (f sinkFunc) Take(r *record.Record) error { return f(r) }
