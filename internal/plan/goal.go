package plan

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"headway/metric"
	"headway/record"
)

// goal is an objective on a time of single requests.
type goal struct {
	metric.Objective
	value func(*record.Record) (float64, bool)
	// rank is that of a percentile, 0 to 100; mean and the largest have one of
	// their own.
	rank float64
	mean bool
}

// times are the metrics that objectives of a plan may bound.
var times = map[string]func(*record.Record) (float64, bool){
	"time_to_first_token": metric.TTFT,
	"inter_token_latency": metric.ITL,
	"request_latency":     metric.RequestLatency,
}

// goalsOf takes objectives that are upper bounds on times of requests.
func goalsOf(objectives []metric.Objective) (all []goal, err error) {
	for _, o := range objectives {
		g := goal{Objective: o, value: times[o.Tag]}
		switch {
		case g.value == nil:
			return nil, fmt.Errorf("objective %q: a plan bounds time_to_first_token, inter_token_latency or "+
				"request_latency", o.Text)
		case o.Op != "<" && o.Op != "<=":
			return nil, fmt.Errorf("objective %q: a plan takes upper bounds: write <", o.Text)
		case o.Stat == "avg":
			g.mean = true
		case o.Stat == "max":
			g.rank = 100
		case strings.HasPrefix(o.Stat, "p"):
			g.rank, err = strconv.ParseFloat(o.Stat[1:], 64)
		default:
			return nil, fmt.Errorf("objective %q: a plan takes avg, max and percentiles, not %s", o.Text, o.Stat)
		}
		if err != nil {
			return nil, fmt.Errorf("objective %q: %w", o.Text, err)
		}
		all = append(all, g)
	}
	return all, nil
}

// applies says whether a request has the time: a reply of one token has no gap.
func (g *goal) applies(outputTokens int) bool {
	return g.Tag != "inter_token_latency" || outputTokens > 1
}

// may is how many of n values may miss the bound when the statistic keeps it: one more,
// and the value that the percentile begins at misses it, too. It is not for means.
func (g *goal) may(n int) int { return n - 1 - int(g.rank/100*float64(n-1)) }

// may for a mean, of times that are not negative: no more than n/2 exceed twice it
// (Markov's inequality). late is that multiple of the bound.
func (g *goal) late(n int) (allowed int, multiple float64) {
	if g.mean {
		return n / 2, 2
	}
	return g.may(n), 1
}

// spares is the share of requests that may miss the bound, or for a mean twice it.
func (g *goal) spares() float64 {
	if g.mean {
		return 0.5
	}
	return 1 - g.rank/100
}

// of is the statistic of values in any order, NaN of none. It orders them.
func (g *goal) of(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	if !g.mean {
		slices.Sort(values)
		return metric.Percentile(values, g.rank)
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// keeps says whether a statistic holds; one of no values does.
func (g *goal) keeps(v float64) bool { return math.IsNaN(v) || g.Holds(v) }

// figure is the objective's figure as twins name it.
func (g *goal) figure() string {
	if g.mean {
		return g.Tag
	}
	return g.Tag + " " + g.Stat
}
