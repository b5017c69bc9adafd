package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"headway/internal/study"
	"headway/internal/terminal"
	"headway/load"
	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// display shows a benchmark while it goes: a live picture on a terminal, else
// a plain line for each level.
type display struct {
	g      *rig
	e      endpoint
	levels []int
	done   []string
	// duration is how long the run is to send, 0 where that is open.
	duration time.Duration
}

func newDisplay(g *rig, e endpoint, levels []int) *display {
	return &display{g: g, e: e, levels: levels}
}

func (a app) file() *os.File {
	f, _ := a.stderr.(*os.File)
	return f
}

func (a app) width() int {
	if f, ok := a.stdout.(*os.File); ok && terminal.IsTerminal(f) {
		return terminal.Width(f)
	}
	return 0
}

func (a app) color() bool {
	f, ok := a.stdout.(*os.File)
	return ok && terminal.IsTerminal(f) && a.getenv("NO_COLOR") == ""
}

// silent says that only errors are shown.
func (d *display) silent() bool { return d.g.output.Quiet || d.g.output.UI == "none" }

// live says whether there is a terminal to draw on.
func (d *display) live() bool {
	f := d.g.app.file()
	return !d.silent() && d.g.output.UI != "simple" && f != nil && terminal.IsTerminal(f)
}

// begin says what is about to be measured.
func (d *display) begin(isl, osl, dir string) {
	if d.silent() {
		return
	}
	a, h := d.g.app, d.g.header
	what := h.URL
	if h.Simulated {
		what = "a SIMULATED endpoint (no --endpoint-url given)"
		if d.e.name == h.Model {
			what = "a SIMULATED endpoint"
		}
	}
	a.note("headway %s: %s, model %s, ISL %s, OSL %s tokens (%s), seed %d", version, what, h.Model, isl, osl, h.Tokenizer.Name, h.Seed)
	if d.g.output.Verbose {
		a.note("results go to %s", dir)
	}
}

// watch is the study's Watcher.
func (d *display) watch(h record.Header, ph workload.Phase, g *load.Generator, c *metric.Collector) func() {
	if d.silent() {
		return func() {}
	}
	begin := time.Now()
	state := func() terminal.State {
		return terminal.State{Title: d.title(h), Phase: ph.String(), Snapshot: g.Snapshot(), Live: c.Live(),
			Elapsed: time.Since(begin), Duration: d.duration, Done: d.done, Note: d.g.app.notes.last()}
	}
	d.schedule(h, ph)
	if d.live() {
		d.g.app.notes.keep()
		show := terminal.Start(d.g.app.file(), state)
		return func() { show.Stop(); d.g.app.notes.release() }
	}
	return d.ticker(state)
}

// ticker prints a plain line now and then, for logs.
func (d *display) ticker(state func() terminal.State) func() {
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		t := time.NewTicker(10 * time.Second)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				d.g.app.note("%s", terminal.Line(state()))
			case <-stop:
				return
			}
		}
	}()
	return func() { close(stop); <-ended }
}

func (d *display) schedule(h record.Header, ph workload.Phase) {
	s := h.Schedule
	if ph == workload.Profiling && s.Timed {
		d.g.app.note("schedule: %s", report.ScheduleText(s))
	}
}

func (d *display) title(h record.Header) string {
	t := d.e.name
	if len(d.levels) > 1 {
		t += fmt.Sprintf(" · concurrency %d (%d of %d)", h.Concurrency, slices.Index(d.levels, h.Concurrency)+1, len(d.levels))
	}
	if d.g.output.Runs > 1 {
		t += fmt.Sprintf(" · run %d of %d", h.Repeat+1, d.g.output.Runs)
	}
	if h.Simulated {
		t += " · SIMULATED"
	}
	return t
}

// level is called when a level of a sweep is done.
func (d *display) level(l study.Level) {
	line := levelLine(l)
	d.done = append(d.done, line)
	if !d.silent() && !d.live() {
		d.g.app.note("%s", line)
	}
}

// levelLine sums a level up in one line.
func levelLine(l study.Level) string {
	last := l.Reports[len(l.Reports)-1]
	r := last.Result
	parts := []string{fmt.Sprintf("concurrency %4d: %d ok", l.Concurrency, r.OK)}
	if bad := r.Failed + r.Cancelled + r.Dropped; bad > 0 {
		parts = append(parts, fmt.Sprintf("%d failed, %d cancelled, %d not sent", r.Failed, r.Cancelled, r.Dropped))
	}
	for _, m := range []struct{ name, tag string }{{"TTFT", "time_to_first_token"}, {"ITL", "inter_token_latency"}} {
		if text := last.Figure(m.tag, "avg"); text != "" {
			parts = append(parts, m.name+" avg "+text+" ms")
		}
	}
	for _, m := range []struct{ unit, tag string }{{"req/s", "request_throughput"}, {"tok/s", "output_token_throughput"}} {
		if text := last.Figure(m.tag, "avg"); text != "" {
			parts = append(parts, text+" "+m.unit)
		}
	}
	if a := last.Run.Audit; a != nil && a.Verdict != record.AuditValid {
		parts = append(parts, "client "+string(a.Verdict))
	}
	return strings.Join(parts, ", ")
}

// end prints the table of a sweep.
func (d *display) end(all []study.Level) error {
	var levels []report.Level
	for _, l := range all {
		levels = append(levels, report.Level{Runs: l.Reports})
	}
	a := d.g.app
	switch {
	case len(levels) == 0:
		return nil
	case d.g.output.JSON:
		return writeLevelsJSON(a.stdout, d.e.name, all)
	case d.g.output.Quiet:
		return nil
	}
	fmt.Fprintln(a.stdout)
	return report.WriteLevels(a.stdout, levels, report.ConsoleOptions{Width: a.width(), Color: a.color()})
}
