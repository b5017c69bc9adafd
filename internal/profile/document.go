package profile

import (
	"fmt"
	"slices"

	"headway/report"
)

// Document is the curve as a table, a prompt length a row.
func (c PrefillCurve) Document() *report.Document {
	rows := [][]string{{"ISL", "TTFT (ms)", "±95 %", "tokens/s/GPU", "±95 %", "repeats", ""}}
	for _, p := range c.Points {
		rows = append(rows, append([]string{fmt.Sprint(p.ISL)}, p.cells(p.TTFT, p.Throughput)...))
	}
	return table(1, rows, c.Qualities())
}

// Document is the surface as a table, a load a row.
func (s DecodeSurface) Document() *report.Document {
	rows := [][]string{{"context", "requests", "KV share", "ITL (ms)", "±95 %", "tokens/s/GPU", "±95 %", "repeats", ""}}
	for _, p := range s.Points {
		row := []string{fmt.Sprint(p.Context), fmt.Sprint(p.Requests), fmt.Sprintf("%.1f %%", 100*p.KVUsage)}
		row = append(row, p.cells(p.ITL, p.Throughput)...)
		if p.FrontBound {
			row[len(row)-1] = frontNote(row[len(row)-1])
		}
		rows = append(rows, row)
	}
	return table(2, rows, s.Qualities())
}

// table is a document of rows, of which the first columns name a point. What was
// observed with the points stands before the last column.
func table(keys int, rows [][]string, points []Quality) *report.Document {
	d := &report.Document{}
	loads := make([]Observed, len(points))
	for i, q := range points {
		loads[i] = q.Observed
	}
	titles, cells := ObservedCells(loads)
	for i, more := range append([][]string{titles}, cells...) {
		rows[i] = slices.Insert(rows[i], len(rows[i])-1, more...)
	}
	d.Rows(keys, rows)
	return d
}

// cells are a latency and a throughput with their intervals, how often they were
// measured, and what is wrong with the point.
func (q Quality) cells(latency, rate Figure) []string {
	if q.Failed != "" {
		return []string{"-", "", "-", "", "0", "failed"}
	}
	ms, tokens := latency.In(1e3, "ms"), rate.In(1, "tokens/s/GPU")
	return []string{ms.Fixed(2), ms.FixedHalf(2), tokens.Fixed(1), tokens.FixedHalf(1), repeats(latency.N), q.note()}
}

// frontNote is a row's note with the front end's in it, which stands for "see warnings".
func frontNote(note string) string {
	if note == "" || note == seeWarnings {
		return "front end"
	}
	return note + ", front end"
}

// repeats is how often a point was measured, empty where that is not known.
func repeats(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

const seeWarnings = "see warnings"

// note is what a reader of a row must know.
func (q Quality) note() string {
	switch {
	case q.Invalid != "":
		return "not valid"
	case q.Wide:
		return "wide"
	case len(q.Warnings) > 0:
		return seeWarnings
	}
	return ""
}
