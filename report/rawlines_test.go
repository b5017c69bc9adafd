package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"headway/record"
)

// A line has what went over the wire but for secrets; what was not sent has none.
func TestRawLines(t *testing.T) {
	var b bytes.Buffer
	l := NewRawLines(&b, LineOptions{Clock: record.ClockAt(time.Unix(100, 0)), Secrets: NewRedactor("hunter2hunter2")})
	stream := &record.Record{Start: 5, Outcome: record.OK, Streamed: true, HTTP: record.HTTP{Status: 200},
		Done: 9, Arrivals: []record.Arrival{{At: 9, Kind: record.Content, Bytes: 1}},
		Raw: &record.Raw{Body: []byte("{\n \"key\": \"hunter2hunter2\"}"), Parts: []record.RawPart{
			{At: 7, Name: "ping", Data: []byte("{}")}, {At: 9, Data: []byte("hunter2hunter2 é")}}}}
	refused := &record.Record{Start: 6, Outcome: record.Failed, HTTP: record.HTTP{Status: 404},
		Failure: &record.Failure{Class: record.ClassHTTP4, Code: 404, Type: "Not Found", Message: "no"},
		Raw:     &record.Raw{Body: []byte("no JSON"), Parts: []record.RawPart{{At: 8, Data: []byte("nope")}}}}
	for _, r := range []*record.Record{stream, {Outcome: record.Dropped}, refused} {
		if err := l.Take(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 2 || stream.Raw != nil {
		t.Fatalf("%d lines, kept %v:\n%s", len(lines), stream.Raw, b.String())
	}
	for i, want := range []string{
		`"start_perf_ns":5,"payload":{"key":"<redacted>"},"status":200,"responses":[{"perf_ns":7,"packets":[` +
			`{"name":"event","value":"ping"},{"name":"data","value":"{}"}]},{"perf_ns":9,"packets":[` +
			`{"name":"data","value":"<redacted> é"}]}]}`,
		`"start_perf_ns":6,"payload":"no JSON","status":404,"responses":[{"perf_ns":8,"text":"nope"}],` +
			`"error":{"code":404,"type":"Not Found","message":"no"}}`,
	} {
		if !strings.HasSuffix(lines[i], want) {
			t.Errorf("line %d:\n%s\nwant its end to be\n%s", i, lines[i], want)
		}
	}
}
