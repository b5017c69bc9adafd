package plan

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headway/internal/options"
	"headway/internal/router"
	"headway/internal/settings"
	"headway/internal/twin"
	"headway/workload"
)

// asked is a load on one mapping.
func asked(t *testing.T, l *Load, goals ...string) *Asked {
	t.Helper()
	a := &Asked{Load: l, Mappings: []Mapping{mapping("one", 1, 1)}, Routers: []router.Mode{router.LeastLoaded},
		Objectives: objectives(t, goals...), MaxReplicas: 12, Parallel: 2, Draws: 4, Loads: 8, CostPerHour: 2}
	if err := a.check(); err != nil {
		t.Fatal(err)
	}
	return a
}

// calibrated gives a twin a covariance of next to nothing, and residuals.
func calibrated(f *twin.File, residuals map[string][]float64) {
	u := &twin.Uncertainty{Parameters: twin.ParameterNames(), Residuals: residuals, HeldOut: true}
	for i := range twin.Parameters {
		row := make([]float64, i+1)
		row[i] = 1e-8
		u.Covariance = append(u.Covariance, row)
	}
	f.Uncertainty = u
	f.Range = twin.Range{ISL: [2]int{1, 1 << 20}, OSL: [2]int{1, 1 << 20}, InFlight: [2]int{1, 1 << 20}}
}

// Work that is due over the time until then, without the requests that may miss.
func TestDemand(t *testing.T) {
	second := time.Second
	jobs := []job{{0, 2 * second, 3}, {0, 2 * second, 1}, {second, 3 * second, 8}, {9 * second, 11 * second, 1}}
	for allowed, want := range []float64{4, 4.0 / 3, 1.0 / 3} {
		if got := demandFrom(jobs, allowed); math.Abs(got-want) > 1e-9 {
			t.Errorf("%d may miss: %v, want %v", allowed, got, want)
		}
	}
}

// Another objective does not lower the bound, though it lets more requests miss.
func TestBoundOfMoreObjectives(t *testing.T) {
	l := hours(t, 600)
	_, one := asked(t, l, "ttft p95 < 1s").bounds(0)
	for _, more := range []string{"latency avg < 100s", "ttft p50 < 100s", "itl avg < 1s"} {
		if _, two := asked(t, l, "ttft p95 < 1s", more).bounds(0); two.Replicas < one.Replicas || one.Replicas < 2 {
			t.Errorf("%d replicas, with %s %d", one.Replicas, more, two.Replicas)
		}
	}
}

// A percentile is lost for certain by exactly one value more than may miss.
func TestMayMiss(t *testing.T) {
	for _, goal := range []string{"ttft p99 < 1s", "ttft p50 < 1s", "ttft p1 < 1s", "ttft max < 1s"} {
		goals, err := goalsOf(objectives(t, goal))
		if err != nil {
			t.Fatal(err)
		}
		g := goals[0]
		for n := 1; n < 300; n++ {
			for _, late := range []int{g.may(n), g.may(n) + 1} {
				values := make([]float64, n)
				for i := range min(late, n) {
					values[i] = 1
				}
				if late > n {
					continue
				}
				if kept := g.keeps(g.of(values)); late > g.may(n) && kept {
					t.Errorf("%s: %d of %d late and kept", goal, late, n)
				}
			}
		}
	}
}

// The residuals of the twin decide a risk: with none it is that of the load, with large
// ones it is certain. A mapping that was never calibrated has no risk, and says so.
func TestRisk(t *testing.T) {
	none := map[string][]float64{"time_to_first_token p99": {0}}
	slow := map[string][]float64{"time_to_first_token p99": {9}}
	quarter := map[string][]float64{"time_to_first_token p95": {0, 9, 0, 0}}
	for _, test := range []struct {
		name      string
		residuals map[string][]float64
		low, high float64
		says      string
	}{
		{"exact", none, 0, 0, "residuals of time_to_first_token p99 stand for those of time_to_first_token p95"},
		{"slow", slow, 1, 1, ""},
		{"slow in one of four", quarter, 0.2, 0.3, ""},
		{"another figure", map[string][]float64{"request_latency": {0}}, 2, 2, "neither in time_to_first_token p95"},
		{"never", nil, 2, 2, "was not calibrated"},
	} {
		a := asked(t, random(t, 5, 60, 30*time.Second, 10*time.Second), "ttft p95 < 60s")
		if test.residuals != nil {
			calibrated(a.Mappings[0].Twin, test.residuals)
		}
		r, err := Make(context.Background(), a)
		if err != nil {
			t.Fatal(err)
		}
		k := r.Static.Risk
		if test.low == 2 {
			if k.Any.Known() || r.Static.Worst[0].Low.Known() {
				t.Errorf("%s: a risk of %v", test.name, k.Any)
			}
		} else if v := float64(k.Any); v < test.low || v > test.high || !r.Static.Worst[0].Low.Known() {
			t.Errorf("%s: a risk of %v, want %v to %v", test.name, v, test.low, test.high)
		}
		if !strings.Contains(k.Basis, test.says) {
			t.Errorf("%s: %q, want %q", test.name, k.Basis, test.says)
		}
	}
}

// Where intervals were widened to what a held-out load showed, the risk is, too.
func TestRiskOfWidenedIntervals(t *testing.T) {
	for least, want := range map[float64]float64{0: 0, 9: 0.5} {
		a := asked(t, random(t, 5, 60, 30*time.Second, 10*time.Second), "ttft p95 < 60s")
		calibrated(a.Mappings[0].Twin, map[string][]float64{"time_to_first_token p95": {0.01, -0.01}})
		a.Mappings[0].Twin.Uncertainty.Least = map[string]float64{"time_to_first_token p95": least}
		r, err := Make(context.Background(), a)
		if err != nil {
			t.Fatal(err)
		}
		if got := float64(r.Static.Risk.Any); math.Abs(got-want) > 0.06 {
			t.Errorf("a risk of %v for intervals of at least %v, want %v", got, least, want)
		}
	}
}

// A busy hour between quiet ones: the plan by the hour takes less, and no hour more than
// the static plan; an hour without requests takes nothing.
func TestByTheHour(t *testing.T) {
	l := hours(t, 20, 600, 0, 20)
	a := asked(t, l, "ttft p95 < 1s")
	a.Hourly = true
	r, err := Make(context.Background(), a)
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, h := range r.Hourly.Hours {
		got = append(got, h.Replicas)
		if h.Replicas > r.Static.Replicas || h.Replicas < h.Bound {
			t.Errorf("%+v, static %d", h, r.Static.Replicas)
		}
	}
	if got[0] >= got[1] || got[2] != 0 || r.Hourly.GPUHours >= r.Static.GPUHours ||
		r.Hourly.BoundGPUHours > r.Hourly.GPUHours {
		t.Errorf("%v, %+v, static %+v", got, r.Hourly, r.Static)
	}
}

// Prompts that only warm caches answer in time: the hour that would have to compute them
// again says so, and does not claim the objectives.
func TestHourOnEmptyCaches(t *testing.T) {
	d := &workload.Dataset{Name: "warm"}
	send := func(at time.Duration, id int64) {
		q := workload.Request{Index: len(d.Requests), At: at, Timed: true, Turns: 1, OutputTokens: 4}
		q.Prompt = workload.Prompt{Tokens: 20000, BlockSize: 20000, Blocks: []int64{id}}
		d.Requests = append(d.Requests, q)
	}
	for id := range int64(10) {
		send(time.Duration(id)*30*time.Second, id)
	}
	send(30*time.Minute, 99)
	for id := range int64(10) {
		send(time.Hour, id)
	}
	l, err := NewLoad(d, time.Minute, 1)
	if err != nil {
		t.Fatal(err)
	}
	a := asked(t, l, "ttft max < 1500ms")
	a.Mappings[0].Twin.Engine.Blocks = 40000
	a.Hourly = true
	r, err := Make(context.Background(), a)
	if err != nil {
		t.Fatal(err)
	}
	h := r.Hourly.Hours
	if r.Static.Replicas != 1 || h[0].Loses != nil || h[1].Loses == nil || h[1].Replicas != 1 {
		t.Errorf("%+v, static %+v", h, r.Static)
	}
}

// An hour is made of whole windows, or requests would count to an hour before.
func TestHoursOfWholeWindows(t *testing.T) {
	for length, ok := range map[time.Duration]bool{
		45 * time.Second: true, 40 * time.Minute: false, 2 * time.Hour: false,
	} {
		l := hours(t, 3, 3, 3)
		l, err := NewLoad(&workload.Dataset{Name: "x", Requests: l.requests}, length, 1)
		if err != nil {
			t.Fatal(err)
		}
		a := asked(t, l, "ttft p95 < 10s")
		if a.Hourly = true; (a.check() == nil) != ok {
			t.Errorf("windows of %v: %v", length, a.check())
		}
		if a.Hourly = false; a.check() != nil {
			t.Errorf("windows of %v: %v", length, a.check())
		}
	}
}

// hours is a load with so many requests in each hour, within half a minute of each
// other, of 4,000 tokens.
func hours(t *testing.T, requests ...int) *Load {
	t.Helper()
	d := &workload.Dataset{Name: "hours"}
	for h, n := range requests {
		for i := range n {
			at := time.Duration(h)*time.Hour + 30*time.Second*time.Duration(i)/time.Duration(n)
			d.Requests = append(d.Requests, workload.Request{Index: len(d.Requests), At: at, Timed: true, Turns: 1,
				Prompt: workload.Prompt{Tokens: 4000}, OutputTokens: 4})
		}
	}
	l, err := NewLoad(d, time.Minute, 1)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Steps are known again after a crash that cut the last of them off; other settings are
// another plan.
func TestSteps(t *testing.T) {
	path := filepath.Join(t.TempDir(), "steps")
	now := settings.Settings{"objective": "a"}
	s, err := OpenSteps(path, now, false)
	if err != nil {
		t.Fatal(err)
	}
	made := 0
	make := func() (*step, error) { made++; return &step{Full: true}, nil }
	for _, name := range []string{"x", "x", "y"} {
		if _, err := s.of(name, make); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data[:len(data)-4], 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err = OpenSteps(path, now, true); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"x", "y", "z"} {
		if _, err := s.of(name, make); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil || made != 4 {
		t.Errorf("%d steps were made, want 4: %v", made, err)
	}
	if s, err = OpenSteps(path, now, true); err != nil || len(s.known) != 3 {
		t.Errorf("%v, %v", s, err)
	}
	if _, err = OpenSteps(path, settings.Settings{"objective": "b"}, true); err == nil {
		t.Error("other settings were taken")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// A plan that is interrupted has no result, and no replay of it is taken for one that
// lost a window: --resume would go on with it.
func TestInterrupted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "steps")
	a := asked(t, random(t, 5, 60, 30*time.Second, 10*time.Second), "ttft p95 < 60s")
	var err error
	if a.Steps, err = OpenSteps(path, settings.Settings{}, false); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r, err := Make(ctx, a)
	if r != nil || err == nil || !strings.Contains(err.Error(), "interrupted") || len(a.Steps.known) > 0 {
		t.Errorf("%+v, %v, steps %v", r, err, a.Steps.known)
	}
	if r, err = Make(context.Background(), a); err != nil || r.Static == nil {
		t.Errorf("gone on with: %+v, %v", r, err)
	}
	if err := a.Steps.Close(); err != nil {
		t.Error(err)
	}
}

// A plan that is discarded takes its result with it, should the next one be interrupted;
// one that is gone on with keeps it.
func TestOpenDiscards(t *testing.T) {
	dir := t.TempDir()
	load := filepath.Join(dir, "load.jsonl")
	o := &options.Capacity{Dir: filepath.Join(dir, "out"), Trace: load}
	if err := os.WriteFile(load, []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := func(resume, overwrite, left bool) {
		t.Helper()
		o.Resume, o.Overwrite = resume, overwrite
		a := &Asked{}
		if err := a.Open(o, settings.Settings{}); err != nil {
			t.Fatal(err)
		}
		if err := a.Steps.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(o.Dir, resultFile)); (err == nil) != left {
			t.Errorf("--resume %v, --overwrite %v: %v", resume, overwrite, err)
		}
	}
	open(false, false, false)
	if err := (&Result{}).Write(o.Dir); err != nil {
		t.Fatal(err)
	}
	open(true, false, true)
	open(false, true, false)
}
