package report

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"headway/record"
)

// Lines that were written of Records give Records with the same figures, as they
// are and compressed.
func TestLinesReadBack(t *testing.T) {
	for _, name := range []string{"profile_export.jsonl", "profile_export.jsonl" + Zst} {
		m := typical
		var b bytes.Buffer
		z, err := NewZst(&b)
		if err != nil {
			t.Fatal(err)
		}
		o := LineOptions{Clock: record.ClockAt(origin), Metrics: m.Options(t)}
		lines := NewLines(&b, o)
		if filepath.Ext(name) == Zst {
			lines = NewLines(z, o)
		}
		want := map[int]string{}
		written := 0
		for _, r := range m.Records() {
			if r.Outcome == record.Dropped {
				continue
			}
			written++
			want[r.Index] = r.Outcome.String()
			if err := lines.Take(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := lines.Flush(); err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(name) == Zst {
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		in, err := OpenLines(path)
		if err != nil || in.Requests != written || in.Skipped != 0 {
			t.Fatalf("%s: %d of %d lines, %v", name, in.Requests, written, err)
		}
		err = in.Each(recordFunc(func(r *record.Record) error {
			if want[r.Index] != r.Outcome.String() {
				t.Errorf("%s: request %d is %s, was %s", name, r.Index, r.Outcome, want[r.Index])
			}
			return nil
		}))
		if err != nil {
			t.Error(err)
		}
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte(`{"metadata":{"session_num":0,"request_start_ns":1000},` +
		`"metrics":{"time_to_first_token":{"value":1,"unit":"ms"},` +
		`"inter_chunk_latency":{"value":[1e300],"unit":"s"}}}`))
	f.Add([]byte("{\"metadata\":{\"request_start_ns\":1}}\n\nnull\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "profile_export.jsonl")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		in, err := OpenLines(path)
		if err != nil {
			return
		}
		n := 0
		if err := in.Each(recordFunc(func(*record.Record) error { n++; return nil })); err != nil || n != in.Requests {
			t.Errorf("%d of %d, %v", n, in.Requests, err)
		}
	})
}
