package metric

import "headway/record"

// Totals are a run's counts and sums, of which Aggregate and Derived metrics
// are formulas.
type Totals struct {
	// OK counts valid records and Errors those that were sent and are not; of
	// the latter the server Failed those that we did not end ourselves.
	OK, Errors, Failed int
	// Good counts valid records that met every objective of Goals; Goals is
	// false where no goodput was asked for.
	Good int
	// Undecided counts valid records of which that is not known.
	Undecided int
	Goals     bool
	// First is the earliest start and Last the latest arrival with text among
	// valid records, 0 where there are none.
	First, Last record.Time
	// Clock turns them to wall time.
	Clock record.Clock
	// NumGPUs is the declared number of GPUs, 0 where not said.
	NumGPUs int
	// Overflows counts errors that say that the prompt did not fit.
	Overflows int
	// Asked counts valid records whose output length was asked for, and
	// Mismatched those that missed it.
	Asked, Mismatched int
	// Compared counts valid records with counts of both sides, and Discrepant
	// those where they differ by more than a tenth.
	Compared, Discrepant int
	// BothCompared counts those of Compared with counts of the prompt and of the
	// completion.
	BothCompared int

	// lags are how late requests of a fixed schedule were sent, in seconds.
	lags []float64

	sums    map[string]float64
	decoded decoded
}

// Sum is the total of a per-record metric by its tag, in base units; false
// where no record had it. Sums of counts are exact below 2⁵³.
func (t *Totals) Sum(tag string) (float64, bool) {
	v, ok := t.sums[tag]
	return v, ok
}

// Duration is the time in seconds from the first start to the last text among
// valid records; false where it is not above zero.
func (t *Totals) Duration() (seconds float64, ok bool) {
	s, ok := between(t.First, t.Last)
	return s, ok && s > 0
}

// sumOf adds the totals of metrics; absent unless all of them exist.
func sumOf(tags ...string) func(*Totals) (float64, bool) {
	return func(t *Totals) (float64, bool) {
		var all float64
		for _, tag := range tags {
			v, ok := t.Sum(tag)
			if !ok {
				return 0, false
			}
			all += v
		}
		return all, true
	}
}

// overDuration divides by the benchmark's duration.
func overDuration(sum func(*Totals) (float64, bool)) func(*Totals) (float64, bool) {
	return func(t *Totals) (float64, bool) {
		v, ok := sum(t)
		d, ok2 := t.Duration()
		if !ok || !ok2 {
			return 0, false
		}
		return v / d, true
	}
}

// add counts one record that was sent.
func (t *Totals) add(r *record.Record) {
	if !Valid(r) {
		t.Errors++
		if r.Outcome != record.Cancelled {
			t.Failed++
		}
		if overflows(r.Failure) {
			t.Overflows++
		}
		return
	}
	t.OK++
	if t.First == 0 || r.Start < t.First {
		t.First = r.Start
	}
	t.Last = max(t.Last, lastText(r))
	if diff, ok := OSLMismatch(r); ok {
		t.Asked++
		if mismatched(diff, r.PlannedOSL) {
			t.Mismatched++
		}
	}
	if worst, ok := usageDiff(r, usagePairs); ok {
		t.Compared++
		if bothSides(r) {
			t.BothCompared++
		}
		if worst > discrepancy {
			t.Discrepant++
		}
	}
}
