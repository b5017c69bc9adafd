package metric

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

var kindNames = [...]string{
	PerRecord: "request", PerList: "list", Aggregate: "counter", Derived: "total",
}

// Markdown writes docs/metrics.md: every metric with its unit and formula.
func Markdown(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprint(b, markdownHead)
	for _, m := range byTokens {
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s | %s | `metric/%s` |\n", m.Tag, cell(m.Header), cell(m.Unit),
			kindNames[m.Kind]+streamMark(m), cell(m.Formula), cell(m.Source), m.Where)
	}
	fmt.Fprint(b, "\n## Other names\n\nObjectives and goodput also take these:\n")
	for _, m := range byTokens {
		for _, alias := range aliasesOf(m.Tag) {
			fmt.Fprintf(b, "\n- `%s` is `%s`", alias, m.Tag)
		}
	}
	fmt.Fprintln(b)
	if err := b.Flush(); err != nil {
		return fmt.Errorf("writing the table of metrics: %w", err)
	}
	return nil
}

const markdownHead = `# Metrics

<!-- Generated from the package metric; go test ./metric -update writes it. -->

A record is valid when it was answered without an error, at least one arrival carried text, and the text came after the start. Failed and cancelled requests enter only the metrics that say so; requests that were planned and never sent enter none.

Kinds: *request* has at most one value a request and a distribution over the run, *list* any number of values a request, *counter* and *total* one value a run. *Stream* metrics exist only for replies that came as a stream. Distributions have avg, min, max, sum, std (population) and p1, p5, p10, p25, p50, p75, p90, p95, p99 by linear interpolation. Each percentile has the order statistics between which it lies with 95 % confidence, and a mark where fewer than five values lie beyond it.

| tag | header | unit | kind | formula | source | where |
|---|---|---|---|---|---|---|
`

func streamMark(m Metric) string {
	if m.Streaming {
		return ", stream"
	}
	return ""
}

// cell keeps the bars of a formula out of the table's syntax.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
