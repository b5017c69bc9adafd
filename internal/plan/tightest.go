package plan

import "math"

// shortLoad is up to how many hours a load is replayed whole where one hour would do.
const shortLoad = 2

// tightest is the part that decides: the hour whose windows come nearest to a bound, with
// its lead-in, or all of a short load. o is of the whole load.
func (a *Asked) tightest(o *outcome) part {
	if a.Load.hours() <= shortLoad {
		return a.Load.whole()
	}
	best, most := a.Load.whole(), math.Inf(-1)
	for h := range a.Load.hours() {
		p, ok := a.Load.hour(h)
		if !ok {
			continue
		}
		for g := range a.goals {
			for w := p.first; w < p.end; w++ {
				if near := o.stats[g][w] / a.goals[g].Bound; near > most {
					best, most = p, near
				}
			}
		}
	}
	return best
}

// begins says when a part begins, seconds from the start of the load.
func (a *Asked) begins(p part) float64 { return a.Load.windows[p.first].begin.Seconds() }
