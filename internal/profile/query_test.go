package profile

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headway/internal/interp"
)

func tables(t *testing.T, dir string) (*PrefillTable, *DecodeTable) {
	t.Helper()
	p, err := ReadPrefillTable(dir)
	if err != nil {
		t.Fatal(err)
	}
	d, err := ReadDecodeTable(dir)
	if err != nil {
		t.Fatal(err)
	}
	return p, d
}

// At 200 random questions the planner's answers are those of NumPy and SciPy, and
// what is read off the surface is griddata's there.
func TestPlannerAnswers(t *testing.T) {
	dir := filepath.Join("testdata", "planner")
	p, d := tables(t, dir)
	data, err := os.ReadFile(filepath.Join(dir, "answers.npz"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := interp.ReadNPZ(data, "questions", "answers", "exact")
	if err != nil {
		t.Fatal(err)
	}
	n, measured := a["questions"].Shape[0], 0
	if n != 200 {
		t.Fatalf("%d questions", n)
	}
	for i := range n {
		q, want, exact := a["questions"].Values[4*i:], a["answers"].Values[7*i:], a["exact"].Values[2*i:]
		isl := q[0]
		osl := q[1]
		target := q[2]
		usage := q[3]
		ask := Ask(Question{ISL: isl, OSL: osl, TTFT: 100, ITL: target}, p, d)
		ttft, rate, known := p.Planner(isl)
		context := ask.Decode.Context
		itl, generated := d.Planner(usage, context)
		best := ask.Decode.Planner
		for k, got := range []float64{ttft, rate, itl, generated, best.Throughput, best.ITL, best.KVUsage} {
			if !known || math.Abs(got-want[k]) > 1e-6*max(1, math.Abs(want[k])) {
				t.Errorf("question %v: answer %d is %v, want %v", q[:4], k, got, want[k])
			}
		}
		betterITL, _ := d.Better(usage, context)
		at := interp.Point{X: usage, Y: context}
		itlThere, _ := d.itl.At(at)
		surface, _ := d.rate.At(at)
		if inside := !math.IsNaN(exact[0]); inside != betterITL.Measured ||
			inside && (math.Abs(itlThere-exact[0]) > 1e-6 || math.Abs(surface-exact[1]) > 1e-6*exact[1]) {
			t.Errorf("question %v: off the surface %+v %v %v, want %v", q[:4], betterITL, itlThere, surface, exact[:2])
		} else if inside {
			measured++
		}
	}
	if measured < 50 {
		t.Errorf("only %d questions lie among the points", measured)
	}
}

// Throughput follows from TTFT and from ITL, so that it is right between points
// that lie far apart, where the planner's surfaces of throughput are not.
func TestBetterThroughputFollowsFromTimes(t *testing.T) {
	var isl, ttft, rate []float64
	for _, n := range []float64{100, 8000, 16000, 24000} {
		isl, ttft = append(isl, n), append(ttft, 20+n/10)
		rate = append(rate, n/(20+n/10)*1000/2)
	}
	p, err := newPrefillTable(isl, ttft, rate)
	if err != nil {
		t.Fatal(err)
	}
	if _, got := p.Better(3000); math.Abs(got.Value-3000/320.*500) > 1e-6 || got.Error > 1e-6 {
		t.Errorf("prefill of 3000 tokens: %+v, want %v and no error", got, 3000/320.*500)
	}
	if _, planner, _ := p.Planner(3000); math.Abs(planner-3000/320.*500) < 100 {
		t.Errorf("the planner's curve is at %v: the points do not show what they are for", planner)
	}

	const kv = 100000
	var usage, context, itl, out []float64
	for _, c := range []float64{400, 4000, 12000} {
		for _, x := range []float64{0.02, 0.4, 0.8} {
			v := 5 + 20*x
			usage, context, itl = append(usage, x), append(context, c), append(itl, v)
			out = append(out, x*kv/c/v*1000/4)
		}
	}
	d, err := newDecodeTable(usage, context, itl, out, []float64{kv})
	if err != nil {
		t.Fatal(err)
	}
	gotITL, got := d.Better(0.2, 2000)
	if want := 0.2 * kv / 2000 / gotITL.Value * 1000 / 4; math.Abs(gotITL.Value-9) > 0.2 ||
		math.Abs(got.Value-want) > 1e-6*want {
		t.Errorf("decode: ITL %v, %+v, want 9 and %v", gotITL.Value, got, want)
	}
}

// What is better keeps the target, stays among the points, and says what it is
// worth.
func TestBetterAnswers(t *testing.T) {
	p, d := tables(t, filepath.Join("testdata", "planner"))
	for _, target := range []float64{8, 12, 20, 30, 60} {
		rate, itl, usage, ok := d.Best(target, 4000)
		if !ok || itl.Value > target || !itl.Measured || rate.Value <= 0 || !(itl.Error > 0) {
			t.Errorf("%v ms: %+v tokens/s at %+v ms, usage %v, %v", target, rate, itl, usage, ok)
		}
	}
	if _, itl, _, ok := d.Best(1, 4000); ok || !(itl.Value > 1) {
		t.Errorf("1 ms was met: %+v", itl)
	}
	// The noise of the fixture is 1 %; leaving a point out shows it and not
	// much more.
	ttft, _ := p.Better(8000)
	if share := ttft.Error / ttft.Value; !(share > 0.005 && share < 0.1) {
		t.Errorf("TTFT %+v: error of %v", ttft, share)
	}
	if ttft, _ := p.Better(99999); ttft.Measured {
		t.Errorf("beyond the curve: %+v", ttft)
	}
	raw, err := json.Marshal(Ask(Question{ISL: 3000, OSL: 150, TTFT: 100, ITL: 10}, p, d))
	if err != nil || !strings.Contains(string(raw), `"nearest_error":`) ||
		strings.Contains(string(raw), `"error":null`) {
		t.Errorf("%s %v", raw, err)
	}
}

// grids of a profile with nine points, throughput falling steeply with the context.
func steep(t *testing.T, kv float64) *DecodeTable {
	t.Helper()
	d, err := newDecodeTable([]float64{0.002, 0.5, 0.95, 0.01, 0.5, 0.95, 0.02, 0.5, 0.9},
		[]float64{350, 350, 350, 2300, 2300, 2300, 4300, 4300, 4300},
		[]float64{5.9, 26.3, 33.8, 6.4, 26.4, 34, 6.9, 26.6, 33.7},
		[]float64{168, 10800, 16000, 155, 1650, 2400, 144, 875, 1250}, []float64{kv})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// What is read stays within what was measured, at every place; the planner's own
// surface of the same points falls below zero.
func TestBetterStaysWithinTheMeasured(t *testing.T) {
	d := steep(t, 200_000)
	below := 0
	for _, x := range interp.Linspace(0, 1, 80) {
		for _, y := range interp.Linspace(1, 5000, 80) {
			itl, rate := d.Better(x, y)
			if !(itl.Value >= 5.9 && itl.Value <= 34 && rate.Value >= 144 && rate.Value <= 16000) {
				t.Fatalf("at %v, %v: %v ms, %v tokens/s", x, y, itl.Value, rate.Value)
			}
			if _, planner := d.Planner(x, y); planner < 0 {
				below++
			}
		}
	}
	if below == 0 {
		t.Error("the planner's surface is nowhere below zero: the points do not show what they are for")
	}
	// A curve that is flat and then rises: a cubic one would swing below.
	p, err := newPrefillTable([]float64{100, 2000, 4000, 6000, 8000}, []float64{10, 10, 10, 10, 900},
		[]float64{10000, 2e5, 4e5, 6e5, 8888})
	if err != nil {
		t.Fatal(err)
	}
	swing := math.Inf(1)
	for _, isl := range interp.Linspace(1, 9000, 500) {
		ttft, rate := p.Better(isl)
		if !(ttft.Value >= 10-1e-9 && ttft.Value <= 900+1e-9 && rate.Value >= 8888 && rate.Value <= 6e5) {
			t.Fatalf("at %v: %v ms, %v tokens/s", isl, ttft.Value, rate.Value)
		}
		planner, _, _ := p.Planner(isl)
		swing = min(swing, planner)
	}
	if swing > 0 {
		t.Errorf("the planner's curve is at least %v: the points do not show what they are for", swing)
	}
}

// There is a verdict only where the profile has measured, and where at least one
// request is in the cache.
func TestNoVerdictWithoutAMeasurement(t *testing.T) {
	d := steep(t, 200_000)
	verdicts := func(d *DecodeTable, q Question) (planner, ours *bool, why string) {
		a := d.ask(q)
		return a.Planner.Met, a.Met, a.Planner.Undecided + "; " + a.Undecided
	}
	is := func(got *bool, want string) bool {
		return got == nil && want == "" || got != nil && (want == "met") == *got && want != ""
	}
	for _, c := range []struct {
		name          string
		table         *DecodeTable
		q             Question
		planner, ours string // met, missed, or "" for none
		why           string
	}{
		{"among the points", d, Question{ISL: 3000, OSL: 150, ITL: 20}, "met", "met", "; "},
		{"too strict", d, Question{ISL: 3000, OSL: 150, ITL: 2}, "missed", "missed", "; "},
		{"a longer context", d, Question{ISL: 9000, OSL: 150, ITL: 50}, "", "",
			"a context of 9075 tokens is outside what was measured (350 to 4300)"},
		{"a shorter one", d, Question{ISL: 100, OSL: 150, ITL: 50}, "", "", "175 tokens is outside"},
		{"a cache for none", steep(t, 3000), Question{ISL: 3000, OSL: 150, ITL: 50}, "", "",
			"the KV cache of 3000 tokens does not hold one request of 3150"},
		{"a load for none", steep(t, 8000), Question{ISL: 4000, OSL: 150, ITL: 7.2}, "", "missed", "hold 0 requests"},
	} {
		planner, ours, why := verdicts(c.table, c.q)
		if !is(planner, c.planner) || !is(ours, c.ours) || !strings.Contains(why, c.why) {
			t.Errorf("%s: planner %v, ours %v, %s", c.name, show(planner), show(ours), why)
		}
	}
	p, _ := tables(t, filepath.Join("testdata", "planner"))
	for isl, decided := range map[float64]bool{50: false, 3000: true, 90_000: false} {
		a := p.ask(Question{ISL: isl, TTFT: 1e6})
		if (a.Met != nil) != decided || (a.Planner.Met != nil) != decided || (a.Undecided == "") != decided {
			t.Errorf("prompt of %v tokens: %+v", isl, a)
		}
	}
}

func show(b *bool) any {
	if b == nil {
		return "none"
	}
	return *b
}

// Faults name the file and what is wrong in it; three prompt lengths are read,
// and said to be too few for the planner.
func TestTableFaults(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadPrefillTable(dir); err == nil ||
		!strings.Contains(err.Error(), "headway profile endpoint --mode prefill") {
		t.Errorf("%v", err)
	}
	write := func(name, data string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("prefill_raw_data.json", `{"prefill_isl": [1, 2, 3], "prefill_ttft": [10, 20, 40], `+
		`"prefill_thpt_per_gpu": [5, 6, 7]}`)
	p, err := ReadPrefillTable(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, known := p.Planner(2); known {
		t.Error("the planner knows a curve of three points")
	}
	if ttft, _ := p.Better(2); ttft.Value != 20 || !ttft.Measured {
		t.Errorf("%+v", ttft)
	}
	write("prefill_raw_data.json", `{"prefill_isl": [1, 2], "prefill_ttft": [10, 20], "prefill_thpt_per_gpu": [5]}`)
	if _, err := ReadPrefillTable(dir); err == nil ||
		!strings.Contains(err.Error(), "prefill_thpt_per_gpu over prefill_isl") {
		t.Errorf("%v", err)
	}
	for want, data := range map[string]string{
		"must be as many": `{"x_kv_usage": [1], "y_context_length": [1, 2], "z_itl": [1], "z_thpt_per_gpu": [1], ` +
			`"max_kv_tokens": 5}`,
		"max_kv_tokens": `{"x_kv_usage": [1], "y_context_length": [1], "z_itl": [1], "z_thpt_per_gpu": [1], ` +
			`"max_kv_tokens": 0}`,
		"one line": `{"x_kv_usage": [0, 0.5, 1], "y_context_length": [1, 2, 3], "z_itl": [1, 2, 3], ` +
			`"z_thpt_per_gpu": [1, 2, 3], "max_kv_tokens": 5}`,
	} {
		write("decode_raw_data.json", data)
		if _, err := ReadDecodeTable(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
