package metric

import (
	"bytes"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
		if (ways != 1) != (m.Kind == OverTime) || (m.values != nil) != (m.Kind == PerList) ||
			(m.derive != nil) != (m.Kind == Aggregate || m.Kind == Derived) {
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

// The tag, header, unit, table and direction of every metric that aiperf has
// too, against what its registry says: readers of its files depend on them.
func TestAgreesWithAiperf(t *testing.T) {
	// aiperf marks the input of failed requests as better when larger, and the
	// good requests as neither.
	ownDirection := []string{"error_isl", "total_error_isl", "good_request_count", "goodput"}
	tables := map[Group]string{GroupMain: "default", GroupUsage: "usage", GroupHTTP: "http"}
	data, err := os.ReadFile("testdata/aiperf-0.13.0.txt")
	if err != nil {
		t.Fatal(err)
	}
	shared := 0
	for line := range strings.Lines(string(data)) {
		want := strings.Split(strings.TrimSuffix(line, "\n"), "|")
		m, ok := Lookup(want[0])
		if !ok {
			continue
		}
		shared++
		table, larger := "none", ""
		if m.Console {
			table = tables[m.Group]
		}
		if m.Better == Higher {
			larger = "larger"
		}
		if slices.Contains(ownDirection, m.Tag) {
			larger = want[4]
		}
		if got := []string{m.Tag, m.Header, m.Unit, table, larger}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if shared < 70 {
		t.Errorf("only %d metrics are in both tables", shared)
	}
}

// Rows stand in the order of aiperf's console; what it shows under these
// headers is not in its registry.
func TestOrderAndDerivedHeaders(t *testing.T) {
	want := strings.Split(strings.TrimSpace(`
time_to_first_token|Time to First Token
time_to_second_token|Time to Second Token
time_to_first_output_token|Time to First Output Token
request_latency|Request Latency
decode_duration|Decode Duration
inter_token_latency|Inter Token Latency
decode_speed_per_user|Decode Speed Per User
output_token_throughput_per_user|Output Token Throughput Per User
e2e_output_token_throughput|E2E Output Token Throughput
output_sequence_length|Output Sequence Length
input_sequence_length|Input Sequence Length
effective_latency|Effective Latency (CO-aware)
effective_time_to_first_token|Effective Time to First Token (CO-aware)
output_token_throughput|Output Token Throughput
input_token_throughput|Input Token Throughput
output_token_throughput_per_gpu|Output Token Throughput Per GPU
total_token_throughput_per_gpu|Total Token Throughput Per GPU
request_throughput|Request Throughput
goodput|Goodput
completed_request_count|Completed Requests (Success + Error)
failed_request_rate|Failed Request Rate
request_error_rate|Request Error Rate
request_count|Request Count
adj_time_to_first_token|Time to First Token (error-adjusted)
adj_request_latency|Request Latency (error-adjusted)
adj_decode_duration|Decode Duration (error-adjusted)
adj_inter_token_latency|Inter Token Latency (error-adjusted)
adj_effective_latency|Effective Latency (CO-aware) (error-adjusted)`), "\n")
	var got []string
	for _, m := range All() {
		if m.Console && (m.Group == GroupMain || m.Group == GroupAdjusted) {
			got = append(got, m.Tag+"|"+m.Header)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
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
