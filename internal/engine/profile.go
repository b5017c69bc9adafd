package engine

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
)

// ReadInterpolated reads measured step times (--planner-profile-data): from an
// NPZ file of the mocker (prefill_isl, prefill_ttft_ms,
// decode_active_kv_tokens, decode_context_length, decode_itl), or from the
// results folder of Dynamo's profiler, with
// selected_prefill_interpolation/raw_data.npz and
// selected_decode_interpolation/raw_data.npz, or prefill_raw_data.json and
// decode_raw_data.json where those are missing.
//
// A profiler's results are resampled as Dynamo does: prompts on 100 points of
// a cubic spline, which takes at least 4 measurements; decoding on the
// planner's grid of 100 loads by 100 contexts, a cubic surface through the
// measurements within their hull and the nearest measurement beyond.
func ReadInterpolated(path string) (Interpolated, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Interpolated{}, fmt.Errorf("reading step times: %w", err)
	}
	read := readMockerProfile
	if info.IsDir() {
		read = readProfilerFolder
	}
	m, err := read(path)
	if err != nil {
		return Interpolated{}, fmt.Errorf("reading step times from %s: %w", path, err)
	}
	return m, nil
}

func readMockerProfile(path string) (Interpolated, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Interpolated{}, err
	}
	return parseMockerProfile(data)
}

func parseMockerProfile(data []byte) (Interpolated, error) {
	a, err := readNPZ(data, "prefill_isl", "prefill_ttft_ms", "decode_active_kv_tokens", "decode_context_length", "decode_itl")
	if err != nil {
		return Interpolated{}, err
	}
	t := stepTable{isl: a["prefill_isl"].values, ttft: a["prefill_ttft_ms"].values, kv: a["decode_active_kv_tokens"].values,
		context: a["decode_context_length"].values, itl: a["decode_itl"].values}
	if shape := a["decode_itl"].shape; !slices.Equal(shape, []int{len(t.kv), len(t.context)}) {
		return Interpolated{}, fmt.Errorf("decode_itl: shape %v: its axes ask for [%d %d]", shape, len(t.kv), len(t.context))
	}
	return newInterpolated(t)
}

// grid is how many points a profiler's results are resampled on, along each
// axis.
const grid = 100

func readProfilerFolder(dir string) (Interpolated, error) {
	p, err := readRaw(dir, "prefill", "prefill_isl", "prefill_ttft")
	if err != nil {
		return Interpolated{}, err
	}
	d, err := readRaw(dir, "decode", "x_kv_usage", "y_context_length", "z_itl", "max_kv_tokens")
	if err != nil {
		return Interpolated{}, err
	}
	var t stepTable
	if err := t.resamplePrompts(p["prefill_isl"], p["prefill_ttft"]); err != nil {
		return Interpolated{}, fmt.Errorf("prefill: %w", err)
	}
	if err := t.resampleDecoding(d["x_kv_usage"], d["y_context_length"], d["z_itl"], d["max_kv_tokens"]); err != nil {
		return Interpolated{}, fmt.Errorf("decode: %w", err)
	}
	return newInterpolated(t)
}

// readRaw reads the named arrays of one half of a profile.
func readRaw(dir, half string, names ...string) (map[string][]float64, error) {
	file := filepath.Join("selected_"+half+"_interpolation", "raw_data.npz")
	data, err := os.ReadFile(filepath.Join(dir, file))
	if errors.Is(err, fs.ErrNotExist) {
		alternative := half + "_raw_data.json"
		data, err = os.ReadFile(filepath.Join(dir, alternative))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is neither %s nor %s", file, alternative)
		}
		if err == nil {
			return withFile(alternative)(parseRawJSON(data, names))
		}
	}
	if err != nil {
		return nil, err
	}
	arrays, err := readNPZ(data, names...)
	values := map[string][]float64{}
	for name, a := range arrays {
		values[name] = a.values
	}
	return withFile(file)(values, err)
}

func withFile(file string) func(map[string][]float64, error) (map[string][]float64, error) {
	return func(v map[string][]float64, err error) (map[string][]float64, error) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		return v, nil
	}
}

// parseRawJSON reads arrays as lists, or as one number.
func parseRawJSON(data []byte, names []string) (map[string][]float64, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, err
	}
	values := map[string][]float64{}
	for _, name := range names {
		var list []float64
		var number float64
		switch {
		case raw[name] == nil:
			return nil, fmt.Errorf("no %s", name)
		case json.Unmarshal(raw[name], &number) == nil:
			list = []float64{number}
		default:
			if err := json.Unmarshal(raw[name], &list); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		values[name] = list
	}
	return values, nil
}

func (t *stepTable) resamplePrompts(isl, ttft []float64) error {
	if len(isl) < 4 {
		return fmt.Errorf("prefill_isl: %d prompt lengths: a cubic curve takes at least 4", len(isl))
	}
	if err := times1D("prefill_ttft", ttft, len(isl)); err != nil {
		return err
	}
	order := make([]int, len(isl))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(isl[a], isl[b]) })
	x, y := make([]float64, len(isl)), make([]float64, len(isl))
	for i, k := range order {
		x[i], y[i] = isl[k], ttft[k]
	}
	if err := axis("prefill_isl", x); err != nil {
		return err
	}
	s := newSpline(x, y)
	t.isl = linspace(x[0], x[len(x)-1], grid)
	t.ttft = make([]float64, grid)
	for i, v := range t.isl {
		t.ttft[i] = max(s.at(v), 0)
	}
	return nil
}

func (t *stepTable) resampleDecoding(usage, context, itl, maxKV []float64) error {
	if len(maxKV) != 1 || !(maxKV[0] > 0) || math.IsInf(maxKV[0], 1) {
		return fmt.Errorf("max_kv_tokens %v: must be one number above 0", maxKV)
	}
	if len(context) != len(usage) {
		return fmt.Errorf("y_context_length: %d values: x_kv_usage has %d", len(context), len(usage))
	}
	if err := times1D("z_itl", itl, len(usage)); err != nil {
		return err
	}
	points := make([]point, len(usage))
	longest := 0.0
	for i := range points {
		points[i] = point{usage[i], context[i]}
		if !(usage[i] >= 0 && context[i] >= 0) || math.IsInf(usage[i]+context[i], 1) {
			return fmt.Errorf("measurement %d at x_kv_usage %v, y_context_length %v: must be finite and 0 or more", i, usage[i], context[i])
		}
		longest = max(longest, context[i])
	}
	s, err := newScattered(points, itl)
	if err != nil {
		return err
	}
	share := linspace(0, 1, grid)
	t.context = linspace(0, longest, grid)
	t.kv, t.itl = make([]float64, grid), make([]float64, 0, grid*grid)
	for i, x := range share {
		t.kv[i] = x * maxKV[0]
		for _, y := range t.context {
			v, inside := s.at(point{x, y})
			if !inside {
				v = s.nearest(point{x, y})
			}
			// A cubic surface may dip below what was measured.
			t.itl = append(t.itl, max(v, 0))
		}
	}
	return nil
}
