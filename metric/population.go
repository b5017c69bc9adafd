package metric

import (
	"math"
	"slices"

	"headway/internal/series"
	"headway/record"
)

// latencies are the metrics whose value a failed request has as infinite and a
// request that we ended as at least what had passed, in the order of tables.
var latencies = []string{
	"time_to_first_token", "time_to_second_token", "time_to_first_output_token",
	"request_latency", "decode_duration", "inter_token_latency",
}

// broken is a request that was sent and has no valid reply.
type broken struct {
	place  int // that of its span
	failed bool
	// least are, by the index of latencies, the value where it is known and the
	// least that it can be where it is not.
	least [6]float64
	known [6]bool
}

// brokenOf reads how far a request had come. What a request that the server
// failed had taken until then does not matter.
func brokenOf(r *record.Record, place int) broken {
	b := broken{place: place, failed: r.Outcome != record.Cancelled}
	if b.failed {
		return b
	}
	passed := positive(r.Start, r.Done)
	first, begun := firstOf(r, anyText)
	output, told := firstOf(r, record.Content|record.ToolCall)
	second, twice := secondText(r)
	b.least = [6]float64{passed, 0, passed, passed, 0, 0}
	if begun {
		b.known[0], b.least[0] = true, positive(r.Start, first)
		b.least[1], b.least[4] = positive(first, r.Done), positive(first, r.Done)
	}
	if twice {
		b.known[1], b.least[1] = true, positive(first, second)
	}
	if told {
		b.known[2], b.least[2] = true, positive(r.Start, output)
	}
	return b
}

// secondText is the time of the second arrival with text.
func secondText(r *record.Record) (record.Time, bool) {
	seen := false
	for i := range r.Arrivals {
		if r.Arrivals[i].Kind.Text() {
			if seen {
				return r.Arrivals[i].At, true
			}
			seen = true
		}
	}
	return 0, false
}

// population is the values of one metric of requests in the order of their
// starts.
type population struct {
	values []float64 // +Inf of those that failed, the least where it is cut
	cut    []bool    // nil where no value is
	failed int
}

// summary describes the population. together is how many requests were in
// flight at once on average.
func (p population) summary(m Metric, together float64) Summary {
	if p.cut == nil && p.failed == 0 {
		return summariseSeries(m, p.values, together)
	}
	s := Summary{Metric: m, Count: len(p.values), Failed: p.failed, Std: math.NaN(), Known: p.known(m, together)}
	s.MeanLow, s.MeanHigh = math.NaN(), math.NaN()
	s.Sum = sum(slices.Sorted(slices.Values(p.values)))
	s.Mean, s.Min, s.Max = s.Sum/float64(s.Count), slices.Min(p.values), slices.Max(p.values)
	s.Why = series.Infinite
	if p.cut == nil {
		all := series.New(p.values, together)
		for _, q := range percents {
			s.Quantiles = append(s.Quantiles, among(all.Quantile(float64(q)/100), q, s.Count))
		}
		return s
	}
	for _, c := range p.cut {
		if c {
			s.Cut++
		}
	}
	s.MeanAtLeast, s.MaxAtLeast = s.Failed == 0, s.Failed == 0
	s.MinAtLeast = p.leastIsCut(s.Min)
	if s.Failed == 0 {
		s.Why = CutOff
	}
	s.Quantiles = p.censored(together)
	return s
}

// known describes the values that are known and finite; nil where none is.
func (p population) known(m Metric, together float64) *Summary {
	var values []float64
	for i, v := range p.values {
		if !math.IsInf(v, 1) && (p.cut == nil || !p.cut[i]) {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return nil
	}
	s := summariseSeries(m, values, together)
	return &s
}

// leastIsCut reports whether the least value is only a bound.
func (p population) leastIsCut(least float64) bool {
	for i, v := range p.values {
		if v == least && !p.cut[i] {
			return false
		}
	}
	return true
}

// summariseSeries describes values in the order of their requests' starts, all
// of them known.
func summariseSeries(m Metric, values []float64, together float64) Summary {
	s := Summarise(m, slices.Clone(values))
	all := series.New(values, together)
	mean := all.Mean()
	s.MeanLow, s.MeanHigh, s.Why = mean.Low, mean.High, mean.Why
	for i, p := range percents {
		e := all.Quantile(float64(p) / 100)
		e.Value = s.Quantiles[i].Value
		s.Quantiles[i] = among(e, p, s.Count)
	}
	return s
}

// among makes a Quantile of n values of an Estimate.
func among(e series.Estimate, percent, n int) Quantile {
	q := quantile(n, percent, e.Value)
	q.Low, q.High, q.Why = e.Low, e.High, e.Why
	return q
}
