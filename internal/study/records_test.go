package study

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/metrics"
	"strconv"
	"strings"
	"testing"
	"time"

	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/report/parquet"
)

// TestRecords sends many long Records through all that stands behind the wire:
// metrics, the lossless writer into something that counts and discards, and a
// part of them into every file. Quantiles are held against exact counts.
// RECORDS_BENCH=full is the size of docs/performance.md and prints what the
// process took; without it the run is small enough for every day.
func TestRecords(t *testing.T) {
	size := recordsSize{records: 1500, arrivals: 3000, toDisk: 30}
	full := os.Getenv("RECORDS_BENCH") == "full"
	if full {
		size = recordsSize{records: 1_000_000, arrivals: 5000, toDisk: 20_000}
	}
	for name, to := range map[string]*int{"RECORDS": &size.records, "ARRIVALS": &size.arrivals,
		"TO_DISK": &size.toDisk} {
		if n, err := strconv.Atoi(os.Getenv(name)); full && err == nil {
			*to = n
		}
	}
	begin := time.Now()
	d := newDrawn(size)
	sinks := openRecordSinks(t, size)
	for i := range size.records {
		r := d.record(i)
		if err := sinks.take(r); err != nil {
			t.Fatal(err)
		}
		if full && (i+1)%(size.records/10) == 0 {
			t.Logf("%9d Records: %s, live heap %d MB, %.0f s", i+1, memory(), liveHeap()>>20,
				time.Since(begin).Seconds())
		}
	}
	res := sinks.close(t)
	if full {
		t.Logf("with the result: %s, %.0f s in all", memory(), time.Since(begin).Seconds())
	}
	if want := size.records * (size.arrivals - 1); res.Chunks.Gaps != want || want > metric.GapLimit &&
		res.Chunks.Error == 0 {
		t.Errorf("%+v, want %d gaps", res.Chunks, want)
	}
	if res.OK != size.records || sinks.discarded.lines != size.records+1 {
		t.Errorf("%d valid records of %d, %d lines", res.OK, size.records, sinks.discarded.lines)
	}
	checkQuantiles(t, res, "inter_chunk_latency", &d.gaps, metric.GapError)
	checkQuantiles(t, res, "time_to_first_token", &d.ttft, 1e-12)
}

type recordsSize struct{ records, arrivals, toDisk int }

// drawn makes Records whose gaps and TTFT are whole microseconds, and counts
// them.
type drawn struct {
	size       recordsSize
	random     *rand.PCG
	table      [1 << 16]int32 // gaps in µs, log-normal about 20 ms
	gaps, ttft tallied
}

// tallied is how often each number of microseconds came.
type tallied struct {
	cells [1 << 20]int64
	n     int64
}

func (c *tallied) add(us int32) {
	c.cells[us]++
	c.n++
}

// quantile is the exact one, interpolated as in the metrics, in seconds.
func (c *tallied) quantile(q float64) float64 {
	whole, part := math.Modf(q * float64(c.n-1))
	at := func(rank int64) float64 {
		for us, n := range c.cells {
			if rank -= n; rank < 0 {
				return float64(us) / 1e6
			}
		}
		return math.NaN()
	}
	a, b := at(int64(whole)), at(min(int64(whole)+1, c.n-1))
	return a + (b-a)*part
}

func newDrawn(size recordsSize) *drawn {
	d := &drawn{size: size, random: rand.NewPCG(7, 7)}
	normal := rand.New(rand.NewPCG(1, 2))
	for i := range d.table {
		d.table[i] = int32(min(20_000*math.Exp(0.5*normal.NormFloat64()), 1<<20-1))
	}
	return d
}

// record is one reply among a thousand in flight.
func (d *drawn) record(i int) *record.Record {
	start := record.Time(1 + int64(i%1000)*100_000_000 + int64(i/1000)*130e9)
	ttft := d.table[uint16(d.random.Uint64())]
	d.ttft.add(ttft)
	r := &record.Record{
		Index: i, Session: "session_" + strconv.Itoa(i), RequestID: "request-" + strconv.Itoa(i),
		CorrelationID: "session-" + strconv.Itoa(i),
		URL:           "http://127.0.0.1:8000/v1/chat/completions", Planned: start, Start: start + 40_000,
		Sent:     start + 60_000,
		Ack:      start + 2e6,
		Streamed: true, Outcome: record.OK, PlannedISL: 1000, PlannedOSL: d.size.arrivals, TokensIn: 1000,
		TokensOut: d.size.arrivals,
		Arrivals:  make([]record.Arrival, d.size.arrivals),
		Usage: map[string]int{"prompt_tokens": 1010, "completion_tokens": d.size.arrivals,
			"total_tokens": 1010 + d.size.arrivals},
	}
	at := r.Start + record.Time(ttft)*1000
	var bits uint64
	for k := range r.Arrivals {
		if k > 0 {
			if k%4 == 1 {
				bits = d.random.Uint64()
			}
			gap := d.table[uint16(bits)]
			bits >>= 16
			d.gaps.add(gap)
			at += record.Time(gap) * 1000
		}
		r.Arrivals[k] = record.Arrival{At: at, Kind: record.Content, Tokens: 1, Bytes: 5}
	}
	r.Done = at + 100_000
	r.HTTP = record.HTTP{GotConn: r.Start + 10_000, HeadersSent: r.Start + 15_000, FirstByte: r.Ack,
		FirstBody: r.Ack, End: r.Done,
		Reused: true, BytesSent: 5000, BytesReceived: int64(250 * d.size.arrivals), Chunks: d.size.arrivals,
		Status: 200, Remote: "127.0.0.1:8000"}
	return r
}

// recordSinks are what takes the Records.
type recordSinks struct {
	every     int
	n         int
	collector *metric.Collector
	discarded *counter
	lossless  *record.Writer
	disk      []record.Sink
	ends      []func() error
}

// counter counts lines and lets them go.
type counter struct {
	lines int
	bytes int64
}

func (c *counter) Write(b []byte) (int, error) {
	c.lines += bytes.Count(b, []byte("\n"))
	c.bytes += int64(len(b))
	return len(b), nil
}

func openRecordSinks(t *testing.T, size recordsSize) *recordSinks {
	t.Helper()
	clock := record.ClockAt(time.Unix(0, 0))
	o := metric.Options{Clock: clock, Streaming: true, Concurrency: 1000}
	s := &recordSinks{every: size.records / size.toDisk, collector: metric.NewCollector(o), discarded: &counter{}}
	var err error
	if s.lossless, err = record.NewWriter(s.discarded, record.Header{}); err != nil {
		t.Fatal(err)
	}
	lineOptions := report.LineOptions{Clock: clock, Metrics: o}
	dir := t.TempDir()
	file := func(name string) io.Writer {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		s.ends = append(s.ends, f.Close)
		return f
	}
	add := func(sink record.Sink, end func() error) {
		s.disk = append(s.disk, sink)
		s.ends = append([]func() error{end}, s.ends...)
	}
	kept, err := record.NewWriter(file("records.jsonl"), record.Header{})
	if err != nil {
		t.Fatal(err)
	}
	add(kept, func() error { return kept.Close(record.Trailer{}) })
	sink, end, err := lines(file("profile_export.jsonl.zst"), lineOptions, true)
	if err != nil {
		t.Fatal(err)
	}
	add(sink, end)
	table := parquet.NewTable(file("records.parquet"), lineOptions)
	add(table, table.Close)
	return s
}

func (s *recordSinks) take(r *record.Record) error {
	for _, to := range []record.Sink{s.collector, s.lossless} {
		if err := to.Take(r); err != nil {
			return err
		}
	}
	if s.n++; s.n%s.every != 0 {
		return nil
	}
	for _, to := range s.disk {
		if err := to.Take(r); err != nil {
			return err
		}
	}
	return nil
}

func (s *recordSinks) close(t *testing.T) *metric.Result {
	t.Helper()
	for _, end := range append([]func() error{s.lossless.Flush}, s.ends...) {
		if err := end(); err != nil {
			t.Fatal(err)
		}
	}
	return s.collector.Result()
}

func checkQuantiles(t *testing.T, res *metric.Result, tag string, want *tallied, within float64) {
	t.Helper()
	s, ok := res.Summary(tag)
	if !ok || int64(s.Count) != want.n {
		t.Fatalf("%s has %d values, want %d", tag, s.Count, want.n)
	}
	worst := 0.0
	for _, q := range s.Quantiles {
		exact := want.quantile(q.Q)
		off := math.Abs(q.Value-exact) / exact
		worst = max(worst, off)
		if off > within {
			t.Errorf("%s p%.0f is %v, want %v", tag, 100*q.Q, q.Value, exact)
		}
	}
	t.Logf("%s: %d values, worst of %d quantiles off by %.5f %%", tag, s.Count, len(s.Quantiles), 100*worst)
}

// memory is what the kernel says of this process.
func memory() string {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "memory unknown"
	}
	var found []string
	for line := range strings.Lines(string(b)) {
		if name, rest, _ := strings.Cut(line, ":"); name == "VmHWM" || name == "VmRSS" {
			kb, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
			found = append(found, fmt.Sprintf("%s %d MB", name, kb/1000))
		}
	}
	return strings.Join(found, ", ")
}

// liveHeap is what the last collection of garbage left, in bytes. None is
// forced: that would keep the peak low.
func liveHeap() uint64 {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	return live[0].Value.Uint64()
}
