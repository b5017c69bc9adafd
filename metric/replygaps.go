package metric

import (
	"math"
	"slices"

	"headway/internal/series"
)

// gapSummary describes the gaps between chunks of all valid replies; false
// where there are none. Gaps of one reply are no more independent than requests
// of one run, so intervals are those of ratios: of the sum of a reply's gaps, or
// of how many of them are below the quantile, to their number.
func (v *view) gapSummary(m Metric) (Summary, bool) {
	t := &v.c.times
	switch {
	case t.gaps == 0:
		return Summary{}, false
	case !t.exact():
		return t.wide.summary(m), true
	}
	values := make([]float64, 0, t.gaps)
	for s := range v.gapped {
		for gap := range t.gapsOf(s) {
			values = append(values, gap)
		}
	}
	s := Summarise(m, values)
	var counts, sums []float64
	below := make([][]float64, len(percents))
	for span := range v.gapped {
		n, total, under := 0.0, 0.0, make([]float64, len(percents))
		for gap := range t.gapsOf(span) {
			n, total = n+1, total+gap
			for i := range under {
				switch q := s.Quantiles[i].Value; {
				case gap < q:
					under[i]++
				case gap == q:
					under[i] += 0.5
				}
			}
		}
		counts, sums = append(counts, n), append(sums, total)
		for i := range below {
			below[i] = append(below[i], under[i])
		}
	}
	inFlight := v.inFlight()
	mean := series.Ratio(sums, counts, inFlight)
	s.MeanLow, s.MeanHigh, s.Why = mean.Low, mean.High, mean.Why
	for i := range s.Quantiles {
		s.Quantiles[i].ranked(values, series.Ratio(below[i], counts, inFlight))
	}
	return s, true
}

// ranked takes the quantile's interval from that of the share of values below
// it.
func (q *Quantile) ranked(sorted []float64, share series.Estimate) {
	q.Why = share.Why
	if !share.Known() {
		return
	}
	last := float64(len(sorted) - 1)
	at := func(rank float64) float64 { return sorted[int(math.Round(min(max(rank, 0), 1)*last))] }
	q.Low = min(q.Value, at(q.Q-(share.High-share.Value)))
	q.High = max(q.Value, at(q.Q+(share.Value-share.Low)))
}

// gapped gives the replies that have gaps, in the order of their starts.
func (v *view) gapped(yield func(*span) bool) {
	for _, place := range v.order {
		if s := v.spans[place]; s.is(spanGaps) && s.count > 1 && !yield(s) {
			return
		}
	}
}

// gapsOf gives a reply's gaps in seconds.
func (t *timeline) gapsOf(s *span) func(yield func(float64) bool) {
	return func(yield func(float64) bool) {
		for i, c := range t.chunksOf(s) {
			if i > 0 && !yield(seconds(c.gap)) {
				return
			}
		}
	}
}

// inFlight is how many measured requests were in flight on average.
func (v *view) inFlight() float64 {
	if v.flying > 0 {
		return v.flying
	}
	v.flying = 1
	begin, end, ok := v.c.times.window()
	if !ok {
		return v.flying
	}
	flown := make([]float64, 0, len(v.order))
	for _, place := range v.order {
		flown = append(flown, seconds(v.spans[place].end-v.spans[place].start))
	}
	slices.Sort(flown)
	v.flying = sum(flown) / seconds(end-begin)
	return v.flying
}
