package cluster

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"headway/internal/router"
	"headway/record"
	"headway/workload"
)

// sharedTrace is the recorded hour of docs/simulation.md; what needs it is
// skipped where it is not there.
const sharedTrace = "../../../shared/data/mooncake_conversation_trace.jsonl"

// counted is a Sink that keeps nothing.
type counted struct{ requests, answered int }

func (k *counted) Take(r *record.Record) error {
	k.requests++
	if r.Outcome == record.OK {
		k.answered++
	}
	return nil
}

// BenchmarkReplayTrace replays the whole conversation trace, reading the file
// included, and reports the largest heap seen.
func BenchmarkReplayTrace(b *testing.B) {
	if _, err := os.Stat(sharedTrace); err != nil {
		b.Skip("the shared trace is not here")
	}
	for _, v := range []struct {
		name    string
		workers int
		speedup float64
		mode    router.Mode
	}{
		{"8 workers kv", 8, 1, router.KV},
		{"64 workers kv 8x", 64, 8, router.KV},
		{"8 workers round-robin", 8, 1, router.RoundRobin},
	} {
		b.Run(v.name, func(b *testing.B) {
			c := Defaults()
			c.Workers, c.Router.Mode, c.TokenArrivals = v.workers, v.mode, false
			began := processorTime(b)
			for b.Loop() {
				d, err := workload.ReadFile(sharedTrace, workload.ReadOptions{})
				if err != nil {
					b.Fatal(err)
				}
				src, err := d.Fixed(workload.Window{Speedup: v.speedup}, workload.Seed(1))
				if err != nil {
					b.Fatal(err)
				}
				replayCounted(b, c, workload.Plan{Source: src}, 12031)
			}
			reportCost(b, began, 12031)
		})
	}
}

// BenchmarkReplaySynthetic shows that the cost of a request does not depend on
// how many there are, and that memory does not grow with them.
func BenchmarkReplaySynthetic(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("%d requests", n), func(b *testing.B) {
			c := Defaults()
			c.Workers, c.Router.Mode, c.TokenArrivals = 8, router.KV, false
			began := processorTime(b)
			for b.Loop() {
				s := workload.Synthetic{Key: workload.Seed(1), Requests: n, ISL: workload.Length{Mean: 1000},
					OSL:        workload.Length{Mean: 100},
					PrefixPool: 50, PrefixTokens: 1000,
					Arrivals: workload.Arrivals{Pattern: workload.Poisson, Rate: 100}}
				replayCounted(b, c, workload.Plan{Source: s.Source()}, n)
			}
			reportCost(b, began, n)
		})
	}
}

func replayCounted(b *testing.B, c Config, p workload.Plan, n int) {
	b.Helper()
	var k counted
	if _, _, err := Replay(b.Context(), c, p, &k); err != nil || k.answered != n {
		b.Fatalf("%d of %d answered, %v", k.answered, n, err)
	}
}

// reportCost tells the processor time, which other programs lengthen less than
// the wall's, and what the process had from the system, which is at least the
// largest heap that there was.
func reportCost(b *testing.B, began time.Duration, requests int) {
	used := (processorTime(b) - began).Seconds() / float64(b.N)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(used, "cpu-s/op")
	b.ReportMetric(used*1e6/float64(requests), "cpu-µs/request")
	b.ReportMetric(float64(m.Sys)/1e6, "MB-from-system")
}
