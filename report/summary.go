package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"headway/internal/plain"
	"headway/record"
)

// WriteSummary writes SUMMARY.txt: a table of each experiment and its best
// points. gpus is the number of GPUs of every experiment, over what files say; 0 takes it
// from the files.
func WriteSummary(w io.Writer, experiments []Experiment, gpus int) error {
	return OfExperiments(experiments, gpus).Write(w, ConsoleOptions{Width: FullWidth})
}

// yielded is what the throughput of points is given as.
type yielded struct {
	of     func(Point) Figure
	perGPU bool
}

// OfExperiments is the document of sweeps that were read back; gpus as in
// [WriteSummary].
func OfExperiments(experiments []Experiment, gpus int) *Document {
	d := &Document{}
	d.line("", "headway | Benchmark summary")
	if AllSimulated(experiments) {
		d.line("", "SIMULATED: no real engine answered.")
	}
	of, known := PerGPU(experiments, gpus)
	for _, e := range experiments {
		e.document(d, yielded{of, known})
	}
	if !known {
		d.gap()
		d.line("",
			"The number of GPUs is not given for every level (--num-gpus), so throughput is that of all of them "+
				"together.")
	}
	return d
}

// document adds one experiment.
func (e Experiment) document(d *Document, y yielded) {
	d.gap()
	name := "Experiment: " + plain.Line(e.Name)
	if e.Simulated() {
		name += " (SIMULATED)"
	}
	d.line("", name)
	if s := ModelNames([]Experiment{e}); s != "" {
		d.line("", "Model: "+plain.Line(s))
	}
	t := e.table(y)
	d.table(t)
	populationNotes(d, strings.Join(flatten(t.rows), "\n"))
	e.cuts(d)
	e.audits(d)
	e.warningLines(d)
	e.best(d, y)
}

// column names the throughput column.
func (y yielded) column() string {
	if y.perGPU {
		return "tok/s/GPU"
	}
	return "Output tok/s"
}

func (e Experiment) table(y yielded) table {
	t := table{title: e.Name}
	for _, name := range []string{"Concurrency", "Runs", "Requests", "TTFT avg ms", "ITL avg ms", "ITL p50 ms",
		"Latency avg ms", y.column(), "tok/s/user", "req/s"} {
		t.columns = append(t.columns, column{title: strings.Replace(name, " ", "\n", 1)})
	}
	for _, p := range e.Points {
		ok, known := 0.0, false
		for _, r := range p.Runs {
			if v, has := r.Value("request_count", "avg"); has {
				ok, known = ok+v, true
			}
		}
		requests := "–"
		if known {
			requests = strconv.FormatFloat(ok, 'f', 0, 64)
		}
		t.rows = append(t.rows, []string{
			p.marked(), strconv.Itoa(len(p.Runs)), requests,
			p.Latency("time_to_first_token", "avg").cell(),
			p.Latency("inter_token_latency", "avg").cell(),
			p.Latency("inter_token_latency", "p50").cell(),
			p.Latency("request_latency", "avg").cell(),
			y.of(p).cell(),
			p.Speed().cell(),
			p.Figure("request_throughput", "avg").cell(),
		})
	}
	return t
}

// marked is the concurrency, and below it what is wrong with the whole row.
func (p Point) marked() string {
	s := strconv.Itoa(p.Concurrency)
	for _, r := range p.Runs {
		switch {
		case r.Cancelled:
			return s + "\ncancelled"
		case r.Incomplete:
			return s + "\nincomplete"
		}
	}
	if v := p.Verdict(); v == record.AuditInvalid || v == record.AuditDoubtful {
		return s + "\n" + string(v)
	}
	return s
}

// cuts says what the mark means.
func (e Experiment) cuts(d *Document) {
	var at []string
	for _, p := range e.Points {
		if p.Cut() {
			at = append(at, strconv.Itoa(p.Concurrency))
		}
	}
	if len(at) > 0 {
		d.line("",
			fmt.Sprintf("Incomplete at concurrency %s: the figures are of what was done until the run was ended, "+
				"and are not among the best.", strings.Join(at, ", ")))
	}
	if !e.HasData() {
		d.line("", "No request was answered.")
	}
}

// audits says at which levels the client was not good enough, and the first
// cause at each.
func (e Experiment) audits(d *Document) {
	audited, bad := 0, 0
	for _, p := range e.Points {
		v := p.Verdict()
		if v == "" {
			continue
		}
		if audited++; v == record.AuditValid {
			continue
		}
		bad++
		for _, r := range p.Runs {
			i := slices.IndexFunc(r.Reasons, func(a record.AuditReason) bool { return a.Level == v })
			if r.Verdict == v && i >= 0 {
				d.line("", fmt.Sprintf("Client %s at concurrency %d: %s.", v, p.Concurrency,
					plain.Line(r.Reasons[i].Found)))
				break
			}
		}
	}
	if audited > 0 && bad == 0 {
		d.line("", "Client: valid at every level.")
	}
}

// best names what is best of throughput, and its unit.
func (y yielded) best() (what, unit string) {
	if y.perGPU {
		return "Highest efficiency", "tok/s/GPU"
	}
	return "Highest output throughput", "tok/s"
}

// best names the points that are best in one respect each, of those that are
// whole and not the client's own.
func (e Experiment) best(d *Document, y yielded) {
	most, unit := y.best()
	for _, row := range []struct {
		what, unit string
		sign       float64 // 1 where more is better
		value      func(Point) Figure
	}{
		{"Lowest time to first token", "ms avg", -1,
			func(p Point) Figure { return p.Latency("time_to_first_token", "avg") }},
		{"Lowest inter-token latency", "ms avg", -1,
			func(p Point) Figure { return p.Latency("inter_token_latency", "avg") }},
		{"Highest request throughput", "requests/s", 1,
			func(p Point) Figure { return p.Figure("request_throughput", "avg") }},
		{most, unit, 1, y.of},
	} {
		best, at := math.Inf(-1), 0
		for _, p := range e.Points {
			e := row.value(p)
			if v := row.sign * e.Value; v > best && !e.AtLeast && !p.Cut() && p.Verdict() != record.AuditInvalid {
				best, at = v, p.Concurrency
			}
		}
		if at > 0 {
			d.line("", fmt.Sprintf("%s: %s %s at concurrency %d", row.what, significant(row.sign*best), row.unit, at))
		}
	}
}
