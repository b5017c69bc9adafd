package telemetry

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"headway/record"
)

// GPUs are those of an engine by what CUDA_VISIBLE_DEVICES has, or by its pods; what is
// told beside them is read all the same.
func TestGPUsOfAnEngine(t *testing.T) {
	const page = `DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="GPU-aaaa1",pod="a"} 100
DCGM_FI_DEV_POWER_USAGE{gpu="1",UUID="GPU-bbbb2",pod="b"} 200
DCGM_FI_DEV_POWER_USAGE{gpu="11",UUID="GPU-cccc3"} 300
DCGM_FI_DEV_POWER_USAGE{gpu="1",GPU_I_ID="7",UUID="GPU-bbbb2",pod="a"} 400
`
	pods := OfPods(func(pod string) bool { return pod == "a" })
	for name, tt := range map[string]struct {
		gpus GPUs
		want string
	}{
		"all":         {nil, "0 1 11 1/7"},
		"numbers":     {Visible([]string{"0", "11"}), "0 11"},
		"an id":       {Visible([]string{"GPU-bbbb2"}), "1 1/7"},
		"a short id":  {Visible([]string{"GPU-cccc"}), "11"},
		"too short":   {Visible([]string{"GPU-"}), ""},
		"an instance": {Visible([]string{"MIG-bbbb2"}), ""},
		"none":        {Visible(nil), ""},
		"pods":        {pods, "0 1/7"},
	} {
		s := Source{Paths: []string{"/metrics"}, GPUs: tt.gpus,
			Fetch: func(context.Context, string, int64) ([]byte, error) { return []byte(page), nil }}
		snap, err := s.Scrape(t.Context())
		var got []string
		for _, x := range snap.Samples {
			got = append(got, x.Of)
		}
		slices.Sort(got)
		want := strings.Fields(tt.want)
		slices.Sort(want)
		if !slices.Equal(got, want) || (err != nil) != (tt.want == "") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		s.Fetch = func(context.Context, string, int64) ([]byte, error) {
			return []byte(page + "vllm:num_requests_running 1\n"), nil
		}
		if snap, err := s.Scrape(t.Context()); err != nil || !snap.Has(VLLM) {
			t.Errorf("%s: the server is not read: %v", name, err)
		}
	}
}

// What tells by itself is waited for at the end, until all of its parts have told
// something, so that no more is missing of the phase than of a page.
func TestLastSampleOfAFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := Feed{Name: "smi", Run: func(ctx context.Context, every time.Duration, emit func([]Sample)) error {
			for {
				for _, gpu := range []string{"0", "1"} {
					emit([]Sample{{Engine: NVIDIASMI, Quantity: Power, Series: "power", Of: gpu, Value: 100}})
					time.Sleep(10 * time.Millisecond)
				}
				select {
				case <-ctx.Done():
					return nil
				case <-time.After(every):
				}
			}
		}}
		clock := record.NewClock()
		s := Start(t.Context(), SamplerOptions{Clock: clock, Interval: time.Second}, nil, []Feed{x})
		begin := clock.Now()
		time.Sleep(2500 * time.Millisecond)
		end := clock.Now()
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
		got := s.Summary(begin, end)
		if got == nil || len(got.Subjects) != 2 {
			t.Fatalf("%+v", got)
		}
		for _, gpu := range got.Subjects {
			if gpu.Energy == nil || gpu.Energy.Joules < 249 || gpu.Energy.Joules > 251 || gpu.Seconds < 2.45 {
				t.Errorf("GPU %s: %+v of %g s", gpu.Of, gpu.Energy, gpu.Seconds)
			}
		}
	})
}
