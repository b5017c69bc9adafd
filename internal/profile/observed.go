package profile

import (
	"math"

	"headway/record"
	"headway/report"
)

// Observed is what servers, GPUs and hosts did during the runs that the figures of a
// load are made of. It is empty of a simulated engine, and where nothing was read.
type Observed struct {
	// Telemetry has each of them over all runs together, as [report.JoinTelemetry]
	// sums it up.
	Telemetry []record.TelemetrySubject `json:"telemetry,omitempty"`
	// Energy is that of the engine's GPUs, over the runs that tell it of all of them.
	Energy *Energy `json:"energy,omitempty"`
}

// Energy is what the GPUs of an engine took, in joules.
type Energy struct {
	// Runs are those that it is of.
	Runs   int     `json:"runs"`
	GPUs   int     `json:"gpus"`
	Joules float64 `json:"joules"`
	By     string  `json:"by"` // record.EnergyCounter or record.EnergyIntegrated
	// PerRequest is for each request that was answered, PerOutputToken for each token
	// that was generated, PerPromptToken for each of a prompt where the load is for
	// prompts alone; 0 where it is not known.
	PerRequest     float64 `json:"joules_per_request,omitempty"`
	PerOutputToken float64 `json:"joules_per_output_token,omitempty"`
	PerPromptToken float64 `json:"joules_per_prompt_token,omitempty"`
}

// observations are those of the runs of one load.
type observations struct {
	telemetry []*record.Telemetry
	energy    report.Energy
	runs      int // whose energy is known
}

// add takes what was seen during a run.
func (o *observations) add(r Ran) {
	if r.Telemetry != nil {
		o.telemetry = append(o.telemetry, r.Telemetry)
	}
	switch {
	case r.Energy == nil:
		return
	case o.runs == 0:
		o.energy = *r.Energy
	default:
		o.energy = o.energy.Plus(*r.Energy)
	}
	o.runs++
}

// sum is what was seen during all of them.
func (o *observations) sum() Observed {
	sum := Observed{Telemetry: report.JoinTelemetry(o.telemetry...)}
	if o.runs == 0 {
		return sum
	}
	e := o.energy
	sum.Energy = &Energy{Runs: o.runs, GPUs: e.GPUs, Joules: e.Joules, By: e.By()}
	if e.Requests > 0 {
		sum.Energy.PerRequest = e.Each(e.Requests)
	}
	if e.Tokens > 0 {
		sum.Energy.PerOutputToken = e.Each(e.Tokens)
	}
	return sum
}

// ofPrompts is the energy of a load for its prompts of so many tokens: the few tokens
// of the replies say nothing.
func (o *Observed) ofPrompts(isl int) {
	if e := o.Energy; e != nil && isl > 0 {
		e.PerPromptToken, e.PerOutputToken = e.PerRequest/float64(isl), 0
	}
}

// observedColumn is a column of tables of what was observed; NaN is not known.
type observedColumn struct {
	title  string
	digits int
	value  func(Observed) float64
}

var observedColumns = []observedColumn{
	{"KV % max", 1, func(o Observed) float64 { return 100 * o.kvMost() }},
	{"preempted", 0, Observed.preempted},
	{"W", 0, Observed.watts},
	{"J/request", 1, func(o Observed) float64 { return o.joules(func(e *Energy) float64 { return e.PerRequest }) }},
	{"J/token", 3, func(o Observed) float64 { return o.joules(func(e *Energy) float64 { return e.PerOutputToken }) }},
}

// ObservedCells are the cells of what was observed with each of some loads, titles
// first, of what is known of any of them. Rows can have no cells at all.
func ObservedCells(loads []Observed) (titles []string, rows [][]string) {
	rows = make([][]string, len(loads))
	for _, c := range observedColumns {
		some := false
		cells := make([]string, len(loads))
		for i, o := range loads {
			if v := c.value(o); !math.IsNaN(v) {
				some, cells[i] = true, report.Figure{Value: v}.Fixed(c.digits)
			}
		}
		if !some {
			continue
		}
		titles = append(titles, c.title)
		for i := range rows {
			rows[i] = append(rows[i], cells[i])
		}
	}
	return titles, rows
}

// kvMost is the largest share of a KV cache that was in use, 0 to 1.
func (o Observed) kvMost() float64 {
	most := math.NaN()
	for _, s := range o.Telemetry {
		if g, ok := s.Gauges["kv_usage"]; ok && !(g.Max <= most) {
			most = g.Max
		}
	}
	return most
}

// preempted is how often requests had to give way.
func (o Observed) preempted() float64 {
	sum, known := 0.0, false
	for _, s := range o.Telemetry {
		if c, ok := s.Counters["preemptions"]; ok {
			sum, known = sum+c.Total, true
		}
	}
	if !known {
		return math.NaN()
	}
	return sum
}

// watts is the mean power of all GPUs together, each once.
func (o Observed) watts() float64 {
	sum, known, seen := 0.0, false, map[string]bool{}
	for _, s := range o.Telemetry {
		g, ok := s.Gauges["power"]
		if !ok || s.Device != "" && seen[s.Device] {
			continue
		}
		seen[s.Device] = true
		sum, known = sum+g.Mean, true
	}
	if !known {
		return math.NaN()
	}
	return sum
}

func (o Observed) joules(of func(*Energy) float64) float64 {
	if o.Energy == nil || of(o.Energy) == 0 {
		return math.NaN()
	}
	return of(o.Energy)
}
