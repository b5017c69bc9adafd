package engine

import (
	"fmt"
	"math"
	"os"
	"slices"

	"headway/internal/bound"
	"headway/internal/interp"
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
	data, err := bound.ReadFile(path, bound.Document, "the profile")
	if err != nil {
		return Interpolated{}, err
	}
	return parseMockerProfile(data)
}

func parseMockerProfile(data []byte) (Interpolated, error) {
	a, err := interp.ReadNPZ(data, "prefill_isl", "prefill_ttft_ms", "decode_active_kv_tokens",
		"decode_context_length", "decode_itl")
	if err != nil {
		return Interpolated{}, err
	}
	t := stepTable{isl: a["prefill_isl"].Values, ttft: a["prefill_ttft_ms"].Values,
		kv:      a["decode_active_kv_tokens"].Values,
		context: a["decode_context_length"].Values, itl: a["decode_itl"].Values}
	if shape := a["decode_itl"].Shape; !slices.Equal(shape, []int{len(t.kv), len(t.context)}) {
		return Interpolated{}, fmt.Errorf("decode_itl: shape %v: its axes ask for [%d %d]", shape, len(t.kv),
			len(t.context))
	}
	return newInterpolated(t)
}

// grid is how many points a profiler's results are resampled on, along each
// axis.
const grid = 100

func readProfilerFolder(dir string) (Interpolated, error) {
	p, err := interp.ReadHalf(dir, "prefill", "prefill_isl", "prefill_ttft")
	if err != nil {
		return Interpolated{}, err
	}
	d, err := interp.ReadHalf(dir, "decode", "x_kv_usage", "y_context_length", "z_itl", "max_kv_tokens")
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

func (t *stepTable) resamplePrompts(isl, ttft []float64) error {
	if len(isl) < 4 {
		return fmt.Errorf("prefill_isl: %d prompt lengths: a cubic curve takes at least 4", len(isl))
	}
	if err := times1D("prefill_ttft", ttft, len(isl)); err != nil {
		return err
	}
	x := slices.Sorted(slices.Values(isl))
	if err := axis("prefill_isl", x); err != nil {
		return err
	}
	s, err := interp.NewSpline(isl, ttft)
	if err != nil {
		return fmt.Errorf("prefill_isl: %w", err)
	}
	t.isl = interp.Linspace(x[0], x[len(x)-1], grid)
	t.ttft = make([]float64, grid)
	for i, v := range t.isl {
		t.ttft[i] = max(s.At(v), 0)
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
	points := make([]interp.Point, len(usage))
	longest := 0.0
	for i := range points {
		points[i] = interp.Point{X: usage[i], Y: context[i]}
		if !(usage[i] >= 0 && context[i] >= 0) || math.IsInf(usage[i]+context[i], 1) {
			return fmt.Errorf("measurement %d at x_kv_usage %v, y_context_length %v: must be finite and 0 or more", i,
				usage[i], context[i])
		}
		longest = max(longest, context[i])
	}
	s, err := interp.NewSurface(points, itl)
	if err != nil {
		return err
	}
	share := interp.Linspace(0, 1, grid)
	t.context = interp.Linspace(0, longest, grid)
	t.kv = make([]float64, grid)
	for i, x := range share {
		t.kv[i] = x * maxKV[0]
	}
	t.itl = s.Grid(share, t.context)
	for i, v := range t.itl {
		t.itl[i] = max(v, 0) // a cubic surface may dip below what was measured
	}
	return nil
}
