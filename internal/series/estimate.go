package series

import (
	"fmt"
	"math"
)

// Confidence is the level of all intervals.
const Confidence = 0.95

// Estimate is a value with the interval that holds the stationary value with
// 95 % confidence, or the reason why there is none.
type Estimate struct {
	// Value is the figure of the values at hand: their mean, their linearly
	// interpolated quantile, their ratio.
	Value float64
	// Low and High bound the interval; NaN where there is none.
	Low, High float64
	// Effective is how many independent values would be as certain; 0 where
	// that is not known. It is more than there are values where neighbours
	// balance each other, as they do in a closed loop.
	Effective float64
	// Why says why there is no interval; empty where there is one.
	Why Reason
}

// Known reports whether there is an interval.
func (e Estimate) Known() bool { return e.Why == "" }

// HalfWidth is half the interval's length, NaN where there is none.
func (e Estimate) HalfWidth() float64 { return (e.High - e.Low) / 2 }

// Reason is a short code for files: why a value has no interval.
type Reason string

// The reasons.
const (
	// TooShort: too few values, or too few times as many as are in flight
	// together.
	TooShort Reason = "too_short"
	// NotStationary: the values rise or fall over the whole sequence, so that
	// the figure depends on the length of the run.
	NotStationary Reason = "not_stationary"
	// FewInTail: not enough independent values lie beyond the quantile.
	FewInTail Reason = "few_in_tail"
	// Infinite: the figure, or a bound, is that of failed requests.
	Infinite Reason = "infinite"
)

// String is what happened, as a clause.
func (r Reason) String() string {
	switch r {
	case TooShort:
		return "too few requests"
	case NotStationary:
		return "the values drift over the whole run"
	case FewInTail:
		return "too few independent values beyond the quantile"
	case Infinite:
		return "failed requests reach into the figure"
	}
	return string(r)
}

// Remedy is what to do about it, as a clause in the imperative; empty where
// nothing is amiss.
func (r Reason) Remedy() string {
	switch r {
	case TooShort:
		return fmt.Sprintf("measure at least %d requests, and %d for each that is in flight", least, flights)
	case FewInTail:
		return "measure more requests"
	case NotStationary:
		return "measure longer; where they still drift, the load is more than the server can carry"
	case Infinite:
		return "find out why requests fail"
	}
	return ""
}

// without is an Estimate that has no interval.
func without(value float64, why Reason) Estimate {
	return Estimate{Value: value, Low: math.NaN(), High: math.NaN(), Why: why}
}
