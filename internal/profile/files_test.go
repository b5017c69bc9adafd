package profile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headway/internal/interp"
)

var updateFiles = flag.Bool("update-profile", false, "write testdata/written anew; then run testdata/check.py on it")

// written are a curve and a surface as a sweep leaves them, points that failed
// and points of one repeat among them.
func written() (PrefillCurve, DecodeSurface) {
	figure := func(mean float64) Figure { return Figure{Mean: mean, Std: mean / 100, N: 3} }
	c := PrefillCurve{Facts: Facts{GPUs: 1}}
	for _, isl := range []int{100, 971, 1842, 2713, 3584} {
		ttft := 0.0165 + 1.5e-5*float64(isl) + 4.2e-10*float64(isl)*float64(isl)
		c.Points = append(c.Points, PrefillPoint{ISL: isl, TTFT: figure(ttft), Throughput: figure(float64(isl) / ttft),
			Quality: Quality{Cached: -1}})
	}
	c.Points[1].TTFT.N, c.Points[1].TTFT.Std = 1, 0
	c.Points = append(c.Points,
		PrefillPoint{ISL: 9999, Quality: Quality{Failed: "it broke",
			Warnings: []string{"first, \"quoted\"", "second"}}})
	s := DecodeSurface{Facts: Facts{GPUs: 1, KVTokens: 65536}}
	for _, isl := range []int{100, 999, 1898, 2797} {
		for _, n := range RequestNumbers(1, CacheRequests(65536, isl, decodeOSL), 4) {
			context := float64(isl + 250)
			usage := context * float64(n) / 65536
			itl := 0.00574 + 0.05401*usage - 0.02574*usage*usage
			s.Points = append(s.Points,
				DecodePoint{ISL: isl, OSL: decodeOSL, Requests: n, Context: context, KVUsage: usage,
					ITL: figure(itl), Throughput: figure(float64(n) / itl),
					Quality: Quality{Cached: 0.9, Wide: n == 1}})
		}
	}
	return c, s
}

// The files are those that testdata/check.py has read with NumPy; where NumPy is
// at hand it reads these too.
func TestWriteFiles(t *testing.T) {
	dir := t.TempDir()
	if *updateFiles {
		dir = filepath.Join("testdata", "written")
	}
	c, s := written()
	if err := errors.Join(c.WriteFiles(dir, "about"), s.WriteFiles(dir, "about")); err != nil {
		t.Fatal(err)
	}
	arrays := []string{"selected_prefill_interpolation/raw_data.npz", "selected_decode_interpolation/raw_data.npz",
		"prefill_raw_data.json", "decode_raw_data.json"}
	if *updateFiles {
		names, err := filepath.Glob(filepath.Join(dir, "*", "*.[sp][vn]g"))
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			os.Remove(n)
		}
	}
	for _, name := range append(arrays, "prefill_points.csv", "decode_points.csv") {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join("testdata", "written", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from the one that NumPy has read; if it should, run with -update-profile, then "+
				"testdata/check.py", name)
		}
	}
	if *updateFiles {
		return
	}
	for _, name := range []string{"prefill_ttft", "prefill_throughput", "decode_itl", "decode_throughput"} {
		half, _, _ := strings.Cut(name, "_")
		for _, end := range []string{"_interpolation.png", "_interpolation.svg"} {
			if _, err := os.Stat(filepath.Join(dir, "selected_"+half+"_interpolation", name+end)); err != nil {
				t.Error(err)
			}
		}
	}
	for _, name := range []string{"decode_itl_surface", "decode_throughput_surface"} {
		if _, err := os.Stat(filepath.Join(dir, "selected_decode_interpolation", name+".svg")); err != nil {
			t.Error(err)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "*", ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left over: %v %v", left, err)
	}
	numpy(t, dir)
}

// numpy runs the check in Python where that has NumPy.
func numpy(t *testing.T, dir string) {
	t.Helper()
	if exec.Command("python3", "-c", "import numpy").Run() != nil {
		t.Log("there is no NumPy here; the committed files were read by it")
		return
	}
	if out, err := exec.Command("python3", filepath.Join("testdata", "check.py"), dir).CombinedOutput(); err != nil {
		t.Errorf("NumPy: %v\n%s", err, out)
	}
}

// What is written is read back as the tables of a query, from NPZ and from JSON.
func TestFilesReadBack(t *testing.T) {
	dir := t.TempDir()
	c, s := written()
	if err := errors.Join(writeHalf(dir, Prefill, c.Arrays(), c.csv, nil),
		writeHalf(dir, Decode, s.Arrays(), s.csv, nil)); err != nil {
		t.Fatal(err)
	}
	for _, half := range []string{"prefill", "decode", "json"} {
		if half == "json" {
			for _, h := range []string{"prefill", "decode"} {
				if err := os.Remove(filepath.Join(dir, "selected_"+h+"_interpolation", "raw_data.npz")); err != nil {
					t.Fatal(err)
				}
			}
		}
		p, d := tables(t, dir)
		for _, point := range c.Usable() {
			ttft, _ := p.Better(float64(point.ISL))
			if math.Abs(ttft.Value-1e3*point.TTFT.Mean) > 1e-9 {
				t.Errorf("%s: TTFT at %d: %v, want %v", half, point.ISL, ttft.Value, 1e3*point.TTFT.Mean)
			}
		}
		for _, point := range s.Usable() {
			itl, rate := d.Better(point.KVUsage, point.Context)
			if math.Abs(itl.Value-1e3*point.ITL.Mean) > 1e-6 ||
				math.Abs(rate.Value-point.Throughput.Mean) > 1e-6*rate.Value {
				t.Errorf("%s: at %v %v: %+v %+v, want %+v", half, point.KVUsage, point.Context, itl, rate, point)
			}
		}
		if d.KVTokens != 65536 {
			t.Errorf("%s: %v tokens", half, d.KVTokens)
		}
	}
}

// The table names every column once and says what failed.
func TestPointsCSV(t *testing.T) {
	c, _ := written()
	var b bytes.Buffer
	if err := c.csv(&b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 7 {
		t.Fatalf("%v: %d rows", err, len(rows))
	}
	at := func(row int, name string) string { return rows[row][slices.Index(rows[0], name)] }
	if at(2, "ttft_ms_std") != "" || at(2, "repeats") != "1" || at(1, "ttft_ms_ci95_low") == "" {
		t.Errorf("%v", rows)
	}
	if at(6, "failed") != "it broke" || at(6, "ttft_ms") != "" || at(6, "warnings") != "first, \"quoted\"; second" {
		t.Errorf("%v", rows[6])
	}
}

// A file that cannot be written whole leaves the old one as it is.
func TestWriteWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := writeWhole(path, func(w io.Writer) error { _, err := io.WriteString(w, "old"); return err }); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("disk full")
	if err := writeWhole(path, func(w io.Writer) error { _, _ = io.WriteString(w, "ne"); return broken }); !errors.Is(
		err, broken) {
		t.Errorf("%v", err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "old" {
		t.Errorf("%s, %v", data, err)
	}
}

// The fit of a parabola's points is the parabola, however large their places.
func TestFitQuadratic(t *testing.T) {
	x := interp.Linspace(100, 130000, 9)
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = 4.2e-7*v*v + 0.015*v + 16.5
	}
	q, ok := FitQuadratic(x, y)
	if !ok || math.Abs(q.A/4.2e-7-1) > 1e-9 || math.Abs(q.B/0.015-1) > 1e-7 || math.Abs(q.C-16.5) > 1e-4 ||
		math.Abs(q.R2-1) > 1e-12 {
		t.Errorf("%+v", q)
	}
	y[4] += 1000
	if q, ok = FitQuadratic(x, y); !ok || q.R2 > 0.9999 || q.R2 < 0.9 {
		t.Errorf("a point off the parabola: %+v", q)
	}
	if _, ok := FitQuadratic([]float64{1, 2}, []float64{1, 2}); ok {
		t.Error("two points")
	}
	if _, ok := FitQuadratic([]float64{5, 5, 5}, []float64{1, 2, 3}); ok {
		t.Error("one place")
	}
	if _, ok := FitQuadratic([]float64{5, 5, 7, 7}, []float64{1, 2, 3, 4}); ok {
		t.Error("two places")
	}
}
