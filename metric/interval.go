package metric

import (
	"math"

	"headway/internal/series"
)

// Reason is a short code for files: why a figure has no interval.
type Reason = series.Reason

// NotStationary is why a figure that drifts over the whole run has none.
const NotStationary = series.NotStationary

// HoldsStart is why a figure of a whole closed loop has no interval: its first
// requests started at one instant, and the figure depends on how many others
// there were. Those of the steady part have one.
const HoldsStart Reason = "holds_start"

// Because says why a figure has no interval and what to do about it, as two
// clauses; the second is empty where there is nothing to do.
func Because(why Reason) (what, remedy string) {
	switch why {
	case CutOff:
		return "it depends on requests that were ended before their reply",
			"let requests end (--benchmark-grace-period), or measure longer"
	case HoldsStart:
		return "the start of the closed loop is in it", "read the steady part"
	}
	return why.String(), why.Remedy()
}

// without takes the intervals away; one that has none keeps its reason.
func (s *Summary) without(why Reason) {
	if s.Why == "" {
		s.MeanLow, s.MeanHigh, s.Why = math.NaN(), math.NaN(), why
	}
	if s.Known != nil {
		s.Known.without(why)
	}
	for i := range s.Quantiles {
		if q := &s.Quantiles[i]; q.Why == "" {
			q.Low, q.High, q.Why = math.NaN(), math.NaN(), why
		}
	}
}

func (p *Part) without(why Reason) {
	for i := range p.Latencies {
		p.Latencies[i].without(why)
	}
	for i := range p.Rates {
		p.Rates[i].without(why)
	}
}

func (r *Rate) without(why Reason) {
	if r.Why == "" {
		r.Low, r.High, r.Why = math.NaN(), math.NaN(), why
	}
}
