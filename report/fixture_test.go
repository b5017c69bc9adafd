package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headway/metric"
	"headway/record"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// golden compares with testdata/name, or writes it with -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s differs (-update rewrites it):\n%s", path, d)
	}
}

const (
	millisecond = 1_000_000
	second      = 1000 * millisecond
)

var origin = time.Date(2026, 11, 23, 15, 20, 30, 336090614, time.FixedZone("", 3600))

// made is a run as a generator would record it: c slots, n requests, a server
// that takes longer the more are in flight. The same arguments give the same
// Records.
type made struct {
	c, n     int
	failures bool
	warmup   bool
	seed     uint64
	gpus     int
	repeat   int
	sim      bool
}

func (m made) header() record.Header {
	return record.Header{
		Version: "0.1.0", ID: fmt.Sprintf("bench-c%d", m.c), Origin: origin,
		Config:  json.RawMessage(fmt.Sprintf(`{"concurrency":%d,"isl":2000,"api_key":"sk-0123456789abcdef","objective":["time_to_first_token p99 < 60"]}`, m.c)),
		Command: "headway run --concurrency 4 --api-key sk-0123456789abcdef -u 'http://bob:hunter22@gpu:8000'",
		Model:   "Qwen/Qwen3-0.6B", URL: "http://bob:hunter22@gpu:8000", Endpoint: "chat", Streaming: true,
		Simulated: m.sim, Concurrency: m.c, Arrivals: "concurrency", NumGPUs: m.gpus, Seed: 7, Repeat: m.repeat,
		Tokenizer: record.Tokenizer{Name: "builtin", Fingerprint: "o200k-1", Fallback: true},
		Machine:   record.Machine{OS: "linux", Arch: "amd64", CPUs: 2, Go: "go1.26.8"},
	}
}

func (m made) records() []*record.Record {
	rng := rand.New(rand.NewPCG(m.seed, uint64(m.c)))
	var all []*record.Record
	free := make([]record.Time, m.c)
	for i := range free {
		free[i] = 1
	}
	for i := range m.n {
		slot := 0
		for s, t := range free {
			if t < free[slot] {
				slot = s
			}
		}
		r := m.record(i, free[slot], rng)
		free[slot] = r.Done + 50_000
		all = append(all, r)
	}
	if m.warmup {
		for i := range 3 {
			r := m.record(i, 1, rng)
			r.Warmup = true
			all = append(all, r)
		}
	}
	return append(all, &record.Record{Index: m.n, Planned: 1, Outcome: record.Dropped, TokensIn: -1, TokensOut: -1})
}

func (m made) record(i int, at record.Time, rng *rand.Rand) *record.Record {
	jitter := func(mean, share float64) record.Time {
		return record.Time(mean * (1 - share + 2*share*rng.Float64()))
	}
	r := &record.Record{
		Index: i, Session: fmt.Sprintf("session_%06d", i), RequestID: fmt.Sprintf("req-%d", i), CorrelationID: fmt.Sprintf("corr-%d", i),
		URL: "http://gpu:8000/v1/chat/completions", Planned: at, Start: at + jitter(40_000, 0.5),
		WantIn: 50, WantOut: 12, TokensIn: 50, TokensOut: -1, TokensReasoning: -1, Streamed: true,
	}
	r.HTTP = record.HTTP{GotConn: r.Start + 20_000, HeadersSent: r.Start + 90_000, Reused: i >= m.c, BytesSent: 365, Status: 200, Remote: "10.0.0.5:8000"}
	if i < m.c {
		r.HTTP.ConnectStart, r.HTTP.ConnectDone, r.HTTP.GotConn = r.Start+5_000, r.Start+55_000, r.Start+60_000
	}
	r.Sent = r.Start + 100_000
	if m.failures && i%11 == 10 {
		r.HTTP.Status, r.Streamed = 500, false
		r.Outcome, r.Done = record.Failed, r.Sent+jitter(3*millisecond, 0.3)
		r.Failure = &record.Failure{Class: record.ClassHTTP5, Code: 500, Type: "Internal Server Error", Message: `{"error": "boom, \"quoted\"", "token": "hunter22-abc"}`}
		return r
	}
	r.Outcome = record.OK
	load := 1 + float64(m.c)/16
	r.Ack = r.Sent + jitter(2*millisecond, 0.3)
	r.HTTP.FirstByte, r.HTTP.FirstBody = r.Ack, r.Ack
	t := r.Start + jitter(20*millisecond*load, 0.2)
	r.HTTP.FirstBody = t
	for range 12 {
		r.Arrivals = append(r.Arrivals, record.Arrival{At: t, Kind: record.Content, Tokens: 1, Bytes: 5})
		t += jitter(5*millisecond*load, 0.2)
	}
	r.TokensOut, r.TokensReasoning = 12, 0
	r.Usage = map[string]int{"prompt_tokens": 59, "completion_tokens": 12, "total_tokens": 71}
	r.Arrivals = append(r.Arrivals, record.Arrival{At: t, Kind: record.Usage})
	r.Done, r.HTTP.End, r.HTTP.BytesReceived, r.HTTP.Chunks = t, t, 1492, 13
	return r
}

func (m made) options(t testing.TB) metric.Options {
	o := metric.Options{Clock: record.ClockAt(origin), Concurrency: m.c, Streaming: true, NumGPUs: m.gpus}
	for _, text := range []string{"time_to_first_token p99 < 60ms", "inter_token_latency avg < 2ms"} {
		obj, err := metric.ParseObjective(text)
		if err != nil {
			t.Fatal(err)
		}
		o.Objectives = append(o.Objectives, obj)
	}
	return o
}

func (m made) report(t testing.TB) *Report {
	t.Helper()
	c := metric.NewCollector(m.options(t))
	run := record.Run{Header: m.header(), Trailer: record.Trailer{Begin: 1}}
	for _, r := range m.records() {
		if err := c.Take(r); err != nil {
			t.Fatal(err)
		}
		if !r.Warmup {
			run.End = max(run.End, r.Done)
		}
	}
	return &Report{Run: run, Result: c.Result(), Secrets: NewRedactor("sk-0123456789abcdef")}
}

func render(t testing.TB, write func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
