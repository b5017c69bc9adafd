package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	collectormetrics "go.opentelemetry.io/proto/slim/otlp/collector/metrics/v1"
	collectortrace "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	metricspb "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"

	"headway/report/llmd"
)

// others are those who are told of a run: a collector and object storage at one
// address. When it is down it answers with an error.
type others struct {
	*httptest.Server
	down    bool
	mu      sync.Mutex
	metrics map[string]*metricspb.Metric
	roots   int
	objects []string
}

func newOthers(t *testing.T, down bool) *others {
	t.Helper()
	o := &others{down: down}
	o.Server = httptest.NewServer(o)
	t.Cleanup(o.Close)
	return o
}

func (o *others) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.down:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodPut:
		o.objects = append(o.objects, r.URL.Path)
	case r.URL.Path == "/v1/metrics":
		var m collectormetrics.ExportMetricsServiceRequest
		if proto.Unmarshal(body, &m) != nil {
			return
		}
		o.metrics = map[string]*metricspb.Metric{}
		for _, one := range m.ResourceMetrics[0].ScopeMetrics[0].Metrics {
			o.metrics[one.Name] = one
		}
	case r.URL.Path == "/v1/traces":
		var m collectortrace.ExportTraceServiceRequest
		if proto.Unmarshal(body, &m) != nil {
			return
		}
		for _, s := range m.ResourceSpans[0].ScopeSpans[0].Spans {
			if len(s.ParentSpanId) == 0 {
				o.roots++
			}
		}
	}
}

func exporting(dir string, o *others) []string {
	return []string{"run", "--simulated", "--streaming", "--concurrency", "2", "--request-count", "12",
		"--tokenizer", "builtin", "--isl", "40", "--osl", "5", "--artifact-dir", dir, "--quiet",
		"--otel-url", o.URL, "--otel-traces", "--metrics-listen", "127.0.0.1:0", "--export-llmd-report",
		"--upload-url", o.URL + "/bucket/{file}?X-Amz-Signature=very-secret"}
}

// Everybody who is to be told of a run hears the figures of its result.
func TestExports(t *testing.T) {
	t.Parallel()
	dir, o := filepath.Join(t.TempDir(), "out"), newOthers(t, false)
	code, _, errs := runHeadway(exporting(dir, o)...)
	if code != 0 || strings.Contains(errs, "warning: sending") || strings.Contains(errs, "very-secret") {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var result map[string]struct{ Avg, Sum float64 }
	text, err := os.ReadFile(filepath.Join(dir, "profile_export_aiperf.json"))
	if err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal(text, &result) // not every member has the form; those that are read do
	usage := o.metrics["gen_ai.client.token.usage"].GetHistogram().GetDataPoints()
	first := o.metrics["gen_ai.client.operation.time_to_first_chunk"].GetHistogram().GetDataPoints()
	if o.roots != 12 || len(usage) != 2 || len(first) != 1 || first[0].Count != 12 {
		t.Fatalf("%d traces, %v, %v", o.roots, usage, first)
	}
	for tag, told := range map[string]float64{"input_sequence_length": usage[0].GetSum() / 12,
		"output_sequence_length": usage[1].GetSum() / 12, "time_to_first_token": first[0].GetSum() / 12 * 1000} {
		if got := result[tag].Avg; fmt.Sprintf("%.6g", got) != fmt.Sprintf("%.6g", told) {
			t.Errorf("%s: the result has %v, the collector was told %v", tag, got, told)
		}
	}
	sent := strings.Join(o.objects, " ")
	for _, name := range []string{"records.jsonl", "profile_export_aiperf.json", llmd.Name} {
		if !strings.Contains(sent, "/bucket/"+name) {
			t.Errorf("object storage has %s and not %s", sent, name)
		}
	}
	records, err := os.ReadFile(filepath.Join(dir, "records.jsonl"))
	if err != nil || strings.Contains(string(records), "very-secret") {
		t.Errorf("the signature of the address is in records.jsonl: %v", err)
	}
}

// Nobody who fails changes what the run ends with; each is a warning.
func TestExportsFail(t *testing.T) {
	t.Parallel()
	dir, o := filepath.Join(t.TempDir(), "out"), newOthers(t, true)
	code, _, errs := runHeadway(exporting(dir, o)...)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	for _, want := range []string{"warning: sending metrics", "warning: sending traces",
		"warning: the results were not sent to object storage"} {
		if !strings.Contains(errs, want) {
			t.Errorf("no %q in %s", want, errs)
		}
	}
	if strings.Contains(errs, "very-secret") {
		t.Errorf("a secret in %s", errs)
	}
	if _, err := os.Stat(filepath.Join(dir, "records.jsonl")); err != nil {
		t.Error(err)
	}
}
