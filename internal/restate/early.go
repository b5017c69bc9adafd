package restate

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"

	"headway/record"
)

// Early is what MLPerf's early stopping says of a latency, in seconds: whether enough
// queries were run to call a bound on its 99th percentile kept, and a value that the
// percentile does not exceed, each with a confidence of 99 %.
type Early struct {
	Of      string `json:"of"`
	Queries int    `json:"queries"`
	// Limit is the bound, 0 where there is none; Over is how many queries were above it,
	// and Least how many would have to be run in all with no more than those above.
	Limit float64 `json:"limit_s,omitempty"`
	Over  int     `json:"over_limit,omitempty"`
	Least int     `json:"least_queries,omitempty"`
	// Passed is loadgen's "Run successful"; it means nothing without a Limit.
	Passed bool `json:"passed,omitempty"`
	// Estimate is the percentile's upper bound: the slowest value after Discarded of the
	// slowest are left out. It is not known where fewer than Needed queries were run.
	Estimate  record.Number `json:"p99_estimate_s"`
	Discarded int           `json:"discarded,omitempty"`
	Needed    int           `json:"needed_for_estimate"`
}

// The percentile and the confidence of early stopping (results.cc, EarlyStopping: the
// tolerance is 0).
const (
	earlyShare      = 0.99
	earlyConfidence = 0.99
)

// early applies loadgen's rules: of its Server scenario to the limit, of its SingleStream
// scenario to the estimate.
func early(of string, values []float64, limit float64) Early {
	n := len(values)
	e := Early{Of: of, Queries: n, Limit: limit, Estimate: record.Unknown(),
		Needed: leastUnder(1, earlyShare) + 1}
	if limit > 0 {
		for _, v := range values {
			if v > limit {
				e.Over++
			}
		}
		e.Least = leastUnder(e.Over, earlyShare) + e.Over
		e.Passed = n >= e.Least
	}
	if n < e.Needed {
		return e
	}
	t := 1
	for leastUnder(t+1, earlyShare)+t+1 <= n {
		t++
	}
	e.Discarded, e.Estimate = t-1, record.Number(sorted(values)[n-t])
	return e
}

// leastUnder is how many queries have to lie under a limit for t above it not to stand
// against the claim that a share p lies under it: the least h for which t or fewer of
// h + t independent queries above the limit, each with probability 1 − p, are less likely
// than 1 %. The binomial's distribution function is the regularised incomplete beta
// function I_p(h, t+1) (early_stopping.cc).
func leastUnder(t int, p float64) int {
	unlikely := func(h int) bool { return mathext.RegIncBeta(float64(h), float64(t)+1, p) < 1-earlyConfidence }
	low, high := 0, 1
	for !unlikely(high) {
		low, high = high, 2*high
	}
	for high-low > 1 {
		if middle := (low + high) / 2; unlikely(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}

// String is what loadgen's summary says, in milliseconds.
func (e Early) String() string {
	text := fmt.Sprintf("early stopping, %s: ", e.Of)
	switch {
	case e.Limit == 0:
		text += "no objective on its p99 (give --slo-preset or --objective)"
	case e.Passed:
		text += fmt.Sprintf("run successful, %d of %d queries above %g ms", e.Over, e.Queries, e.Limit*1e3)
	default:
		text += fmt.Sprintf("run unsuccessful, %d of %d queries above %g ms: at least %d more are needed, all below",
			e.Over, e.Queries, e.Limit*1e3, e.Least-e.Queries)
	}
	if !e.Estimate.Known() {
		return text + fmt.Sprintf("; no estimate of p99, which takes %d queries", e.Needed)
	}
	p99 := math.Round(float64(e.Estimate)*1e6) / 1e3
	return text + fmt.Sprintf("; p99 is at most %g ms with 99 %% confidence, %d of the slowest discarded", p99,
		e.Discarded)
}
