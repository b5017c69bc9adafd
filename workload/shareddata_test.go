package workload

import (
	"math"
	"os"
	"strings"
	"testing"
	"time"
)

// shared returns the path of a recorded trace beside the project.
func shared(t testing.TB, name string) string {
	t.Helper()
	path := "../../shared/data/" + name
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the recorded trace %s is not beside the project (../shared/data): %v", name, err)
	}
	return path
}

func TestAzureTrace(t *testing.T) {
	d, err := ReadFile(shared(t, "azure_llm_2023_code.csv"), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// 8,819 rows after the header; the last has no line end, so counting line
	// ends finds one less.
	if d.Format != Azure || len(d.Requests) != 8819 || d.Skipped != 0 || !d.Timed {
		t.Fatalf("format %v, %d requests, %d skipped", d.Format, len(d.Requests), d.Skipped)
	}
	first, last := d.Requests[0], d.Requests[8818]
	if first.At != 0 || first.Prompt.Tokens != 4808 || first.OutputTokens != 10 {
		t.Errorf("first: %+v", first)
	}
	// 18:17:03.9799600 to 19:14:19.9280160.
	if want := 57*time.Minute + 15*time.Second + 948056*time.Microsecond; last.At != want ||
		last.Prompt.Tokens != 549 || last.OutputTokens != 173 {
		t.Errorf("last: %+v, want at %v", last, want)
	}
	src, err := d.Fixed(Window{Speedup: 10}, Seed(1))
	if err != nil {
		t.Fatal(err)
	}
	if all := collect(t, Limit(src, 500)); len(all) != 500 || all[1].At != 5200*time.Microsecond {
		t.Errorf("%d requests, the second at %v, want 500 and 5.2ms", len(all), all[1].At)
	}
}

func BenchmarkReadAzure(b *testing.B) {
	path := shared(b, "azure_llm_2023_code.csv")
	for b.Loop() {
		if _, err := ReadFile(path, ReadOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

// TestMooncakeTrace checks the facts that stand beside the trace.
func TestMooncakeTrace(t *testing.T) {
	path := shared(t, "mooncake_conversation_trace.jsonl")
	d, err := ReadFile(path, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if d.Format != Mooncake || len(d.Requests) != 12_031 || d.Skipped != 0 || d.BlockSize != 512 ||
		d.LiveTurns+d.RecordedTurns != 0 {
		t.Fatalf("format %v, %d requests, %d skipped", d.Format, len(d.Requests), d.Skipped)
	}
	var tokens, hits, ids, longest int
	seen, cached := map[int64]bool{}, map[uint64]bool{}
	var hashes []uint64
	hashHits := 0
	for _, r := range d.Requests {
		tokens += r.Prompt.Tokens
		ids += len(r.Prompt.Blocks)
		longest = max(longest, r.Prompt.Tokens)
		n := 0
		for n < len(r.Prompt.Blocks) && seen[r.Prompt.Blocks[n]] {
			n++
		}
		hits += min(n*512, r.Prompt.Tokens)
		for _, id := range r.Prompt.Blocks {
			seen[id] = true
		}
		hashes = r.Prompt.AppendHashes(hashes[:0], 64)
		n = 0
		for n < len(hashes) && cached[hashes[n]] {
			n++
		}
		hashHits += 64 * n
		for _, h := range hashes {
			cached[h] = true
		}
	}
	if longest != 126_195 || ids != 288_500 || len(seen) != 182_790 || tokens/12_031 != 12_035 {
		t.Errorf("longest %d, %d ids, %d distinct, mean length %d", longest, ids, len(seen), tokens/12_031)
	}
	if share := float64(hits) / float64(tokens); math.Abs(share-0.374) > 0.0005 {
		t.Errorf("hits of a cache that never forgets: %.4f of the tokens, want 0.374", share)
	}
	// Blocks of 64 lose what no block holds in full.
	if lost := hits - hashHits; lost < 0 || lost > 64*len(d.Requests) {
		t.Errorf("%d tokens hit by hashes of 64, %d by ids", hashHits, hits)
	}
	r := d.Rounded()
	if r.Distinct != 1_180 || r.Largest != 28 || r.Gap.Round(100*ms) != 3*time.Second || !r.Bursts() {
		t.Errorf("rounding: %+v", r)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if written(t, d.Source(1)) != strings.TrimRight(string(file), "\n")+"\n" {
		t.Error("the trace is not written as it was read")
	}
	d.Spread(Evenly, 1)
	if r := d.Rounded(); r.Bursts() || r.Distinct != 12_031 {
		t.Errorf("spread: %+v", r)
	}
}

func BenchmarkReadMooncake(b *testing.B) {
	path := shared(b, "mooncake_conversation_trace.jsonl")
	for b.Loop() {
		if _, err := ReadFile(path, ReadOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
