package report

import (
	"fmt"
	"math"
)

// KVUsage is the share of the servers' KV caches that was in use in the measured
// phase, 0 to 1: the mean over time and servers, and the most of any. ok says that a
// server tells it.
func (r *Report) KVUsage() (mean, most float64, ok bool) {
	if r.Run.Telemetry == nil {
		return 0, 0, false
	}
	sum, n := 0.0, 0.0
	for _, s := range r.Run.Telemetry.Subjects {
		if g, known := s.Gauges["kv_usage"]; known {
			sum, n, most = sum+g.Mean, n+1, max(most, g.Max)
		}
	}
	return sum / max(n, 1), most, n > 0
}

// Preemptions are how many requests of the measured phase had to give way in the
// servers; ok says that a server counts them.
func (r *Report) Preemptions() (n float64, ok bool) {
	if c := r.Run.Servers; c != nil {
		for _, s := range c.Sources {
			if by, known := s.Moved["preemptions"]; known {
				n, ok = n+by, true
			}
		}
	}
	if ok || r.Run.Telemetry == nil {
		return n, ok
	}
	for _, s := range r.Run.Telemetry.Subjects {
		if c, known := s.Counters["preemptions"]; known {
			n, ok = n+c.Total, true
		}
	}
	return n, ok
}

// serverColumn is a column of what the servers and GPUs of a run say.
type serverColumn struct {
	column
	value func(*Report) float64 // NaN where not known
	count bool
}

// cell is the column's cell of a run.
func (c serverColumn) cell(r *Report) string {
	if v := c.value(r); c.count && !math.IsNaN(v) {
		return fmt.Sprintf("%.0f", v)
	}
	return significant(c.value(r))
}

var serverColumns = []serverColumn{
	{column{title: "KV %\navg", drop: 7}, func(r *Report) float64 {
		mean, _, ok := r.KVUsage()
		return known(ok, 100*mean)
	}, false},
	{column{title: "KV %\nmax", drop: 4}, func(r *Report) float64 {
		_, most, ok := r.KVUsage()
		return known(ok, 100*most)
	}, false},
	{column{title: "Pre-\nempted", drop: 5}, func(r *Report) float64 {
		n, ok := r.Preemptions()
		return known(ok, n)
	}, true},
	{column{title: "J per\ntoken", drop: 7}, func(r *Report) float64 {
		e, ok := r.Energy()
		return known(ok, e.Each(e.Tokens))
	}, false},
}

// serverColumns are those of which an arm's first run knows something.
func (c *Comparison) serverColumns() (list []serverColumn) {
	for _, column := range serverColumns {
		for _, run := range c.workerRuns() {
			if !math.IsNaN(column.value(run.report)) {
				list = append(list, column)
				break
			}
		}
	}
	return list
}

// shareDocument is a share over time in files.
type shareDocument struct {
	Mean float64 `json:"mean"`
	Max  float64 `json:"max"`
}

// told fills in what servers and GPUs say of a run.
func (d *runDocument) told(r *Report) {
	if mean, most, ok := r.KVUsage(); ok {
		d.KVUsage = &shareDocument{Mean: mean, Max: most}
	}
	if n, ok := r.Preemptions(); ok {
		d.Preemptions = &n
	}
	if e, ok := r.Energy(); ok {
		d.Energy = e.object()
	}
}
