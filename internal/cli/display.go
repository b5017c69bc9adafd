package cli

import (
	"fmt"
	"slices"
	"time"

	"headway/internal/options"
	"headway/internal/terminal"
	"headway/load"
	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// Display shows a benchmark while it goes: a live picture on a terminal, else
// a plain line for each level.
type Display struct {
	App    App
	output *options.Output
	header record.Header
	title  string // of what is measured
	levels []int
	done   []string
	// Name is the endpoint's, where there is more than one.
	Name string
	// Duration is how long the run is to send, 0 where that is open.
	Duration time.Duration
}

// NewDisplay is the display of the measurements that a header describes, at those
// levels; title names what is measured.
func NewDisplay(a App, o *options.Output, h record.Header, title string, levels []int) *Display {
	return &Display{App: a, output: o, header: h, title: title, levels: levels}
}

// silent says that only errors are shown.
func (d *Display) silent() bool { return d.output.Quiet || d.output.UI == "none" }

// live says whether there is a terminal to draw on.
func (d *Display) live() bool {
	f := d.App.File()
	return !d.silent() && d.output.UI != "simple" && f != nil && terminal.IsTerminal(f)
}

// Begin says what is about to be measured.
func (d *Display) Begin(isl, osl, dir string) {
	if d.silent() {
		return
	}
	a, h := d.App, d.header
	what := h.URL
	if h.Simulated {
		what = "a SIMULATED endpoint (no --endpoint-url given)"
		if d.title == h.Model {
			what = "a SIMULATED endpoint"
		}
	}
	a.Note("headway %s: %s, model %s, ISL %s, OSL %s tokens (%s), seed %d", Version, what, h.Model, isl, osl,
		h.Tokenizer.Name, h.Seed)
	if d.output.Verbose {
		a.Note("results go to %s", dir)
	}
}

// Watch is the study's Watcher.
func (d *Display) Watch(h record.Header, ph workload.Phase, g *load.Generator, c *metric.Collector) func() {
	begin := time.Now()
	state := func() terminal.State {
		return terminal.State{Title: d.heading(h), Phase: ph.String(), Snapshot: g.Snapshot(), Live: c.Live(),
			Elapsed: time.Since(begin), Duration: d.Duration, Done: d.done, Note: d.App.Notes.Last()}
	}
	leave, hide := d.App.page.watch(state), d.show(h, ph, state)
	return func() { hide(); leave() }
}

// show shows the states on the terminal, where that is wanted.
func (d *Display) show(h record.Header, ph workload.Phase, state func() terminal.State) (hide func()) {
	if d.silent() {
		return func() {}
	}
	d.schedule(h, ph)
	if d.live() {
		d.App.Notes.Keep()
		show := terminal.Start(d.App.File(), state)
		return func() { show.Stop(); d.App.Notes.Release() }
	}
	return d.ticker(state)
}

// ticker prints a plain line now and then, for logs.
func (d *Display) ticker(state func() terminal.State) func() {
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		t := time.NewTicker(10 * time.Second)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				d.App.Notes.Aside("%s", terminal.Line(state()))
			case <-stop:
				return
			}
		}
	}()
	return func() { close(stop); <-ended }
}

func (d *Display) schedule(h record.Header, ph workload.Phase) {
	s := h.Schedule
	if ph == workload.Profiling && s.Timed {
		d.App.Note("schedule: %s", report.ScheduleText(s))
	}
}

func (d *Display) heading(h record.Header) string {
	t := d.title
	if len(d.levels) > 1 {
		t += fmt.Sprintf(" · concurrency %d (%d of %d)", h.Concurrency, slices.Index(d.levels, h.Concurrency)+1,
			len(d.levels))
	}
	if d.output.Runs > 1 {
		t += fmt.Sprintf(" · run %d of %d", h.Repeat+1, d.output.Runs)
	}
	if h.Simulated {
		t += " · SIMULATED"
	}
	return t
}

// Level says that a level of a sweep is done.
func (d *Display) Level(line string) {
	d.done = append(d.done, line)
	if !d.silent() && !d.live() {
		d.App.Notes.Aside("%s", line)
	}
}
