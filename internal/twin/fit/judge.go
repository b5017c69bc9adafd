package fit

import (
	"cmp"
	"slices"
	"time"

	"headway/internal/twin"
	"headway/metric"
)

// figures are those of a load's times.
func figures(l *Load, all []Times) []twin.Compared {
	var ttft, itl []float64
	total, end := 0.0, time.Duration(0)
	begin := all[0].Start
	for i, t := range all {
		ttft = append(ttft, float64(t.First)/1e6)
		if n := l.Requests[i].OSL; n > 1 {
			itl = append(itl, t.Gap(n)/1e6)
		}
		total += float64(t.Total) / 1e6
		begin, end = min(begin, t.Start), max(end, t.Start+t.Total)
	}
	slices.Sort(ttft)
	slices.Sort(itl)
	n := float64(len(all))
	f := []twin.Compared{
		{Figure: "time_to_first_token", Unit: "ms", Measured: mean(ttft)},
		{Figure: "time_to_first_token p50", Unit: "ms", Measured: metric.Percentile(ttft, 50)},
		{Figure: "time_to_first_token p99", Unit: "ms", Measured: metric.Percentile(ttft, 99)},
	}
	if len(itl) > 0 {
		f = append(f, twin.Compared{Figure: "inter_token_latency", Unit: "ms", Measured: mean(itl)},
			twin.Compared{Figure: "inter_token_latency p99", Unit: "ms", Measured: metric.Percentile(itl, 99)})
	}
	return append(f, twin.Compared{Figure: "request_latency", Unit: "ms", Measured: total / n},
		twin.Compared{Figure: "request_throughput", Unit: "requests/s", Measured: n / max(end-begin, 1).Seconds()})
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(max(len(x), 1))
}

// rangeOf is what loads and points have seen.
func rangeOf(loads []*Load, points []Point) twin.Range {
	var isl, osl, flight []int
	for _, l := range loads {
		for _, r := range l.Requests {
			isl, osl = append(isl, r.ISL), append(osl, r.OSL)
		}
		flight = append(flight, l.mostInFlight())
	}
	for _, p := range points {
		isl, osl, flight = append(isl, p.ISL), append(osl, p.OSL), append(flight, p.Sequences)
	}
	return twin.Range{ISL: ends(isl), OSL: ends(osl), InFlight: [2]int{1, ends(flight)[1]}}
}

func ends(x []int) [2]int { return [2]int{slices.Min(x), slices.Max(x)} }

// mostInFlight is how many requests the server had at a time.
func (l *Load) mostInFlight() int {
	type edge struct {
		at time.Duration
		by int
	}
	var edges []edge
	for _, t := range l.Seen {
		edges = append(edges, edge{t.Start, 1}, edge{t.Start + t.Total, -1})
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(cmp.Compare(a.at, b.at), a.by-b.by) })
	n, most := 0, 0
	for _, e := range edges {
		n += e.by
		most = max(most, n)
	}
	return most
}
