package profile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headway/internal/fault"
	"headway/report"
)

func lay(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func textOf(t *testing.T, h Half) string {
	t.Helper()
	var b strings.Builder
	if err := h.Document().Write(&b, report.ConsoleOptions{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Points are in the order of the grid, whichever call measured them, with those
// that failed and were not measured since.
func TestReadPoints(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, map[string]string{
		"decode_points.jsonl": `{"version":1,"phase":"decode","settings":{"num-gpus":"2","model":["m"],"url":["http://h:1"],"repeats":3}}
{"decode":{"isl":400,"osl":500,"requests":3,"kv_usage":0.5,"context":650,"itl_s":{"mean":0.02,"std":0.001,"repeats":3},"tokens_per_second_per_gpu":{"mean":70,"std":1,"repeats":3},"cached":1,"wide":true}}
not a line
{"attempt":1}
{"decode":{"isl":100,"osl":500,"requests":1,"kv_usage":0.1,"context":350,"itl_s":{"mean":0.01,"std":0,"repeats":1},"tokens_per_second_per_gpu":{"mean":50,"std":0,"repeats":1},"cached":-1}}
`,
		"decode_points.csv": "isl,osl,requests,kv_usage,context,failed\n" +
			"400,500,3,0.5,650,late\n100,500,9,0.9,350,gone\n",
	})
	k, err := ReadHalf(dir, Decode)
	if err != nil {
		t.Fatal(err)
	}
	want := `  context  requests  KV share  ITL (ms)  ±95 %  tokens/s/GPU  ±95 %  repeats
      350         1    10.0 %     10.00                 50.0               1
      350         9    90.0 %         -                    -               0  failed
      650         3    50.0 %     20.00   2.48          70.0    2.5        3    wide
`
	if got := textOf(t, k.Half); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	about := k.About("1", func(f fault.Field) string { return "--" + string(f) })
	if about != "m at http://h:1 · 2 GPUs · --repeats 3 · headway 1 · tokens: the server's counts" {
		t.Errorf("about %q", about)
	}
	untold := strings.Join(k.Untold, "\n")
	if !strings.Contains(untold, "1 lines of") || !strings.Contains(untold, "has not been measured to its end") {
		t.Errorf("untold: %s", untold)
	}
	if _, err := ReadHalf(dir, Prefill); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no prefill: %v", err)
	}
}

// Of the planner's arrays there are no intervals, and none are made up.
func TestReadArrays(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, map[string]string{
		"prefill_raw_data.json": `{"prefill_isl":[100,200],"prefill_ttft":[10,25],"prefill_thpt_per_gpu":[500,600]}`,
		"decode_raw_data.json": `{"x_kv_usage":[0.35],"y_context_length":[350],"z_itl":[7],` +
			`"z_thpt_per_gpu":[9],"max_kv_tokens":1000}`,
	})
	k, err := ReadHalf(dir, Prefill)
	want := "  ISL  TTFT (ms)  ±95 %  tokens/s/GPU  ±95 %  repeats\n  100      10.00                500.0\n  200   " +
		"   25.00                600.0\n"
	if err != nil || textOf(t, k.Half) != want || !k.Bare || len(k.Untold) != 1 {
		t.Errorf("%+v, %v:\n%s", k, err, textOf(t, k.Half))
	}
	if k, err = ReadHalf(dir, Decode); err != nil || k.Half.(DecodeSurface).Points[0].Requests != 1 {
		t.Errorf("%+v, %v", k, err)
	}
	lay(t, dir,
		map[string]string{"prefill_raw_data.json": `{"prefill_isl":[100,200],` +
			`"prefill_ttft":[10],"prefill_thpt_per_gpu":[500,600]}`})
	if _, err := ReadHalf(dir, Prefill); err == nil ||
		!strings.Contains(err.Error(), "prefill_ttft has 1 values: must be 2") {
		t.Errorf("%v", err)
	}
}

// A figure is shown with its interval, and without one where it was measured once.
func TestFigureIn(t *testing.T) {
	f := figureOf([]float64{.010, .012})
	if got := f.In(1e3, "ms").Within("%.1f"); got != "11.0 ±13" {
		t.Errorf("got %q", got)
	}
	one := figureOf([]float64{.01}).In(1e3, "ms")
	if one.Known() || one.FixedHalf(2) != "" || one.Fixed(2) != "10.00" {
		t.Errorf("%+v", one)
	}
	if f := figureOf([]float64{.1, .1, .1}).In(1, "s"); f.Half() != 0 {
		t.Errorf("equal repeats: %+v", f)
	}
}
