package study

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headway/internal/options"
	"headway/metric"
	"headway/record"
	"headway/report"
)

func warned(rep *report.Report, code string) string {
	for _, w := range rep.Run.Warnings {
		if w.Code == code {
			return w.Text
		}
	}
	return ""
}

// Repeats end with the first interval that is narrow enough, which four equal values
// have; the aggregate is of the runs that were made, and made again it is the same.
func TestRepeatsEndWhenEnoughIsKnown(t *testing.T) {
	count := options.Wanted{Figure: metric.Figure{Tag: "request_count"}, Within: 0.05, Text: "count"}
	images := options.Wanted{Figure: metric.Figure{Tag: "image_throughput", Stat: "avg"}, Within: 0.5, Text: "images"}
	latency := options.Wanted{Figure: metric.Figure{Tag: "request_latency", Stat: "avg"}, Within: 1e-9, Text: "latency"}
	for name, tt := range map[string]struct {
		until []options.Wanted
		runs  int
		short string
	}{
		"a count":         {[]options.Wanted{count}, 4, ""},
		"nothing":         {nil, 6, ""},
		"an unknown time": {[]options.Wanted{images}, 6, "images (no interval yet)"},
		"one of two":      {[]options.Wanted{count, latency}, 6, "latency (±"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			e := &echo{}
			r := Repeat{Dir: dir, Runs: 6, Cooldown: time.Nanosecond, Confidence: 0.95, Until: tt.until}
			r.Measure = func(run int, d string) (Measurement, error) {
				m := measurement(e, d, 3, 1)
				if tt.until != nil {
					m.Header.Config = json.RawMessage(`{"num-profile-runs":6,"until":["x"],"confidence-level":0.95}`)
				}
				return m, nil
			}
			all, err := r.Run(t.Context())
			if err != nil || len(all) != tt.runs {
				t.Fatalf("%d runs, want %d: %v", len(all), tt.runs, err)
			}
			last := all[len(all)-1]
			if text := warned(last, "until_not_reached"); (text == "") != (tt.short == "") ||
				!strings.Contains(text, tt.short) {
				t.Errorf("warned %q, want %q", text, tt.short)
			}
			if text := warned(last, "runs_missing"); text != "" {
				t.Error(text)
			}
			if n := runsIn(t, filepath.Join(dir, "aggregate", report.AggregateJSON)); n != tt.runs {
				t.Errorf("the aggregate is of %d runs", n)
			}
			if lies(dir, filepath.Join("profile_runs", report.RunLabel(tt.runs))) {
				t.Error("there is a folder of a run that was not made")
			}
		})
	}
}

func runsIn(t *testing.T, path string) int {
	t.Helper()
	b, err := os.ReadFile(path)
	var doc struct {
		Metadata struct {
			Runs int `json:"num_successful_runs"`
		} `json:"metadata"`
	}
	if err = errors.Join(err, json.Unmarshal(b, &doc)); err != nil {
		t.Fatal(err)
	}
	return doc.Metadata.Runs
}

// delivering is a level of runs with so many tokens/s.
func delivering(t *testing.T, n int, rates ...float64) Level {
	t.Helper()
	l := Level{Concurrency: n}
	for _, rate := range rates {
		c := metric.NewCollector(metric.Options{Streaming: true, Clock: record.ClockAt(time.Unix(0, 0)),
			Concurrency: n})
		for i := range 50 {
			at := record.Time(1 + float64(i)*10e9/rate)
			r := &record.Record{Index: i, Outcome: record.OK, Streamed: true, Sparse: true, Planned: at,
				Start: at, Sent: at, Ack: at, TokensIn: 5, TokensOut: 10, Done: at + record.Time(10e9/rate)}
			r.Arrivals = []record.Arrival{{At: r.Done, Kind: record.Content, Tokens: 10}}
			if err := c.Take(r); err != nil {
				t.Fatal(err)
			}
		}
		l.Reports = append(l.Reports, &report.Report{Result: c.Result()})
	}
	return l
}

// A sweep is saturated when a level with half as many requests again delivers no more;
// neighbours and levels whose throughput is not known say nothing.
func TestSaturated(t *testing.T) {
	one, three, four := delivering(t, 10, 100), delivering(t, 30, 280, 290), delivering(t, 40, 285)
	for name, tt := range map[string]struct {
		levels []Level
		want   bool
	}{
		"the first":      {[]Level{one}, false},
		"it rises":       {[]Level{one, three}, false},
		"close together": {[]Level{three, four}, false},
		"as before":      {[]Level{one, three, delivering(t, 60, 292)}, true},
		"it falls":       {[]Level{three, delivering(t, 60, 200)}, true},
		"unknown":        {[]Level{three, {Concurrency: 60, Reports: []*report.Report{}}}, false},
	} {
		if got := saturated(tt.levels, t.Logf); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if v := delivered(three); v < 270 || v > 300 {
		t.Errorf("%v tokens/s of 280 and 290", v)
	}
}
