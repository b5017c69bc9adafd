package workload

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestReadTrace(t *testing.T) {
	text := "\xef\xbb\xbf" + `{"timestamp": 0, "input_length": 4, "output_length": 2, "hash_ids": [7]}` + "\r\n\n" +
		`{"timestamp": 1.5, "session_id": "a", "input_length": 5, "hash_ids": [7, 8], "context_len": 4, ` +
		`"unique_user_prompt_len": 1}` + "\n" +
		`{"session_id": 12, "delay": 2.5e1, "input_length": 9.0}` + "\n" +
		`{"timestamp": 2, "input_length": 3, "output_length": 1, "hash_ids": [], "priority": 3}`
	trace, err := ReadTrace(strings.NewReader(text), "x", TraceOptions{BlockSize: 4})
	if err != nil {
		t.Fatal(err)
	}
	want := []Row{
		{Timed: true, InputLength: 4, OutputLength: 2, HashIDs: []int64{7}},
		{Timestamp: 1.5, Timed: true, Session: "a", InputLength: 5, HashIDs: []int64{7, 8}},
		{Session: "12", Delay: 25, InputLength: 9},
		{Timestamp: 2, Timed: true, InputLength: 3, OutputLength: 1, More: true},
	}
	if !reflect.DeepEqual(trace.Rows, want) {
		t.Errorf("rows\n%+v, want\n%+v", trace.Rows, want)
	}
}

func TestReadTraceFaults(t *testing.T) {
	good := `{"timestamp": 10, "input_length": 600, "output_length": 1, "hash_ids": [0, 1]}`
	for _, c := range []struct{ name, line, want string }{
		{"ids", `{"timestamp": 10, "input_length": 1025, "hash_ids": [0, 1]}`,
			"2 ids do not match input_length 1025: with blocks of 512 tokens there must be 3"},
		{"backwards", `{"timestamp": 9.5, "input_length": 1}`, "time goes backwards: 9.5 ms after 10 ms"},
		{"negative time", `{"timestamp": -1, "input_length": 1}`, "timestamp -1"},
		{"negative delay", `{"delay": -1, "input_length": 1}`, "delay -1"},
		{"negative length", `{"timestamp": 11, "input_length": -5}`, "input_length -5"},
		{"no length", `{"timestamp": 11}`, "needs input_length"},
		{"text", `{"timestamp": 11, "text_input": "x"}`, "needs input_length"},
		{"huge", `{"timestamp": 11, "input_length": 99999999999}`, "input_length 99999999999"},
		{"fraction", `{"timestamp": 11, "input_length": 1.5}`, "whole number"},
		{"zero output", `{"timestamp": 11, "input_length": 1, "output_length": 0}`, "output_length 0"},
		{"late", `{"timestamp": 1e300, "input_length": 1}`, "timestamp 1e300"},
		{"negative id", `{"timestamp": 11, "input_length": 1, "hash_ids": [-1]}`, "-1 is negative"},
		{"id", `{"timestamp": 11, "input_length": 1, "hash_ids": [1.5]}`, "hash_ids"},
		{"ids alone", `{"timestamp": 11, "text_input": "x", "hash_ids": [1]}`, "needs input_length"},
		{"empty object", `{}`, "needs input_length"},
		{"array", `[1]`, "cannot unmarshal"},
		{"half", `{"timestamp": 11, "input_len`, "the last line is cut off (half-written file?)"},
		{"two", `{"timestamp": 11, "input_length": 1} x`, "after top-level value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ReadTrace(strings.NewReader(good+"\n"+c.line), "x.jsonl", TraceOptions{})
			var line *LineError
			if !errors.As(err, &line) || line.Line != 2 || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one of line 2 with %q", err, c.want)
			}
			trace, err := ReadTrace(strings.NewReader(good+"\n"+c.line+"\n"+good), "x.jsonl",
				TraceOptions{Lenient: true})
			if err != nil || len(trace.Rows) != 2 || trace.Skipped != 1 || trace.FirstSkip == nil {
				t.Errorf("lenient: %+v, %v", trace, err)
			}
		})
	}
	for _, c := range []struct{ text, want string }{{"\n", "the file is empty"}, {"{}", "all 1 lines were skipped"}} {
		if _, err := ReadTrace(strings.NewReader(c.text), "x", TraceOptions{Lenient: true}); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %q", c.text, err, c.want)
		}
	}
}

func TestTraceRoundTrip(t *testing.T) {
	path := shared(t, "mooncake_conversation_trace.jsonl")
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	trace, err := ReadTraceFile(path, TraceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, 0, len(file))
	for _, r := range trace.Rows {
		out = append(r.AppendJSON(out), '\n')
	}
	if len(trace.Rows) != 12031 || !bytes.Equal(out, file) {
		t.Errorf("%d rows; written they differ from the file", len(trace.Rows))
	}
}

// A line that the fast scan takes must mean to encoding/json the same.
func FuzzRow(f *testing.F) {
	for _, s := range []string{
		`{"timestamp": 0, "input_length": 4, "output_length": 2, "hash_ids": [7]}`,
		`{"timestamp":3.000001,"input_length":5,"hash_ids":[7, 18],"session_id":"a b","delay":0.5}`,
		`{"timestamp": 1e3, "input_length": 5.0, "session_id": 3, "hash_ids": null, "tools": []}`,
		`{"timestamp": 00, "input_length": 01}`, `{"input_length": 1,}`, `{"input_length": 1, "input_length": 2}`,
		`{"timestamp": 123456789012345.125, "input_length": 3}`,
		`{"hash_ids": [1,2,3], "hash_ids": [], "input_length": 9}`,
		`{"context_len": 5, "Input_Length": 4}`, `{"session_id": "\u00e9", "input_length": 3}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p := RowParser{BlockSize: 4}
		got, err := p.Parse(text)
		want, werr := parseRow(text)
		if werr == nil {
			werr = want.Check(4)
		}
		if len(want.HashIDs) == 0 {
			want.HashIDs = nil
		}
		if (err == nil) != (werr == nil) {
			t.Fatalf("%q: error %v, encoding/json says %v", text, err, werr)
		}
		if err != nil {
			return
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: %+v, encoding/json says %+v", text, got, want)
		}
		if got.InputLength == 0 {
			return
		}
		line := got.AppendJSON(nil)
		again, err := p.Parse(line)
		got.More, again.More = false, false
		if got.Session != "" && !json.Valid(line) || err != nil || !reflect.DeepEqual(got, again) {
			t.Fatalf("%q is written as %q and read as %+v, %v; want %+v", text, line, again, err, got)
		}
	})
}

func BenchmarkReadTrace(b *testing.B) {
	path := shared(b, "mooncake_conversation_trace.jsonl")
	for b.Loop() {
		if _, err := ReadTraceFile(path, TraceOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
