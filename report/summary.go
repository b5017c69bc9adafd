package report

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
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
			strconv.Itoa(p.Concurrency), strconv.Itoa(len(p.Runs)), requests,
			p.latency("time_to_first_token", "avg").cell(),
			p.latency("inter_token_latency", "avg").cell(),
			p.latency("inter_token_latency", "p50").cell(),
			p.latency("request_latency", "avg").cell(),
			o.perGPU(p, gpus).cell(),
			p.figure("output_token_throughput_per_user", "avg").cell(),
			p.figure("request_throughput", "avg").cell(),
		})
	}
	return t
}

// yield names what is best of throughput, and its unit.
func yield(gpus bool) (what, unit string) {
	if gpus {
		return "Highest efficiency", "tok/s/GPU"
	}
	return "Highest output throughput", "tok/s"
}

// best names the points that are best in one respect each.
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
			if v := row.sign * row.value(p).value; v > best {
				best, at = v, p.Concurrency
			}
		}
		if at > 0 {
			fmt.Fprintf(b, "%s: %s %s at concurrency %d\n", row.what, significant(row.sign*best), row.unit, at)
		}
	}
}
