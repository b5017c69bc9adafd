package telemetry

import (
	"math"
	"slices"

	"headway/record"
)

// mostBuckets is how many buckets a histogram has; more are left out.
const mostBuckets = 1000

// distribution is a histogram as it rose: of each bucket all that came since the
// first sample, and the same when the measured phase began.
type distribution struct {
	last    map[string]float64
	now     rises
	begin   rises
	started bool
}

// rises are by how much its series rose, buckets by their upper end.
type rises struct {
	buckets    map[float64]float64
	sum, count float64
}

func newDistribution() *distribution {
	return &distribution{last: map[string]float64{}, now: rises{buckets: map[float64]float64{}}}
}

// take takes all series of one sample.
func (d *distribution) take(list []Sample) {
	for _, s := range list {
		by := s.Value
		if was, seen := d.last[s.Series]; seen && s.Value >= was {
			by -= was
		} else if !seen && !d.started {
			by = 0
		}
		d.last[s.Series] = s.Value
		switch s.Part {
		case Bucket:
			if _, known := d.now.buckets[s.Bound]; known || len(d.now.buckets) < mostBuckets {
				d.now.buckets[s.Bound] += by
			}
		case Sum:
			d.now.sum += by
		case Count:
			d.now.count += by
		}
	}
	d.started = true
	if len(d.last) > mostGone+2*len(list) {
		d.last = make(map[string]float64, len(list))
		for _, s := range list {
			d.last[s.Series] = s.Value
		}
	}
}

// mark says that the measured phase begins.
func (d *distribution) mark() {
	d.begin = d.now
	d.begin.buckets = map[float64]float64{}
	for bound, n := range d.now.buckets {
		d.begin.buckets[bound] = n
	}
}

// share is the distribution since the mark; ok says that there is anything.
func (d *distribution) share() (h record.TelemetryHistogram, ok bool) {
	h.Count = d.now.count - d.begin.count
	if !(h.Count > 0) {
		return h, false
	}
	bounds := make([]float64, 0, len(d.now.buckets))
	counts := map[float64]float64{}
	for bound, n := range d.now.buckets {
		bounds = append(bounds, bound)
		counts[bound] = n - d.begin.buckets[bound]
	}
	slices.Sort(bounds)
	q := func(p float64) record.Number { return record.Number(quantile(bounds, counts, p)) }
	h.Mean = record.Number((d.now.sum - d.begin.sum) / h.Count)
	h.P50, h.P90, h.P99 = q(0.5), q(0.9), q(0.99)
	return h, true
}

// quantile is interpolated in the bucket in which it lies, as Prometheus's
// histogram_quantile does; NaN in a bucket without end.
func quantile(bounds []float64, counts map[float64]float64, p float64) float64 {
	if len(bounds) == 0 {
		return math.NaN()
	}
	rank := p * counts[bounds[len(bounds)-1]]
	below, from := 0.0, 0.0
	for _, to := range bounds {
		if n := counts[to]; n >= rank && n > below {
			if math.IsInf(to, 1) {
				return math.NaN()
			}
			return from + (to-from)*(rank-below)/(n-below)
		}
		below, from = max(below, counts[to]), to
	}
	return math.NaN()
}
