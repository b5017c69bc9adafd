package workload

import (
	"errors"
	"os"
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
	if want := 57*time.Minute + 15*time.Second + 948056*time.Microsecond; last.At != want || last.Prompt.Tokens != 549 || last.OutputTokens != 173 {
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

func TestMooncakeTraceIsRefused(t *testing.T) {
	_, err := ReadFile(shared(t, "mooncake_conversation_trace.jsonl"), ReadOptions{})
	var line *LineError
	if !errors.Is(err, ErrHashIDs) || !errors.As(err, &line) || line.Line != 1 {
		t.Errorf("error %v, want ErrHashIDs of line 1", err)
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
