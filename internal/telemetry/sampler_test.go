package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"headway/record"
)

// living is a page that is made when it is asked for, by the time since the test began.
func living(name string, page func(since time.Duration) (string, error)) Source {
	began := time.Now()
	return Source{Name: name, Paths: []string{"/metrics"},
		Fetch: func(context.Context, string, int64) ([]byte, error) {
			text, err := page(time.Since(began))
			return []byte(text), err
		}}
}

// sampledFor samples sources, of which the first `before` are outside of the measured
// phase, as is what comes after it.
func sampledFor(t *testing.T, before, measured time.Duration, lines *bytes.Buffer, feeds []Feed,
	sources ...Source) *record.Telemetry {
	t.Helper()
	clock := record.NewClock()
	o := SamplerOptions{Clock: clock, Interval: time.Second}
	if lines != nil {
		o.Lines = lines
	}
	s := Start(t.Context(), o, sources, feeds)
	time.Sleep(before)
	synctest.Wait()
	s.Mark()
	begin := clock.Now()
	time.Sleep(measured)
	end := clock.Now()
	time.Sleep(3 * time.Second)
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	return s.Summary(begin, end)
}

// close9 takes rounding for equality.
var close9 = cmp.Options{cmpopts.EquateApprox(1e-9, 1e-9),
	cmp.Comparer(func(a, b record.Number) bool { return math.Abs(float64(a-b)) <= 1e-9 })}

const dcgmPage = `# TYPE DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION counter
DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="%d",UUID="GPU-1",device="nvidia0",pod="%s"} %d
DCGM_FI_DEV_POWER_USAGE{gpu="%d",UUID="GPU-1",device="nvidia0",pod="%s"} %d
`

// Joules by the counter are exact, whatever power says; the other GPU has no counter,
// and its power is summed over time. Other labels than the GPU's do not matter.
func TestEnergy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := living("dcgm", func(d time.Duration) (string, error) {
			n := int(d / time.Second)
			pod := fmt.Sprint("a", n/7)
			return fmt.Sprintf(dcgmPage, 0, pod, 5_000_000+400_000*n, 0, pod, 390) +
				fmt.Sprintf("DCGM_FI_DEV_POWER_USAGE{gpu=\"1\"} %d\n", 100+n), nil
		})
		got := sampledFor(t, 10*time.Second, 20*time.Second, nil, nil, x)
		if len(got.Subjects) != 2 || got.Subjects[0].Kind != KindGPU || got.Subjects[1].Of != "1" {
			t.Fatalf("%+v", got)
		}
		want := []*record.TelemetryEnergy{{Joules: 8000, By: record.EnergyCounter, Integrated: 7800},
			{Joules: 20 * 120, By: record.EnergyIntegrated}} // from 110 to 130 W
		for i, s := range got.Subjects {
			if s.Device != []string{"GPU-1", ""}[i] {
				t.Errorf("GPU %d: %q", i, s.Device)
			}
			if diff := cmp.Diff(want[i], s.Energy, close9); diff != "" {
				t.Errorf("GPU %d: %s", i, diff)
			}
		}
		if c := got.Subjects[0].Counters["energy"]; c.Resets != 0 || math.Abs(c.Rate-400) > 1e-9 {
			t.Errorf("%+v", c)
		}
	})
}

// A counter that is renewed every three seconds is read as that; one that never moves,
// or is known for too little of the time, is not believed.
func TestEnergyOfCoarseCounters(t *testing.T) {
	byPower := &record.TelemetryEnergy{Joules: 1500, By: record.EnergyIntegrated}
	for name, tt := range map[string]struct {
		millijoules func(n int) int
		want        *record.TelemetryEnergy
	}{
		"every 3 s": {func(n int) int { return 300_000 * (n / 3) }, &record.TelemetryEnergy{Joules: 3000,
			By: record.EnergyCounter, Integrated: 1500}},
		"stands still": {func(int) int { return 7 }, byPower},
		"once":         {func(n int) int { return n / 20 }, byPower},
	} {
		synctest.Test(t, func(t *testing.T) {
			x := living("dcgm", func(d time.Duration) (string, error) {
				return fmt.Sprintf(dcgmPage, 0, "", tt.millijoules(int(d/time.Second)), 0, "", 50), nil
			})
			got := sampledFor(t, 6*time.Second, 30*time.Second, nil, nil, x)
			if diff := cmp.Diff(tt.want, got.Subjects[0].Energy, close9); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		})
	}
}

// Rates, means, maxima, time above a bound and quantiles are of the measured phase
// alone; a server that was restarted in it counts on.
func TestSummary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := living("http://a", func(d time.Duration) (string, error) {
			n := int(d / time.Second)
			tokens, waiting, slow := 50*n, 0, 0
			if n > 10 {
				tokens, waiting, slow = 500+100*(n-10), n%2, 10*(n-10)
			}
			if n > 15 {
				tokens -= 1000 // as after a restart at 1000
			}
			return fmt.Sprintf(`vllm:generation_tokens_total{engine="0"} %d
vllm:num_requests_waiting{engine="0"} %d
vllm:num_requests_waiting{engine="1"} %d
vllm:kv_cache_usage_perc{engine="0"} 0.4
vllm:kv_cache_usage_perc{engine="1"} 0.8
vllm:time_to_first_token_seconds_bucket{le="0.1"} %d
vllm:time_to_first_token_seconds_bucket{le="0.5"} %d
vllm:time_to_first_token_seconds_bucket{le="+Inf"} %d
vllm:time_to_first_token_seconds_sum %d
vllm:time_to_first_token_seconds_count %d
`, tokens, waiting, 3*waiting, 1000, 1000+slow, 1000+slow, 50, 1000+slow), nil
		})
		got := sampledFor(t, 10*time.Second, 10*time.Second, nil, nil, x).Subjects[0]
		zero, nine := 0.0, 0.9
		want := record.TelemetrySubject{Source: "http://a", Kind: KindServer, Engine: VLLM, Seconds: 10,
			Counters: map[string]record.TelemetryCounter{"generated_tokens": {Total: 1000, Rate: 100, Resets: 1}},
			Gauges: map[string]record.TelemetryGauge{"waiting": {Mean: 2, Max: 4, Bound: &zero, Above: 5},
				"kv_usage": {Mean: 0.6, Max: 0.6, Bound: &nine}},
			Histograms: map[string]record.TelemetryHistogram{"server_ttft": {Count: 130, Mean: 0, P50: 0.3, P90: 0.46,
				P99: 0.496}}}
		if diff := cmp.Diff(want, got, close9); diff != "" {
			t.Error(diff)
		}
	})
}

// A source that dies, comes back or is slow is counted as missed, and the others are
// read all the time.
func TestSourcesThatFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		page := func(d time.Duration) (string, error) {
			n := int(d / time.Second)
			return fmt.Sprintf("sglang:num_running_reqs 4\nsglang:generation_tokens_total %d\n", n), nil
		}
		good := living("good", page)
		dies := living("dies", func(d time.Duration) (string, error) {
			if d > 10*time.Second {
				return "", errors.New("connection refused")
			}
			return page(d)
		})
		slow := living("slow", page)
		fetch := slow.Fetch
		slow.Fetch = func(ctx context.Context, path string, most int64) ([]byte, error) {
			time.Sleep(1500 * time.Millisecond)
			return fetch(ctx, path, most)
		}
		lies := living("lies", func(time.Duration) (string, error) { return "sglang:num_running_reqs NaN\n\x00", nil })
		var lines bytes.Buffer
		got := sampledFor(t, 5*time.Second, 20*time.Second, &lines, nil, good, dies, slow, lies)
		by := map[string]record.TelemetrySource{}
		for _, s := range got.Sources {
			by[s.Name] = s
		}
		if s := by["good"]; s.Missed != 0 || s.Samples < 29 || s.LateMost != 0 || s.LastError != "" {
			t.Errorf("%+v", s)
		}
		if s := by["dies"]; s.Missed < 18 || s.Samples < 9 || s.LastError != "connection refused" {
			t.Errorf("%+v", s)
		}
		if s := by["slow"]; s.Missed < 12 || s.Samples < 12 || s.Took != 1.5 {
			t.Errorf("%+v", s)
		}
		if s := by["lies"]; s.Samples != 0 || s.LastError == "" {
			t.Errorf("%+v", s)
		}
		seconds := map[string]float64{}
		for _, s := range got.Subjects {
			seconds[s.Source] = s.Seconds
		}
		if seconds["good"] != 20 || seconds["dies"] > 5.1 || seconds["slow"] < 19 || len(seconds) != 3 {
			t.Errorf("%v", seconds)
		}
		checkLines(t, lines.String())
	})
}

// checkLines reads every line, in order of time for each source, within the phases.
func checkLines(t *testing.T, text string) {
	t.Helper()
	phases, errs, values := "", 0, 0
	for i, one := range strings.Split(strings.TrimSpace(text), "\n") {
		var l line
		if err := json.Unmarshal([]byte(one), &l); err != nil {
			t.Fatalf("line %d: %v", i, err)
		}
		phases += l.Phase
		if l.Error != "" {
			errs++
		}
		if l.Values["generated_tokens"] > 0 {
			values++
		}
	}
	if !strings.HasPrefix(text, `{"headway_telemetry":1,"origin":`) || phases != "beginend" || errs < 20 ||
		values < 30 {
		t.Errorf("%q, %d errors, %d values: %.300s", phases, errs, values, text)
	}
}

// A source that never answers costs the end of a run no more than a scrape may take.
func TestStopIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := Source{Name: "stuck", Paths: []string{"/metrics"},
			Fetch: func(ctx context.Context, _ string, _ int64) ([]byte, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}}
		s := Start(t.Context(), SamplerOptions{Clock: record.NewClock(), Interval: time.Second}, []Source{x}, nil)
		time.Sleep(10500 * time.Millisecond)
		at := time.Now()
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
		if d := time.Since(at); d > 2*Within {
			t.Errorf("the end took %v", d)
		}
		if got := s.Summary(1, 2); got != nil {
			t.Errorf("%+v", got)
		}
	})
}

// However long a run is, what is kept of it is bounded, and sums stay exact.
func TestCellsAreBounded(t *testing.T) {
	k := newTrack(Power, time.Second)
	c := newTrack(Energy, time.Second)
	const n = 100_000
	for i := range n + 1 {
		at := record.Time(1 + time.Duration(i)*time.Second)
		k.take(at, map[string]float64{"a": float64(i % 2 * 100)})
		c.take(at, map[string]float64{"a": float64(50 * i)})
	}
	got := k.within(1, record.Time(1+n*time.Second))
	by, seconds := c.rose(1, record.Time(1+n*time.Second))
	if len(k.cells) > mostCells || got.area != 50*n || got.most != 100 || got.above != n/2*time.Second || by != 50*n ||
		seconds != n {
		t.Errorf("%d cells, %+v, %g in %g s", len(k.cells), got, by, seconds)
	}
}

// Values that no source has are left out, so that whatever a page says can be written
// as JSON.
func TestHugeValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := living("http://a", func(d time.Duration) (string, error) {
			v := "1.7e308"
			if int(d/time.Second)%2 == 1 {
				v = "9e23"
			}
			return strings.ReplaceAll(`vllm:generation_tokens_total{a="0"} V
vllm:generation_tokens_total{a="1"} V
vllm:num_requests_waiting{a="0"} V
vllm:num_requests_waiting{a="1"} V
vllm:time_to_first_token_seconds_bucket{le="NaN"} V
vllm:time_to_first_token_seconds_bucket{le="1.7e308"} V
vllm:time_to_first_token_seconds_sum V
vllm:time_to_first_token_seconds_count V
DCGM_FI_DEV_FB_USED{gpu="0"} V
vllm:num_requests_running 3
`, "V", v), nil
		})
		var lines bytes.Buffer
		got := sampledFor(t, 5*time.Second, 20*time.Second, &lines, nil, x)
		if _, err := json.Marshal(got); err != nil {
			t.Error(err)
		}
		if g := got.Subjects[0].Gauges["running"]; g.Mean != 3 {
			t.Errorf("%+v", got.Subjects)
		}
		if n := strings.Count(lines.String(), `"running":3`); n < 28 {
			t.Errorf("%d lines", n)
		}
	})
}

// A page whose labels are new each time makes nothing grow, and what it counted stays.
func TestSeriesAreBounded(t *testing.T) {
	all := subjects{}
	const n = 5000
	for i := range n {
		at := record.Time(1 + time.Duration(i)*time.Second)
		list := []Sample{{Engine: VLLM, Quantity: PromptTokens, Series: fmt.Sprint("c", i), Value: 2},
			{Engine: VLLM, Quantity: Waiting, Series: fmt.Sprint("g", i), Value: 1},
			{Engine: VLLM, Quantity: QueueTime, Part: Bucket, Series: fmt.Sprint("h", i), Bound: float64(i), Value: 1}}
		if !all.take(at, time.Second, list) {
			t.Fatal("one engine is too many")
		}
		gpu := []Sample{{Engine: DCGM, Of: fmt.Sprint(i), Quantity: Power, Value: 1}}
		if whole := all.take(at, time.Second, gpu); whole != (i < mostSubjects-1) {
			t.Fatalf("GPU %d is taken: %v", i, whole)
		}
	}
	one := all[who{VLLM, ""}]
	counted, waiting, queue := one.tracks[PromptTokens], one.tracks[Waiting], one.distributions[QueueTime]
	if counted.total != 2*(n-1) || len(all) != mostSubjects || len(waiting.last) != 0 ||
		max(len(counted.last), len(queue.last), len(queue.now.buckets)) > mostGone+2 {
		t.Errorf("%g counted, %d subjects, series %d, %d and %d, %d buckets", counted.total, len(all),
			len(counted.last), len(waiting.last), len(queue.last), len(queue.now.buckets))
	}
}

// OpenMetrics has exemplars and times, which are left out.
func TestOpenMetrics(t *testing.T) {
	samples, err := parse([]byte(`vllm:time_to_first_token_seconds_bucket{le="0.1",m="a } # {"} 5 # {x="y"} 0.07 1.6e9
vllm:prompt_tokens_total 7 1700000000.123 # {a="}"} 3
# EOF
`))
	if err != nil || len(samples) != 2 || samples[0].Value != 7 || samples[1].Value != 5 || samples[1].Bound != 0.1 {
		t.Errorf("%+v, %v", samples, err)
	}
}
