package plan

import (
	"errors"
	"fmt"
	"sync"

	"headway/internal/fault"
	"headway/internal/router"
	"headway/metric"
)

// Asked is what a plan is made of. Every field but the last two has to be set.
type Asked struct {
	Load     *Load
	Mappings []Mapping
	// Layouts are those to choose from, of plans that cost the same the first; none is
	// Aggregated.
	Layouts []Layout
	// Link is how the KV cache travels from prefill to decode replicas.
	Link       Link
	Routers    []router.Mode
	Objectives []metric.Objective
	// MaxReplicas is the largest number that is tried.
	MaxReplicas int
	// CostPerHour is that of a GPU, in whatever currency; 0 is not known.
	CostPerHour float64
	// Draws are how many models are drawn around each twin for the risk; 0 leaves the
	// risk out.
	Draws int
	// Loads are how many loads are drawn and replayed for the risk, at least one for each
	// model.
	Loads int
	Seed  uint64
	// Parallel is how many replays go on at a time.
	Parallel int
	// Hourly asks for the plan by the hour, and Prices for what the objectives cost.
	Hourly, Prices bool
	// Steps remember what was replayed; nil remembers nothing.
	Steps *Steps
	// Tell is called with what goes on, from one goroutine at a time; nil is nobody.
	Tell func(string)

	goals   []goal
	telling sync.Mutex
}

// check completes what is asked for.
func (a *Asked) check() (err error) {
	if a.goals, err = goalsOf(a.Objectives); err != nil {
		return err
	}
	switch {
	case len(a.goals) == 0:
		return errors.New("planning: no objective")
	case len(a.Mappings) == 0 || len(a.Routers) == 0 || a.MaxReplicas < 1:
		return errors.New("planning: no mapping, no router or no replicas to try")
	case a.Load != nil && a.Hourly && a.Load.hours() > 1 && Hour%a.Load.Window != 0:
		return fault.New("%s %g s: for a plan by the hour an hour must be a whole number of windows; give another, or "+
			"leave that plan out with %s=false", fault.Field("window"), a.Load.Window.Seconds(), fault.Field("hourly"))
	}
	if len(a.Layouts) == 0 {
		a.Layouts = []Layout{Aggregated}
	}
	a.Parallel = max(a.Parallel, 1)
	return nil
}

func (a *Asked) tell(format string, args ...any) {
	if a.Tell != nil {
		a.telling.Lock()
		defer a.telling.Unlock()
		a.Tell(fmt.Sprintf(format, args...))
	}
}
