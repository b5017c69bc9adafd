package metric

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/metrics.md")

func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range All() {
		if seen[m.Tag] {
			t.Errorf("%s is there twice", m.Tag)
		}
		seen[m.Tag] = true
		if m.Header == "" || m.Formula == "" || m.Source == "" || m.Scale == 0 {
			t.Errorf("%s is not described: %+v", m.Tag, m)
		}
		ways := 0
		for _, has := range []bool{m.value != nil, m.values != nil, m.derive != nil} {
			if has {
				ways++
			}
		}
		if ways != 1 || (m.values != nil) != (m.Kind == PerList) || (m.derive != nil) != (m.Kind == Aggregate || m.Kind == Derived) {
			t.Errorf("%s has %d ways to be computed and the kind %d", m.Tag, ways, m.Kind)
		}
		if _, err := os.Stat(m.Where); err != nil {
			t.Errorf("%s: the file of its formula: %v", m.Tag, err)
		}
	}
	for i, m := range byUsage {
		if m.Tag != byTokens[i].Tag {
			t.Errorf("the tables differ at %d: %s, %s", i, m.Tag, byTokens[i].Tag)
		}
	}
}

// The core table in the order of files, and every header and unit in it:
// readers of the original depend on them.
func TestCoreTable(t *testing.T) {
	want := strings.Split(strings.TrimSpace(`
request_latency|Request Latency|ms
time_to_first_token|Time to First Token|ms
time_to_second_token|Time to Second Token|ms
time_to_first_output_token|Time to First Output Token|ms
decode_duration|Decode Duration|ms
inter_token_latency|Inter Token Latency|ms
inter_chunk_latency|Inter Chunk Latency|ms
output_token_throughput_per_user|Output Token Throughput Per User|tokens/sec/user
prefill_throughput_per_user|Prefill Throughput Per User|tokens/sec/user
e2e_output_token_throughput|E2E Output Token Throughput|tokens/sec
output_sequence_length|Output Sequence Length|tokens
output_token_count|Output Token Count|tokens
reasoning_token_count|Reasoning Token Count|tokens
input_sequence_length|Input Sequence Length|tokens
total_isl|Total Input Sequence Length|tokens
total_osl|Total Output Sequence Length|tokens
total_output_tokens|Total Output Tokens|tokens
total_reasoning_tokens|Total Reasoning Tokens|tokens
error_isl|Error Input Sequence Length|tokens
total_error_isl|Total Error Input Sequence Length|tokens
request_count|Request Count|requests
error_request_count|Error Request Count|requests
request_error_rate|Request Error Rate|%
context_overflow_count|Context Overflow Count|requests
min_request_timestamp|Min Request Timestamp|ns
max_response_timestamp|Max Response Timestamp|ns
benchmark_duration|Benchmark Duration|sec
request_throughput|Request Throughput|requests/sec
output_token_throughput|Output Token Throughput|tokens/sec
input_token_throughput|Input Token Throughput|tokens/sec
total_token_throughput|Total Token Throughput|tokens/sec
output_token_throughput_per_gpu|Output Token Throughput Per GPU|tokens/sec/gpu
total_token_throughput_per_gpu|Total Token Throughput Per GPU|tokens/sec/gpu
good_request_count|Good Request Count|requests
goodput|Goodput|requests/sec
good_request_fraction|Good Request Fraction|ratio
credit_to_start_latency|Credit-to-Start Latency|ms
effective_latency|Effective Latency (CO-aware)|ms
effective_time_to_first_token|Effective Time to First Token (CO-aware)|ms
osl_mismatch_diff_pct|OSL Mismatch Diff %|%
osl_mismatch_count|OSL Mismatch Count|requests`), "\n")
	all := All()
	for i, line := range want {
		m := all[i]
		if got := m.Tag + "|" + m.Header + "|" + m.Unit; got != line {
			t.Errorf("row %d: %s, want %s", i, got, line)
		}
	}
}

func TestMarkdownIsCurrent(t *testing.T) {
	const path = "../docs/metrics.md"
	var b bytes.Buffer
	if err := Markdown(&b); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with: go test ./metric -update", err)
	}
	if !bytes.Equal(got, b.Bytes()) {
		t.Errorf("%s is not what the table says; write it with: go test ./metric -update", path)
	}
}
