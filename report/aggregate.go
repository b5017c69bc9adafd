package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"headway/metric"
)

// aggregateVersion is aiperf's version of the aggregate's schema.
const aggregateVersion = "1.0"

// Aggregate compares repeated runs of one configuration: the mean of each
// statistic over the runs and how far they spread.
type Aggregate struct {
	Runs []*Report
	// Failed are the labels of runs that gave no result.
	Failed []FailedRun
	// Confidence is the level of the intervals, 0.95 when 0.
	Confidence float64
	// Cooldown is the pause between runs in seconds.
	Cooldown float64
}

// FailedRun is a run that gave no result, and why.
type FailedRun struct{ Label, Error string }

// AggregateNames are the files of an Aggregate in the folder "aggregate".
const (
	AggregateJSON = "profile_export_aiperf_aggregate.json"
	AggregateCSV  = "profile_export_aiperf_aggregate.csv"
)

// RunLabel names the n-th run from 0, and its folder in profile_runs.
func RunLabel(n int) string { return fmt.Sprintf("run_%04d", n+1) }

// WriteFiles writes both files into dir, each whole or not at all.
func (a *Aggregate) WriteFiles(dir string) error {
	if err := WriteFile(join(dir, AggregateJSON), a.WriteJSON); err != nil {
		return err
	}
	return WriteFile(join(dir, AggregateCSV), a.WriteCSV)
}

func (a *Aggregate) level() float64 {
	if a.Confidence == 0 {
		return 0.95
	}
	return a.Confidence
}

func (a *Aggregate) spreads() []metric.Spread {
	results := make([]*metric.Result, len(a.Runs))
	for i, r := range a.Runs {
		results[i] = r.Result
	}
	var list []metric.Spread
	for _, s := range metric.AggregateRuns(results, a.level()) {
		if !internal(s.Metric.Tag) {
			list = append(list, s)
		}
	}
	return list
}

func (a *Aggregate) labels() []string {
	list := []string{}
	for i := range a.Runs {
		list = append(list, RunLabel(a.Runs[i].Run.Repeat))
	}
	return list
}

// WriteJSON writes profile_export_aiperf_aggregate.json, aiperf's schema 1.0.
func (a *Aggregate) WriteJSON(w io.Writer) error {
	if len(a.Runs) == 0 {
		return fmt.Errorf("no run gave a result, so there is nothing to aggregate")
	}
	first := a.Runs[0]
	var metrics object
	for _, s := range a.spreads() {
		metrics.add(s.Name(), spreadObject(s))
	}
	failed := []object{}
	for _, f := range a.Failed {
		failed = append(failed, object{{"label", f.Label}, {"error", f.Error}})
	}
	meta := object{
		{"aggregation_type", "confidence"},
		{"num_profile_runs", len(a.Runs) + len(a.Failed)},
		{"num_successful_runs", len(a.Runs)},
		{"failed_runs", failed},
		{"confidence_level", a.level()},
		{"run_labels", a.labels()},
	}
	if len(a.Runs) == 1 {
		meta.add("single_run", true)
	}
	meta.add("cooldown_seconds", a.Cooldown)
	meta.add("model", first.Run.Model)
	extra := object{{"format", extrasVersion}, {"version", first.Run.Version}, {"simulated", first.Run.Simulated}}
	if first.Run.Concurrency > 0 {
		extra.add("concurrency", first.Run.Concurrency)
	}
	if first.Run.NumGPUs > 0 {
		extra.add("num_gpus", first.Run.NumGPUs)
	}
	e := encoder{indent: true, text: first.Secrets.Text}
	e.value(object{
		{"schema_version", aggregateVersion},
		{"aiperf_version", "headway-" + first.Run.Version},
		{"metadata", meta},
		{"metrics", metrics},
		{"headway", extra},
	})
	_, err := w.Write(e.b)
	return err
}

// spreadObject has every key always; what does not exist is null, as in
// aiperf.
func spreadObject(s metric.Spread) object {
	one := s.Runs == 1
	at := func(v float64) any {
		if !finite(v) {
			return nil
		}
		return shown(s.Metric, v)
	}
	plain := func(v float64) any {
		if !finite(v) {
			return nil
		}
		return v
	}
	o := object{{"mean", at(s.Mean)}, {"std", at(s.Std)}, {"min", at(s.Min)}, {"max", at(s.Max)}, {"cv", plain(s.CV)},
		{"se", at(s.SE)}, {"ci_low", at(s.CILow)}, {"ci_high", at(s.CIHigh)}, {"t_critical", plain(s.TCritical)},
		{"unit", s.Metric.Unit}}
	if one {
		// aiperf says 0 for the spread of a single run. It is unknown, not
		// zero: null, which its readers take as well.
		o[1].value = nil
	}
	return o
}

// WriteCSV writes the same as a table, with the run's description below it.
func (a *Aggregate) WriteCSV(w io.Writer) error {
	if len(a.Runs) == 0 {
		return fmt.Errorf("no run gave a result, so there is nothing to aggregate")
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	rows := [][]string{{"metric", "mean", "std", "min", "max", "cv", "se", "ci_low", "ci_high", "t_critical", "unit"}}
	for _, s := range a.spreads() {
		at := func(v float64, digits int) string { return fixed(shown(s.Metric, v), digits) }
		rows = append(rows, []string{
			s.Name(), at(s.Mean, 2), at(s.Std, 2), at(s.Min, 2), at(s.Max, 2), fixed(s.CV, 4),
			at(s.SE, 4), at(s.CILow, 2), at(s.CIHigh, 2), fixed(s.TCritical, 4), s.Metric.Unit,
		})
	}
	labels := a.labels()
	for i, l := range labels {
		labels[i] = "'" + l + "'"
	}
	rows = append(rows, nil,
		[]string{"Aggregation Type", "confidence"},
		[]string{"Total Runs", strconv.Itoa(len(a.Runs) + len(a.Failed))},
		[]string{"Successful Runs", strconv.Itoa(len(a.Runs))},
		[]string{"Confidence Level", string(appendFloat(nil, a.level()))},
		[]string{"Run Labels", "[" + strings.Join(labels, ", ") + "]"},
		[]string{"Cooldown Seconds", string(appendFloat(nil, a.Cooldown))})
	return writeRows(out, w, rows)
}

// fixed is empty for what does not exist.
func fixed(v float64, digits int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}
