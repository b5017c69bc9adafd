package report

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"headway/metric"
)

// ConsoleOptions say how tables are shown.
type ConsoleOptions struct {
	// Width is the terminal's, in columns; 0 is 140. Below about 80 the tables
	// stay wider than the terminal rather than lose what matters.
	Width int
	// Color adds ANSI styles.
	Color bool
	// HTTP adds the table of the HTTP exchange's phases.
	HTTP bool
}

func (o ConsoleOptions) width() int {
	if o.Width <= 0 {
		return FullWidth
	}
	return max(o.Width, minWidth)
}

// fewMark stands behind a quantile of too few samples.
const fewMark = "*"

const fewText = fewMark + " fewer than five samples lie beyond this quantile: it is close to a single observation."

// WriteConsole writes the run's tables: a metric a row, aiperf's columns; then
// errors, verdicts and warnings.
func (r *Report) WriteConsole(w io.Writer, o ConsoleOptions) error {
	var b strings.Builder
	groups := []metric.Group{metric.GroupEffective, metric.GroupActive, metric.GroupUsage, metric.GroupCache, metric.GroupPrediction, metric.GroupReasoning, metric.GroupMain}
	if o.HTTP {
		groups = append(groups, metric.GroupHTTP)
	}
	few := false
	for _, g := range groups {
		few = r.metricTable(&b, g, o) || few
	}
	if few {
		b.WriteString(wrap(fewText, o.width()) + "\n")
	}
	populationNotes(&b, b.String(), o)
	if b.Len() == 0 {
		b.WriteString(r.title("LLM Metrics") + "\nNo request was answered, so there is nothing to show.\n")
	}
	r.partTable(&b, o)
	r.errorTable(&b, o)
	r.footer(&b, o)
	_, err := io.WriteString(w, r.Secrets.Text(b.String()))
	return err
}

// clean is text for one line of the terminal. Secrets go before it is wrapped:
// one that is broken over two lines would not be found.
func (r *Report) clean(s string) string { return oneLine(r.Secrets.Text(s)) }

// title is a table's; a simulated run says so in each.
func (r *Report) title(of string) string {
	t := "headway | " + of
	if r.Run.Simulated {
		t += " (SIMULATED)"
	}
	return t
}

// superseded is aiperf's share of errors, which counts our own cancellations as
// such. It is in files; tables show failed_request_rate.
const superseded = "request_error_rate"

// metricTable shows the metrics of one group, and reports whether a quantile
// in it has the mark of few samples.
func (r *Report) metricTable(b *strings.Builder, g metric.Group, o ConsoleOptions) bool {
	title := "LLM Metrics"
	if g != metric.GroupMain {
		title += ": " + string(g)
	}
	var names []metric.Metric
	var cells [][]string
	row := func(m metric.Metric, c []string) { names, cells = append(names, m), append(cells, c) }
	for _, s := range r.Result.Summaries {
		if s.Metric.Group != g || !s.Metric.Console {
			continue
		}
		all, ok := r.Result.Whole.Summary(s.Metric.Tag)
		if ok && all.Failed+all.Cut > 0 {
			row(all.Metric, summaryCells(all))
			s.Metric.Header += ", answered"
		}
		row(s.Metric, summaryCells(s))
	}
	for _, s := range r.Result.Scalars {
		if s.Metric.Group == g && s.Metric.Console && !internal(s.Metric.Tag) && s.Metric.Tag != superseded {
			if rate, ok := r.Result.Whole.Rate(s.Metric.Tag); ok {
				s.Value = rate.Value
			}
			na := "N/A"
			row(s.Metric, []string{amount(shown(s.Metric, s.Value)), na, na, na, na, na, na})
		}
	}
	if len(names) == 0 {
		return false
	}
	t := layout(r.title(title), names, cells, o.width())
	t.render(b, o.Color)
	return strings.Contains(strings.Join(flatten(t.rows), "\n"), fewMark)
}

func flatten(rows [][]string) []string {
	var all []string
	for _, r := range rows {
		all = append(all, r[1:]...)
	}
	return all
}

// consoleStats are aiperf's columns in its order, and which goes first when
// there is no room: the mean, the median and p99 stay.
func consoleStats() []column {
	stats := []column{{title: "avg"}, {title: "min", drop: 3}, {title: "max", drop: 2}, {title: "p99"}, {title: "p90", drop: 1}, {title: "p50"}, {title: "std", drop: 4}}
	for i := range stats {
		stats[i].style = styleGreen
	}
	return stats
}

func summaryCells(s metric.Summary) []string {
	var row []string
	for _, c := range consoleStats() {
		v, ok := s.Stat(c.title)
		if !ok {
			row = append(row, "N/A")
			continue
		}
		cell := amount(shown(s.Metric, v))
		if math.IsInf(v, 1) {
			cell = infinite
		}
		if s.AtLeast(c.title) {
			cell = atLeastMark + cell
		}
		for _, q := range s.Quantiles {
			if q.Few && quantileName(q.Q) == c.title {
				cell += fewMark
			}
		}
		row = append(row, cell)
	}
	return row
}

// layout tries ever narrower forms of the names before it drops columns.
func layout(title string, names []metric.Metric, cells [][]string, width int) table {
	var t table
	for _, nameWidth := range []int{0, 34, 26} {
		t = table{title: title, columns: append([]column{{title: "Metric", style: styleCyan}}, consoleStats()...)}
		for i, m := range names {
			t.rows = append(t.rows, append([]string{nameCell(m, nameWidth)}, cells[i]...))
		}
		if sum(t.widths()) <= width {
			return t
		}
	}
	t, _ = t.fit(width)
	return t
}

// nameCell is a metric's header and unit. In the widest form (0) a long header
// has its unit on a line of its own, as in aiperf.
func nameCell(m metric.Metric, width int) string {
	unit := "(" + m.Unit + ")"
	if m.Unit == "" {
		unit = ""
	}
	if width == 0 {
		if len(m.Header) > 30 {
			return strings.TrimRight(m.Header+"\n"+unit, "\n")
		}
		return strings.TrimRight(m.Header+" "+unit, " ")
	}
	return wrap(strings.TrimRight(m.Header+" "+unit, " "), width)
}

// amount shows a number with two decimals and commas between thousands.
func amount(v float64) string { return grouped(strconv.FormatFloat(v, 'f', 2, 64)) }

// grouped puts commas between the thousands of a decimal number.
func grouped(s string) string {
	sign := ""
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		sign, s = "-", rest
	}
	whole, frac, _ := strings.Cut(s, ".")
	var b strings.Builder
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	if frac != "" {
		b.WriteString("." + frac)
	}
	return sign + b.String()
}

// maxErrors is how many kinds of error the console lists.
const maxErrors = 10

func (r *Report) errorTable(b *strings.Builder, o ConsoleOptions) {
	list := r.Result.Failures
	if len(list) == 0 {
		return
	}
	t := table{title: r.title("Error Summary"), columns: []column{
		{title: "Code", style: styleYellow}, {title: "Type", style: styleYellow},
		{title: "Message", left: true, style: styleYellow}, {title: "Count", style: styleYellow},
	}}
	for i, f := range list {
		if i == maxErrors {
			break
		}
		code := "N/A"
		if f.Failure.Code != 0 {
			code = strconv.Itoa(f.Failure.Code)
		}
		t.rows = append(t.rows, []string{code, r.clean(f.Failure.Type), r.clean(f.Failure.Message), grouped(strconv.Itoa(f.Count))})
	}
	// The message takes what the other columns leave.
	widths := t.widths()
	room := max(20, o.width()-(sum(widths)-widths[2])-3)
	for _, row := range t.rows {
		row[2] = shorten(wrap(row[2], room), 4)
	}
	b.WriteByte('\n')
	t.render(b, o.Color)
	if rest := len(list) - maxErrors; rest > 0 {
		fmt.Fprintf(b, "and %d more kinds of error; all are in the JSON.\n", rest)
	}
}

// shorten keeps so many lines of a text.
func shorten(s string, lines int) string {
	all := strings.Split(s, "\n")
	if len(all) <= lines {
		return s
	}
	return strings.Join(all[:lines-1], "\n") + "\n…"
}
