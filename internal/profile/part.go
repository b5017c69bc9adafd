package profile

import (
	"errors"
	"slices"
	"time"

	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// Part is one run of a plan, as a part of what is measured of an engine.
type Part struct {
	workload.Plan
	// Section, Point and Run say what of: prefill_points, isl_100, repeat_1.
	// Each is fit for the name of a folder. Two runs of one name are two
	// attempts.
	Section, Point, Run string
	// Anew says that the section goes on with nothing of an earlier call.
	Anew bool
	// Prepares says that no figure is made of the run: it warms up, or fills a
	// cache.
	Prepares bool
	// Cached says that the prompts were sent before on purpose.
	Cached bool
	// Tokens says whose counts of tokens the figures are made of.
	Tokens metric.TokenSource
	// Rate is that of the Poisson process which the plan's times are of, in
	// requests/s; 0 in a closed loop, and of other times.
	Rate float64
}

// Ran is what an engine says of a run beside its Records.
type Ran struct {
	// Span is how long it took in the engine's own time, which of a simulated
	// engine is not ours.
	Span time.Duration
	// Telemetry is what servers, GPUs and hosts did meanwhile, Energy what the GPUs
	// took; nil where that is not known.
	Telemetry *record.Telemetry
	Energy    *report.Energy
	// Warnings are what a reader of the run's figures must know.
	Warnings []record.Warning
	// Invalid says why the figures are those of the client and not of the
	// engine, or of another load than the planned one; empty where they are not.
	Invalid string
}

// ErrNotKept says that what is measured cannot be kept, so that no other run is
// worth its time either.
var ErrNotKept = errors.New("what was measured cannot be kept")

// ErrCut says that the way to the engine broke during a run: what failed or waited says
// nothing of the engine, and the run is worth another try.
var ErrCut = errors.New("the way to the engine broke")

// cutAgain is how often what was cut is measured again.
const cutAgain = 3

// uncut measures again what was cut. Prompts are new ones where they must not be in a
// cache, since measure chooses them.
func uncut[T any](measure func() (T, error)) (got T, err error) {
	for range 1 + cutAgain {
		if got, err = measure(); !errors.Is(err, ErrCut) {
			break
		}
	}
	return got, err
}

// beside are the codes of warnings on figures that no point has: quantiles within
// a run, gaps between chunks, and the steady part. The files of the run have them.
var beside = []string{"few_samples", "gaps_counted", "shared_reads", "level_not_reached"}

// remarks are what is said of the runs of one point: each kind of warning once.
type remarks struct {
	codes    []string
	invalid  string
	observed observations
}

// add takes what was said of a run, and returns the warnings that are new.
func (m *remarks) add(run string, r Ran) (fresh []string) {
	m.observed.add(r)
	if m.invalid == "" && r.Invalid != "" {
		m.invalid = run + ": " + r.Invalid
	}
	for _, w := range r.Warnings {
		if !slices.Contains(beside, w.Code) && !slices.Contains(m.codes, w.Code) {
			m.codes = append(m.codes, w.Code)
			fresh = append(fresh, run+": "+w.Text)
		}
	}
	return fresh
}
