package report

import (
	"bytes"
	"strings"
	"testing"

	"headway/record"
)

// A comparison has what the servers of its arms say of caches and preemptions, and what
// their GPUs took, in its table and its file; of an arm that tells nothing, a dash.
func TestServersOfAComparison(t *testing.T) {
	c := routed(t, false)
	for i := range c.Cases {
		for j := range c.Cases[i].Arms {
			c.Cases[i].Arms[j].Report.Run.Cluster = nil
		}
	}
	c.Simulated = false
	if text := tableOf(t, c); strings.Contains(text, "KV %") || strings.Contains(text, "empted") {
		t.Errorf("columns of what nobody says:\n%s", text)
	}
	r := c.Cases[0].Arms[0].Report
	server := func(mean, most float64) record.TelemetrySubject {
		return record.TelemetrySubject{Kind: "server", Engine: "vllm",
			Gauges: map[string]record.TelemetryGauge{"kv_usage": {Mean: mean, Max: most}}}
	}
	r.Run.Telemetry = &record.Telemetry{Subjects: []record.TelemetrySubject{server(0.25, 0.5), server(0.75, 0.96)}}
	r.Run.Servers = &record.ServerCounters{Sources: []record.ServerSource{
		{Engine: "vllm", Moved: map[string]float64{"preemptions": 3, "prefix_hits": 30, "prefix_queries": 60}},
		{Engine: "vllm", Moved: map[string]float64{"preemptions": 4, "prefix_hits": 10, "prefix_queries": 40}}}}
	text := tableOf(t, c)
	for _, want := range []string{"| KV %", "avg |", "empted |", " 50.0 |", " 96.0 |", " 7 |", " 40.0 |", " – |"} {
		if !strings.Contains(text, want) {
			t.Errorf("without %q:\n%s", want, text)
		}
	}
	var b bytes.Buffer
	if err := c.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"preemptions": 7`, `"mean": 0.5`, `"max": 0.96`, `"hit_rate": 0.4`} {
		if n := strings.Count(b.String(), want); n != 1 {
			t.Errorf("%q is there %d times:\n%s", want, n, b.String())
		}
	}
}

func tableOf(t *testing.T, c *Comparison) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.WriteTable(&b, ConsoleOptions{Markdown: true}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
