package report

import (
	"strings"
	"testing"

	"headway/record"
)

// Levels at which nothing was missed have one line with the range and the worst; one that
// missed something, and one that was sampled otherwise, have their own.
func TestSamplingOfLevelsIsFolded(t *testing.T) {
	level := func(name string, interval float64, samples, missed int, late float64) workerRun {
		r := &Report{}
		r.Run.Telemetry = &record.Telemetry{Interval: interval, Sources: []record.TelemetrySource{
			{Name: "a", Samples: samples, Missed: missed, LateMost: late, CPU: late / 10}, {Name: "b", Samples: 1}}}
		return workerRun{[]string{name}, r}
	}
	for _, tt := range []struct {
		runs []workerRun
		want string
	}{
		{nil, ""},
		{[]workerRun{{[]string{"1"}, &Report{}}}, ""},
		{[]workerRun{level("1", 1, 9, 0, 0.002)}, "1 Telemetry: 10 samples of 2 sources every 1 s, 0 missed, " +
			"at most 2.00 ms late; reading them took 0.02 % of a core"},
		{[]workerRun{level("1", 1, 9, 0, 0.002), level("2", 1, 19, 0, 0.005), level("4", 1, 29, 0, 0.001)},
			"Telemetry of all 3 runs: 10 to 30 samples of 2 sources every 1 s, 0 missed, at most 5.00 ms late; " +
				"reading them took at most 0.05 % of a core"},
		{[]workerRun{level("1", 1, 9, 0, 0.002), level("2", 1, 9, 3, 0.005), level("4", 1, 9, 0, 0.001)},
			"2 Telemetry: 10 samples of 2 sources every 1 s, 3 missed, at most 5.00 ms late; reading them " +
				"took 0.05 % of a core\n" +
				"Telemetry of 2 of 3 runs: 10 samples of 2 sources every 1 s, 0 missed, at most 2.00 ms late; " +
				"reading them took at most 0.02 % of a core"},
		{[]workerRun{level("1", 1, 9, 0, 0.002), level("2", 2, 9, 0, 0.001)},
			"Telemetry of 1 of 2 runs: 10 samples of 2 sources every 1 s, 0 missed, at most 2.00 ms late; " +
				"reading them took at most 0.02 % of a core\n" +
				"Telemetry of 1 of 2 runs: 10 samples of 2 sources every 2 s, 0 missed, at most 1.00 ms late; " +
				"reading them took at most 0.01 % of a core"},
	} {
		if got := strings.Join(samplingLines(tt.runs), "\n"); squeezed(got) != squeezed(tt.want) ||
			strings.Count(got, "\n") != strings.Count(tt.want, "\n") {
			t.Errorf("%s\nwant\n%s", got, tt.want)
		}
	}
}

// The telemetry of a level is that of its first run, which is said where it has others;
// how well those were sampled is said as well.
func TestTelemetryOfRepeatedLevels(t *testing.T) {
	first, second := gpuRun(nil), gpuRun(nil)
	first.Run.Telemetry.Sources[0].Missed = 0
	for _, tt := range []struct {
		runs  []*Report
		said  bool
		lines int
	}{{[]*Report{first}, false, 1}, {[]*Report{first, second}, true, 2}} {
		d := &Document{}
		levelWorkers(d, []Level{{Runs: tt.runs}}, "")
		var b strings.Builder
		if err := d.Write(&b, ConsoleOptions{Markdown: true}); err != nil {
			t.Fatal(err)
		}
		if got := squeezed(b.String()); strings.Contains(got, "of the first run of each level") != tt.said ||
			strings.Count(got, "Telemetry") != tt.lines {
			t.Errorf("%d runs: %s", len(tt.runs), got)
		}
	}
}
