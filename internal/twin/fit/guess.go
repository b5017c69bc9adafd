package fit

import (
	"math"
	"time"

	"headway/internal/twin"
)

// guess puts what a glance at the data tells of a GPU into a model: so a fit
// begins near, whatever GPU and model it is.
func (d *Data) guess(m *twin.Model) {
	gap, token := math.Inf(1), math.Inf(1)
	at := func(isl int, first time.Duration) {
		if isl >= 256 {
			token = min(token, float64(first)/1e3/float64(isl))
		}
	}
	for _, p := range d.Points {
		if p.ITL > 0 {
			gap = min(gap, p.ITL)
		} else {
			at(p.ISL, time.Duration(p.TTFT*1e6))
		}
	}
	for _, l := range d.Loads {
		for i, t := range l.Seen {
			if n := l.Requests[i].OSL; n > 1 && t.Gap(n) > 0 {
				gap = min(gap, t.Gap(n)/1e6)
			}
			at(l.Requests[i].ISL, t.First)
		}
	}
	if !math.IsInf(gap, 0) {
		m.Weights = gap
	}
	if !math.IsInf(token, 0) {
		m.Compute = 0.8 * token
	}
}
