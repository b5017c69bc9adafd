package report

import (
	"fmt"
	"io"
	"math"
	"strings"

	"headway/internal/plain"
	"headway/metric"
	"headway/record"
)

// Comparison is a benchmark of request routing: one load or several, each put
// on the same arms, which are router modes of a simulated cluster or real
// endpoints. Its views are a table, results_summary.json and pictures.
type Comparison struct {
	// Benchmark is the verb: prefix-ratio, trace, sessions, priority.
	Benchmark string
	Simulated bool
	Command   string
	Seed      uint64
	// XKey names in files what differs between the cases ("prefix_ratio"), and
	// XLabel on an axis. Both are empty where there is one load.
	XKey, XLabel string
	// Baseline is the arm that gains are measured over.
	Baseline string
	Cases    []Case
	// Notes say how the load was made, in whole sentences.
	Notes    []string
	Warnings []record.Warning
	Secrets  Redactor
}

// Case is one load and what it gave on each arm.
type Case struct {
	Name string
	X    float64
	Arms []Arm
}

// Arm is one run.
type Arm struct {
	Name string
	// Dir has the run's files, relative to that of the comparison.
	Dir    string
	Report *Report
	// Repeats are further runs of the same kind of load with other seeds, in the
	// order of the repeats.
	Repeats []*Report
	// Tiers are the requests of each priority apart, lowest value first.
	Tiers []Tier
}

// Tier is what the requests of one priority met.
type Tier struct {
	Priority float64
	Result   *metric.Result
}

// Figure is a figure of the tier, as tables lead with it; stat is avg or a quantile
// (p50).
func (t Tier) Figure(tag, stat string) Figure { return within(t.Result, tag, stat) }

// CompletedText says how much of what was offered was completed, by the share
// that [Arm.Saturation] gives.
func CompletedText(share float64) string {
	if math.IsNaN(share) {
		return "left requests unanswered"
	}
	return fmt.Sprintf("completed %.0f %% of offered", 100*share)
}

// saturatedBelow is the share of the offered requests; completing less is
// saturation.
const saturatedBelow = 0.95

// Saturation says whether less was completed than offered, and the share that
// was; NaN where nothing was offered by a schedule or too little to have a
// rate. A simulated cluster says it itself; of an endpoint the requests say it.
func (a Arm) Saturation() (bool, float64) {
	if c := a.Report.Run.Cluster; c != nil {
		if !(c.Offered > 0) || !c.Completed.Known() {
			return c.Saturated, math.NaN()
		}
		share := float64(c.Completed / c.Offered)
		if planned := a.Report.Result.Planned; planned > 0 {
			share = min(share, float64(a.Report.Result.OK)/float64(planned))
		}
		return c.Saturated, share
	}
	r := a.Report.Result
	if !a.Report.Run.Schedule.Timed || r.Offered <= 0 || r.Completed <= 0 {
		return false, math.NaN()
	}
	return r.Completed < saturatedBelow*r.Offered, r.Completed / r.Offered
}

// HitRate is the share of prompt tokens that were cached, 0 to 1: the mean over the
// runs where the replies say it, else that of the first run, as [Report.HitRate] has
// it; NaN where nobody says it.
func (a Arm) HitRate() float64 {
	share, source := a.Report.HitRate()
	if source == hitsUsage {
		return a.value("overall_usage_prompt_cache_read_pct", "avg") / 100
	}
	return share
}

func (a Arm) value(tag, stat string) float64 { return a.Figure(tag, stat).Value }

// Figure is a figure over all runs of the arm, as [Report.Figure] gives that of
// one.
func (a Arm) Figure(tag, stat string) Figure { return Level{Runs: a.Runs()}.stat(tag, stat) }

// Runs are all runs of the arm.
func (a Arm) Runs() []*Report { return append([]*Report{a.Report}, a.Repeats...) }

// WriteTable writes a row for each case and arm, then the gains, what each
// tier met, notes and warnings.
func (c *Comparison) WriteTable(w io.Writer, o ConsoleOptions) error {
	return OfComparison(c).Write(w, o)
}

// OfComparison is the document of a comparison of routers.
func OfComparison(c *Comparison) *Document {
	d := &Document{secrets: c.Secrets}
	t := c.table()
	d.table(t)
	populationNotes(d, strings.Join(flatten(t.rows), "\n"))
	if c.HasClusters() {
		d.text("",
			"Hit %: prompt tokens found in the prefix cache. Ideal %: in one cache that never forgets; at size %: "+
				"in one LRU cache as large as all workers' together. "+
				"Imbalance: busiest worker over the mean. Regret: modelled TTFT at the chosen worker less that at the "+
				"best one.")
	}
	if note := c.intervalNote(); note != withinNote || c.spans() {
		d.text("", note)
	}
	if text := hitSources(c.workerRuns()); text != "" {
		d.text("", text)
	}
	c.expectedText(d)
	c.tierText(d)
	c.workerText(d)
	c.gainText(d)
	for _, n := range c.Notes {
		d.text("", "note: "+n)
	}
	for _, n := range c.Warnings {
		d.text(styleYellow, "WARNING: "+n.Text)
	}
	return d
}

// spans reports whether a latency of an arm has an interval.
func (c *Comparison) spans() bool {
	for _, k := range c.Cases {
		for _, a := range k.Arms {
			e := a.Figure("time_to_first_token", "avg")
			if finite(e.Low) && finite(e.High) {
				return true
			}
		}
	}
	return false
}

// intervalNote says what the intervals of the table are over.
func (c *Comparison) intervalNote() string {
	for _, k := range c.Cases {
		for _, a := range k.Arms {
			if n := len(a.Runs()); n > 1 {
				return fmt.Sprintf("Means of %d runs with seeds of their own, ± the 95 %% t-interval over them; "+
					"counts and the cluster's and the servers' own figures are of the first.", n)
			}
		}
	}
	return withinNote
}

// HasClusters reports whether the facts of a simulated cluster are known of any run.
func (c *Comparison) HasClusters() bool {
	for _, k := range c.Cases {
		for _, a := range k.Arms {
			if a.Report.Run.Cluster != nil {
				return true
			}
		}
	}
	return false
}

func (c *Comparison) table() table {
	t := table{title: "headway | router " + c.Benchmark, keys: 2}
	if c.Simulated {
		t.title += " (SIMULATED)"
	}
	first := "Case"
	if c.XLabel != "" {
		first = c.XLabel
	}
	t.columns = []column{{title: first, style: styleCyan}, {title: "Router", left: true}, {title: "ok/\nfailed"},
		{title: "TTFT ms\navg"}, {title: "TTFT ms\np50"}, {title: "TTFT ms\np99"}, {title: "ITL ms\navg", drop: 6},
		{title: "ITL ms\np50"},
		{title: "Output\ntok/s"}, {title: "req/s"}, {title: "Hit\n%", drop: 1}}
	simulated := c.HasClusters()
	if !simulated && c.hasWorkers() {
		t.columns = append(t.columns, column{title: "Imba-\nlance", drop: 5})
	}
	if simulated {
		t.columns = append(t.columns, column{title: "Ideal\n%", drop: 2}, column{title: "at size\n%", drop: 4},
			column{title: "Imba-\nlance", drop: 5}, column{title: "Regret\nms", drop: 3})
	}
	servers := c.serverColumns()
	for _, s := range servers {
		t.columns = append(t.columns, s.column)
	}
	t.columns = append(t.columns, column{title: "Satu-\nrated"})
	for _, k := range c.Cases {
		for _, a := range k.Arms {
			t.rows = append(t.rows, c.row(&t, k, a, simulated, servers))
		}
	}
	return t
}

// caseName is what a row calls its case.
func (c *Comparison) caseName(k Case) string {
	if c.XLabel != "" {
		return significant(k.X)
	}
	return plain.Line(k.Name)
}

// row makes the next row of the table.
func (c *Comparison) row(t *table, k Case, a Arm, simulated bool, servers []serverColumn) []string {
	cells := []string{c.caseName(k), plain.Line(a.Name), Level{Runs: []*Report{a.Report}}.requests()}
	for _, f := range [][2]string{{"time_to_first_token", "avg"}, {"time_to_first_token", "p50"},
		{"time_to_first_token", "p99"},
		{"inter_token_latency", "avg"}, {"inter_token_latency", "p50"}, {"output_token_throughput", "avg"},
		{"request_throughput", "avg"}} {
		e := a.Figure(f[0], f[1])
		t.shows(len(t.rows), len(cells), e)
		cells = append(cells, e.cell())
	}
	cells = append(cells, percent(a.HitRate()))
	if !simulated && c.hasWorkers() {
		cells = append(cells, significant(a.Report.Result.Workers.Imbalance))
	}
	if simulated {
		if s := a.Report.Run.Cluster; s != nil {
			cells = append(cells, percent(float64(s.IdealHitRate)), percent(float64(s.IdealAtSize)),
				significant(float64(s.Imbalance)), significant(1000*float64(s.RegretMean)))
		} else {
			cells = append(cells, "–", "–", "–", "–")
		}
	}
	for _, s := range servers {
		cells = append(cells, s.cell(a.Report))
	}
	return append(cells, saturationCell(a))
}

// hasWorkers reports whether replies name more than one worker.
func (c *Comparison) hasWorkers() bool {
	for _, k := range c.Cases {
		for _, a := range k.Arms {
			if len(a.Report.Result.Workers.Each) > 1 {
				return true
			}
		}
	}
	return false
}

// workerText lists the workers of live endpoints, by the first run of each.
func (c *Comparison) workerText(d *Document) {
	first := "Case"
	if c.XLabel != "" {
		first = c.XLabel
	}
	workerTable(d, "headway | router "+c.Benchmark+" | Workers",
		[]column{{title: first, style: styleCyan}, {title: "Router", left: true}}, c.workerRuns())
}

// workerRuns are the first runs of all arms.
func (c *Comparison) workerRuns() (runs []workerRun) {
	for _, k := range c.Cases {
		for _, a := range k.Arms {
			runs = append(runs, workerRun{[]string{c.caseName(k), plain.Line(a.Name)}, a.Report})
		}
	}
	return runs
}

// saturationCell is "–" for a schedule too short to tell; a closed loop is never
// saturated.
func saturationCell(a Arm) string {
	switch sat, share := a.Saturation(); {
	case sat && math.IsNaN(share):
		return "yes"
	case sat:
		return fmt.Sprintf("yes (%.0f %%)", 100*share)
	case math.IsNaN(share) && a.Report.Run.Schedule.Timed:
		return "–"
	}
	return "no"
}

func percent(share float64) string {
	if math.IsNaN(share) {
		return "–"
	}
	return fmt.Sprintf("%.1f", 100*share)
}

// tierText is a table of the tiers of each arm.
func (c *Comparison) tierText(d *Document) {
	t := table{title: "TTFT by tier", keys: 3,
		columns: []column{{title: "Case", style: styleCyan}, {title: "Router", left: true}, {title: "Priority"},
			{title: "Requests"},
			{title: "TTFT ms\navg"}, {title: "TTFT ms\np25"}, {title: "TTFT ms\np50"}, {title: "TTFT ms\np75"},
			{title: "TTFT ms\np99"}, {title: "ITL ms\navg"}}}
	for _, k := range c.Cases {
		for _, a := range k.Arms {
			for _, tier := range a.Tiers {
				row := []string{c.caseName(k), plain.Line(a.Name), significant(tier.Priority),
					fmt.Sprint(tier.Result.OK)}
				for _, stat := range []string{"avg", "p25", "p50", "p75", "p99"} {
					row = append(row, within(tier.Result, "time_to_first_token", stat).cell())
				}
				t.rows = append(t.rows, append(row, within(tier.Result, "inter_token_latency", "avg").cell()))
			}
		}
	}
	if len(t.rows) > 0 {
		d.table(t)
		if c.Foretold() {
			d.line("", "no interval on the server: the twin is not judged by figures of tiers")
		}
	}
}

// ArmNames are the names of all arms in their order.
func (c *Comparison) ArmNames() []string {
	var all []string
	seen := map[string]bool{}
	for _, k := range c.Cases {
		for _, a := range k.Arms {
			if !seen[a.Name] {
				seen[a.Name], all = true, append(all, a.Name)
			}
		}
	}
	return all
}
