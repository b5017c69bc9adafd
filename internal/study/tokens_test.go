package study

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// reporting answers with one word and with the server's counts of it, 30 and 7,
// but for the requests that have none.
type reporting struct{ silent func(workload.Request) bool }

func (e reporting) Start(_ context.Context, r workload.Request, tape *record.Tape, done func()) {
	tape.Start = tape.Clock.Now()
	tape.Streamed, tape.Outcome = true, record.OK
	tape.Arrive(record.Arrival{At: tape.Clock.Now() + 1}, nil, nil, []byte("word"))
	if !e.silent(r) {
		tape.Usage = map[string]int{"prompt_tokens": 30, "completion_tokens": 7}
	}
	tape.Done = tape.Clock.Now() + 1
	done()
}

// countsOfTheWholeRunCases are the cases of TestCountsOfTheWholeRun.
var countsOfTheWholeRunCases = []struct {
	name   string
	silent func(workload.Request) bool
	by     string
	osl    float64
}{
	{"all have usage", func(workload.Request) bool { return false }, "server", 7},
	{"none has", func(workload.Request) bool { return true }, "client", 1},
	{"the first has none", func(r workload.Request) bool { return r.Index == 0 }, "client", 1},
	{"the last has none", func(r workload.Request) bool { return r.Index == 5 }, "client", 1},
}

// The summary, the lines of requests and the trailer are of the same counts,
// whichever reply is the one without usage.
func TestCountsOfTheWholeRun(t *testing.T) {
	for _, tt := range countsOfTheWholeRunCases {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			m := measurement(nil, dir, 6, 1)
			m.Target = reporting{tt.silent}
			m.Metrics.Tokens = metric.TokensAuto
			m.Header.TokenCount = "auto"
			m.Table = true
			rep, err := m.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if s, _ := rep.Result.Summary("output_sequence_length"); s.Mean != tt.osl || s.Count != 6 {
				t.Errorf("OSL %v of %d", s.Mean, s.Count)
			}
			if got := lineOSL(t, filepath.Join(dir, "profile_export.jsonl")); len(got) != 6 {
				t.Errorf("%d lines", len(got))
			} else {
				for _, v := range got {
					if v != tt.osl {
						t.Errorf("lines have OSL %v, want %v", got, tt.osl)
						break
					}
				}
			}
			f, err := os.Open(filepath.Join(dir, "records.jsonl"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			again, err := Reread(f.Name(), m.Metrics, report.Redactor{})
			if err != nil || again == nil {
				t.Fatal(again, err)
			}
			if again.Run.TokenCount != "auto" || again.Run.CountedBy != tt.by || again.Result.Tokens.By() != tt.by ||
				rep.Result.Tokens.By() != tt.by {
				t.Errorf("asked %q, counted by %q, read again %+v, want %q", again.Run.TokenCount, again.Run.CountedBy,
					again.Result.Tokens, tt.by)
			}
			if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
}

// lineOSL are the output lengths in profile_export.jsonl.
func lineOSL(t *testing.T, path string) []float64 {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []float64
	for line := range strings.Lines(string(b)) {
		var l struct {
			Metrics map[string]struct{ Value any }
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		v, _ := l.Metrics["output_sequence_length"].Value.(float64)
		all = append(all, v)
	}
	return all
}
