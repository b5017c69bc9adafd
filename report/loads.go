package report

import (
	"strings"

	"headway/internal/plain"
)

// OfLoads is one table of all loads of several experiments, a row each, so that they
// can be read beside one another; gpus as in [WriteSummary]. What is to be said of a
// load is in [OfExperiments].
func OfLoads(experiments []Experiment, gpus int) *Document {
	d := &Document{}
	of, known := PerGPU(experiments, gpus)
	all := table{title: "Loads beside one another", keys: 2}
	for _, e := range experiments {
		t := e.table(yielded{of, known})
		all.columns = append([]column{{title: "Result", left: true}}, t.columns...)
		name := plain.Line(e.Name)
		if e.Simulated() {
			name += " (SIMULATED)"
		}
		for _, row := range t.rows {
			all.rows = append(all.rows, append([]string{name}, row...))
		}
	}
	d.table(all)
	populationNotes(d, strings.Join(flatten(all.rows), "\n"))
	if !known {
		d.line("", "The number of GPUs is not given for every load, so throughput is that of all of them together.")
	}
	return d
}
