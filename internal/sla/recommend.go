package sla

import (
	"fmt"

	"headway/internal/deploy/dgd"
	"headway/internal/model"
	"headway/internal/profile"
)

// Recommendation says which of the deployments that were found is the one to take,
// and why.
type Recommendation struct {
	// Kind is disaggregated or aggregated: the field of the result that has it.
	Kind string `json:"kind"`
	Why  string `json:"why"`
	// Unlike says of each phase whose pool has another worker than was picked for
	// the phase alone why that is so.
	Unlike []string `json:"unlike_picks,omitempty"`
	// RestsOn says of each of its workers what its figures rest on; none in files of
	// earlier versions.
	RestsOn []RestsOn `json:"rests_on,omitempty"`
}

// The kinds of deployment.
const (
	disaggregatedKind = "disaggregated"
	aggregatedKind    = "aggregated"
)

// recommended is the deployment to take; nil where there is none.
func (s *Search) recommended() *profile.Deployment { return s.Demand.Recommend(s.best, s.whole) }

// recommend is what is said of it.
func (s *Search) recommend() *Recommendation {
	d := s.recommended()
	if d == nil {
		return nil
	}
	r := &Recommendation{Kind: disaggregatedKind}
	other, name := s.whole, aggregatedKind
	if d.Aggregated != nil {
		r.Kind, other, name = aggregatedKind, s.best, disaggregatedKind
	}
	switch {
	case other == nil && name == aggregatedKind && len(s.found.Aggregated) == 0:
		r.Why = "aggregated workers were not measured"
	case other == nil:
		r.Why = "there is no " + name + " one"
	case d.Met && !other.Met:
		r.Why = name + " misses a target"
	default:
		r.Why = fmt.Sprintf("%s; %s: %s", offered(d), name, offered(other))
		if d.Served/float64(d.GPUs) < other.Served/float64(other.GPUs) && d.GPUs < other.GPUs {
			r.Why += "; of two within 10 % per GPU the smaller one"
		}
	}
	r.Unlike, r.RestsOn = s.unlike(d), s.restsOn(d)
	return r
}

// offered is what a deployment serves on what, at which price.
func offered(d *profile.Deployment) string {
	return fmt.Sprintf("%.2f requests/s on %s, %.3f per GPU, $%.3f per 1000 requests", d.Served, profile.GPUs(d.GPUs),
		d.Served/float64(d.GPUs), d.Per1000Requests)
}

// unlike says why pools have other workers than the picks: what pools of the picks
// would have come to.
func (s *Search) unlike(d *profile.Deployment) []string {
	if d.Aggregated != nil {
		return nil
	}
	var all []string
	picks := s.found.Result
	for _, p := range []struct {
		pick *profile.Pick
		pool *profile.Pool
	}{{picks.Prefill.Pick, d.Prefill}, {picks.Decode.Pick, d.Decode}} {
		if was := p.pick.Mapping.String(); was != p.pool.Mapping {
			all = append(all, fmt.Sprintf("%s %s in its pool, though %s was picked for the phase alone: %s",
				p.pick.Phase, p.pool.Mapping, was, s.ofPicks()))
		}
	}
	return all
}

// ofPicks is what pools of the picks alone come to.
func (s *Search) ofPicks() string {
	x := profile.MatchPicks(s.found.Result, s.Search.SLO, s.Demand)
	switch {
	case x == nil && s.Demand.TotalGPUs > 0:
		return s.text("a worker of each pick does not fit %s %d", gpusOver, s.Demand.TotalGPUs)
	case x == nil:
		return "pools of the picks leave TTFT no room for a prompt to wait"
	}
	return fmt.Sprintf("pools of the picks would be %s, %s", x.Workers(), offered(x))
}

// fleet is a deployment as its file has it.
func (s *Search) fleet(d *profile.Deployment) (f dgd.Fleet, err error) {
	f.GPUsPerNode = s.space().PerNode()
	for _, p := range []struct {
		phase profile.Phase
		found *profile.Pool
		into  **dgd.Pool
	}{
		{profile.Prefill, d.Prefill, &f.Prefill},
		{profile.Decode, d.Decode, &f.Decode},
		{profile.Aggregated, d.Aggregated, &f.Aggregated},
	} {
		if p.found == nil {
			continue
		}
		m, err := model.ParseMapping(p.found.Mapping)
		if err != nil {
			return f, err
		}
		*p.into = &dgd.Pool{Mapping: m, Workers: p.found.Workers, Limits: s.limits(p.phase, m)}
	}
	return f, nil
}

// limits are those that the worker of a phase was measured with: of a simulated one
// all that it has, in a cluster those of the candidate, and of a process of this
// host what its command says, which are the engine's own.
func (s *Search) limits(p profile.Phase, m model.Mapping) dgd.Limits {
	if s.On == "kube" {
		return dgd.Limits{AsCandidate: true}
	}
	var l dgd.Limits
	if s.space().Context > 0 {
		l.Context = s.space().Sequence()
	}
	if s.Simulated {
		setup := s.space().Setup(profile.Candidate{Phase: p, Mapping: m})
		l.Sequences, l.Tokens = setup.MaxSequences, setup.MaxBatchedTokens
	}
	return l
}

// recommended adds which deployment to take, and which file is which.
func (v view) recommended() {
	if r := v.Recommended; r != nil {
		v.Line("recommended: %s: %s", r.Kind, r.Why)
		for _, text := range r.Unlike {
			v.Line("  %s", text)
		}
		for _, w := range r.RestsOn {
			v.Line("  rests on: %s", w)
		}
	}
	if len(v.Files) == 0 {
		return
	}
	v.Line("configurations:")
	for _, f := range v.Files {
		v.Line("  %s: %s", f.Name, f.Content)
	}
}
