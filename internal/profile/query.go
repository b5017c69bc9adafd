package profile

import (
	"errors"
	"fmt"
	"io/fs"
	"math"

	"headway/internal/interp"
)

// plannerGrid is how many cells the planner's table of decode figures has along
// each axis.
const plannerGrid = 100

// PrefillTable is a profile's prefill half, read between its points. Times are
// in milliseconds here and in [DecodeTable], as in the files.
type PrefillTable struct {
	isl, ttft, rate        []float64
	ttftCurve, rateCurve   interp.Spline // the planner's
	ours, workCurve        interp.Spline // monotone: TTFT, and rate·TTFT/ISL; see Better
	ttftErrors, rateErrors []interp.Residual
}

// DecodeTable is a profile's decode half: the surfaces through its points, and
// the planner's table of 100 by 100 cells that it makes of them.
type DecodeTable struct {
	// KVTokens is how many tokens the cache holds.
	KVTokens float64

	decodeReading
	itlErrors, rateErrors []interp.Residual
	usage, context        []float64 // the cells' centres
	itlCells, rateCells   []float64 // of usage[i] and context[j] at i·100 + j
	// itlOther and rateOther are the cells where points on one circle are divided
	// the other way; nil where there are none.
	itlOther, rateOther []float64
}

// ReadPrefillTable reads the prefill half of a profile's folder, as Dynamo's
// planner does: selected_prefill_interpolation/raw_data.npz, or
// prefill_raw_data.json where that is missing. Two prompt lengths are enough,
// where the planner takes no fewer than 4.
func ReadPrefillTable(dir string) (*PrefillTable, error) {
	a, err := interp.ReadHalf(dir, "prefill", "prefill_isl", "prefill_ttft", "prefill_thpt_per_gpu")
	if err != nil {
		return nil, readError("prefill", dir, err)
	}
	t, err := newPrefillTable(a["prefill_isl"], a["prefill_ttft"], a["prefill_thpt_per_gpu"])
	if err != nil {
		return nil, fmt.Errorf("the prefill profile in %s: %w", dir, err)
	}
	return t, nil
}

// ReadDecodeTable reads the decode half: selected_decode_interpolation/raw_data.npz,
// or decode_raw_data.json.
func ReadDecodeTable(dir string) (*DecodeTable, error) {
	a, err := interp.ReadHalf(dir, "decode", "x_kv_usage", "y_context_length", "z_itl", "z_thpt_per_gpu",
		"max_kv_tokens")
	if err != nil {
		return nil, readError("decode", dir, err)
	}
	t, err := newDecodeTable(a["x_kv_usage"], a["y_context_length"], a["z_itl"], a["z_thpt_per_gpu"],
		a["max_kv_tokens"])
	if err != nil {
		return nil, fmt.Errorf("the decode profile in %s: %w", dir, err)
	}
	return t, nil
}

func readError(half, dir string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading the %s profile: %w; `headway profile endpoint --mode %s --work-dir %s` measures one",
			half, err, half, dir)
	}
	return fmt.Errorf("reading the %s profile in %s: %w", half, dir, err)
}

func newPrefillTable(isl, ttft, rate []float64) (*PrefillTable, error) {
	t := &PrefillTable{isl: isl, ttft: ttft, rate: rate}
	work := make([]float64, len(isl))
	for i := range min(len(isl), len(ttft), len(rate)) {
		work[i] = rate[i] * ttft[i] / isl[i]
	}
	var faults [3]error
	t.ttftCurve, faults[0] = interp.NewSpline(isl, ttft)
	t.rateCurve, faults[1] = interp.NewSpline(isl, rate)
	t.workCurve, faults[2] = interp.NewMonotone(isl, work)
	for i, name := range []string{"prefill_ttft", "prefill_thpt_per_gpu", "prefill_thpt_per_gpu times prefill_ttft"} {
		if faults[i] != nil {
			return nil, fmt.Errorf("%s over prefill_isl: %w", name, faults[i])
		}
	}
	t.ours, faults[0] = interp.NewMonotone(isl, ttft)
	if len(isl) < 3 || faults[0] != nil {
		return t, faults[0]
	}
	var workErrors []interp.Residual
	var failed error
	t.ttftErrors, faults[0] = interp.LeaveOneOut(isl, ttft, interp.NewMonotone)
	workErrors, faults[1] = interp.LeaveOneOut(isl, work, interp.NewMonotone)
	if failed = errors.Join(faults[:2]...); failed != nil {
		return nil, fmt.Errorf("prefill_ttft over prefill_isl: %w", failed)
	}
	t.rateErrors = derived(rate, workErrors, t.ttftErrors, isl)
	return t, nil
}

// derived are the residuals of work·of/time, each made of those of work and time.
func derived(measured []float64, work, time []interp.Residual, of []float64) []interp.Residual {
	out := make([]interp.Residual, len(measured))
	for i := range out {
		out[i] = interp.Residual{Measured: measured[i], Predicted: work[i].Predicted * of[i] / time[i].Predicted,
			Inside: time[i].Inside && work[i].Inside}
	}
	return out
}

func newDecodeTable(usage, context, itl, rate, maxKV []float64) (*DecodeTable, error) {
	switch n := len(usage); {
	case len(context) != n || len(itl) != n || len(rate) != n:
		return nil, fmt.Errorf("x_kv_usage has %d values, y_context_length %d, z_itl %d, z_thpt_per_gpu %d: "+
			"must be as many", n, len(context), len(itl), len(rate))
	case len(maxKV) != 1 || !(maxKV[0] > 0) || math.IsInf(maxKV[0], 1):
		return nil, fmt.Errorf("max_kv_tokens %v: must be one number above 0", maxKV)
	}
	t := &DecodeTable{KVTokens: maxKV[0]}
	longest := 0.0
	var points []interp.Point
	for i := range usage {
		points = append(points, interp.Point{X: usage[i], Y: context[i]})
		longest = max(longest, context[i])
	}
	var err error
	if t.decodeReading, err = newDecodeReading(points, itl, rate); err != nil {
		return nil, err
	}
	t.itlErrors = t.itl.LeaveOneOut((*interp.Surface).Linear)
	t.rateErrors = derived(rate, t.work.LeaveOneOut((*interp.Surface).Linear), t.itlErrors, load(points))
	t.usage, t.context = interp.Linspace(0, 1, plannerGrid), interp.Linspace(0, longest, plannerGrid)
	t.itlCells, t.rateCells = t.itl.Grid(t.usage, t.context), t.rate.Grid(t.usage, t.context)
	if o := t.itl.Divided(); o != nil {
		t.itlOther, t.rateOther = o.Grid(t.usage, t.context), t.rate.Divided().Grid(t.usage, t.context)
	}
	return t, nil
}

// Planner reads TTFT (ms) and throughput (tokens/s/GPU) as Dynamo's planner
// does: the cubic curve, at the nearest end for a length outside. known is false
// below 4 prompt lengths, where the planner fails.
func (t *PrefillTable) Planner(isl float64) (ttft, rate float64, known bool) {
	return t.ttftCurve.Clamped(isl), t.rateCurve.Clamped(isl), len(t.isl) >= 4
}

// cell is the index of the cell nearest to v on an axis; numpy rounds halves to
// even.
func cell(axis []float64, v float64) int {
	i := math.RoundToEven((v - axis[0]) / (axis[1] - axis[0]))
	return int(min(max(i, 0), float64(len(axis)-1)))
}

// Planner reads ITL (ms) and throughput (tokens/s/GPU) as Dynamo's planner does:
// what the nearest cell of its table holds.
func (t *DecodeTable) Planner(usage, context float64) (itl, rate float64) {
	i := cell(t.usage, usage)*plannerGrid + cell(t.context, context)
	return t.itlCells[i], t.rateCells[i]
}

// PlannerBest is the planner's answer to how much an engine can take: in the row
// of the nearest context the fullest cell whose ITL (ms) is at most the target,
// and the emptiest where none is.
func (t *DecodeTable) PlannerBest(itl, context float64) (rate, atITL, usage float64) {
	return t.best(t.itlCells, t.rateCells, itl, context)
}

func (t *DecodeTable) best(itlCells, rateCells []float64, itl, context float64) (rate, atITL, usage float64) {
	j := cell(t.context, context)
	i := plannerGrid - 1
	for i > 0 && !(itlCells[i*plannerGrid+j] <= itl) {
		i--
	}
	return rateCells[i*plannerGrid+j], itlCells[i*plannerGrid+j], t.usage[i]
}

// PlannerOther is the throughput of PlannerBest where points on one circle are
// divided the other way. SciPy, and with it the planner, takes either in each cell of
// a regular grid. It is that of PlannerBest where the points have one triangulation.
func (t *DecodeTable) PlannerOther(itl, context float64) float64 {
	if t.itlOther == nil {
		rate, _, _ := t.PlannerBest(itl, context)
		return rate
	}
	rate, _, _ := t.best(t.itlOther, t.rateOther, itl, context)
	return rate
}
