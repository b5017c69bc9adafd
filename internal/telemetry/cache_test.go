package telemetry

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

func ordered(list []Sample) []Sample {
	return slices.SortedFunc(slices.Values(list), func(a, b Sample) int {
		return cmp.Or(cmp.Compare(a.Engine, b.Engine), cmp.Compare(a.Quantity, b.Quantity),
			cmp.Compare(a.Series, b.Series))
	})
}

// What is remembered of a page gives the samples that parsing gives, also after its
// series changed, and of names that give way to newer ones nothing.
func TestPageCache(t *testing.T) {
	vllm := real(t, "vllm-0.25")
	pages := []string{vllm, vllm, strings.ReplaceAll(vllm, " 514.0", " 515.0"),
		vllm + "vllm:gpu_cache_usage_perc 0.3\n", strings.Replace(vllm, "vllm:num_requests_running{", "x{", 1),
		strings.ReplaceAll(vllm, "engine=\"0\"", "engine=\"1\""),
		real(t, "sglang-0.5.15"), real(t, "sglang-0.5.15"), real(t, "dynamo-1.6.1-frontend"),
		"trtllm_kv_cache_reused_blocks_total 3\ntrtllm_kv_cache_missed_blocks_total 4\n",
		"trtllm_kv_cache_reused_blocks_total NaN\ntrtllm_kv_cache_missed_blocks_total 9\n",
		"trtllm_kv_cache_missed_blocks_total 9\n",
		"DCGM_FI_DEV_CLOCKS_EVENT_REASONS{gpu=\"0\"} 4\nDCGM_FI_DEV_GPU_UTIL{gpu=\"0\"} 50\n",
		"DCGM_FI_DEV_CLOCKS_EVENT_REASONS{gpu=\"0\"} 64\nDCGM_FI_DEV_GPU_UTIL{gpu=\"0\"} 5\n",
		"DCGM_FI_DEV_POWER_USAGE{gpu=\"0\",pod=\"a\"} 400\nDCGM_FI_DEV_POWER_USAGE{gpu=\"0\",pod=\"b\"} 401\n",
		"vllm:num_requests_running 2\nvllm:num_requests_running 3\n",
		"vllm:kv_cache_usage_perc NaN\nvllm:gpu_cache_usage_perc 0.5\n",
		"vllm:kv_cache_usage_perc 0.4\nvllm:gpu_cache_usage_perc 0.5\n",
		"vllm:num_requests_running 1\nvllm:kv_cache_usage_perc 0.4\nvllm:num_requests_running{engine=\"1\"} 4\n"}
	c := &pageCache{}
	for i, page := range pages {
		for range 2 {
			got, err := c.parse([]byte(page))
			want, wantErr := parse([]byte(page))
			if diff := gocmp.Diff(ordered(want), ordered(got)); diff != "" || err != nil || wantErr != nil {
				t.Errorf("page %d: %v, %v, %s", i, err, wantErr, diff)
			}
		}
	}
}

// A page whose series change each time is read all the same, and one without known
// metrics, as the first of two addresses has it, does not make the other forgotten.
func TestPageCacheOfChangingPages(t *testing.T) {
	c := &pageCache{}
	for i := range 60 {
		page := strings.Repeat("x 1\n", 3) + "vllm:num_requests_running{a=\"" + strings.Repeat("b", i) + "\"} 2\n"
		if got, err := c.parse([]byte(page)); err != nil || len(got) != 1 || got[0].Value != 2 {
			t.Fatalf("%d: %+v, %v", i, got, err)
		}
		if got, err := c.parse([]byte("x 1\n")); err != nil || len(got) != 0 {
			t.Fatalf("%d: %+v, %v", i, got, err)
		}
		if got, ok, _ := c.fast([]byte(page)); !ok || len(got) != 1 {
			t.Fatalf("%d: forgotten: %+v", i, got)
		}
	}
}

// Whatever reads the sources of a Set knows what one of them has learned.
func TestSetLearnsOnce(t *testing.T) {
	text := real(t, "vllm-0.25")
	set := NewSet(page(text))
	if list := set.Speaking(t.Context()); len(list) != 1 {
		t.Fatalf("%d sources speak", len(list))
	}
	if got, ok, _ := set.Sources()[0].Often().cache.fast([]byte(text)); !ok || len(got) == 0 {
		t.Error("the page was not learned at its first reading")
	}
}

func FuzzPageCache(f *testing.F) {
	f.Add("vllm:num_requests_running 3\n", "vllm:num_requests_running 4\n")
	f.Fuzz(func(t *testing.T, one, two string) {
		c := &pageCache{}
		for _, page := range []string{one, one, two, two} {
			got, err := c.parse([]byte(page))
			want, wantErr := parse([]byte(page))
			if (err == nil) != (wantErr == nil) && err != nil {
				t.Errorf("%v, %v", err, wantErr)
			}
			if diff := gocmp.Diff(ordered(want), ordered(got)); diff != "" && err == nil && wantErr == nil {
				t.Errorf("%q: %s", page, diff)
			}
		}
	})
}
