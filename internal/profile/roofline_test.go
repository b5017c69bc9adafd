package profile

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"headway/internal/model"
)

// writeProfile leaves the JSON form of a profile in a folder.
func writeProfile(t *testing.T, half string, v any) string {
	t.Helper()
	dir := t.TempDir()
	addProfile(t, dir, half, v)
	return dir
}

func addProfile(t *testing.T, dir, half string, v any) {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, half+"_raw_data.json"), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// What a roofline made is predicted by it, and its efficiencies are found.
func TestCompareRooflineFindsTheEfficiencies(t *testing.T) {
	m, err := model.Lookup("llama-3.1-8b")
	if err != nil {
		t.Fatal(err)
	}
	gpu, err := model.LookupGPU("h200_sxm")
	if err != nil {
		t.Fatal(err)
	}
	truth := model.Setup{Model: m, GPU: gpu, Mapping: model.Mapping{Kind: model.TP, Size: 1},
		Efficiency: model.Efficiency{Compute: 0.5, Memory: 0.7}}
	r, err := truth.Roofline()
	if err != nil {
		t.Fatal(err)
	}
	const kv = 200000
	var isl, ttft, usage, contexts, itl []float64
	for _, n := range []int{100, 4000, 16000} {
		isl = append(isl, float64(n))
		ttft = append(ttft, r.StepTime(n, model.PrefillContext(0, n), 0, 0).Seconds()*1000)
	}
	for _, d := range [][2]int{{1, 350}, {64, 2000}, {16, 8000}} {
		usage = append(usage, float64(d[0]*d[1])/kv)
		contexts = append(contexts, float64(d[1]))
		itl = append(itl, r.StepTime(0, 0, d[0], d[0]*d[1]).Seconds()*1000)
	}
	dir := writeProfile(t, "prefill",
		map[string]any{"prefill_isl": isl, "prefill_ttft": ttft, "prefill_thpt_per_gpu": isl})
	addProfile(t, dir, "decode", map[string]any{"x_kv_usage": usage, "y_context_length": contexts, "z_itl": itl,
		"z_thpt_per_gpu": itl, "max_kv_tokens": kv})

	c, err := CompareRoofline(dir, truth)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range c.Points {
		if math.Abs(p.Predicted/p.Measured-1) > 1e-6 {
			t.Errorf("%+v: the roofline that made it predicts something else", p)
		}
	}
	given := truth
	given.Efficiency = model.Efficiency{Compute: 0.9, Memory: 0.9}
	c, err = CompareRoofline(dir, given)
	if err != nil {
		t.Fatal(err)
	}
	if c.Fit == nil || math.Abs(c.Fit.Compute-0.5) > 1e-3 || math.Abs(c.Fit.Memory-0.7) > 1e-3 || c.Fit.RMS > 1e-3 {
		t.Errorf("fit %+v, %s; want 0.5 and 0.7", c.Fit, c.NoFit)
	}
	for _, p := range c.Points {
		if p.Predicted >= p.Measured || math.Abs(p.Fitted/p.Measured-1) > 1e-2 {
			t.Errorf("%+v: predicted with higher efficiencies, or not fitted", p)
		}
	}
}

func TestCompareRooflineOfNothing(t *testing.T) {
	if _, err := CompareRoofline(t.TempDir(), model.Setup{}); err == nil {
		t.Error("a folder without a profile was compared")
	}
}
