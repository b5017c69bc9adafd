package pages

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headway/internal/study"
	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/report/picture"
)

// measured is a run of a closed loop.
func measured(concurrency int) *report.Report {
	c := metric.NewCollector(metric.Options{Streaming: true, Concurrency: concurrency})
	for i := range 20 * concurrency {
		start := record.Time(1e6 + i/concurrency*1e8)
		r := &record.Record{Index: i, Planned: start, Start: start, Streamed: true, Outcome: record.OK, TokensIn: 10,
			TokensOut: 2, TokensReasoning: -1, Done: start + 9e7}
		for _, at := range []record.Time{2e7, 9e7} {
			r.Arrivals = append(r.Arrivals, record.Arrival{At: start + at, Kind: record.Content, Tokens: 1})
		}
		_ = c.Take(r) // never fails
	}
	r := &report.Report{Result: c.Result()}
	r.Run.Model, r.Run.Concurrency, r.Run.Seed = "m", concurrency, 7
	return r
}

func written(t *testing.T, d *study.Disk) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteTo(&b, d, "0"); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPageOfASweep(t *testing.T) {
	var levels []study.Level
	for _, c := range []int{1, 4} {
		levels = append(levels, study.Level{Concurrency: c, Reports: []*report.Report{measured(c), measured(c)},
			Dir: fmt.Sprint("s/c", c)})
	}
	text := written(t, study.SweepIn("s", levels))
	for _, want := range []string{"<h1>s</h1>", "a sweep over 2 levels", "Efficiency: throughput", "concurrency 1, 4",
		"concurrency 4, run 2", "seed 7", "Time to first token: share of replies", "Requests in flight"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	if n := strings.Count(text, `class="flow"`); n != 2 {
		t.Errorf("requests of %d runs: of each level one stands for its repeats", n)
	}
}

func TestPageOfRuns(t *testing.T) {
	text := written(t, study.RunsIn("r", "", []*report.Report{measured(2), measured(2)}))
	for _, want := range []string{"2 runs of one load", "r, run 2", "Figures over all runs"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
}

// profiled is what another procedure left, with a picture.
type profiled struct{ study.Other }

func (profiled) Document() *report.Document { return &report.Document{} }
func (profiled) Untold() []string           { return nil }
func (profiled) About() string              { return "m at http://h" }
func (profiled) Simulated() bool            { return true }
func (profiled) Pictures() []picture.Picture {
	return picture.OfExperiments([]report.Experiment{{Name: "e"}}, picture.Options{})[:1]
}

// Pictures of a profile are those that it has itself, whatever lies in its folder.
func TestPageOfAProfile(t *testing.T) {
	one := study.FoundOther{Name: "p", Dir: t.TempDir(), Other: profiled{}}
	for title, d := range map[string]*study.Disk{
		"Inter-token latency, median":    {Root: "p", Others: []study.FoundOther{one}},
		"p: Inter-token latency, median": {Root: "p", Others: []study.FoundOther{one, one}},
	} {
		if text := written(t, d); !strings.Contains(text, "<h3>"+title+"</h3>") ||
			!strings.Contains(text, `{"id":"plot-1","title":"`+title) {
			t.Errorf("%q can be read off nowhere", title)
		}
	}
}

// The head of a page of a profile says what it is of, and that no engine was measured.
func TestHeadOfAProfile(t *testing.T) {
	one := study.FoundOther{Name: "p", Dir: t.TempDir(), Other: profiled{}}
	const mark = `<li class="doubtful">simulated: no real engine answered</li>`
	text := written(t, &study.Disk{Root: "p", Others: []study.FoundOther{one}})
	for _, want := range []string{"profiles of engines: m at http://h", mark} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	beside := study.RunsIn("r", "", []*report.Report{measured(2)})
	beside.Others = []study.FoundOther{one}
	if text := written(t, beside); !strings.Contains(text, "no real engine answered: 1 of 1 profile<") {
		t.Error("a measured run beside a simulated profile: the head does not say which is simulated")
	}
}

// A page that cannot be written is a note, and none of earlier results stays.
func TestLeave(t *testing.T) {
	dir := t.TempDir()
	var said []string
	note := func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }
	d := study.RunsIn(dir, "", []*report.Report{measured(1)})
	Leave("report.html", d, "0", note)
	path := filepath.Join(dir, "report.html")
	if _, err := os.Stat(path); err != nil || len(said) > 0 {
		t.Fatalf("%v, %q", err, said)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o755); err != nil { // no ordinary file, so that it cannot be replaced
		t.Fatal(err)
	}
	Leave("report.html", d, "0", note)
	if len(said) != 1 || !strings.Contains(said[0], "report.html is missing: creating") {
		t.Errorf("%q", said)
	}
	Leave("report.html", study.RunsIn("", "", d.Found[0].Levels[0].Reports()), "0", note)
	Leave("report.html", study.RunsIn(t.TempDir(), "", nil), "0", note)
	if len(said) != 1 {
		t.Errorf("%q", said)
	}
}
