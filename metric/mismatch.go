package metric

import (
	"math"

	"headway/record"
)

// An output length misses what was asked for when it is off by more than
// mismatchShare of it or mismatchTokens tokens, whichever is less (aiperf's
// defaults).
const (
	mismatchShare  = 0.05
	mismatchTokens = 50
)

// OSLMismatch is by what fraction of the asked output length a reply is too
// long (above 0) or too short.
func OSLMismatch(r *record.Record) (fraction float64, ok bool) {
	osl, ok := OSL(r)
	if !ok || r.PlannedOSL <= 0 {
		return 0, false
	}
	return (osl - float64(r.PlannedOSL)) / float64(r.PlannedOSL), true
}

// mismatched reports whether a difference as [OSLMismatch] gives it is beyond
// the tolerance. The tokens are rounded since they are whole and the fraction
// is not exact.
func mismatched(fraction float64, want int) bool {
	off := math.Round(math.Abs(fraction) * float64(want))
	return off > min(float64(want)*mismatchShare, mismatchTokens)
}

func mismatch() []Metric {
	return []Metric{
		filled(Metric{Tag: "osl_mismatch_diff_pct", Header: "OSL Mismatch Diff %", Unit: "%", Scale: 100,
			Formula: "(output_sequence_length − asked) / asked, signed",
			Where:   "mismatch.go", value: OSLMismatch}),
		count(Metric{Tag: "osl_mismatch_count", Unit: "requests", Better: Lower,
			Formula: "requests with |output_sequence_length − asked| > min(5 % of asked, 50 tokens)",
			Where:   "mismatch.go",
			derive:  func(t *Totals) (float64, bool) { return float64(t.Mismatched), t.Asked > 0 }}),
	}
}
