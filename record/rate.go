package record

import (
	"encoding/json"
	"math"
	"slices"
)

// Rates are taken between these quantiles of the times, so that neither the
// start nor the last reply of a long request weighs on them.
const fromShare, toShare = 0.05, 0.95

// fewestTimes is how many events a rate is of at least: of fewer the middle is
// one gap or two.
const fewestTimes = 10

// MiddleRate is how many of the times lie in one of their units between their
// 5 % and their 95 % quantile, the first of these left out. It is not known of
// fewer than ten times, and where the quantiles are less than least apart:
// replies that end within the length of one are a single wave, and how soon
// another comes nobody can tell from it. It sorts the times.
//
// That of planned starts against that of ends says whether a service keeps up:
// a constant latency moves all ends alike and changes nothing, a growing queue
// stretches them.
func MiddleRate(times []float64, least float64) (rate float64, known bool) {
	n := len(times)
	if n < fewestTimes {
		return 0, false
	}
	slices.Sort(times)
	first, last := times[int(fromShare*float64(n-1))], times[int(toShare*float64(n-1)+0.5)]
	if last <= first || last-first < least {
		return 0, false
	}
	after, _ := slices.BinarySearchFunc(times, first, upper)
	upto, _ := slices.BinarySearchFunc(times, last, upper)
	return float64(upto-after) / (last - first), true
}

// CompletedRate is the [MiddleRate] of the ends of replies that came until the last
// request did; where that is not known, of all of them. What comes after it ends sooner,
// since no prompts stand between its tokens any more: a service that fell behind would
// seem to keep up. It sorts the ends.
func CompletedRate(ends []float64, last, least float64) (rate float64, known bool) {
	slices.Sort(ends)
	while, _ := slices.BinarySearchFunc(ends, last, upper)
	if rate, known = MiddleRate(ends[:while], least); known {
		return rate, known
	}
	return MiddleRate(ends, least)
}

// upper makes a binary search find the place after all that are equal.
func upper(v, target float64) int {
	if v <= target {
		return -1
	}
	return 1
}

// Number is a figure that may not be known: NaN, and null in JSON. It may be
// infinite, where requests that failed reach into it: "Infinity" in JSON.
type Number float64

// Unknown is a figure that nothing is known of.
func Unknown() Number { return Number(math.NaN()) }

// Known reports whether there is a figure.
func (n Number) Known() bool { return !math.IsNaN(float64(n)) && !math.IsInf(float64(n), 0) }

// MarshalJSON writes what JSON has no number for as null or as text.
func (n Number) MarshalJSON() ([]byte, error) {
	switch {
	case math.IsInf(float64(n), 1):
		return []byte(`"Infinity"`), nil
	case !n.Known():
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON reads it back.
func (n *Number) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case "null":
		*n = Unknown()
		return nil
	case `"Infinity"`:
		*n = Number(math.Inf(1))
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}
