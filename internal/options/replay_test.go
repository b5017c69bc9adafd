package options

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headway/internal/router"
	"headway/record"
)

// usual are options as the command line has them where nothing is given.
func usual() Replay {
	r := Replay{Model: "m", ISL: 550, Regret: true}
	r.BatchSize = 1
	r.DelayRatio = 1
	r.Speedup = 1
	r.OutputScale = 1
	r.BlockTokens = 512
	r.Spread = "none"
	r.Pattern, r.Grace = "poisson", Seconds(30e9)
	r.Worker = Worker{
		Engine: "vllm", ModelLen: 131072, Watermark: 0.01, Order: "fcfs",
		SGPrefill: 16384, SGClip: 4096, SGConserv: 1, Prefix: true, Chunked: true,
	}
	r.DecodeUp, r.PP, r.GPU = 1, 1, "h200_sxm"
	r.Cluster.Speed.Speedup, r.Bandwidth, r.Transfer = 1, 64, "destination_missing"
	r.Routing = Routing{
		Credit: 1, HostCredit: 0.75, DiskCredit: 0.25, PrefillScale: 1, KVEvents: true, TTL: Seconds(120e9),
		MaxTree: 1 << 20,
		Prune:   0.8, TrackActive: true, AssumeReuse: true, TrackPrefill: true, QueuePolicy: "fcfs",
	}
	return r
}

// Every fault is said, by field.
func TestReplayFaults(t *testing.T) {
	r := usual()
	r.TraceFile = "a"
	r.InputFile = "b"
	r.Overwrite = true
	r.NumGPUs = -1
	r.WarmCount = 3
	none := 0
	r.MaxSeqs = &none
	_, err := r.Settings(nil, 1)
	if err == nil {
		t.Fatal("no fault")
	}
	for _, want := range []string{"trace and input-file: give one", "overwrite: has no effect without artifact-dir",
		"num-gpus -1",
		"warmup-…: a replay begins with empty caches", "max-num-seqs 0"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in\n%v", want, err)
		}
	}
}

// A trace sets the pace; a closed loop has a concurrency, in the header and in the
// metrics.
func TestReplayMake(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.jsonl")
	row := `{"timestamp": 0, "input_length": 200, "output_length": 20, "hash_ids": [1]}` + "\n"
	if err := os.WriteFile(path, []byte(row), 0o600); err != nil {
		t.Fatal(err)
	}
	fixed, loop := usual(), usual()
	fixed.TraceFile, loop.Concurrency = path, Given(4)
	for _, c := range []struct {
		r        Replay
		arrivals string
		sessions int
	}{{fixed, "fixed_schedule", 0}, {loop, "concurrency_burst", 4}} {
		s, err := c.r.Settings(nil, 1)
		if err != nil {
			t.Fatal(err)
		}
		var h record.Header
		if _, err := s.Make(&h); err != nil {
			t.Fatal(err)
		}
		if h.Arrivals != c.arrivals || h.Concurrency != c.sessions || s.Metrics.Concurrency != c.sessions {
			t.Errorf("%s: %+v, %+v", c.arrivals, h, s.Metrics)
		}
	}
}

// A queue threshold of 0 is Dynamo's most sensitive queue; none is no queue.
func TestQueueThreshold(t *testing.T) {
	number := func(x float64) *float64 { return &x }
	for _, c := range []struct {
		given *float64
		want  float64
	}{{nil, 0}, {number(0), router.AnyPrefill}, {number(16), 16}, {number(-1), -1}} {
		f := Routing{Threshold: c.given}
		if got := f.threshold(); got != c.want {
			t.Errorf("%g, want %g", got, c.want)
		}
	}
}
