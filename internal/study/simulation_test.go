package study

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headway/internal/cluster"
	"headway/internal/fault"
	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/report/llmd"
	"headway/workload"
)

// replayed is a load of n requests a second apart, of so many tokens, on one worker.
func replayed(t *testing.T, n, tokens int) Simulation {
	t.Helper()
	c := cluster.Defaults()
	c.Workers = 1
	src := workload.Synthetic{
		Key:      workload.Seed(1),
		ISL:      workload.Length{Mean: float64(tokens)},
		OSL:      workload.Length{Mean: 5},
		Requests: n,
		Arrivals: workload.Arrivals{Pattern: workload.Constant, Rate: 1, Shape: 1},
	}
	if err := src.Validate(); err != nil {
		t.Fatal(err)
	}
	return Simulation{
		Plan:    workload.Plan{Source: src.Source()},
		Cluster: c,
		Metrics: metric.Options{Streaming: true},
		Names:   report.FileNames(""),
		Lines:   true,
	}
}

// A run without a folder is the same run: its report says what is planned, too.
func TestSimulationWithAndWithoutFiles(t *testing.T) {
	without, err := replayed(t, 8, 100).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := replayed(t, 8, 100)
	s.Dir = filepath.Join(t.TempDir(), "new")
	with, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*report.Report{without, with} {
		if p := r.Run.Schedule; !p.Timed || p.Count != 8 || p.Rate != 1 {
			t.Errorf("planned %+v", p)
		}
		ttft, ok := r.Result.Summary("time_to_first_token")
		same, _ := without.Result.Summary("time_to_first_token")
		if !ok || ttft.Mean != same.Mean || ttft.Mean <= 0 || r.Result.OK != 8 || r.Run.Cluster == nil ||
			!r.Run.Simulated {
			t.Errorf("TTFT %v of %d", ttft.Mean, r.Result.OK)
		}
	}
	for _, name := range known(s.Names) {
		_, err := os.Stat(filepath.Join(s.Dir, name))
		missing := name == s.Names.Inputs || name == s.Names.Table || name == s.Names.Raw ||
			name == s.Names.Telemetry || name == s.Names.TelemetryTable ||
			name == s.Names.JSONL+report.Zst || name == llmd.Name ||
			name == s.Names.Page // commands leave it, see package pages
		if (err != nil) != missing {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Requests that no worker can run are an error, or failures with a warning.
func TestSimulationOfTooLongRequests(t *testing.T) {
	s := replayed(t, 3, 100)
	s.Cluster.MaxModelLen = 50
	var long *TooLongError
	rep, err := s.Run(t.Context())
	if !errors.As(err, &long) || long.Requests != 3 || rep == nil {
		t.Fatalf("%v", err)
	}
	flag := func(f fault.Field) string { return "--" + string(f) }
	const want = "3 requests do not fit the simulated workers: the longest has 105 tokens, prompt and output " +
		"together, and 50 fit; " +
		"raise --num-gpu-blocks-override, --block-size or --max-model-len, or ask for shorter requests"
	if got := fault.Named(err, flag).Error(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	s.SomeTooLong = true
	rep, err = s.Run(t.Context())
	if err != nil || rep.Result.Failed != 3 || !warns(rep, "too_long") {
		t.Errorf("%v, %d failed, %v", err, rep.Result.Failed, rep.Run.Warnings)
	}
}

func warns(rep *report.Report, code string) bool {
	return slices.ContainsFunc(rep.Run.Warnings, func(w record.Warning) bool { return w.Code == code })
}

// Every simulated run has the same warnings, after those that were known before.
func TestSimulationWarnings(t *testing.T) {
	c := cluster.Defaults()
	c.Router.UseKVEvents = true
	facts := record.Cluster{RouterMode: "kv", Saturated: true, Completed: record.Unknown(), Offered: 2.5}
	var codes []string
	for _, w := range simulationWarnings(c, facts, cluster.Outcome{TooLong: 1, TooLongTokens: 9, Capacity: 8}) {
		codes = append(codes, w.Code)
	}
	if want := []string{"uncalibrated", "saturated", "no_kv_events", "too_long"}; !slices.Equal(codes, want) {
		t.Errorf("%v, want %v", codes, want)
	}
	got := simulationWarnings(c, record.Cluster{RouterMode: "random"}, cluster.Outcome{})
	if len(got) != 1 || got[0].Code != cluster.Uncalibrated {
		t.Errorf("%v of a run of which nothing but its step times is to be said", got)
	}
}

// A load that leaves what the times were measured at is named.
func TestLoadsThatLeaveTheProfile(t *testing.T) {
	c := cluster.Defaults()
	c.Basis = cluster.Basis{Code: "profile_basis", Text: "of a profile",
		Seen: &cluster.Range{Shortest: 100, Longest: 8000, Context: 8500, Requests: 60}}
	for want, load := range map[string]cluster.Reached{
		"":                                     {Shortest: 95, Longest: 8000, Context: 9000, Requests: 64},
		"prompts of 10 to 200 tokens":          {Shortest: 10, Longest: 200, Context: 300, Requests: 1},
		"contexts of up to 20000 tokens":       {Shortest: 100, Longest: 8000, Context: 20000, Requests: 1},
		"up to 100 requests at a time":         {Shortest: 100, Longest: 200, Context: 300, Requests: 100},
		"tokens (measured: up to 8500); up to": {Shortest: 100, Longest: 200, Context: 10000, Requests: 100},
	} {
		all := simulationWarnings(c, record.Cluster{}, cluster.Outcome{Reached: load})
		if all[0].Code != "profile_basis" || all[0].Text != "of a profile" {
			t.Errorf("%v", all)
		}
		switch said := all[1:]; {
		case want == "" && len(said) > 0, want != "" && (len(said) != 1 || said[0].Code != "profile_left"),
			want != "" && !strings.Contains(said[0].Text, want):
			t.Errorf("%+v: %v, want %q", load, said, want)
		}
	}
}

// Results are replaced when that was asked for and a request was answered, with
// what belongs to repeats of the earlier run.
func TestEarlierIn(t *testing.T) {
	s := replayed(t, 2, 100)
	s.Dir = t.TempDir()
	if e, err := EarlierIn(s.Dir, s.Names, false, "artifact-dir"); err != nil || e.kept() {
		t.Fatalf("an empty folder: %v", err)
	}
	if _, err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	put(t, "{}", s.Dir, "profile_runs", "run_0001", s.Names.Records)
	_, err := EarlierIn(s.Dir, s.Names, false, "artifact-dir")
	if !errors.Is(err, ErrHasResults) || !errors.As(err, new(fault.UsageError)) {
		t.Fatalf("%v", err)
	}
	long := s
	long.Cluster.MaxModelLen, long.SomeTooLong = 50, true
	long.Earlier = overwrite(t, s)
	if _, err := long.Run(t.Context()); !errors.Is(err, ErrOldStay) {
		t.Errorf("%v", err)
	}
	s.Earlier = overwrite(t, s)
	if _, err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(s.Dir, "profile_runs")); err == nil {
		t.Error("the folder holds two runs")
	}
}

func overwrite(t *testing.T, s Simulation) *Earlier {
	t.Helper()
	e, err := EarlierIn(s.Dir, s.Names, true, "artifact-dir")
	if err != nil || !e.kept() {
		t.Fatalf("%v", err)
	}
	return e
}
