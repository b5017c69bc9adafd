package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func drawTime(t *rapid.T) Time { return Time(rapid.Int64Min(0).Draw(t, "time")) }

func drawInt(t *rapid.T) int { return int(rapid.Int32Min(-1).Draw(t, "int")) }

func drawRecord(t *rapid.T) *Record {
	str, flag := rapid.String(), rapid.Bool()
	r := &Record{
		Index: drawInt(t), Warmup: flag.Draw(t, "warmup"), Session: str.Draw(t, "session"), Turn: drawInt(t),
		RequestID: str.Draw(t, "id"), CorrelationID: str.Draw(t, "corr"), URL: str.Draw(t, "url"),
		Planned: drawTime(t), Start: drawTime(t), Sent: drawTime(t), Ack: drawTime(t), Done: drawTime(t),
		Skipped:  drawInt(t),
		Unknown:  drawInt(t),
		Finish:   rapid.SampledFrom([]string{"", "stop", "abort", "a \"b\""}).Draw(t, "finish"),
		Streamed: flag.Draw(t, "streamed"), Sparse: flag.Draw(t, "sparse"),
		Outcome:    Outcome(rapid.IntRange(0, 3).Draw(t, "outcome")),
		PlannedISL: drawInt(t), PlannedOSL: drawInt(t), TokensIn: drawInt(t), TokensOut: drawInt(t),
		TokensReasoning: drawInt(t),
		FirstUsage:      drawInt(t),
		Usage:           rapid.MapOfN(str, rapid.Int(), 0, 3).Draw(t, "usage"),
	}
	if flag.Draw(t, "failed") {
		r.Failure = &Failure{Class: Class(str.Draw(t, "class")), Code: drawInt(t), Type: str.Draw(t, "type"),
			Message: str.Draw(t, "message")}
	}
	if flag.Draw(t, "told") {
		n, x := drawInt(t), rapid.Float64Range(0, 1e9).Draw(t, "share")
		r.Told = &Told{PrefillWorker: str.Draw(t, "prefill"), DecodeWorker: "18446744073709551615",
			PrefillRank: &n, Received: rapid.Int64Min(0).Draw(t, "ms"), Wait: &x, Prefill: &x, TTFT: &x,
			Total: &x, HitRate: &x, Queued: &n}
	}
	if flag.Draw(t, "http") {
		r.HTTP = HTTP{
			DNSStart: drawTime(t), DNSDone: drawTime(t), ConnectStart: drawTime(t), ConnectDone: drawTime(t),
			TLSStart: drawTime(t), TLSDone: drawTime(t), GotConn: drawTime(t), HeadersSent: drawTime(t),
			FirstByte: drawTime(t), FirstBody: drawTime(t), End: drawTime(t), Reused: flag.Draw(t, "reused"),
			BytesSent: rapid.Int64().Draw(t, "bytes"), BytesReceived: rapid.Int64().Draw(t, "bytes"),
			Chunks: drawInt(t), Status: drawInt(t), Remote: str.Draw(t, "remote"),
		}
	}
	for range rapid.IntRange(0, 5).Draw(t, "arrivals") {
		r.Arrivals = append(r.Arrivals, Arrival{
			At: drawTime(t), Kind: Kind(rapid.IntRange(0, 15).Draw(t, "kind")), Tokens: drawInt(t), Bytes: drawInt(t),
			Coalesced: flag.Draw(t, "together"), UserspaceStamp: flag.Draw(t, "user"),
		})
	}
	return r
}

func testHeader() Header {
	return Header{
		Version: "0.1.0", ID: "run-1", Origin: time.Date(2026, 11, 23, 15, 0, 0, 123456789, time.UTC),
		Config: json.RawMessage(`{"isl":2000,"rate":0.1}`), Command: "headway run", Model: "m", URL: "http://h",
		Endpoint: "chat", Streaming: true, Concurrency: 4, Rate: 1.0 / 3, Arrivals: "poisson", NumGPUs: 8,
		Seed: 1<<64 - 1, Tokenizer: Tokenizer{Name: "builtin", Fingerprint: "f"},
		Schedule: Schedule{Timed: true, Count: 3, Span: 0.1 + 0.2, Dispersion: 1e-9},
	}
}

func testTrailer() Trailer {
	return Trailer{Begin: 1, End: 1<<62 + 1, Cancelled: true, Warnings: []Warning{{Code: "c", Text: "t"}},
		Audit: &Audit{Verdict: AuditInvalid, StampsVerdict: AuditValid, ScheduleVerdict: AuditInvalid,
			Reasons: []AuditReason{{AuditInvalid, AboutSchedule, "late_sends", "f", "b", "c"}}, Limit: 0.001,
			ScheduleLimit: 0.002, LimitSet: true,
			Stamps: &AuditStamps{1, 2, 3, 4, AuditSpread{Count: 5}, AuditShift{1, 2, 3, 4, 5, 6},
				&AuditShift{6, 5, 4, 3, 2, 1}},
			MedianTTFT: 0.1 + 0.2, Schedule: &AuditSchedule{Lateness: AuditSpread{3, 1e-9, 0.2, 0.3, 0.4}, Planned: 1,
				Achieved: 2, AskedRate: 3, PlannedRate: 4, SentRate: 5},
			Load: AuditLoad{1, true, 2, 0.5, 3, 4, 5}, Arrivals: AuditArrivals{1, 2, 3},
			ReadLag: &AuditSpread{Count: 1}, ProbeLag: &AuditSpread{Count: 2},
			Runtime: AuditRuntime{1, 2, 3, 4, 5}, Machine: &AuditMachine{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
			Calibration: &AuditCalibration{1, 2, 3}}}
}

// TestRoundTrip is the format's promise: nothing but Text is lost.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := []*Record{drawRecord(t), drawRecord(t)}
		var buf bytes.Buffer
		w, err := NewWriter(&buf, testHeader())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range want {
			if err := w.Take(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(testTrailer()); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(buf.String(), "\n"); n != 4 {
			t.Fatalf("%d lines, want 4", n)
		}
		r, got := readAll(t, &buf)
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
			t.Fatal(d)
		}
		if d := cmp.Diff(testHeader(), r.Header()); d != "" {
			t.Fatal(d)
		}
		trailer, ok := r.Trailer()
		if d := cmp.Diff(testTrailer(), trailer); !ok || d != "" {
			t.Fatal(ok, d)
		}
	})
}

type fataler interface{ Fatal(...any) }

func readAll(t fataler, in io.Reader) (*Reader, []*Record) {
	r, err := NewReader(in, "x.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var all []*Record
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r, all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, rec)
	}
}

const headLine = `{"headway_records":1,"run":{"version":"0.1.0","id":"a","origin":"2026-11-23T15:00:00Z",` +
	`"model":"m"}}` + "\n"

func TestReaderSkipsBadLines(t *testing.T) {
	in := headLine +
		`{"index":0,"outcome":"ok","start":5,"arrivals":[[9,1],[4,1,2,3,1]]}` + "\n" +
		"\n" +
		`{"index":1,"outcome":"lost"}` + "\n" +
		`{"index":2}` + "\n" +
		`{"index":3,"outcome":"ok","arrivals":[[]]}` + "\n" +
		`{"index":4,"outcome":"failed","failure":{"class":"timeout","type":"T","message":"late"}}` + "\n" +
		`{"index":5,"outcome":"ok","start":1` // cut off by a crash
	r, recs := readAll(t, strings.NewReader(in))
	if len(recs) != 2 || recs[0].Arrivals[1].At != 13 || !recs[0].Arrivals[1].Coalesced ||
		recs[1].Failure.Class != ClassTimeout {
		t.Errorf("records %+v", recs)
	}
	n, faults := r.Skipped()
	if n != 4 || len(faults) != 4 {
		t.Fatalf("skipped %d, %v", n, faults)
	}
	for i, at := range []string{"x.jsonl:4: outcome \"lost\"", "x.jsonl:5: not a record", "x.jsonl:6: arrival 0 has 0",
		"x.jsonl:8: unexpected end"} {
		if !strings.Contains(faults[i].Error(), at) {
			t.Errorf("fault %d is %q, want it to hold %q", i, faults[i], at)
		}
	}
	if _, ok := r.Trailer(); ok {
		t.Error("a file cut off by a crash has a trailer")
	}
}

func TestReaderRefuses(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"empty", "", "the file is empty"},
		{"no JSON", "hello\n", "x.jsonl:1: invalid character"},
		{"another format", `{"metadata":{}}` + "\n", "not a records.jsonl"},
		{"newer", `{"headway_records":2,"run":{}}` + "\n", "version 2 of the format is unknown"},
		{"no line readable", headLine + "x\ny\n", "none of 2 lines is readable, the first: reading records x.jsonl:2"},
	} {
		r, err := NewReader(strings.NewReader(c.in), "x.jsonl")
		if err == nil {
			_, err = r.Next()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

func TestReaderLongLine(t *testing.T) {
	long := io.MultiReader(
		strings.NewReader(headLine),
		strings.NewReader(strings.Repeat(" ", maxLine+2)+"\n"),
		strings.NewReader(`{"index":7,"outcome":"dropped"}`+"\n"))
	r, recs := readAll(t, long)
	if n, faults := r.Skipped(); len(recs) != 1 || n != 1 || !errors.Is(faults[0], errLong) {
		t.Errorf("%d records, %d skipped, %v", len(recs), n, faults)
	}
}

func TestReaderLineAfterTrailer(t *testing.T) {
	in := headLine + `{"index":0,"outcome":"ok"}` + "\n" + `{"trailer":{"begin":1,"end":2,"cancelled":false}}` +
		"\n" + headLine
	r, recs := readAll(t, strings.NewReader(in))
	if n, _ := r.Skipped(); len(recs) != 1 || n != 1 {
		t.Errorf("%d records, %d skipped, want 1 and 1", len(recs), n)
	}
}

type failing struct{ n int }

func (f *failing) Write(p []byte) (int, error) {
	if f.n--; f.n < 0 {
		return 0, os.ErrClosed
	}
	return len(p), nil
}

func TestWriterKeepsError(t *testing.T) {
	w, err := NewWriter(&failing{n: 1}, testHeader())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Take(&Record{}); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Flush gives %v", err)
	}
	if err := w.Take(&Record{}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Take after a failure gives %v", err)
	}
	if _, err := NewWriter(&failing{}, testHeader()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("NewWriter gives %v", err)
	}
}

// FuzzReader checks that any bytes give records or an error, and that what was
// read writes and reads back the same.
func FuzzReader(f *testing.F) {
	f.Add([]byte(headLine + `{"index":0,"outcome":"ok","arrivals":[[9,1],[4,1,2,3,1]],` +
		`"usage":{"prompt_tokens":3}}` + "\n" + `{"trailer":{"begin":1,"end":2}}`))
	f.Add([]byte(headLine + "{\n[]\nnull\n"))
	f.Add([]byte("\n\n{}"))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := NewReader(bytes.NewReader(in), "fuzz")
		if err != nil {
			return
		}
		var first []*Record
		var buf bytes.Buffer
		w, err := NewWriter(&buf, r.Header())
		if err != nil {
			return // a time zone that JSON cannot hold
		}
		for {
			rec, err := r.Next()
			if err != nil {
				break
			}
			first = append(first, rec)
			if err := w.Take(rec); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		_, again := readAll(t, &buf)
		if d := cmp.Diff(first, again, cmpopts.EquateEmpty()); d != "" {
			t.Fatal(d)
		}
	})
}

func BenchmarkWriter(b *testing.B) {
	r := &Record{Outcome: OK, Start: 1, Arrivals: make([]Arrival, 256)}
	for i := range r.Arrivals {
		r.Arrivals[i] = Arrival{At: Time(20_000_000 + 5_000_000*i), Kind: Content, Tokens: 1, Bytes: 5}
	}
	w, err := NewWriter(io.Discard, testHeader())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := w.Take(r); err != nil {
			b.Fatal(err)
		}
	}
}

// TestDocument reads the example of the format's page.
func TestDocument(t *testing.T) {
	page, err := os.ReadFile("../docs/format-records.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```jsonl\n")
	example, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("the page has no example")
	}
	r, recs := readAll(t, strings.NewReader(example))
	if n, faults := r.Skipped(); n > 0 || len(recs) != 3 || recs[0].Arrivals[2].Tokens != 1 ||
		recs[2].Outcome != Dropped {
		t.Errorf("%d skipped (%v), records %+v", n, faults, recs)
	}
	// What is written is the same text, so that the page shows every field
	// where it stands.
	var b bytes.Buffer
	w, err := NewWriter(&b, r.Header())
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range recs {
		if err := w.Take(rec); err != nil {
			t.Fatal(err)
		}
	}
	trailer, _ := r.Trailer()
	if err := w.Close(trailer); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(example, "\n"), strings.Split(b.String(), "\n")); d != "" {
		t.Error(d)
	}
}
