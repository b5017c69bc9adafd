package profile

import (
	"fmt"
	"strings"
)

// Recommend is the deployment to take of a disaggregated and an aggregated one; nil
// where there is neither. It is chosen as pools are: one that meets the targets
// before one that does not; with a demand the one that serves more, then the one
// with fewer GPUs; without, the smaller one unless the other serves more than a
// tenth more of a GPU.
func (d Demand) Recommend(disaggregated, aggregated *Deployment) *Deployment {
	var all []Deployment
	for _, x := range []*Deployment{disaggregated, aggregated} {
		if x != nil {
			all = append(all, *x)
		}
	}
	switch best := d.choose(all); {
	case best == nil:
		return nil
	case best.Aggregated != nil:
		return aggregated
	}
	return disaggregated
}

// MatchPicks is [Match] with the picks of the phases alone, at the loads at which
// they were picked.
func MatchPicks(r Result, t SLO, d Demand) *Deployment {
	r.Prefill.Outcomes, r.Decode.Outcomes = nil, nil
	return Match(r, t, d)
}

// Workers says which workers the deployment has: 5× prefill TP=4, 2× decode TP=8.
func (x Deployment) Workers() string {
	var all []string
	for _, p := range []struct {
		what string
		*Pool
	}{{"prefill", x.Prefill}, {"decode", x.Decode}, {"worker", x.Aggregated}} {
		if p.Pool != nil {
			all = append(all, fmt.Sprintf("%d× %s %s", p.Workers, p.what, p.Mapping))
		}
	}
	return strings.Join(all, ", ")
}
