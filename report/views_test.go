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

var typical = made{c: 4, n: 30, failures: true, warmup: true, seed: 1, gpus: 2}

func TestJSONGolden(t *testing.T) {
	r := typical.report(t)
	got := render(t, func(b *bytes.Buffer) error { return r.WriteJSON(b) })
	golden(t, "typical.json", got)
	if !json.Valid(got) {
		t.Error("not valid JSON")
	}
}

func TestCSVGolden(t *testing.T) {
	r := typical.report(t)
	golden(t, "typical.csv", render(t, func(b *bytes.Buffer) error { return r.WriteCSV(b) }))
}

func TestConsoleGolden(t *testing.T) {
	r := typical.report(t)
	for _, width := range []int{140, 100, 80} {
		got := render(t, func(b *bytes.Buffer) error { return r.WriteConsole(b, ConsoleOptions{Width: width, HTTP: true}) })
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
		m := made{c: c, n: max(3*c, 10), failures: c == 50, seed: 3, gpus: 8, sim: true}
		single = append(single, Level{[]*Report{m.report(t)}})
		var runs []*Report
		for i := range 3 {
			m.seed, m.repeat = uint64(10+i), i
			runs = append(runs, m.report(t))
		}
		repeated = append(repeated, Level{runs})
	}
	for name, levels := range map[string][]Level{"levels": single, "levels-repeated": repeated} {
		for _, width := range []int{140, 100, 80} {
			got := render(t, func(b *bytes.Buffer) error { return WriteLevels(b, levels, ConsoleOptions{Width: width}) })
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
	records := typical.records()
	var b bytes.Buffer
	l := NewLines(&b, LineOptions{Clock: record.ClockAt(origin), Metrics: typical.options(t), Trace: true})
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
			json.RawMessage(`{"messages":[{"role":"user","content":"é <a> & sk-0123456789abcdef"}],"n":1.50,"tools":[]}`),
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
		m := made{c: 2, n: 12, seed: uint64(i), repeat: i}
		a.Runs = append(a.Runs, m.report(t))
	}
	a.Cooldown = 1.5
	golden(t, "aggregate.json", render(t, func(b *bytes.Buffer) error { return a.WriteJSON(b) }))
	golden(t, "aggregate.csv", render(t, func(b *bytes.Buffer) error { return a.WriteCSV(b) }))
}

func BenchmarkLines(b *testing.B) {
	m := made{c: 1, n: 1}
	r := m.records()[0]
	l := NewLines(io.Discard, LineOptions{Clock: record.ClockAt(origin), Metrics: m.options(b), Secrets: NewRedactor("sk-0123456789abcdef")})
	for b.Loop() {
		if err := l.Take(r); err != nil {
			b.Fatal(err)
		}
	}
}
