package sla

import (
	"fmt"

	"headway/internal/deploy"
	"headway/internal/fault"
	"headway/internal/profile"
)

// Config is what is searched, and what is made of it.
type Config struct {
	// Served is what is deployed.
	Served Served
	// Search has the space, the targets, the strategy and the folder of results.
	// Its Bench and its Progress are the procedure's.
	Search profile.Search
	// Demand sizes the pools. Its lengths are those of the space.
	Demand profile.Demand
	// On says in a word where candidates run; Simulated that no engine does.
	On        string
	Simulated bool
	// Fitted is the twin among the candidates; nil without one.
	Fitted *deploy.Fitted
	// Curves measures the workers that were picked in depth: prefill at so many
	// prompt lengths, decode at as many loads as the search.
	Curves      bool
	PromptSteps int
	// Aggregated also measures workers that do both halves of a request.
	Aggregated bool
	// Planner are arguments of the planner, as they stand.
	Planner []string

	// Requested is the request that is answered, nil without one.
	Requested *Requested
	// Latency is a target of requests from end to end in seconds, which the targets
	// of the search follow from; 0 without one.
	Latency float64

	// InFlight is how many requests are in flight, from which the rate of the demand
	// follows; 0 leaves the rate as it is.
	InFlight float64

	// Version is that of the program.
	Version string

	// Tell hears how it goes, Warn what must not be missed; nil is not told.
	Tell, Warn func(format string, args ...any)
	// Name is what a field of the configuration is called where it was filled in;
	// nil leaves the fields their own names.
	Name func(fault.Field) string
}

// Search is a search on its way, or one that has ended.
type Search struct {
	Config
	found profile.Pictures
	// best and whole are the deployments of separate pools and of workers that
	// do both, nil where there is none.
	best, whole *profile.Deployment
	// advice is which of them to take, files the configurations that were written.
	advice *Recommendation
	files  []File
	// warnings are those that came up after the search.
	warnings []string
	deep     []profile.Verdict

	begun   bool // the folder is ours
	stage   profile.Stage
	outputs map[string]string
}

// New lays a search out and starts nothing. The error says that a phase has no
// candidate; what is wrong with the configuration is for Search.Validate.
func New(c Config) (*Search, error) {
	for _, f := range []*func(string, ...any){&c.Tell, &c.Warn} {
		if *f == nil {
			*f = func(string, ...any) {}
		}
	}
	s := &Search{Config: c, outputs: map[string]string{}}
	s.Search.Progress, s.Search.Name = s.progress, s.Name
	s.found.SLO, s.found.Demand = c.Search.SLO, c.Demand
	return s, c.Search.Space.Feasible()
}

// Verdicts are on the loads that the search put on candidates, and those in depth.
func (s *Search) Verdicts() []profile.Verdict {
	var all []profile.Verdict
	for _, r := range []profile.PhaseResult{s.found.Result.Prefill, s.found.Result.Decode} {
		for _, o := range r.Outcomes {
			for _, t := range o.Trials {
				all = append(all,
					profile.Verdict{Name: fmt.Sprintf("%s %s, %d at a time", o.Phase, o.Mapping, t.Concurrency),
						Invalid: t.Invalid})
			}
		}
	}
	for _, o := range s.found.Aggregated {
		for _, t := range o.Trials {
			all = append(all, profile.Verdict{Name: fmt.Sprintf("aggregated %s, %.4g requests/s", o.Mapping,
				t.Throughput.Mean*float64(o.GPUs)/float64(s.Demand.OSL)), Invalid: t.Invalid})
		}
	}
	return append(all, s.deep...)
}

// dir is the folder of results.
func (s *Search) dir() string { return s.Search.Dir }

// space is what is searched.
func (s *Search) space() profile.Space { return s.Search.Space }

// text is one that names fields of the configuration.
func (s *Search) text(format string, args ...any) string { return fault.Text(s.Name, format, args...) }

// named is the text of an error whose faults name fields.
func (s *Search) named(err error) string {
	if s.Name != nil {
		err = fault.Named(err, s.Name)
	}
	return err.Error()
}

// fields whose names advice tells.
const (
	resume   fault.Field = "resume"
	method   fault.Field = "search"
	rate     fault.Field = "request-rate"
	inFlight fault.Field = "concurrency"
	gpusOver fault.Field = "total-gpus"
	ttft     fault.Field = "ttft"
	whole    fault.Field = "compare-aggregated"
	itl      fault.Field = "itl"
)
