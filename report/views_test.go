package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"headway/record"
)

var typical = made{C: 4, N: 30, Failures: true, Warmup: true, Seed: 1, GPUs: 2}

func TestJSONGolden(t *testing.T) {
	r := reportOf(t, typical)
	got := render(t, func(b *bytes.Buffer) error { return r.WriteJSON(b) })
	golden(t, "typical.json", got)
	if !json.Valid(got) {
		t.Error("not valid JSON")
	}
}

func TestCSVGolden(t *testing.T) {
	r := reportOf(t, typical)
	golden(t, "typical.csv", render(t, func(b *bytes.Buffer) error { return r.WriteCSV(b) }))
}

func TestConsoleGolden(t *testing.T) {
	r := reportOf(t, typical)
	for _, width := range []int{140, 100, 80} {
		got := render(t,
			func(b *bytes.Buffer) error { return r.WriteConsole(b, ConsoleOptions{Width: width, HTTP: true}) })
		golden(t, fmt.Sprintf("console-%d.txt", width), got)
		for line := range strings.SplitSeq(string(got), "\n") {
			if textWidth(line) > width {
				t.Errorf("width %d: a line of %d columns: %s", width, textWidth(line), line)
			}
		}
	}
}

func TestLevelsGolden(t *testing.T) {
	var single, repeated []Level
	for _, c := range []int{1, 2, 5, 10, 50, 100, 250} {
		m := made{C: c, N: max(3*c, 10), Failures: c == 50, Seed: 3, GPUs: 8, Simulated: true}
		single = append(single, Level{[]*Report{reportOf(t, m)}})
		var runs []*Report
		for i := range 3 {
			m.Seed, m.Repeat = uint64(10+i), i
			runs = append(runs, reportOf(t, m))
		}
		repeated = append(repeated, Level{runs})
	}
	for name, levels := range map[string][]Level{"levels": single, "levels-repeated": repeated} {
		for _, width := range []int{140, 100, 80} {
			got := render(t,
				func(b *bytes.Buffer) error { return WriteLevels(b, levels, ConsoleOptions{Width: width}) })
			golden(t, fmt.Sprintf("%s-%d.txt", name, width), got)
			for line := range strings.SplitSeq(string(got), "\n") {
				if textWidth(line) > width {
					t.Errorf("%s, width %d: a line of %d columns: %s", name, width, textWidth(line), line)
				}
			}
		}
	}
}

func TestLinesGolden(t *testing.T) {
	records := typical.Records()
	var b bytes.Buffer
	l := NewLines(&b, LineOptions{Clock: record.ClockAt(origin), Metrics: typical.Options(t), Trace: true})
	for _, i := range []int{0, 4, 10, 30, 33} {
		if err := l.Take(records[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	golden(t, "typical.jsonl", b.Bytes())
	if n := strings.Count(b.String(), "\n"); n != 4 {
		t.Errorf("%d lines of 4 requests sent and one dropped", n)
	}
}

func TestInputsGolden(t *testing.T) {
	got := render(t, func(b *bytes.Buffer) error {
		in := NewInputs(b, NewRedactor("sk-0123456789abcdef"))
		err := in.Add("session_000000", []json.RawMessage{
			json.RawMessage(`{"messages":[{"role":"user","content":"é <a> & sk-0123456789abcdef"}],` +
				`"n":1.50,"tools":[]}`),
			json.RawMessage(`{"messages":[]}`)})
		if err != nil {
			return err
		}
		if err := in.Add("session \"two\"", nil); err != nil {
			return err
		}
		return in.Close()
	})
	golden(t, "inputs.json", got)
	if !json.Valid(got) {
		t.Error("not valid JSON")
	}
	empty := render(t, func(b *bytes.Buffer) error { return NewInputs(b, Redactor{}).Close() })
	if string(empty) != "{\n  \"data\": []\n}" {
		t.Errorf("no session gives %q", empty)
	}
	if err := NewInputs(&bytes.Buffer{}, Redactor{}).Add("x", []json.RawMessage{json.RawMessage("{")}); err == nil {
		t.Error("a body that is not JSON is written")
	}
}

func TestAggregateGolden(t *testing.T) {
	var a Aggregate
	for i := range 3 {
		m := made{C: 2, N: 12, Seed: uint64(i), Repeat: i}
		a.Runs = append(a.Runs, reportOf(t, m))
	}
	a.Cooldown = 1.5
	golden(t, "aggregate.json", render(t, func(b *bytes.Buffer) error { return a.WriteJSON(b) }))
	golden(t, "aggregate.csv", render(t, func(b *bytes.Buffer) error { return a.WriteCSV(b) }))
}

func BenchmarkLines(b *testing.B) {
	m := made{C: 1, N: 1}
	r := m.Records()[0]
	l := NewLines(io.Discard, LineOptions{Clock: record.ClockAt(origin), Metrics: m.Options(b),
		Secrets: NewRedactor("sk-0123456789abcdef")})
	for b.Loop() {
		if err := l.Take(r); err != nil {
			b.Fatal(err)
		}
	}
}
