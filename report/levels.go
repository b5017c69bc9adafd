package report

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

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
	var b strings.Builder
	t, few, spans := levelTable(levels)
	t, _ = t.fit(o.width())
	t.render(&b, o.Color)
	if note := intervalNote(levels); spans || note != withinNote {
		b.WriteString(wrap(note, o.width()) + "\n")
	}
	shownCells := strings.Join(flatten(t.rows), "\n")
	if few && strings.Contains(shownCells, fewMark) {
		b.WriteString(wrap(fewText, o.width()) + "\n")
	}
	populationNotes(&b, shownCells, o)
	levelIntervals(&b, levels, o)
	levelCuts(&b, levels, o)
	levelErrors(&b, levels, o)
	levelEndings(&b, levels, o)
	levelTokens(&b, levels, o)
	levelVerdicts(&b, levels, o)
	levelAudits(&b, levels, o)
	levelWarnings(&b, levels, o)
	_, err := io.WriteString(w, levels[0].Runs[0].Secrets.Text(b.String()))
	return err
}

// levelColumn is a column of the sweep's table.
type levelColumn struct {
	column
	value func(Level) estimate
	count func(Level) string // instead of value
}

func levelColumns(levels []Level) []levelColumn {
	stat := func(title string, drop int, tag, stat string) levelColumn {
		return levelColumn{column: column{title: title, drop: drop, style: styleGreen}, value: func(l Level) estimate { return l.stat(tag, stat) }}
	}
	first := "Conc."
	if levels[0].Runs[0].Run.Concurrency == 0 {
		first = "Rate"
	}
	cols := []levelColumn{
		{column: column{title: first, style: styleCyan}, count: Level.marked},
		{column: column{title: "Requests\nok/failed"}, count: Level.requests},
		stat("TTFT ms\navg", 0, "time_to_first_token", "avg"),
		stat("TTFT ms\np50", 4, "time_to_first_token", "p50"),
		stat("TTFT ms\np99", 1, "time_to_first_token", "p99"),
		stat("ITL ms\navg", 0, "inter_token_latency", "avg"),
		stat("ITL ms\np50", 5, "inter_token_latency", "p50"),
		stat("E2E ms\navg", 6, "request_latency", "avg"),
		stat("Output\ntok/s", 0, "output_token_throughput", "avg"),
		stat("tok/s\nper user", 0, "decode_speed_per_user", "avg"),
	}
	for _, l := range levels {
		if l.Runs[0].Run.NumGPUs > 0 {
			cols = append(cols, stat("tok/s\nper GPU", 0, "output_token_throughput_per_gpu", "avg"))
			break
		}
	}
	return append(cols, stat("req/s", 2, "request_throughput", "avg"))
}

// levelTable builds the table with every column, and reports whether one of its
// quantiles rests on too few samples, and whether a figure has an interval.
func levelTable(levels []Level) (t table, few, spans bool) {
	t.title = levels[0].Runs[0].title("Levels")
	cols := levelColumns(levels)
	for _, c := range cols {
		t.columns = append(t.columns, c.column)
	}
	for _, l := range levels {
		var row []string
		for _, c := range cols {
			if c.count != nil {
				row = append(row, c.count(l))
				continue
			}
			e := c.value(l)
			few, spans = few || e.few, spans || finite(e.low) && finite(e.high)
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
func (l Level) stat(tag, stat string) estimate {
	if len(l.Runs) == 1 {
		return within(l.Runs[0].Result, tag, stat)
	}
	var values []float64
	var answered []float64
	bounded := false
	for _, r := range l.Runs {
		if e := within(r.Result, tag, stat); !math.IsNaN(e.value) {
			values, bounded = append(values, e.value), bounded || e.atLeast
			if e.answered == 0 {
				e.answered = e.value
			}
			answered = append(answered, e.answered)
		}
	}
	e := over(values)
	e.answered = over(answered).value
	if e.atLeast = bounded; bounded {
		e.low, e.high = math.NaN(), math.NaN()
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
		return grouped(strconv.FormatFloat(v, 'f', 0, 64))
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
		return grouped(strconv.FormatFloat(v, 'f', 0, 64))
	case v >= 0.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case v >= 0.0995 || v == 0:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'g', 2, 64)
}

// withinNote says what the intervals of a table of single runs are.
const withinNote = "± and low–high: 95 % intervals within the run, which count that its requests share batches and queues."

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
