package otlp

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collectormetrics "go.opentelemetry.io/proto/slim/otlp/collector/metrics/v1"
	collectortrace "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	metricspb "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"headway/internal/export/tally"
	"headway/metric"
	"headway/record"
)

const ms = 1_000_000

// request is an answered request of 3 tokens.
func request(i int) *record.Record {
	at := record.Time(1 + i*ms)
	return &record.Record{Index: i, Planned: at, Start: at, Sent: at + ms, Done: at + 40*ms, Outcome: record.OK,
		RequestID: fmt.Sprint("id-", i), URL: "http://user:hunter22@host:8000/v1", Streamed: true, Finish: "stop",
		TokensIn: 10 + i, TokensOut: 3, TokensReasoning: -1, HTTP: record.HTTP{Status: 200},
		Arrivals: []record.Arrival{{At: at + 20*ms, Kind: record.Content, Tokens: 1, Bytes: 4},
			{At: at + 30*ms, Kind: record.Content, Tokens: 1, Bytes: 4},
			{At: at + 40*ms, Kind: record.Content, Tokens: 1, Bytes: 4}}}
}

func header() record.Header {
	return record.Header{ID: "run", Model: "M", URL: "http://user:hunter22@host:8000", Endpoint: "chat",
		Origin: time.Unix(1_800_000_000, 0)}
}

// collector decodes what it is sent.
type collector struct {
	mu      sync.Mutex
	metrics *metricspb.ResourceMetrics // the last
	spans   []*tracepb.Span
	header  http.Header
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.header = r.Header
	switch r.URL.Path {
	case "/v1/metrics":
		var m collectormetrics.ExportMetricsServiceRequest
		if proto.Unmarshal(body, &m) == nil {
			c.metrics = m.ResourceMetrics[0]
		}
	case "/v1/traces":
		var m collectortrace.ExportTraceServiceRequest
		if proto.Unmarshal(body, &m) == nil {
			c.spans = append(c.spans, m.ResourceSpans[0].ScopeSpans[0].Spans...)
		}
	}
}

// notes gathers what is said.
type notes struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (n *notes) add(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fmt.Fprintf(&n.text, format+"\n", args...)
}

// telling is an Exporter that is told of one run of the point level 8.
type telling struct {
	*Exporter
	traced  *Run
	counted *tally.Run
}

var level = map[string]string{"level": "8"}

func start(url string, n *notes, change func(*Config)) *telling {
	c := Config{Metrics: url + "/v1/metrics", Traces: url + "/v1/traces", Tally: tally.New(0), Note: n.add,
		Interval: time.Hour, Version: "1", Headers: http.Header{"Api-Key": {"secret-of-mine"}},
		Resource: map[string]string{"service.name": "headway"}}
	if change != nil {
		change(&c)
	}
	e := Start(c)
	return &telling{Exporter: e, traced: e.Begin(header(), metric.TokensClient, level),
		counted: c.Tally.Begin(header(), metric.TokensClient, level)}
}

func (e *telling) both(r *record.Record) {
	_ = e.traced.Take(r)
	_ = e.counted.Take(r)
}

// What the collector has decoded are the run's own figures.
func TestCollector(t *testing.T) {
	c, n := &collector{}, &notes{}
	s := httptest.NewServer(c)
	defer s.Close()
	e := start(s.URL, n, nil)
	var input, ttft float64
	for i := range 1000 {
		r := request(i)
		e.both(r)
		input += float64(r.TokensIn)
		v, _ := metric.TTFT(r)
		ttft += v
	}
	failed := &record.Record{Index: 1000, Start: 5, Done: 9, Outcome: record.Failed, TokensIn: -1, TokensOut: -1,
		Failure: &record.Failure{Class: record.ClassHTTP5, Code: 503, Message: "secret-of-theirs"}}
	e.both(failed)
	e.Close()
	if n.text.Len() > 0 {
		t.Error(n.text.String())
	}
	if c.header.Get("Api-Key") != "secret-of-mine" || c.header.Get("Content-Type") != "application/x-protobuf" {
		t.Errorf("headers %v", c.header)
	}
	all := map[string]*metricspb.Metric{}
	for _, m := range c.metrics.ScopeMetrics[0].Metrics {
		all[m.Name] = m
	}
	usage := all["gen_ai.client.token.usage"].GetHistogram().DataPoints
	first := all["gen_ai.client.operation.time_to_first_chunk"].GetHistogram().DataPoints[0]
	if usage[0].GetSum() != input || usage[1].GetSum() != 3000 || usage[0].Count != 1000 || first.Count != 1000 ||
		math.Abs(first.GetSum()-ttft) > 1e-9 {
		t.Errorf("sums %v, %v and %v", usage[0], usage[1], first)
	}
	if at := first.Attributes[len(first.Attributes)-1]; at.Key != "headway.level" || at.Value.GetStringValue() != "8" {
		t.Errorf("the point is %v", first.Attributes)
	}
	outcomes := map[string]int64{}
	for _, p := range all["headway.requests"].GetSum().DataPoints {
		outcomes[p.Attributes[len(p.Attributes)-1].Value.GetStringValue()] = p.GetAsInt()
	}
	if outcomes["ok"] != 1000 || outcomes["failed"] != 1 {
		t.Errorf("outcomes %v", outcomes)
	}
	checkSpans(t, c.spans)
}

func checkSpans(t *testing.T, spans []*tracepb.Span) {
	t.Helper()
	roots, traces := 0, map[string]bool{}
	for _, s := range spans {
		traces[string(s.TraceId)] = true
		if len(s.TraceId) != 16 || len(s.SpanId) != 8 || s.EndTimeUnixNano < s.StartTimeUnixNano {
			t.Errorf("a span %v", s)
		}
		text := s.String()
		if strings.Contains(text, "hunter22") || strings.Contains(text, "secret") {
			t.Errorf("a secret in %s", text)
		}
		if len(s.ParentSpanId) == 0 {
			roots++
		}
	}
	if roots != 1001 || len(traces) != 1001 || len(spans) != 1001+2*1000 {
		t.Errorf("%d traces of %d requests, %d spans", len(traces), roots, len(spans))
	}
	root := spans[0]
	if root.Name != "chat M" || root.StartTimeUnixNano != 1_800_000_000_000_000_001 ||
		root.EndTimeUnixNano-root.StartTimeUnixNano != 40*ms {
		t.Errorf("the first span is %v", root)
	}
	if last := spans[len(spans)-1]; last.Status.GetCode() != tracepb.Status_STATUS_CODE_ERROR {
		t.Errorf("the failed request is %v", last)
	}
}

// Whatever a collector does, the run goes on, and it is said what was lost. The
// secrets that it was sent are in no note.
func TestHostileCollectors(t *testing.T) {
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			fmt.Fprint(w, body, r.Header.Get("Api-Key"))
		}
	}
	rejects, err := proto.Marshal(&collectortrace.ExportTraceServiceResponse{
		PartialSuccess: &collectortrace.ExportTracePartialSuccess{RejectedSpans: 2}})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"refuses": {answer(401, "no"), "HTTP 401"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/other", http.StatusTemporaryRedirect)
		}, "HTTP 307"},
		"garbage": {answer(200, "<html>"), "not OTLP"},
		"busy":    {answer(503, ""), "HTTP 503"},
		"endless": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		}, "not OTLP"},
		"rejects": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v1/traces" {
				_, _ = w.Write(rejects)
			}
		}, "2 rejected spans"},
		"breaks": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			n := &notes{}
			s := httptest.NewServer(tt.handler)
			defer s.Close()
			e := start(s.URL, n, nil)
			e.both(request(1))
			e.Close()
			said := n.text.String()
			if !strings.Contains(said, tt.want) || !strings.Contains(said, "1 traces of requests did not reach") ||
				strings.Contains(said, "secret-of-mine") {
				t.Errorf("said: %s", said)
			}
		})
	}
}

// Of a batch that is taken but for some spans the others reached the collector.
func TestRejectedSpans(t *testing.T) {
	n := &notes{}
	answer, err := proto.Marshal(&collectortrace.ExportTraceServiceResponse{
		PartialSuccess: &collectortrace.ExportTracePartialSuccess{RejectedSpans: 2}})
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{}, 8)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		_, _ = w.Write(answer)
	}))
	defer s.Close()
	e := start(s.URL, n, func(c *Config) { c.Grace, c.Timeout, c.Metrics = time.Hour, time.Hour, "" })
	for i := range batchSize {
		e.both(request(i))
	}
	<-asked // all are in one batch
	e.Close()
	want := fmt.Sprintf("2 traces of requests did not reach the collector whole; %d did", batchSize-2)
	if said := n.text.String(); !strings.Contains(said, want) {
		t.Errorf("said: %s", said)
	}
}

// A collector that never answers holds nobody up: what the queue has no room for is
// dropped and counted, and the end does not wait longer than its grace.
func TestSlowCollector(t *testing.T) {
	n := &notes{}
	ctx, release := context.WithCancel(t.Context())
	asked := make(chan struct{}, 8)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		asked <- struct{}{}
		<-ctx.Done()
	}))
	defer s.Close()
	defer release()
	e := start(s.URL, n, func(c *Config) { c.Grace, c.Timeout, c.Metrics = 1, time.Hour, "" })
	for i := range batchSize {
		e.both(request(i))
	}
	<-asked // it has the first batch, and keeps it
	for i := range queueSize + 100 {
		e.both(request(i))
	}
	e.Close()
	e.Close()
	if said := n.text.String(); !strings.Contains(said, "100 traces of requests were dropped") {
		t.Errorf("said: %s", said)
	}
}

// Nothing listens there.
func TestNoCollector(t *testing.T) {
	n := &notes{}
	s := httptest.NewServer(nil)
	s.Close()
	e := start(s.URL, n, nil)
	e.both(request(1))
	e.Close()
	if said := n.text.String(); !strings.Contains(said, "refused") || strings.Count(said, "the run goes on") != 2 {
		t.Errorf("said: %s", said)
	}
}

func BenchmarkTake(b *testing.B) {
	e := start("http://127.0.0.1:1", &notes{}, func(c *Config) { c.Metrics, c.Traces = "", "" })
	e.c.Traces = "kept in the queue"
	r := request(1)
	for b.Loop() {
		e.both(r)
	}
}

func BenchmarkSpans(b *testing.B) {
	e := &Exporter{}
	batch := []span{spanOf(&Run{header: header(), by: metric.TokensClient}, request(1))}
	for b.Loop() {
		if _, err := proto.Marshal(e.traces(batch)); err != nil {
			b.Fatal(err)
		}
	}
}
