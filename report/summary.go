package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"headway/record"
)

// WriteSummary writes SUMMARY.txt: a table of each experiment and its best
// points.
func WriteSummary(w io.Writer, experiments []Experiment, o PlotOptions) error {
	var b strings.Builder
	b.WriteString("headway | Benchmark summary\n")
	if simulated(experiments) {
		b.WriteString("SIMULATED: no real engine answered.\n")
	}
	gpus := o.known(experiments)
	for _, e := range experiments {
		b.WriteByte('\n')
		b.WriteString("Experiment: " + oneLine(e.Name))
		if e.Simulated() {
			b.WriteString(" (SIMULATED)")
		}
		b.WriteByte('\n')
		if s := subtitle([]Experiment{e}); s != "" {
			b.WriteString("Model: " + oneLine(s) + "\n")
		}
		t := e.table(o, gpus)
		t.render(&b, false)
		populationNotes(&b, strings.Join(flatten(t.rows), "\n"), ConsoleOptions{Width: FullWidth})
		e.cuts(&b)
		e.audits(&b)
		e.warningLines(&b)
		e.best(&b, o, gpus)
	}
	if !gpus {
		b.WriteString("\nThe number of GPUs is not given for every level (--num-gpus), so throughput is that of all of them together.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// perColumn names the throughput column.
func perColumn(gpus bool) string {
	if gpus {
		return "tok/s/GPU"
	}
	return "Output tok/s"
}

func (e Experiment) table(o PlotOptions, gpus bool) table {
	t := table{title: e.Name}
	for _, name := range []string{"Concurrency", "Runs", "Requests", "TTFT avg ms", "ITL avg ms", "ITL p50 ms", "Latency avg ms", perColumn(gpus), "tok/s/user", "req/s"} {
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
			p.latency("time_to_first_token", "avg").cell(),
			p.latency("inter_token_latency", "avg").cell(),
			p.latency("inter_token_latency", "p50").cell(),
			p.latency("request_latency", "avg").cell(),
			o.perGPU(p, gpus).cell(),
			p.speed().cell(),
			p.figure("request_throughput", "avg").cell(),
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
	if v := p.verdict(); v == record.AuditInvalid || v == record.AuditDoubtful {
		return s + "\n" + string(v)
	}
	return s
}

// cuts says what the mark means.
func (e Experiment) cuts(b *strings.Builder) {
	var at []string
	for _, p := range e.Points {
		if p.Cut() {
			at = append(at, strconv.Itoa(p.Concurrency))
		}
	}
	if len(at) > 0 {
		fmt.Fprintf(b, "Incomplete at concurrency %s: the figures are of what was done until the run was ended, and are not among the best.\n", strings.Join(at, ", "))
	}
	if !e.HasData() {
		b.WriteString("No request was answered.\n")
	}
}

// verdict is the worst of the level's runs on the client, "" where none has
// one.
func (p Point) verdict() record.Verdict {
	worst := record.Verdict("")
	for _, r := range p.Runs {
		worst = worst.Worse(r.Verdict)
	}
	return worst
}

// audits says at which levels the client was not good enough, and the first
// cause at each.
func (e Experiment) audits(b *strings.Builder) {
	audited, bad := 0, 0
	for _, p := range e.Points {
		v := p.verdict()
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
				fmt.Fprintf(b, "Client %s at concurrency %d: %s.\n", v, p.Concurrency, oneLine(r.Reasons[i].Found))
				break
			}
		}
	}
	if audited > 0 && bad == 0 {
		b.WriteString("Client: valid at every level.\n")
	}
}

// yield names what is best of throughput, and its unit.
func yield(gpus bool) (what, unit string) {
	if gpus {
		return "Highest efficiency", "tok/s/GPU"
	}
	return "Highest output throughput", "tok/s"
}

// best names the points that are best in one respect each, of those that are
// whole and not the client's own.
func (e Experiment) best(b *strings.Builder, o PlotOptions, gpus bool) {
	most, unit := yield(gpus)
	for _, row := range []struct {
		what, unit string
		sign       float64 // 1 where more is better
		value      func(Point) estimate
	}{
		{"Lowest time to first token", "ms avg", -1, func(p Point) estimate { return p.latency("time_to_first_token", "avg") }},
		{"Lowest inter-token latency", "ms avg", -1, func(p Point) estimate { return p.latency("inter_token_latency", "avg") }},
		{"Highest request throughput", "requests/s", 1, func(p Point) estimate { return p.figure("request_throughput", "avg") }},
		{most, unit, 1, func(p Point) estimate { return o.perGPU(p, gpus) }},
	} {
		best, at := math.Inf(-1), 0
		for _, p := range e.Points {
			e := row.value(p)
			if v := row.sign * e.value; v > best && !e.atLeast && !p.Cut() && p.verdict() != record.AuditInvalid {
				best, at = v, p.Concurrency
			}
		}
		if at > 0 {
			fmt.Fprintf(b, "%s: %s %s at concurrency %d\n", row.what, significant(row.sign*best), row.unit, at)
		}
	}
}
