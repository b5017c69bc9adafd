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

// Level is one concurrency, or one rate, of a sweep and the runs made of it.
type Level struct {
	// Runs repeat one configuration; at least one.
	Runs []*Report
}

// WriteLevels writes a sweep's table, a level a row: the figures with their
// intervals below them, then what failed and which objectives were missed.
func WriteLevels(w io.Writer, levels []Level, o ConsoleOptions) error {
	if len(levels) == 0 {
		return nil
	}
	return OfLevels(levels, o.Name).Write(w, o)
}

// OfLevels is the document of a sweep; name is of what was measured, where there
// is more than one.
func OfLevels(levels []Level, name string) *Document {
	d := &Document{secrets: levels[0].Runs[0].Secrets}
	t, few, spans := levelTable(levels, name)
	d.table(t)
	if note := intervalNote(levels); spans || note != withinNote {
		d.text("", note)
	}
	shownCells := strings.Join(flatten(t.rows), "\n")
	if few && strings.Contains(shownCells, fewMark) {
		d.text("", fewText)
	}
	populationNotes(d, shownCells)
	levelWorkers(d, levels, name)
	levelIntervals(d, levels)
	levelCuts(d, levels)
	levelErrors(d, levels)
	levelEndings(d, levels)
	levelTokens(d, levels)
	levelVerdicts(d, levels)
	levelAudits(d, levels)
	levelWarnings(d, levels)
	return d
}

// levelColumn is a column of the sweep's table.
type levelColumn struct {
	column
	value func(Level) Figure
	count func(Level) string // instead of value
}

func levelColumns(levels []Level) []levelColumn {
	stat := func(title string, drop int, tag, stat string) levelColumn {
		return levelColumn{column: column{title: title, drop: drop, style: styleGreen},
			value: func(l Level) Figure { return l.stat(tag, stat) }}
	}
	first := "Conc."
	if levels[0].Runs[0].Run.Concurrency == 0 {
		first = "Rate"
	}
	cols := []levelColumn{
		{column: column{title: first, style: styleCyan}, count: Level.marked},
		{column: column{title: "Requests\nok/failed"}, count: Level.requests},
		stat("TTFT ms\navg", 0, "time_to_first_token", "avg"),
		stat("TTFT ms\np50", 0, "time_to_first_token", "p50"),
		stat("TTFT ms\np99", 0, "time_to_first_token", "p99"),
		stat("ITL ms\navg", 0, "inter_token_latency", "avg"),
		stat("ITL ms\np50", 0, "inter_token_latency", "p50"),
		stat("E2E ms\navg", 1, "request_latency", "avg"),
		stat("Output\ntok/s", 0, "output_token_throughput", "avg"),
		stat("tok/s\nper user", 0, "decode_speed_per_user", "avg"),
	}
	for _, l := range levels {
		if l.Runs[0].Run.NumGPUs > 0 {
			cols = append(cols, stat("tok/s\nper GPU", 0, "output_token_throughput_per_gpu", "avg"))
			break
		}
	}
	cols = append(cols, stat("req/s", 0, "request_throughput", "avg"))
	if slices.ContainsFunc(levels, func(l Level) bool { share, _ := l.Runs[0].HitRate(); return share > 0 }) {
		cols = append(cols, levelColumn{column: column{title: "Hit\n%", drop: 2},
			count: func(l Level) string { share, _ := l.Runs[0].HitRate(); return percent(share) }})
	}
	return cols
}

// levelTable builds the table with every column, and reports whether one of its
// quantiles rests on too few samples, and whether a figure has an interval.
func levelTable(levels []Level, name string) (t table, few, spans bool) {
	t.title = levels[0].Runs[0].title("Levels", name)
	cols := levelColumns(levels)
	for _, c := range cols {
		t.columns = append(t.columns, c.column)
	}
	for _, l := range levels {
		var row []string
		for x, c := range cols {
			if c.count != nil {
				row = append(row, c.count(l))
				continue
			}
			e := c.value(l)
			few, spans = few || e.Few, spans || finite(e.Low) && finite(e.High)
			t.shows(len(t.rows), x, e)
			row = append(row, e.cell())
		}
		t.rows = append(t.rows, row)
	}
	return t, few, spans
}

// name is the concurrency, or the rate where there is none.
func (l Level) name() string {
	h := l.Runs[0].Run.Header
	if h.Concurrency == 0 && h.Rate > 0 {
		return significant(h.Rate) + "/s"
	}
	return strconv.Itoa(h.Concurrency)
}

// marked is the name, and below it what is wrong with the whole row.
func (l Level) marked() string {
	if word := l.cut(); word != "" {
		return l.name() + "\n" + word
	}
	if v := l.audit(); v == record.AuditInvalid || v == record.AuditDoubtful {
		return l.name() + "\n" + string(v)
	}
	return l.name()
}

// cut is "" for a level of which all was measured.
func (l Level) cut() string {
	for _, r := range l.Runs {
		switch {
		case r.Run.Cancelled:
			return "cancelled"
		case r.Run.Aborted != "":
			return "cut short"
		}
	}
	return ""
}

// where says which level it is.
func (l Level) where() string {
	if l.Runs[0].Run.Concurrency == 0 {
		return "rate " + l.name()
	}
	return "concurrency " + l.name()
}

// requests counts what was answered and what failed, with a line for what was
// given up.
func (l Level) requests() string {
	ok, failed, cancelled := 0, 0, 0
	for _, r := range l.Runs {
		ok += r.Result.OK
		failed += r.Result.Failed
		cancelled += r.Result.Cancelled
	}
	s := fmt.Sprintf("%d/%d", ok, failed)
	if cancelled > 0 {
		s += fmt.Sprintf("\n%d given up", cancelled)
	}
	return s
}

// stat is a statistic of a metric. Of one run it has the interval within the
// run, of several the interval over them.
func (l Level) stat(tag, stat string) Figure {
	if len(l.Runs) == 1 {
		return within(l.Runs[0].Result, tag, stat)
	}
	var values []float64
	var answered []float64
	bounded := false
	for _, r := range l.Runs {
		if e := within(r.Result, tag, stat); !math.IsNaN(e.Value) {
			values, bounded = append(values, e.Value), bounded || e.AtLeast
			if e.Answered == 0 {
				e.Answered = e.Value
			}
			answered = append(answered, e.Answered)
		}
	}
	e := over(values)
	e.Answered = over(answered).Value
	if e.AtLeast = bounded; bounded {
		e.Low, e.High = math.NaN(), math.NaN()
	}
	return e
}

// significant shows about three significant digits, and no fraction where the
// whole part alone has them.
func significant(v float64) string {
	a := math.Abs(v)
	switch {
	case !finite(v):
		return "–"
	case a >= 99.95:
		return plain.Grouped(strconv.FormatFloat(v, 'f', 0, 64))
	case a >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case a >= 0.9995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case a == 0:
		return "0"
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// halfWidth shows two significant digits, which is what an interval is good
// for.
func halfWidth(v float64) string {
	switch {
	case v >= 9.95:
		return plain.Grouped(strconv.FormatFloat(v, 'f', 0, 64))
	case v >= 0.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case v >= 0.0995 || v == 0:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'g', 2, 64)
}

// withinNote says what the intervals of a table of single runs are.
const withinNote = "± and low–high: 95 % intervals within the run, which count that its requests share batches and " +
	"queues."

func intervalNote(levels []Level) string {
	runs := 0
	for _, l := range levels {
		runs = max(runs, len(l.Runs))
	}
	if runs > 1 {
		return fmt.Sprintf("Means of %d runs a level, ± the 95 %% t-interval over them.", runs)
	}
	return withinNote
}
