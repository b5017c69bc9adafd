package study

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"syscall"
	"testing"
	"time"

	"headway/internal/openai"
	"headway/internal/telemetry"
)

// bigPage is a page of vLLM's own families with 2,000 series, as of five engines.
func bigPage(b *testing.B) (page []byte, series int) {
	b.Helper()
	f, err := os.Open("../telemetry/testdata/vllm-0.25.gz")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		b.Fatal(err)
	}
	for engine := 0; series < 2000; engine++ {
		for line := range bytes.Lines(text) {
			if line[0] == '#' && engine > 0 || series == 2000 {
				continue
			}
			if line[0] != '#' {
				series++
			}
			is := fmt.Appendf(nil, `engine="%d"`, engine)
			page = append(page, bytes.Replace(line, []byte(`engine="0"`), is, 1)...)
		}
	}
	return page, series
}

// One operation reads 20 endpoints with 2,000 series each once, over HTTP: what a
// second of sampling costs. %-of-a-core is the processor time of the whole process at
// one a second, the servers' own part included.
func BenchmarkSampling20Endpoints(b *testing.B) {
	sources, series := bigEndpoints(b)
	for i := range sources {
		sources[i] = sources[i].Often()
	}
	benchmarkScrapes(b, series, func() []telemetry.Source { return sources })
}

// One operation reads them for the first time, before anything is known of their pages.
func BenchmarkSampling20EndpointsFirst(b *testing.B) {
	sources, series := bigEndpoints(b)
	benchmarkScrapes(b, series, func() []telemetry.Source { return telemetry.NewSet(sources...).Sources() })
}

// bigEndpoints are 20 servers of pages with so many series.
func bigEndpoints(b *testing.B) (sources []telemetry.Source, series int) {
	page, series := bigPage(b)
	var client openai.Config
	for range 20 {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(page) }))
		b.Cleanup(s.Close)
		client.URLs = append(client.URLs, s.URL)
	}
	for i := range client.URLs {
		sources = append(sources, sourceOf(client, i, metricsPaths))
	}
	return sources, series
}

func benchmarkScrapes(b *testing.B, series int, of func() []telemetry.Source) {
	before := processTime(b)
	n := 0
	for b.Loop() {
		for _, s := range of() {
			if snap, err := s.Scrape(b.Context()); err != nil || len(snap.Samples) == 0 {
				b.Error(err)
			}
			n++
		}
	}
	spent := processTime(b) - before
	b.ReportMetric(100*spent.Seconds()*20/float64(n), "%-of-a-core")
	b.ReportMetric(spent.Seconds()*1e6/float64(n), "µs/scrape")
	b.ReportMetric(float64(series), "series")
}

func processTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
