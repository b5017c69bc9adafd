package terminal

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"headway/load"
	"headway/metric"
)

var update = flag.Bool("update", false, "write the golden displays anew")

// samples are states as runs go through them.
func samples() map[string]State {
	nan := math.NaN()
	none := metric.Live{TTFT50: nan, TTFT99: nan, ITL50: nan, ITL99: nan}
	title := "my-run · http://127.0.0.1:8000 · level 10 (3 of 7) · run 1 of 3"
	done := []string{
		"concurrency    1: 10 ok, TTFT avg 40.12 ms, ITL avg 8.04 ms, 2.21 req/s, 141.44 tok/s",
		"concurrency    2: 10 ok, TTFT avg 40.31 ms, ITL avg 8.06 ms, 4.40 req/s, 281.60 tok/s",
		"concurrency    5: 15 ok, TTFT avg 41.70 ms, ITL avg 8.11 ms, 10.9 req/s, 697.60 tok/s",
	}
	return map[string]State{
		"begin": {Title: title, Phase: "warmup",
			Snapshot: load.Snapshot{Planned: 20, Sent: 10, InFlight: 10, Waiting: 10, Concurrency: 10},
			Live:     none, Elapsed: 300 * time.Millisecond},
		"closed": {Title: title, Phase: "profiling", Elapsed: 12*time.Second + 300*time.Millisecond, Done: done,
			Snapshot: load.Snapshot{Planned: 1000, Sent: 430, InFlight: 10, Waiting: 2, Finished: 420, Failed: 3,
				Concurrency: 10},
			Live: metric.Live{OK: 417, Failed: 3, TTFT50: 0.0452, TTFT99: 0.1123, ITL50: 0.00811, ITL99: 0.01204,
				RequestRate: 34.94, TokenRate: 2236.2}},
		"big": {Title: title, Phase: "profiling", Elapsed: 2*time.Hour + 5*time.Minute,
			Duration: 3 * time.Hour, Done: done,
			Snapshot: load.Snapshot{Sent: 1234567, InFlight: 10000, Waiting: 9999, Finished: 1224567, Failed: 20044,
				Dropped: 1021, Concurrency: 10000},
			Live: metric.Live{OK: 1203502, Failed: 20044, Cancelled: 12, Dropped: 1021, TTFT50: 2.4, TTFT99: 58.2,
				ITL50: 0.1, ITL99: 1.25,
				RequestRate: 1632.8, TokenRate: 104500}},
		"interrupted": {Title: "my-run · SIMULATED", Phase: "profiling", Elapsed: 31 * time.Second,
			Duration: 30 * time.Second,
			Snapshot: load.Snapshot{Sent: 40, InFlight: 4, Waiting: 1, Finished: 36}, Done: done,
			Live: metric.Live{OK: 36, TTFT50: 0.5, TTFT99: 0.9, ITL50: nan, ITL99: nan},
			Note: "interrupted: waiting for 4 requests; Ctrl-C again stops at once"},
	}
}

func TestViewGolden(t *testing.T) {
	for name, s := range samples() {
		for _, width := range []int{60, 80, 120} {
			golden(t, fmt.Sprintf("%s-%d.txt", name, width), View(s, width, false))
		}
	}
	// Escape is written ␛ so that the file can be read.
	for _, name := range []string{"closed", "interrupted"} {
		golden(t, name+"-color.txt", strings.ReplaceAll(View(samples()[name], 80, true), "\x1b", "␛"))
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	got += "\n"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; run the test with -update and look at the file", err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s differs (-want +got); if it should, run with -update and look at it:\n%s", file, d)
	}
}

// hostile is text that would break a display that trusted it.
var hostile = rapid.SampledFrom([]string{"", "plain", "a\nb\r\tc", "\x1b[2J\x1b[31mred", "漢字 is wide", "👩‍👩‍👧",
	"\x00\x07\x9b5A", "\xff\xfe",
	"\x1b]0;title\x07x", "\x1b[", strings.Repeat("long ", 60)})

func anyState() *rapid.Generator[State] {
	return rapid.Custom(func(t *rapid.T) State {
		n := func(name string) int64 { return rapid.Int64Range(0, math.MaxInt64).Draw(t, name) }
		v := func(name string) float64 { return rapid.Float64Min(0).Draw(t, name) }
		return State{
			Title: hostile.Draw(t, "title"), Phase: hostile.Draw(t, "phase"), Note: hostile.Draw(t, "note"),
			Done: rapid.SliceOfN(hostile, 0, 12).Draw(t, "done"),
			Snapshot: load.Snapshot{Planned: n("planned"), InFlight: n("flight"), Waiting: n("waiting"),
				Finished: n("finished"),
				Failed:   n("failed"), Dropped: n("dropped"), Concurrency: n("concurrency")},
			Live: metric.Live{OK: int(n("ok")), Cancelled: int(n("cancelled")), TTFT50: v("a"), TTFT99: math.NaN(),
				ITL50: v("b"), ITL99: v("c"),
				RequestRate: v("d"), TokenRate: v("e")},
			Elapsed: time.Duration(n("elapsed")), Duration: time.Duration(n("duration")),
		}
	})
}

// Whatever the state, a View stays in its box and moves nothing.
func TestViewFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, width := anyState().Draw(t, "state"), rapid.IntRange(-1, 200).Draw(t, "width")
		plain, colored := View(s, width, false), View(s, width, true)
		lines := strings.Split(plain, "\n")
		if len(lines) > maxLines {
			t.Errorf("%d lines", len(lines))
		}
		for _, l := range lines {
			if ansi.StringWidth(l) > max(1, width) {
				t.Errorf("%q has %d columns of %d", l, ansi.StringWidth(l), width)
			}
			if strings.ContainsFunc(l, unicode.IsControl) {
				t.Errorf("%q has a control character", l)
			}
		}
		if ansi.Strip(colored) != plain {
			t.Errorf("without its colours %q is not %q", colored, plain)
		}
	})
}

func TestTitleIsCutInTheMiddle(t *testing.T) {
	const title = "my-run · http://127.0.0.1:8000 · level 10 (3 of 7)"
	for width, want := range map[int]string{
		200: title, 50: title, 49: "my-run · http://…7.0.0.1:8000 · level 10 (3 of 7)",
		20: "my-run…l 10 (3 of 7)", 4: title,
	} {
		if got := shorten(title, width); got != want {
			t.Errorf("in %d columns %q, want %q", width, got, want)
		}
	}
}

func TestClean(t *testing.T) {
	for text, want := range map[string]string{
		"plain · 漢字":                "plain · 漢字",
		"a\nb\r\tc":                 "a b c",
		"\x1b[2J\x1b[31mred\x1b[m!": "red!",
		"\x1b]0;title\x07x\x00":     "x",
	} {
		if got := clean(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// The bar grows with the share and keeps its length.
func TestBar(t *testing.T) {
	for _, test := range []struct {
		share float64
		want  string
	}{{0, "─────"}, {0.09, "─────"}, {0.1, "╸────"}, {0.2, "━────"}, {0.5, "━━╸──"}, {0.99, "━━━━╸"}, {1, "━━━━━"}} {
		if got := paint(false).bar(test.share, 5); got != test.want {
			t.Errorf("%v is drawn %q, want %q", test.share, got, test.want)
		}
	}
}

func TestFailuresAreRed(t *testing.T) {
	s := samples()["closed"]
	const red = "\x1b[1;31m"
	if v := View(s, 80, true); !strings.Contains(v, red+"3 failed") || strings.Count(v, red) != 1 {
		t.Errorf("three failures are not the one thing in red:\n%q", v)
	}
	s.Snapshot.Failed, s.Live.Failed, s.Snapshot.Dropped = 0, 0, 2
	if v := View(s, 80, true); !strings.Contains(v, red+"2 dropped") || strings.Count(v, red) != 1 {
		t.Errorf("two dropped requests are not the one thing in red:\n%q", v)
	}
}

func TestLine(t *testing.T) {
	want := map[string]string{
		"begin": "my-run · http://127.0.0.1:8000 · level 10 (3 of 7) · run 1 of 3: warmup 0 % · 0 of 20 requests · " +
			"10 in flight · " +
			"– requests/s · – output tokens/s · TTFT p50 – p99 – ms · ITL p50 – p99 – ms · 0:00 elapsed, – left",
		"closed": "my-run · http://127.0.0.1:8000 · level 10 (3 of 7) · run 1 of 3: profiling 42 % · 420 of 1,000 " +
			"requests · 10 in flight · 3 failed · " +
			"34.9 requests/s · 2,236 output tokens/s · TTFT p50 45.2 p99 112 ms · ITL p50 8.11 p99 12.0 ms · 0:12 " +
			"elapsed, 0:17 left",
		"big": "my-run · http://127.0.0.1:8000 · level 10 (3 of 7) · run 1 of 3: profiling 69 % · 1,224,567 " +
			"requests · 10,000 in flight · " +
			"20,044 failed · 1,021 dropped · 12 cancelled · 1,633 requests/s · 104,500 output tokens/s · " +
			"TTFT p50 2,400 p99 58,200 ms · ITL p50 100 p99 1,250 ms · 2:05:00 elapsed, 55:00 left",
		"interrupted": "my-run · SIMULATED: profiling 100 % · 36 requests · 4 in flight · 0.00 requests/s · 0.00 " +
			"output tokens/s · " +
			"TTFT p50 500 p99 900 ms · ITL p50 – p99 – ms · 0:31 elapsed, finishing · interrupted: waiting for 4 " +
			"requests; Ctrl-C again stops at once",
	}
	for name, s := range samples() {
		if d := cmp.Diff(want[name], Line(s)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		if l := Line(anyState().Draw(t, "state")); strings.ContainsFunc(l, unicode.IsControl) {
			t.Errorf("%q has a control character", l)
		}
	})
}

func BenchmarkView(b *testing.B) {
	s := samples()["closed"]
	for b.Loop() {
		View(s, 80, true)
	}
}
