package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"headway/metric"
)

// tailTitles are what people call the classes of time.
var tailTitles = [...]string{"queueing", "others' prefills", "own prefill", "missing cache", "preemption", "transfer",
	"client", "decoding", "cannot tell"}

// shownSlow is how many of the slowest requests a document names; listedSlow, the JSON.
const (
	shownSlow  = 3
	listedSlow = 100
)

// tailTable says where the time of the slowest requests went, beside a typical one.
func (r *Report) tailTable(d *Document, name string) {
	t := r.Result.Tail
	if t == nil {
		return
	}
	if len(t.Requests) == 0 {
		d.gap()
		d.text("", "Where the tail came from: not known, since "+t.Why)
		return
	}
	x := table{title: r.title("Where the slowest came from", name), keys: 1, columns: []column{
		{title: "Time spent on", style: styleCyan}, {title: "TTFT ms\ntypical", drop: 2},
		{title: "TTFT ms\nslowest", drop: 1}, {title: "TTFT ms\nexcess"}, {title: "of it\n%"},
		{title: "Latency ms\ntypical", drop: 2}, {title: "Latency ms\nslowest", drop: 1},
		{title: "Latency ms\nexcess"}, {title: "of it\n%"}}}
	for _, c := range metric.TimeClasses() {
		if t.Whole.Slow[c] > 0 || t.Whole.Typical[c] > 0 || t.First.Slow[c] > 0 || t.First.Typical[c] > 0 {
			cells := append([]string{tailTitles[c]}, excessCells(t.First, c)...)
			x.rows = append(x.rows, append(cells, excessCells(t.Whole, c)...))
		}
	}
	total := func(e metric.TailExcess) []string {
		return []string{significant(1000 * e.Typical.Total()), significant(1000 * e.Slow.Total()),
			significant(1000 * e.Over.Total()), percent(1)}
	}
	x.rows = append(x.rows, append(append([]string{"all"}, total(t.First)...), total(t.Whole)...))
	d.gap()
	d.table(x)
	d.text("", fmt.Sprintf("Slowest: the mean of %d of %d requests; typical: of the middle fifth. Time counts from "+
		"the planned send. What takes less than typical is negative. Slowest of all: %s.", t.Whole.Slowest,
		len(t.Requests), slowText(t.Whole)))
	if t.Why != "" {
		d.text("", "Not all of it can be told: "+t.Why+".")
	}
}

func excessCells(e metric.TailExcess, c metric.TimeClass) []string {
	return []string{significant(1000 * e.Typical[c]), significant(1000 * e.Slow[c]), significant(1000 * e.Over[c]),
		percent(e.Over[c] / e.Over.Total())}
}

// slowText names the slowest requests, each with its two largest causes.
func slowText(e metric.TailExcess) string {
	var all []string
	for _, s := range e.Each[:min(len(e.Each), shownSlow)] {
		causes := metric.TimeClasses()
		slices.SortStableFunc(causes, func(a, b metric.TimeClass) int { return cmp.Compare(s.Over[b], s.Over[a]) })
		var parts []string
		for _, c := range causes[:2] {
			if s.Over[c] > 0 {
				parts = append(parts, fmt.Sprintf("%s ms %s", significant(1000*s.Over[c]), tailTitles[c]))
			}
		}
		all = append(all, fmt.Sprintf("request %d, %s ms (%s)", s.Index, significant(1000*s.Took),
			strings.Join(parts, ", ")))
	}
	return strings.Join(all, "; ")
}

// tailDocument is the analysis in files, in milliseconds.
type tailDocument struct {
	Why   string          `json:"why,omitempty"`
	First *excessDocument `json:"time_to_first_token,omitempty"`
	Whole *excessDocument `json:"request_latency,omitempty"`
}

type excessDocument struct {
	Unit     string             `json:"unit"`
	Requests int                `json:"requests"`
	Slowest  int                `json:"slowest"`
	Typical  map[string]float64 `json:"typical"`
	Slow     map[string]float64 `json:"slow"`
	Over     map[string]float64 `json:"excess"`
	Each     []slowDocument     `json:"each"`
}

type slowDocument struct {
	Index int                `json:"index"`
	Took  float64            `json:"took"`
	Over  map[string]float64 `json:"excess"`
}

func tailOf(t *metric.Tail) tailDocument {
	d := tailDocument{Why: t.Why}
	if len(t.Requests) > 0 {
		d.First, d.Whole = excessOf(t, t.First), excessOf(t, t.Whole)
	}
	return d
}

func excessOf(t *metric.Tail, e metric.TailExcess) *excessDocument {
	d := &excessDocument{Unit: "ms", Requests: len(t.Requests), Slowest: e.Slowest, Typical: splitOf(e.Typical),
		Slow: splitOf(e.Slow), Over: splitOf(e.Over)}
	for _, s := range e.Each[:min(len(e.Each), listedSlow)] {
		d.Each = append(d.Each, slowDocument{Index: s.Index, Took: tidy(1000 * s.Took), Over: splitOf(s.Over)})
	}
	return d
}

// splitOf leaves out classes that have nothing.
func splitOf(s metric.TimeSplit) map[string]float64 {
	all := map[string]float64{}
	for _, c := range metric.TimeClasses() {
		if s[c] != 0 {
			all[c.String()] = tidy(1000 * s[c])
		}
	}
	return all
}
