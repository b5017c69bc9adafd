package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"headway/internal/plain"
	"headway/metric"
)

// ConsoleOptions say how tables are shown.
type ConsoleOptions struct {
	// Width is the terminal's, in columns; 0 is 140, and less than 40 is 40. A
	// table that does not fit goes on below itself rather than lose what matters,
	// and says what it leaves out.
	Width int
	// Name is of what was measured, where there is more than one; it stands in
	// the titles.
	Name string
	// Color adds ANSI styles.
	Color bool
	// Markdown gives Markdown instead of text for a terminal, JSON a document in
	// JSON; Width and Color then mean nothing.
	Markdown, JSON bool
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
	return OfRun(r, o.Name, o.HTTP).Write(w, o)
}

// OfRun is the document of a run: its metrics, then errors, verdicts and
// warnings, and what a simulated cluster says of itself. name is of what was
// measured, where there is more than one; http adds the table of the HTTP
// exchange's phases.
func OfRun(r *Report, name string, http bool) *Document {
	d := &Document{secrets: r.Secrets}
	groups := []metric.Group{metric.GroupEffective, metric.GroupActive, metric.GroupServer, metric.GroupUsage,
		metric.GroupMain}
	if http {
		groups = append(groups, metric.GroupHTTP)
	}
	cells := ""
	for _, g := range groups {
		cells += r.metricTable(d, g, name)
	}
	if strings.Contains(cells, fewMark) {
		d.text("", fewText)
	}
	populationNotes(d, cells)
	if len(d.parts) == 0 {
		d.line("", r.title("LLM Metrics", name))
		d.line("", "No request was answered, so there is nothing to show.")
	}
	r.partTable(d, name)
	workerTable(d, r.title("Workers", name), nil, []workerRun{{nil, r}})
	telemetryParts(d, func(of string) string { return r.title(of, name) }, nil, []workerRun{{nil, r}})
	samplingParts(d, []workerRun{{nil, r}})
	r.serverTable(d, name)
	r.tailTable(d, name)
	r.errorTable(d, name)
	r.footer(d)
	r.clusterAccount(d)
	return d
}

// clean is text for one line of the terminal. Secrets go before it is wrapped:
// one that is broken over two lines would not be found.
func (r *Report) clean(s string) string { return plain.Line(r.Secrets.Text(s)) }

// title is a table's; a simulated run says so in each.
func (r *Report) title(of, name string) string {
	t := "headway | " + of
	if name != "" {
		t += " | " + r.clean(name)
	}
	if r.Run.Simulated {
		t += " (SIMULATED)"
	}
	return t
}

// superseded is aiperf's share of errors, which counts our own cancellations as
// such. It is in files; tables show failed_request_rate.
const superseded = "request_error_rate"

// metricTable shows the metrics of one group, and gives the text of its cells
// without the names.
func (r *Report) metricTable(d *Document, g metric.Group, name string) string {
	title := "LLM Metrics"
	if g != metric.GroupMain {
		title += ": " + string(g)
	}
	var rows []metricRow
	for _, m := range metric.All() {
		if m.Group == g && m.Console && !internal(m.Tag) && m.Tag != superseded {
			rows = append(rows, r.metricRows(m)...)
		}
	}
	if len(rows) == 0 {
		return ""
	}
	d.add(piece{table: func(width int) table { return layout(r.title(title, name), rows, width) }})
	var text []string
	for _, row := range rows {
		text = append(text, row.cells...)
	}
	return strings.Join(text, "\n") + "\n"
}

// metricRow is a row of a table of metrics, with the figures of its first cells.
type metricRow struct {
	metric  metric.Metric
	cells   []string
	figures []Figure
}

// metricRows are those of one metric: none where the run has no value of it, two
// where requests without an answer change it.
func (r *Report) metricRows(m metric.Metric) []metricRow {
	if s, ok := r.Result.Summary(m.Tag); ok {
		all, known := r.Result.Whole.Summary(m.Tag)
		if !known || all.Failed+all.Cut == 0 {
			return []metricRow{summaryRow(s)}
		}
		s.Metric.Header += ", answered"
		return []metricRow{summaryRow(all), summaryRow(s)}
	}
	s, ok := r.Result.Scalar(m.Tag)
	if !ok {
		return nil
	}
	if rate, ok := r.Result.Whole.Rate(m.Tag); ok {
		s.Value = rate.Value
	}
	e := unknown()
	e.Value, e.Unit = shown(s.Metric, s.Value), s.Metric.Unit
	const na = "N/A"
	return []metricRow{{s.Metric, []string{amount(e.Value), na, na, na, na, na, na}, []Figure{e}}}
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
	stats := []column{{title: "avg"}, {title: "min", drop: 3}, {title: "max", drop: 2}, {title: "p99"},
		{title: "p90", drop: 1}, {title: "p50"}, {title: "std", drop: 4}}
	for i := range stats {
		stats[i].style = styleGreen
	}
	return stats
}

func summaryRow(s metric.Summary) metricRow {
	row := metricRow{metric: s.Metric}
	for _, c := range consoleStats() {
		e := unknown()
		e.Unit = s.Metric.Unit
		v, ok := s.Stat(c.title)
		if !ok || v == 0 && s.AtLeast(c.title) { // at least nothing is no figure
			row.cells, row.figures = append(row.cells, "N/A"), append(row.figures, e)
			continue
		}
		e.Value, e.AtLeast = shown(s.Metric, v), s.AtLeast(c.title)
		for _, q := range s.Quantiles {
			e.Few = e.Few || q.Few && quantileName(q.Q) == c.title
		}
		row.cells, row.figures = append(row.cells, e.amount()), append(row.figures, e)
	}
	return row
}

// amount is the value with two decimals.
func (e Figure) amount() string { return e.marked(amount(e.Value)) }

// layout tries ever narrower forms of the names before columns are dropped.
func layout(title string, rows []metricRow, width int) table {
	var t table
	for _, nameWidth := range []int{0, 34, 26} {
		t = table{title: title, columns: append([]column{{title: "Metric", style: styleCyan}}, consoleStats()...)}
		for y, r := range rows {
			t.rows = append(t.rows, append([]string{nameCell(r.metric, nameWidth)}, r.cells...))
			for x, e := range r.figures {
				t.shows(y, x+1, e)
			}
		}
		if sum(t.widths()) <= width {
			break
		}
	}
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
func amount(v float64) string { return plain.Grouped(strconv.FormatFloat(v, 'f', 2, 64)) }

// maxErrors is how many kinds of error the console lists.
const maxErrors = 10

func (r *Report) errorTable(d *Document, name string) {
	list := r.Result.Failures
	if len(list) == 0 {
		return
	}
	t := table{title: r.title("Error Summary", name), columns: []column{
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
		t.rows = append(t.rows, []string{code, r.clean(f.Failure.Type), r.clean(f.Failure.Message),
			plain.Grouped(strconv.Itoa(f.Count))})
	}
	d.gap()
	d.add(piece{table: t.withRoom})
	if rest := len(list) - maxErrors; rest > 0 {
		d.line("", fmt.Sprintf("and %d more kinds of error; all are in the JSON.", rest))
	}
}

// withRoom is the table of errors in a width: the message takes what the other
// columns leave.
func (t table) withRoom(width int) table {
	widths := t.widths()
	room := max(20, width-(sum(widths)-widths[2])-3)
	rows := make([][]string, len(t.rows))
	for i, row := range t.rows {
		rows[i] = slices.Clone(row)
		rows[i][2] = shorten(wrap(row[2], room), 4)
	}
	t.rows = rows
	return t
}

// shorten keeps so many lines of a text.
func shorten(s string, lines int) string {
	all := strings.Split(s, "\n")
	if len(all) <= lines {
		return s
	}
	return strings.Join(all[:lines-1], "\n") + "\n…"
}
