package twin

import (
	"fmt"
	"math"
	"strings"

	"headway/internal/cluster"
	"headway/record"
)

// draws are of how many simulations an interval follows from, and fewCached is the
// share of prompt tokens in the cache from which on a load is another than those that
// are fitted, which share no prompts. mostCached is the most that intervals are
// widened for.
const (
	draws      = 12
	fewCached  = 0.05
	mostCached = 0.99
)

// calibration is what the twin says of a cluster of servers like its own, but for what
// was changed.
func (f *File) calibration() *cluster.Calibration {
	return &cluster.Calibration{
		Basis: func(c cluster.Config) string { return f.Basis(f.Changed(&c)) },
		Draws: f.drawn,
		Interval: func(v *record.ForetoldFigure, spread float64, of cluster.Extent, c cluster.Config) {
			f.interval(v, spread, of, f.Changed(&c))
		},
		Beyond: func(of cluster.Extent) []string {
			said, _ := f.beyond(of)
			return said
		},
		Doubts: func(of cluster.Extent) []string {
			if !of.Closed {
				return nil
			}
			return f.Model.Waves(of.InFlight, (of.ISL[0]+of.ISL[1]+of.OSL[1])/2)
		},
	}
}

// drawn are clusters of servers that the twin's may as well be.
func (f *File) drawn(c cluster.Config) []cluster.Config {
	all := make([]cluster.Config, draws)
	for i, m := range f.Draw(draws) {
		d := c
		d.Engine.Timing, d.API = m.Timing(f.Engine.Type), m.API(f.Engine.Type)
		d.Seed = c.Seed.Named("draw").Index(i)
		d.TokenArrivals, d.Regret, d.Calibration = false, false, nil
		all[i] = d
	}
	return all
}

// beyond says where a load lies outside of what the fit has seen, and by what factor
// intervals are wider for it. Of cached prompts it counts by what factor fewer tokens are
// computed than any load that was fitted had.
func (f *File) beyond(of cluster.Extent) (said []string, widen float64) {
	said, widen = f.Range.Beyond(Range{ISL: of.ISL, OSL: of.OSL, InFlight: [2]int{1, of.InFlight}})
	if of.Cached > fewCached {
		widen = max(widen, 1-math.Log(1-min(of.Cached, mostCached)))
		said = append(said, fmt.Sprintf("%.0f %% of the prompt tokens in the prefix cache", 100*of.Cached))
	}
	return said, widen
}

// named are the figures of a twin by the names of metrics and their statistics. How many
// tokens replies have is given, so tokens per second are off by as much as requests are.
func named(metric, stat string) string {
	if metric == "output_token_throughput" {
		metric = "request_throughput"
	}
	if stat == "avg" || stat == "" {
		return metric
	}
	return metric + " " + stat
}

func (f *File) interval(c *record.ForetoldFigure, spread float64, of cluster.Extent, changed []string) {
	if len(changed) > 0 {
		c.Why = "the simulated cluster is otherwise than the twin's server: " + strings.Join(changed, ", ")
		return
	}
	_, widen := f.beyond(of)
	name := named(c.Metric, c.Stat)
	i := f.Uncertainty.Interval(name, c.Value, spread, widen)
	if i == nil {
		c.Why = "no residuals of this figure are in the twin"
		return
	}
	c.Low, c.High, c.Level = i.Low, i.High, i.Level
	c.Apart, c.Widen = widen*f.Uncertainty.apart(name), widen
}
