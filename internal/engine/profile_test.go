package engine

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headway/internal/interp"
)

func fixture(t testing.TB, names ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{"testdata"}, names...)...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func arrays(t testing.TB, file string, names ...string) map[string]interp.Array {
	t.Helper()
	a, err := interp.ReadNPZ(fixture(t, file), names...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func FuzzNPZ(f *testing.F) {
	f.Add(fixture(f, "mocker.npz"))
	f.Add(fixture(f, "resampled.npz"))
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseMockerProfile(data)
		if err != nil {
			return
		}
		if d := m.Prefill(1000) + m.Decode(1000, 50.5); d < 0 {
			t.Errorf("a step of %v", d)
		}
	})
}

// A profiler's results are resampled to what SciPy makes of them, whether they
// are NPZ or JSON.
func TestProfilerFolder(t *testing.T) {
	want := arrays(t, "resampled.npz", "isl", "ttft", "context", "itl", "inside", "max_kv")
	for _, dir := range []string{"profile", "profile-json"} {
		m, err := ReadInterpolated(filepath.Join("testdata", dir))
		if err != nil {
			t.Fatal(err)
		}
		got := m.table
		close := func(what string, got, want, within float64) {
			t.Helper()
			if math.Abs(got-want) > within {
				t.Errorf("%s: %s: %v, want %v", dir, what, got, want)
			}
		}
		for i := range grid {
			close("isl", got.isl[i], want["isl"].Values[i], 1e-9)
			close("ttft", got.ttft[i], want["ttft"].Values[i], 1e-6)
		}
		close("kv", got.kv[99], want["max_kv"].Values[0], 1e-6)
		inside := 0
		for j, context := range want["context"].Values {
			close("context", got.context[7*j], context, 1e-6)
			for i := range 15 {
				// SciPy's grid has a row for each context, this one for each
				// load.
				close("itl", got.itl[7*i*grid+7*j], want["itl"].Values[j*15+i], 1e-6)
				inside += int(want["inside"].Values[j*15+i])
			}
		}
		if inside < 50 {
			t.Errorf("only %d of 225 points lie within the hull: little was shown", inside)
		}
	}
}

// Times between the measured ones are linear, beyond them they go on, and a
// step that does both takes the sum.
func TestInterpolated(t *testing.T) {
	m, err := ReadInterpolated(filepath.Join("testdata", "mocker.npz"))
	if err != nil {
		t.Fatal(err)
	}
	itl := func(usage, context float64) float64 {
		return 5.7 + 54*usage - 25*usage*usage + context/20000 + 3*usage*context/131072
	}
	const full = 1048576
	for _, v := range []struct {
		name      string
		got       time.Duration
		wantMilli float64
	}{
		{"no prompt", m.Prefill(0), 0},
		{"measured", m.Prefill(1000), 32.5},
		{"between", m.Prefill(2500), (32.5 + 81) / 2},
		{"beyond", m.Prefill(8192 * 2), 170 + 8192*(170.0-81)/4192},
		{"below", m.Prefill(10), 20 - 90*12.5/900},
		{"decode", m.Decode(500000, 10000), itl(500000.0/full, 10000)},
		{"decode, between", m.Decode(50000, 55000),
			(itl(0, 10000) + itl(0, 100000) + itl(100000.0/full, 10000) + itl(100000.0/full, 100000)) / 4},
		{"decode, beyond", m.Decode(0, 190000), 2*itl(0, 100000) - itl(0, 10000)},
		{"step", m.stepTime(load{prefillTokens: 1000, decodeSeqs: 2, decodeContext: 20000,
			cache: cache{active: 500000}}), 32.5 + itl(500000.0/full, 10000)},
	} {
		if math.Abs(ms(v.got)-v.wantMilli) > 1e-5 {
			t.Errorf("%s: %v, want %v ms", v.name, v.got, v.wantMilli)
		}
	}
}

// What cannot be used is an error that says why; there is no fallback.
func TestProfileFaults(t *testing.T) {
	good := func() stepTable {
		return stepTable{isl: []float64{1, 2}, ttft: []float64{1, 2}, kv: []float64{0, 1}, context: []float64{0, 1},
			itl: []float64{1, 2, 3, 4}}
	}
	for want, spoil := range map[string]func(*stepTable){
		"prefill_isl: 1 values":                 func(s *stepTable) { s.isl, s.ttft = s.isl[:1], s.ttft[:1] },
		"prefill_isl: value 1 is 1 after 1":     func(s *stepTable) { s.isl[1] = 1 },
		"prefill_ttft_ms: 1 values":             func(s *stepTable) { s.ttft = s.ttft[:1] },
		"decode_itl: value 2 is NaN":            func(s *stepTable) { s.itl[2] = math.NaN() },
		"decode_itl: value 0 is -1":             func(s *stepTable) { s.itl[0] = -1 },
		"decode_active_kv_tokens: value 1 is +": func(s *stepTable) { s.kv[1] = math.Inf(1) },
	} {
		table := good()
		spoil(&table)
		if _, err := newInterpolated(table); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	var table stepTable
	for want, err := range map[string]error{
		"at least 4": table.resamplePrompts([]float64{1, 2, 3}, []float64{1, 2, 3}),
		"2 after 2":  table.resamplePrompts([]float64{1, 2, 2, 3}, []float64{1, 2, 3, 4}),
		"on one line": table.resampleDecoding([]float64{0, .5, 1}, []float64{1, 2, 3}, []float64{1, 2, 3},
			[]float64{9}),
		"two of 3": table.resampleDecoding([]float64{0, .5, .5}, []float64{1, 2, 2}, []float64{1, 2, 3},
			[]float64{9}),
		"max_kv_tokens": table.resampleDecoding(nil, nil, nil, []float64{0}),
		"x_kv_usage": table.resampleDecoding([]float64{0, math.NaN(), 1}, []float64{1, 2, 3}, []float64{1, 2, 3},
			[]float64{9}),
		"z_itl": table.resampleDecoding([]float64{0, 1}, []float64{1, 2}, []float64{1}, []float64{9}),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := ReadInterpolated(t.TempDir()); err == nil ||
		!strings.Contains(err.Error(), "neither selected_prefill_interpolation") {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := ReadInterpolated(filepath.Join("testdata", "resampled.npz")); err == nil ||
		!strings.Contains(err.Error(), "no prefill_isl") {
		t.Errorf("another archive: %v", err)
	}
	if _, err := New(Config{Timing: Interpolated{}}); err == nil ||
		!strings.Contains(err.Error(), "planner-profile-data") {
		t.Errorf("nothing read: %v", err)
	}
}
