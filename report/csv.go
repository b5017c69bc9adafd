package report

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"

	"headway/internal/plain"
)

// csvStats are the columns of the CSV's first table.
func csvStats() []string {
	return []string{"avg", "min", "max", "sum", "p1", "p5", "p10", "p25", "p50", "p75", "p90", "p95", "p99", "std"}
}

// WriteCSV writes profile_export_aiperf.csv: a table of the metrics with
// quantiles, a blank record, and a table of single values; both sorted by tag,
// numbers with two decimals, lines ended by CRLF.
func (r *Report) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	figs := figures(r.Result)
	slices.SortFunc(figs, func(a, b figure) int { return strings.Compare(a.metric.Tag, b.metric.Tag) })
	var many, single []figure
	for _, f := range figs {
		if f.hasQuantiles() {
			many = append(many, f)
		} else {
			single = append(single, f)
		}
	}
	var rows [][]string
	if len(many) > 0 {
		rows = append(rows, append([]string{"Metric"}, csvStats()...))
		for _, f := range many {
			row := []string{f.label()}
			for _, s := range csvStats() {
				row = append(row, f.cell(s))
			}
			rows = append(rows, row)
		}
		if len(single) > 0 {
			rows = append(rows, nil)
		}
	}
	if len(single) > 0 {
		rows = append(rows, []string{"Metric", "Value"})
		for _, f := range single {
			rows = append(rows, []string{f.label(), f.cell("avg")})
		}
	}
	return writeRows(out, w, rows)
}

// writeRows writes a row that is nil as an empty line; csv.Writer would quote
// it into a field.
func writeRows(out *csv.Writer, w io.Writer, rows [][]string) error {
	for _, row := range rows {
		if row != nil {
			for i, cell := range row {
				row[i] = plain.Line(cell)
			}
			if err := out.Write(row); err != nil {
				return err
			}
			continue
		}
		out.Flush()
		if _, err := io.WriteString(w, "\r\n"); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func (f figure) hasQuantiles() bool {
	return slices.ContainsFunc(f.stats, func(s field) bool { return s.key[0] == 'p' })
}

// label is the header with the unit, which is left out where it is a count.
func (f figure) label() string {
	switch strings.ToLower(f.metric.Unit) {
	case "", "count", "requests":
		return f.metric.Header
	}
	return f.metric.Header + " (" + f.metric.Unit + ")"
}

// cell is a statistic with two decimals, empty where it does not exist.
func (f figure) cell(stat string) string {
	v, ok := get(f.stats, stat).(float64)
	if !ok {
		return ""
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}
