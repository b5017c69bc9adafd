package audit

import (
	"math"
	"runtime"
	"runtime/metrics"

	"headway/record"
)

const (
	pausesMetric = "/sched/pauses/total/gc:seconds"
	waitsMetric  = "/sched/latencies:seconds"
)

// runtimeCounts are histograms of the runtime since the program started.
type runtimeCounts struct{ pauses, waits counts }

// counts is a histogram: n[i] values lie between bounds[i] and bounds[i+1].
type counts struct {
	n      []uint64
	bounds []float64 // seconds
}

func readRuntime() runtimeCounts {
	s := []metrics.Sample{{Name: pausesMetric}, {Name: waitsMetric}}
	metrics.Read(s)
	return runtimeCounts{countsOf(s[0].Value), countsOf(s[1].Value)}
}

// countsOf is empty where this version of Go does not know the metric.
func countsOf(v metrics.Value) counts {
	if v.Kind() != metrics.KindFloat64Histogram {
		return counts{}
	}
	h := v.Float64Histogram()
	return counts{n: append([]uint64(nil), h.Counts...), bounds: append([]float64(nil), h.Buckets...)}
}

// since is what has come to be since before.
func (r runtimeCounts) since(before runtimeCounts) record.AuditRuntime {
	pauses, waits := r.pauses.less(before.pauses), r.waits.less(before.waits)
	a := record.AuditRuntime{Processors: runtime.GOMAXPROCS(0), WaitP99: waits.quantile(0.99)}
	for i, n := range pauses.n {
		if n > 0 {
			low, high := pauses.cell(i)
			a.Pauses += int64(n)
			a.PauseTotal += float64(n) * (low + high) / 2
			a.PauseMax = high
		}
	}
	return a
}

func (c counts) less(before counts) counts {
	if len(before.n) != len(c.n) {
		return c
	}
	d := counts{n: make([]uint64, len(c.n)), bounds: c.bounds}
	for i := range c.n {
		d.n[i] = c.n[i] - before.n[i]
	}
	return d
}

// cell is the range of a cell; the outermost ones, which are open, end where
// they begin.
func (c counts) cell(i int) (low, high float64) {
	low, high = c.bounds[i], c.bounds[i+1]
	if math.IsInf(low, -1) {
		low = min(0, high)
	}
	if math.IsInf(high, 1) {
		high = low
	}
	return low, high
}

// quantile is the upper end of the cell that holds it, 0 where there is none.
func (c counts) quantile(q float64) float64 {
	var all uint64
	for _, n := range c.n {
		all += n
	}
	rank := uint64(math.Ceil(q * float64(all)))
	for i, n := range c.n {
		if n >= rank && rank > 0 {
			_, high := c.cell(i)
			return high
		}
		rank -= n
	}
	return 0
}
