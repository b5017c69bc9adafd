//go:build linux

package bench

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"headway/internal/openai"
	"headway/internal/telemetry"
	"headway/record"
)

// How many endpoints are sampled each second, and how many series each of them has.
const (
	sampledEndpoints = 20
	sampledSeries    = 2000
)

// TestPages is not a test: it is the process that serves pages of metrics, until its
// standard input ends.
func TestPages(t *testing.T) {
	if os.Getenv("WIRE_BENCH_PAGES") == "" {
		t.Skip("started by TestWire only")
	}
	page := enginePage(t)
	for range sampledEndpoints {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(page) // a client that went away
		})}
		defer s.Close()
		go func() { _ = s.Serve(l) }() // ends with Close
		fmt.Printf("page http://%s\n", l.Addr())
	}
	fmt.Println("page")
	_, _ = io.Copy(io.Discard, os.Stdin) // its end is what is waited for
}

// enginePage is a page of a real vLLM, as of so many engines that it has enough series.
func enginePage(t *testing.T) (page []byte) {
	t.Helper()
	f, err := os.Open("../../telemetry/testdata/vllm-0.25.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	for engine, series := 0, 0; series < sampledSeries; engine++ {
		of := bytes.ReplaceAll(text, []byte(`engine="0"`), fmt.Appendf(nil, `engine="%d"`, engine))
		for line := range bytes.Lines(of) {
			if line[0] == '#' || series == sampledSeries {
				continue
			}
			page = append(page, line...)
			series++
		}
	}
	return page
}

// pages starts the process that serves pages, on the server's core; stop ends it.
func (b *rig) pages() (urls []string, stop func()) {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	c := exec.Command(self, "-test.run=^TestPages$", "-test.v")
	c.Env = append(os.Environ(), "WIRE_BENCH_PAGES=1")
	in, err := c.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	b.start(c, 0)
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "page" {
		if url, ok := strings.CutPrefix(lines.Text(), "page "); ok {
			urls = append(urls, url)
		}
	}
	if len(urls) != sampledEndpoints {
		b.Fatalf("%d of %d pages are served", len(urls), sampledEndpoints)
	}
	return urls, func() {
		_ = in.Close() // which ends it
		_ = c.Wait()
	}
}

// sampling reads the pages of a job once a second while its load goes, as a run does,
// until it is stopped.
func sampling(t *testing.T, j job, clock record.Clock) (stop func()) {
	t.Helper()
	if len(j.Pages) == 0 {
		return func() {}
	}
	client := openai.Config{URLs: j.Pages}
	var sources []telemetry.Source
	for i, url := range j.Pages {
		sources = append(sources, telemetry.Source{Name: url, Paths: []string{"/metrics"},
			Fetch: func(ctx context.Context, path string, most int64) ([]byte, error) {
				return client.Get(ctx, i, path, most)
			}})
	}
	f, err := os.Create(t.TempDir() + "/telemetry.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	s := telemetry.Start(t.Context(), telemetry.SamplerOptions{Clock: clock, Interval: time.Second, Lines: f}, sources,
		nil)
	begin := clock.Now()
	s.Mark()
	return func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
		told := s.Summary(begin, clock.Now())
		if told == nil {
			t.Fatal("nothing was sampled")
		}
		for _, of := range told.Sources {
			if of.Samples == 0 {
				t.Errorf("%s was not sampled: %s", of.Name, of.LastError)
			}
		}
		_ = f.Close() // nobody reads it
	}
}

// arm is one of the measurements that alternate: without sampling, and with it.
type arm struct {
	title string
	pages []string
	rows  []*row
	found sent
}

// arms are those that are asked for, with the clients to measure.
func (b *rig) arms(kinds []kind) (all []*arm, stop func()) {
	all, stop = []*arm{{}}, func() {}
	if os.Getenv("WIRE_BENCH_SAMPLED") != "" {
		var urls []string
		urls, stop = b.pages()
		all[0].title = "Without sampling"
		all = append(all, &arm{pages: urls, title: fmt.Sprintf("With %d endpoints of %d series sampled each second",
			sampledEndpoints, sampledSeries)})
	}
	for _, a := range all {
		for _, k := range kinds {
			a.rows = append(a.rows, &row{kind: k})
		}
	}
	return all, stop
}

// print prints both tables of an arm.
func (a *arm) print() {
	if a.title != "" {
		fmt.Printf("\n%s\n\n", a.title)
	}
	fmt.Printf("%-30s %-20s %-22s %-20s %-24s %-24s %-26s %s\n", "client", "1,000 events/s", "CPU s per 10^6 events",
		"of it own code", "stamp error p50, µs", "p99, µs", "p99.9, µs", "bytes per stream")
	for _, r := range a.rows {
		r.print()
	}
	fmt.Println()
	printBars(a.rows, a.found)
}
