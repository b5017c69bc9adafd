package study

import (
	"headway/metric"
	"headway/report"
)

const (
	// rises is by how much the throughput has to rise at least, and apart by how much
	// the concurrency: of two levels side by side little can be told.
	rises, apart = 1.05, 1.5
)

// saturated says whether the last level delivers no more than one well below it did;
// note hears which.
func saturated(all []Level, note func(format string, args ...any)) bool {
	last := all[len(all)-1]
	now := delivered(last)
	for _, l := range all[:len(all)-1] {
		before := delivered(l)
		if before > 0 && now > 0 && float64(last.Concurrency) >= apart*float64(l.Concurrency) && now < rises*before {
			note("saturated: concurrency %d delivers %.4g tokens/s, %d delivered %.4g; the levels after it are "+
				"left out", last.Concurrency, now, l.Concurrency, before)
			return true
		}
	}
	return false
}

// delivered is the mean throughput of a level's runs (tokens/s), 0 where it is not known.
func delivered(l Level) (mean float64) {
	for _, r := range l.Reports {
		mean += throughput(r) / float64(len(l.Reports))
	}
	return mean
}

func throughput(r *report.Report) float64 {
	v, ok := valueOf(r, metric.Figure{Tag: "output_token_throughput"})
	if !ok {
		return 0
	}
	return v
}
