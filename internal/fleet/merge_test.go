package fleet

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headway/metric"
	"headway/record"
)

// drawn is a Record of what may happen to a request.
func drawn(r *rand.Rand, index int) *record.Record {
	start := record.Time(1 + index*1_000_000)
	rec := &record.Record{Index: index, Session: "s", Planned: start, PlannedISL: 100, TokensIn: 100,
		TokensOut: -1, TokensReasoning: -1}
	what := r.IntN(40)
	if what == 0 {
		return rec // dropped
	}
	rec.Start, rec.Sent = start, start+record.Time(r.IntN(1000))
	rec.Streamed, rec.Outcome = true, record.OK
	at := rec.Sent
	for range 1 + r.IntN(4) {
		at += record.Time(1 + r.ExpFloat64()*3e7)
		chunk := record.Arrival{At: at, Kind: record.Content, Tokens: 1 + r.IntN(3), Bytes: 4}
		rec.Arrivals = append(rec.Arrivals, chunk)
	}
	rec.TokensOut, rec.Done = len(rec.Arrivals), at+1000
	switch what {
	case 1:
		rec.Outcome, rec.Failure = record.Failed, &record.Failure{Class: record.ClassHTTP5, Code: 500, Type: "Error"}
	case 2:
		rec.Outcome, rec.Failure = record.Cancelled, &record.Failure{Class: record.ClassCancelled, Code: 499}
	case 3:
		rec.Warmup = true
	}
	return rec
}

// measured are Records of which none is of a warm-up.
func measured(seed uint64, n int) (records []*record.Record) {
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range n {
		rec := drawn(r, i)
		rec.Warmup = false
		records = append(records, rec)
	}
	return records
}

var streaming = metric.Options{Streaming: true}

// written are the files of parts to which Records are dealt.
func written(t *testing.T, records []*record.Record, parts int) [][]byte {
	t.Helper()
	files := make([]bytes.Buffer, parts)
	sinks := make([]*Columns, parts)
	for i := range sinks {
		var err error
		if sinks[i], err = NewColumns(&files[i], streaming); err != nil {
			t.Fatal(err)
		}
	}
	for i, r := range records {
		if err := sinks[i%parts].Take(r); err != nil {
			t.Fatal(err)
		}
	}
	var all [][]byte
	for i, s := range sinks {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		all = append(all, files[i].Bytes())
	}
	return all
}

func opened(t *testing.T, files ...[]byte) (parts []*Part) {
	t.Helper()
	for i, b := range files {
		p, err := Open(fmt.Sprintf("part %d", i), bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, p)
	}
	return parts
}

// The merge has what the Collector has, which keeps everything: counts and quantiles to
// the last bit, sums to 1e-12.
func TestMergeIsTheWhole(t *testing.T) {
	for _, tt := range []struct {
		requests int
		parts    []int
	}{{1, []int{1, 2}}, {700, []int{1, 2, 7, 64}}, {7*frameRecords + 5, []int{7}}} {
		r := rand.New(rand.NewPCG(uint64(tt.requests), 1))
		var records []*record.Record
		c := metric.NewCollector(streaming)
		for i := range tt.requests {
			records = append(records, drawn(r, i))
			if err := c.Take(records[i]); err != nil {
				t.Fatal(err)
			}
		}
		whole := c.Result()
		for _, parts := range tt.parts {
			m, err := Merge(opened(t, written(t, records, parts)...))
			if err != nil {
				t.Fatal(err)
			}
			want := Counts{int64(whole.OK), int64(whole.Failed), int64(whole.Cancelled), int64(whole.Dropped)}
			if m.Counts != want || m.Counts.Planned() != int64(whole.Planned) {
				t.Fatalf("%d requests, %d parts: %+v, want %+v", tt.requests, parts, m.Counts, want)
			}
			compare(t, whole, m.Summaries)
		}
	}
}

// A column that is sorted in memory has the very figures of one that is read in passes,
// up to the last value that is held and from the first that is not.
func TestSortedAsSelected(t *testing.T) {
	const n = 3000
	r := rand.New(rand.NewPCG(7, 1))
	var records []*record.Record
	for i := range n {
		records = append(records, drawn(r, i))
	}
	parts := opened(t, written(t, records, 7)...)
	for i, tag := range parts[0].metrics {
		of := func(held int) (text string, count int) {
			s := &selection{parts: parts, sorted: held}
			sum, err := s.column(1+i, metric.Metric{Tag: tag})
			if err != nil || len(s.held) > held {
				t.Fatalf("%s: %v, %d values held, at most %d", tag, err, len(s.held), held)
			}
			return fmt.Sprint(sum), sum.Count // which has NaN for what is not known
		}
		want, count := of(0)
		for _, held := range []int{n, count, max(0, count-1)} {
			if got, _ := of(held); got != want {
				t.Errorf("%s, %d of %d values held:\n%s, want\n%s", tag, held, count, got, want)
			}
		}
	}
}

// compare holds summaries against those of the Collector, which has every metric but
// for those that it hides.
func compare(t *testing.T, whole *metric.Result, got []metric.Summary) {
	t.Helper()
	seen := 0
	for _, s := range got {
		w, ok := whole.Summary(s.Metric.Tag)
		if !ok {
			continue
		}
		seen++
		near := func(a, b float64) bool { return a == b || math.Abs(a-b) <= 1e-12*math.Abs(b) }
		if s.Count != w.Count || s.Min != w.Min || s.Max != w.Max || !near(s.Sum, w.Sum) || !near(s.Mean, w.Mean) ||
			math.Abs(s.Std-w.Std) > 1e-12*(w.Std+math.Abs(w.Mean)) {
			t.Fatalf("%s: %+v, want %+v", s.Metric.Tag, s, w)
		}
		for i, q := range s.Quantiles {
			if v := w.Quantiles[i]; q.Q != v.Q || q.Value != v.Value || q.Few != v.Few {
				t.Fatalf("%s: %+v, want %+v", s.Metric.Tag, q, v)
			}
		}
	}
	for _, w := range whole.Summaries {
		if w.Metric.Kind == metric.PerRecord && !strings.HasPrefix(w.Metric.Tag, "adj_") &&
			!slices.ContainsFunc(got, func(s metric.Summary) bool { return s.Metric.Tag == w.Metric.Tag }) {
			t.Fatalf("%s is missing", w.Metric.Tag)
		}
	}
	if whole.OK > 100 && seen < 5 {
		t.Fatalf("only %d metrics were compared", seen)
	}
}

// A file that was cut or damaged has what stands before, and says so.
func TestPartThatWasKilled(t *testing.T) {
	records := measured(1, 2*frameRecords+100)
	file := written(t, records, 1)[0]
	p := opened(t, file)[0]
	if !p.Whole || p.Counts.Planned() != int64(len(records)) {
		t.Fatalf("whole: %+v", p)
	}
	second := int(p.frames[1][0].at)
	flipped := slices.Clone(file)
	flipped[second+3] ^= 1
	for name, b := range map[string][]byte{"cut": file[:second+50], "flipped": flipped} {
		p := opened(t, b)[0]
		if m, err := Merge([]*Part{p}); err != nil || p.Whole || m.Counts.Planned() != frameRecords {
			t.Errorf("%s: %+v, %v", name, p.Counts, err)
		}
	}
	if p := opened(t, file[:len(file)-1])[0]; p.Whole || p.Counts.Planned() != int64(len(records)) {
		t.Errorf("without its end: %v, %+v", p.Whole, p.Counts)
	}
}

func TestMergeRefuses(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	one := written(t, []*record.Record{drawn(r, 3), drawn(r, 4)}, 1)[0]
	if _, err := Merge(opened(t, one, one)); err == nil || !strings.Contains(err.Error(), "in two parts") {
		t.Errorf("a part twice: %v", err)
	}
	// A file whose sums are right and whose counts are not.
	wrong := slices.Clone(one)
	frame := wrong[bytes.IndexByte(wrong, '\n')+1:]
	body := frame[8 : 8+binary.LittleEndian.Uint32(frame)]
	body[0]++
	binary.LittleEndian.PutUint32(frame[4:], crc32.Checksum(body, castagnoli))
	if _, err := Merge(opened(t, wrong)); err == nil || !strings.Contains(err.Error(), "has 2 requests and counts 3") {
		t.Errorf("wrong counts: %v", err)
	}
	other := bytes.Replace(one, []byte(`"time_to_first_token"`), []byte(`"time_to_last_tokens"`), 1)
	for name, files := range map[string][][]byte{"other metrics": {one, other}, "does not know": {other}} {
		if _, err := Merge(opened(t, files...)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for text, want := range map[string]string{"": "no end", "{}\n": "no \"headway_columns\"",
		"{\"headway_columns\":9}\n": "version 9"} {
		if _, err := Open("x", strings.NewReader(text), int64(len(text))); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte("{\"headway_columns\":1,\"metrics\":[]}\n\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := Open("x", bytes.NewReader(b), int64(len(b))); err == nil {
			_, _ = Merge([]*Part{p}) // must not panic
		}
	})
}

// What the merge of ten million Records of 64 parts takes; -benchtime 1x.
func BenchmarkMerge(b *testing.B) {
	const each, parts = 156_250, 64
	dir := b.TempDir()
	for i := range parts {
		f, err := os.Create(filepath.Join(dir, fmt.Sprint(i)))
		if err != nil {
			b.Fatal(err)
		}
		c, err := NewColumns(f, streaming)
		if err != nil {
			b.Fatal(err)
		}
		r := rand.New(rand.NewPCG(uint64(i), 1))
		for k := range each {
			if err := c.Take(drawn(r, i+k*parts)); err != nil {
				b.Fatal(err)
			}
		}
		if err := c.Close(); err != nil {
			b.Fatal(err)
		}
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	for range b.N {
		mergeFiles(b, dir, parts)
	}
}

func mergeFiles(b *testing.B, dir string, n int) {
	var parts []*Part
	for i := range n {
		f, err := os.Open(filepath.Join(dir, fmt.Sprint(i)))
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			b.Fatal(err)
		}
		p, err := Open(f.Name(), f, info.Size())
		if err != nil || !p.Whole {
			b.Fatal(p, err)
		}
		parts = append(parts, p)
	}
	m, err := Merge(parts)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(m.Counts.Planned()), "records")
}

// Values keep their order and come back, the extremes among them.
func TestOrderOfValues(t *testing.T) {
	values := []float64{math.Inf(-1), -2, -1e-300, 0, 5e-324, 1e-9, 1, math.MaxFloat64, math.Inf(1)}
	for i, v := range values {
		if unorder(order(v)) != v || i > 0 && order(values[i-1]) >= order(v) {
			t.Errorf("%v is %x and back %v", v, order(v), unorder(order(v)))
		}
	}
}
