package engine

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkStep measures the engine's own work in virtual time, 250 sequences
// at a time, and reports steps and tokens per second of real time.
func BenchmarkStep(b *testing.B) {
	fixed := Fixed{TTFT: 20 * time.Millisecond, ITL: 5 * time.Millisecond}
	for _, v := range []struct {
		name string
		cfg  Config
	}{
		{"every token", Config{}},
		{"skip tokens", Config{SkipTokens: true}},
		{"skip tokens, sglang", Config{SkipTokens: true, Type: SGLang}},
		{"fixed", Config{Timing: fixed}},
		{"fixed, skip tokens", Config{Timing: fixed, SkipTokens: true}},
	} {
		b.Run(v.name, func(b *testing.B) {
			e := newEngine(b, v.cfg)
			var id uint64
			var now time.Duration
			b.ReportAllocs()
			for b.Loop() {
				for s := e.Stats(); s.Running+s.Waiting < 250; s.Waiting++ {
					id++
					if err := e.Submit(now, Request{ID: id, PromptTokens: 512, MaxTokens: 340}); err != nil {
						b.Fatal(err)
					}
				}
				_, now, _ = e.Step(now)
			}
			seconds := b.Elapsed().Seconds()
			b.ReportMetric(float64(e.Stats().Steps)/seconds, "steps/s")
			b.ReportMetric(float64(e.Stats().GeneratedTokens)/seconds, "tokens/s")
		})
	}
}

// BenchmarkTrace replays the Mooncake conversation trace on eight workers in
// turn, tokens left out. Reading the file is not part of it.
func BenchmarkTrace(b *testing.B) {
	trace := mooncake(b)
	for _, t := range []Type{VLLM, SGLang, TRTLLM, Mocker14, Mocker2025} {
		b.Run(string(t), func(b *testing.B) {
			b.ReportAllocs()
			var steps, tokens int64
			for b.Loop() {
				for w := range 8 {
					events := 0
					e := newEngine(b, Config{Type: t, BlockSize: 64, SkipTokens: true,
						OnKV: func(KVEvent) { events++ }})
					for i := w; i < len(trace); i += 8 {
						e.Step(trace[i].At)
						if err := e.Submit(trace[i].At, trace[i].R); err != nil {
							b.Fatal(err)
						}
					}
					if _, _, busy := e.Step(forever); busy || events == 0 {
						b.Fatal("work is left, or nothing was cached")
					}
					steps += e.Stats().Steps
					tokens += e.Stats().GeneratedTokens
				}
			}
			seconds := b.Elapsed().Seconds()
			b.ReportMetric(float64(steps)/seconds, "steps/s")
			b.ReportMetric(float64(tokens)/seconds, "tokens/s")
			b.ReportMetric(seconds/float64(b.N)/float64(len(trace))*1e6, "µs/request")
		})
	}
}

// mooncake is the trace in blocks of 64; the test is skipped without it.
func mooncake(b *testing.B) []arrival {
	b.Helper()
	path := filepath.Join("..", "..", "..", "shared", "data", "mooncake_conversation_trace.jsonl")
	f, err := os.Open(path)
	if err != nil {
		b.Skipf("no trace to replay: %v", err)
	}
	defer f.Close()
	var trace []arrival
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var row struct {
			Timestamp    int      `json:"timestamp"`
			InputLength  int      `json:"input_length"`
			OutputLength int      `json:"output_length"`
			HashIDs      []uint64 `json:"hash_ids"`
		}
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			b.Fatal(fmt.Errorf("reading %s: %w", path, err))
		}
		r := Request{ID: uint64(len(trace)), PromptTokens: row.InputLength, MaxTokens: row.OutputLength}
		for k := range r.PromptTokens / 64 {
			r.Blocks = append(r.Blocks, row.HashIDs[k/8]*8+uint64(k%8))
		}
		trace = append(trace, arrival{At: time.Duration(row.Timestamp) * time.Millisecond, R: r})
	}
	return trace
}
