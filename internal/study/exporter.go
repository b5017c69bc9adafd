package study

import (
	"headway/load"
	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// Others are those who are told of measurements beside who asks for them; the zero value
// tells nobody.
type Others struct {
	// Exporter tells while runs go; nil does not.
	Exporter Exporter
	// LLMD asks for the Benchmark Report of llm-d beside the other files of a run.
	LLMD bool
}

// Exporter tells others of runs while they go, of several at a time. It never waits for
// those whom it tells.
type Exporter interface {
	// Begin says that a run of a point begins, and whose token counts it takes.
	Begin(h record.Header, by metric.TokenSource, at Point) Telling
}

// Telling tells of one run.
type Telling interface {
	// Sink takes the run's Records, tokens counted.
	record.Sink
	// Watch sees the load of a phase until stop is called.
	Watch(g *load.Generator) (stop func())
	// End says that the run has ended; rep is its result.
	End(rep *report.Report)
}

// Point says which of the measurements of one call a run is of, to those who are told of
// all: the level of a sweep, the variant of a comparison. Names are of lower-case letters,
// and the same for all runs of a call. It is empty where there is one load.
type Point = map[string]string

// watch tells the Watcher and the Exporter of a phase.
func (m Measurement) watch(ph workload.Phase, g *load.Generator, out *outputs) (stop func()) {
	var stops []func()
	if out.told != nil {
		stops = append(stops, out.told.Watch(g))
	}
	if m.Watch != nil {
		stops = append(stops, m.Watch(m.Header, ph, g, out.collector))
	}
	return func() {
		for _, stop := range stops {
			stop()
		}
	}
}
