package engine

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func fixture(t testing.TB, names ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{"testdata"}, names...)...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func arrays(t testing.TB, file string, names ...string) map[string]array {
	t.Helper()
	a, err := readNPZ(fixture(t, file), names...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Arrays of every type that NumPy writes come out as their values.
func TestNPYTypes(t *testing.T) {
	names := strings.Fields("f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 big_f8 big_i4")
	want := []float64{0, 1, 2, 3, 4, 5}
	for name, a := range arrays(t, "types.npz", names...) {
		if !slices.Equal(a.shape, []int{2, 3}) || !slices.Equal(a.values, want) {
			t.Errorf("%s: %v", name, a)
		}
	}
	a := arrays(t, "types.npz", "fortran", "cube", "scalar", "empty")
	if got := a["fortran"].values; !slices.Equal(got, []float64{0, 1.5, 3, 4.5, 6, 7.5}) {
		t.Errorf("columns first: %v", got)
	}
	if got := a["cube"]; !slices.Equal(got.values, linspace(0, 23, 24)) || !slices.Equal(got.shape, []int{2, 3, 4}) {
		t.Errorf("columns first, three dimensions: %v", got)
	}
	if got := a["scalar"]; len(got.shape) != 0 || !slices.Equal(got.values, []float64{2.5}) {
		t.Errorf("a single number: %v", got)
	}
	if got := a["empty"]; !slices.Equal(got.shape, []int{0, 3}) || len(got.values) != 0 {
		t.Errorf("nothing: %v", got)
	}
	for name, want := range map[string]string{"text": "<U1", "complex": "<c16", "nothing": "the archive has no nothing: it holds f4, f8"} {
		if _, err := readNPZ(fixture(t, "types.npz"), name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNPYFaults(t *testing.T) {
	npy := func(header, raw string) string {
		return "\x93NUMPY\x01\x00" + string([]byte{byte(len(header)), 0}) + header + raw
	}
	for _, v := range []struct{ data, want string }{
		{"", "not a .npy"},
		{"\x93NUMPY\x04\x00\x00\x00\x00\x00", "version 4"},
		{"\x93NUMPY\x01\x00\xff\x00{}", "cut off"},
		{npy("{}", ""), "no descr"},
		{npy("[]", ""), "not a dictionary"},
		{npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", "12345678"), "8 bytes of values: the shape asks for 16"},
		{npy("{'descr': '<f8', 'fortran_order': Maybe, 'shape': (2,)}", ""), "fortran_order"},
		{npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-2,)}", ""), `"-2" is not a length`},
		{npy("{'descr': '<f8', 'fortran_order': False, 'shape': (99999, 99999)}", ""), "more than 1000000 values"},
		{npy("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}", ""), "structured"},
	} {
		if _, err := readNPY([]byte(v.data)); err == nil || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%q: %v, want %s", v.data, err, v.want)
		}
	}
}

func FuzzNPZ(f *testing.F) {
	f.Add(fixture(f, "mocker.npz"))
	f.Add(fixture(f, "types.npz"))
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

func FuzzNPY(f *testing.F) {
	f.Add([]byte("\x93NUMPY\x01\x00\x3b\x00{'descr': '<f8', 'fortran_order': True, 'shape': (1, 1), }  12345678"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := readNPY(data)
		if err != nil {
			return
		}
		n := 1
		for _, d := range a.shape {
			n *= d
		}
		if n != len(a.values) {
			t.Errorf("shape %v with %d values", a.shape, len(a.values))
		}
	})
}

// The surface is SciPy's.
func TestScattered(t *testing.T) {
	a := arrays(t, "scattered.npz", "points", "values", "queries", "surface")
	s, err := newScattered(pairs(a["points"].values), a["values"].values)
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range pairs(a["queries"].values) {
		want := a["surface"].values[i]
		got, inside := s.at(q)
		if inside != (want != -999) || (inside && math.Abs(got-want) > 1e-6) {
			t.Errorf("at %v: %v (inside: %v), want %v", q, got, inside, want)
		}
	}
	for i, p := range s.points {
		if got, _ := s.at(p); math.Abs(got-s.values[i]) > 1e-12 {
			t.Errorf("at point %d: %v, want %v", i, got, s.values[i])
		}
	}
}

func pairs(values []float64) []point {
	var p []point
	for i := 0; i < len(values); i += 2 {
		p = append(p, point{values[i], values[i+1]})
	}
	return p
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
			close("isl", got.isl[i], want["isl"].values[i], 1e-9)
			close("ttft", got.ttft[i], want["ttft"].values[i], 1e-6)
		}
		close("kv", got.kv[99], want["max_kv"].values[0], 1e-6)
		inside := 0
		for j, context := range want["context"].values {
			close("context", got.context[7*j], context, 1e-6)
			for i := range 15 {
				// SciPy's grid has a row for each context, this one for each
				// load.
				close("itl", got.itl[7*i*grid+7*j], want["itl"].values[j*15+i], 1e-6)
				inside += int(want["inside"].values[j*15+i])
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
		{"decode, between", m.Decode(50000, 55000), (itl(0, 10000) + itl(0, 100000) + itl(100000.0/full, 10000) + itl(100000.0/full, 100000)) / 4},
		{"decode, beyond", m.Decode(0, 190000), 2*itl(0, 100000) - itl(0, 10000)},
		{"step", m.stepTime(load{prefillTokens: 1000, decodeSeqs: 2, decodeContext: 20000, usedBlocks: 5000, blockSize: 100}), 32.5 + itl(500000.0/full, 10000)},
	} {
		if math.Abs(ms(v.got)-v.wantMilli) > 1e-5 {
			t.Errorf("%s: %v, want %v ms", v.name, v.got, v.wantMilli)
		}
	}
}

// What cannot be used is an error that says why; there is no fallback.
func TestProfileFaults(t *testing.T) {
	good := func() stepTable {
		return stepTable{isl: []float64{1, 2}, ttft: []float64{1, 2}, kv: []float64{0, 1}, context: []float64{0, 1}, itl: []float64{1, 2, 3, 4}}
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
		"at least 4":    table.resamplePrompts([]float64{1, 2, 3}, []float64{1, 2, 3}),
		"2 after 2":     table.resamplePrompts([]float64{1, 2, 2, 3}, []float64{1, 2, 3, 4}),
		"on one line":   table.resampleDecoding([]float64{0, .5, 1}, []float64{1, 2, 3}, []float64{1, 2, 3}, []float64{9}),
		"two of 3":      table.resampleDecoding([]float64{0, .5, .5}, []float64{1, 2, 2}, []float64{1, 2, 3}, []float64{9}),
		"max_kv_tokens": table.resampleDecoding(nil, nil, nil, []float64{0}),
		"x_kv_usage":    table.resampleDecoding([]float64{0, math.NaN(), 1}, []float64{1, 2, 3}, []float64{1, 2, 3}, []float64{9}),
		"z_itl":         table.resampleDecoding([]float64{0, 1}, []float64{1, 2}, []float64{1}, []float64{9}),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := ReadInterpolated(t.TempDir()); err == nil || !strings.Contains(err.Error(), "neither selected_prefill_interpolation") {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := ReadInterpolated(filepath.Join("testdata", "types.npz")); err == nil || !strings.Contains(err.Error(), "no prefill_isl") {
		t.Errorf("another archive: %v", err)
	}
	if _, err := New(Config{Timing: Interpolated{}}); err == nil || !strings.Contains(err.Error(), "planner-profile-data") {
		t.Errorf("nothing read: %v", err)
	}
}

// No point lies within the circle of a triangle, and the triangles cover the
// hull, however the points lie.
func TestTriangulation(t *testing.T) {
	for name, points := range map[string][]point{
		"lattice": lattice(6, 5, 1, 1),
		"thin":    lattice(6, 6, 0.17, 21762),
		"fan":     {{0, 0}, {1, 0}, {2, 0}, {3, 0}, {1.5, 1}},
		"below":   {{0, 0}, {1, 0}, {2, 0}, {3, 0}, {3.5, -1}},
	} {
		tr, err := triangulate(points)
		if err != nil {
			t.Fatal(err)
		}
		hull := 0
		for e := range tr.apex {
			if _, both := tr.apex[[2]int{e[1], e[0]}]; !both {
				hull++
			}
		}
		all := tr.triangles()
		if want := 2*len(points) - 2 - hull; len(all) != want {
			t.Errorf("%s: %d triangles, want %d", name, len(all), want)
		}
		for _, c := range all {
			if tr.turn(c[0], c[1], c[2]) <= 0 {
				t.Errorf("%s: triangle %v turns right", name, c)
			}
			for d := range points {
				if tr.inCircle(c[0], c[1], c[2], d) > 0 {
					t.Errorf("%s: point %d lies in the circle of %v", name, d, c)
				}
			}
		}
	}
}

func lattice(nx, ny int, dx, dy float64) []point {
	var p []point
	for i := range nx {
		for j := range ny {
			p = append(p, point{float64(i) * dx, float64(j) * dy})
		}
	}
	return p
}
