package study

import (
	"cmp"
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"headway/internal/cluster"
	"headway/metric"
	"headway/record"
	"headway/report"
)

// foretold are the figures whose interval a calibration gives, by metric and
// statistic.
var foretold = [...][2]string{
	{"time_to_first_token", "avg"}, {"time_to_first_token", "p50"}, {"time_to_first_token", "p99"},
	{"inter_token_latency", "avg"}, {"inter_token_latency", "p50"}, {"inter_token_latency", "p99"},
	{"request_latency", "avg"}, {"request_throughput", ""}, {"output_token_throughput", ""},
}

// foretell says where a server's figures are expected, by the calibration that the
// cluster's times are of: the load is simulated once for each cluster that the server
// may as well be. It is nil where nothing was calibrated.
func (s Simulation) foretell(ctx context.Context, rep *report.Report, o metric.Options) (*record.Foretold, error) {
	c := s.Cluster.Calibration
	if c == nil {
		return nil, nil
	}
	drawn, extent, err := s.draw(ctx, o)
	if err != nil || extent == nil {
		return nil, err
	}
	of := extent.of(len(rep.Run.Cluster.Workers))
	if h := rep.Run.Cluster.HitRate; h.Known() {
		of.Cached = float64(h)
	}
	of.Closed = !rep.Run.Schedule.Timed
	all := &record.Foretold{Beyond: c.Beyond(of), Doubts: c.Doubts(of)}
	for k, f := range foretold {
		v := rep.Figure(f[0], f[1])
		if !(v.Value > 0) || math.IsInf(v.Value, 0) {
			continue
		}
		figure := record.ForetoldFigure{Metric: f[0], Stat: f[1], Unit: v.Unit, Value: v.Value}
		if c.Interval(&figure, spread(drawn[k]), of, s.Cluster); figure.Why == "" {
			figure.Drawn = drawn[k]
		}
		all.Figures = append(all.Figures, figure)
	}
	return all, nil
}

// draw simulates the load on each cluster that the server may as well be: the figures of
// each, 0 where one is not known, and what the load asks for; nil where ctx ended it.
func (s Simulation) draw(ctx context.Context, o metric.Options) (drawn [len(foretold)][]float64, x *extents,
	err error) {
	x = &extents{}
	for i, d := range s.Cluster.Calibration.Draws(s.Cluster) {
		one := &drawRun{collector: metric.NewCollector(o)}
		if i == 0 {
			one.extent = x
		}
		_, out, err := cluster.Replay(ctx, d, s.Plan, one)
		if err != nil || out.Cancelled {
			return drawn, nil, err
		}
		r := &report.Report{Result: one.collector.Result()}
		for k, f := range foretold {
			v := r.Figure(f[0], f[1]).Value
			if !(v > 0) || math.IsInf(v, 0) {
				v = 0
			}
			drawn[k] = append(drawn[k], v)
		}
	}
	return drawn, x, nil
}

// spread is the standard deviation of the logarithms of those that are known.
func spread(drawn []float64) float64 {
	var logs []float64
	for _, v := range drawn {
		if v > 0 {
			logs = append(logs, math.Log(v))
		}
	}
	if len(logs) < 2 {
		return 0
	}
	return stat.StdDev(logs, nil)
}

// drawRun takes the Records of one draw.
type drawRun struct {
	collector *metric.Collector
	extent    *extents // nil: nobody asks
}

// Take is for the simulation alone.
func (d *drawRun) Take(r *record.Record) error {
	if d.extent != nil && r.Outcome == record.OK {
		d.extent.add(r)
	}
	return d.collector.Take(r)
}

// extents gathers what a load asks for.
type extents struct {
	isl, osl []int
	edges    []edge
}

// edge is a begin (by 1) or an end (by -1) of a request.
type edge struct {
	at record.Time
	by int
}

func (x *extents) add(r *record.Record) {
	x.isl, x.osl = append(x.isl, r.TokensIn), append(x.osl, r.TokensOut)
	x.edges = append(x.edges, edge{r.Start, 1}, edge{r.Done, -1})
}

// of is the extent of the load of each of so many workers.
func (x *extents) of(workers int) cluster.Extent {
	if len(x.isl) == 0 {
		return cluster.Extent{}
	}
	slices.SortFunc(x.edges, func(a, b edge) int { return cmp.Or(cmp.Compare(a.at, b.at), a.by-b.by) })
	n, most := 0, 0
	for _, e := range x.edges {
		n += e.by
		most = max(most, n)
	}
	return cluster.Extent{
		ISL:      [2]int{slices.Min(x.isl), slices.Max(x.isl)},
		OSL:      [2]int{slices.Min(x.osl), slices.Max(x.osl)},
		InFlight: (most + workers - 1) / max(workers, 1),
	}
}
