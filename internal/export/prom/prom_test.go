package prom

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"headway/internal/export/tally"
	"headway/metric"
	"headway/record"
)

const ms = 1_000_000

func filled() *tally.Tally {
	t := tally.New(0)
	r := t.Begin(record.Header{ID: "run", Model: "M \"quoted\"\n", Version: "1"}, metric.TokensClient, nil)
	fill(r)
	r.End(&record.Audit{StampsVerdict: record.AuditDoubtful, ScheduleVerdict: record.AuditValid})
	return t
}

func fill(r *tally.Run) {
	for i := range 5 {
		at := record.Time(1 + i*20*ms)
		_ = r.Take(&record.Record{Index: i, Planned: 1, Start: at, Done: at + 20*ms, Outcome: record.OK, TokensIn: 7,
			TokensOut: 1, TokensReasoning: -1, Streamed: true,
			Arrivals: []record.Arrival{{At: at + 20*ms, Kind: record.Content, Bytes: 1, Tokens: 1}}})
	}
	_ = r.Take(&record.Record{Outcome: record.Failed, Start: 1, Failure: &record.Failure{Class: record.ClassTimeout}})
	_ = r.Take(&record.Record{Outcome: record.Dropped})
	_ = r.Take(&record.Record{Warmup: true, Outcome: record.OK})
}

// What a scraper reads are the counts and sums of the tally.
func TestScrape(t *testing.T) {
	s, err := Listen("127.0.0.1:0", filled())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	res, err := http.Get("http://" + s.Addr.String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if kind := res.Header.Get("Content-Type"); !strings.Contains(kind, "version=0.0.4") {
		t.Errorf("content type %s", kind)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	all, err := parser.TextToMetricFamilies(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{"headway_requests_total": 5, "headway_requests_sent_total": 6,
		"headway_requests_late_total": 4, "headway_warmup_requests_total": 1, "headway_request_failures_total": 1} {
		if got := all[name].GetMetric()[0].GetCounter().GetValue(); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	for name, want := range map[string]float64{"headway_input_tokens": 35, "headway_output_tokens": 5} {
		if h := all[name].GetMetric()[0].GetHistogram(); h.GetSampleSum() != want || h.GetSampleCount() != 5 {
			t.Errorf("%s is %v, want a sum of %v", name, h, want)
		}
	}
	if got := all["headway_client_verdict"].GetMetric()[0].GetGauge().GetValue(); got != 1 {
		t.Errorf("the verdict is %v", got)
	}
}

// Each point has series of its own, two runs of one point share them, and runs may go at
// the same time.
func TestPoints(t *testing.T) {
	all := tally.New(0)
	first := all.Begin(record.Header{ID: "a"}, metric.TokensClient, map[string]string{"level": "1", "endpoint": "x"})
	other := all.Begin(record.Header{ID: "b"}, metric.TokensClient, map[string]string{"level": "8", "endpoint": "x"})
	fill(other)
	fill(first)
	first.End(nil)
	fill(all.Begin(record.Header{ID: "c"}, metric.TokensClient, map[string]string{"endpoint": "x", "level": "1"}))
	var b strings.Builder
	if err := Write(&b, all.Now(), expfmt.NewFormat(expfmt.TypeTextPlain)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`headway_requests_total{endpoint="x",level="1",outcome="ok"} 10`,
		`headway_requests_total{endpoint="x",level="8",outcome="ok"} 5`,
		`headway_input_tokens_sum{endpoint="x",level="1"} 70`,
		`headway_run_info{endpoint="x",level="1",run_id="c"`,
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %s in\n%s", want, b.String())
		}
	}
	if strings.Count(b.String(), "# TYPE headway_requests_total counter") != 1 {
		t.Errorf("a family stands there twice:\n%s", b.String())
	}
}

// Of a search with very many points the first that ended are forgotten.
func TestManyPoints(t *testing.T) {
	all := tally.New(0)
	kept := all.Begin(record.Header{}, metric.TokensClient, map[string]string{"point": "under way"})
	for i := range 1000 {
		all.Begin(record.Header{}, metric.TokensClient, map[string]string{"point": strconv.Itoa(i)}).End(nil)
	}
	fill(kept)
	states := all.Now()
	if n := len(states); n > 300 || states[0].OK != 5 || states[n-1].Point["point"] != "999" {
		t.Errorf("%d points, of the first %d requests, the last is %v", n, states[0].OK, states[n-1].Point)
	}
}

// OpenMetrics is written for those who ask for it.
func TestOpenMetrics(t *testing.T) {
	s, err := Listen("127.0.0.1:0", filled())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	req, err := http.NewRequest(http.MethodGet, "http://"+s.Addr.String()+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/openmetrics-text;version=1.0.0")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(string(body), "# EOF\n") ||
		!strings.Contains(string(body), "# TYPE headway_requests counter") {
		t.Errorf("not OpenMetrics:\n%s", body)
	}
}

// An address in use is an error before anything is sent.
func TestInUse(t *testing.T) {
	s, err := Listen("127.0.0.1:0", tally.New(0))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if other, err := Listen(s.Addr.String(), tally.New(0)); err == nil {
		other.Close()
		t.Error("an address was had twice")
	}
}
