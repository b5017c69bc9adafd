// Package llmd writes a run as a Benchmark Report v0.2 of llm-d, the form in which its
// tools compare what different load generators measured. The schema is that of
// llmdbenchmark/analysis/benchmark_report in llm-d-benchmark; JSON is what its reader of
// YAML takes, too.
//
// What headway does not know (the stack that was measured, its pods) is left out.
// Figures are those of package metric, times in seconds.
package llmd

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"headway/metric"
	"headway/record"
	"headway/report"
)

// Name is that of the file in a folder of results.
const Name = "benchmark_report_v0.2.json"

// The parts of the schema that are written.
type (
	document struct {
		Version  string    `json:"version"`
		Run      run       `json:"run"`
		Scenario *scenario `json:"scenario,omitempty"`
		Results  results   `json:"results"`
	}
	run struct {
		UID         string  `json:"uid"`
		Time        runTime `json:"time"`
		Description string  `json:"description,omitempty"`
	}
	runTime struct {
		Start    time.Time `json:"start"`
		End      time.Time `json:"end"`
		Duration string    `json:"duration"`
	}
	scenario struct {
		Load load `json:"load"`
	}
	load struct {
		Metadata     loadMetadata `json:"metadata"`
		Standardized standardized `json:"standardized"`
		Native       native       `json:"native"`
	}
	loadMetadata struct {
		CfgID string `json:"cfg_id,omitempty"`
	}
	standardized struct {
		Tool        string   `json:"tool"`
		ToolVersion string   `json:"tool_version"`
		Source      string   `json:"source"`
		Input       length   `json:"input_seq_len"`
		Output      *length  `json:"output_seq_len,omitempty"`
		Rate        *float64 `json:"rate_qps,omitempty"`
		Concurrency *int     `json:"concurrency,omitempty"`
	}
	length struct {
		Distribution string   `json:"distribution"`
		Value        float64  `json:"value"`
		Deviation    *float64 `json:"std_dev,omitempty"`
		Min          *int     `json:"min,omitempty"`
		Max          *int     `json:"max,omitempty"`
	}
	native struct {
		Args   map[string]string `json:"args"`
		Config json.RawMessage   `json:"config,omitempty"`
	}
	results struct {
		Performance struct {
			Aggregate aggregate `json:"aggregate"`
		} `json:"request_performance"`
	}
	aggregate struct {
		Requests   requests              `json:"requests"`
		Latency    map[string]statistics `json:"latency,omitempty"`
		Throughput map[string]statistics `json:"throughput,omitempty"`
	}
	requests struct {
		Total      int         `json:"total"`
		Failures   int         `json:"failures"`
		Incomplete int         `json:"incomplete"`
		Input      *statistics `json:"input_length,omitempty"`
		Output     *statistics `json:"output_length,omitempty"`
	}
)

// Write writes the report of a run, secrets taken out.
func Write(w io.Writer, rep *report.Report) error {
	h, r := rep.Run.Header, rep.Result
	clock := record.ClockAt(h.Origin)
	d := document{Version: "0.2", Run: run{UID: h.ID, Description: cut(rep), Time: runTime{
		Start:    clock.Wall(rep.Run.Begin).UTC(),
		End:      clock.Wall(max(rep.Run.Begin, rep.Run.End)).UTC(),
		Duration: duration(r),
	}}}
	d.Scenario = scenarioOf(rep)
	a := &d.Results.Performance.Aggregate
	a.Requests = requests{Total: r.OK + r.Failed + r.Cancelled, Failures: r.Failed, Incomplete: r.Cancelled,
		Input:  distribution(r, "input_sequence_length", "count"),
		Output: distribution(r, "output_sequence_length", "count")}
	a.Latency = latencies(r)
	a.Throughput = throughputs(r)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(d); err != nil {
		return fmt.Errorf("writing the report for llm-d: %w", err)
	}
	return nil
}

// cut says that a run did not come to its planned end.
func cut(rep *report.Report) string {
	switch {
	case rep.Run.Aborted != "":
		return rep.Secrets.Text("not complete: " + rep.Run.Aborted)
	case rep.Run.Cancelled:
		return "not complete: cancelled by the user"
	}
	return ""
}

// duration is the time that throughputs are divided by, as ISO 8601 has it.
func duration(r *metric.Result) string {
	s, _ := r.Scalar("benchmark_duration")
	return "PT" + strconv.FormatFloat(s.Value, 'f', -1, 64) + "S"
}

// scenarioOf is the load; nil where the lengths of prompts, which the schema wants, are
// not known.
func scenarioOf(rep *report.Report) *scenario {
	input := lengthOf(rep.Result, "input_sequence_length")
	if input == nil {
		return nil
	}
	h := rep.Run.Header
	config := rep.Secrets.JSON(h.Config)
	s := &scenario{Load: load{Standardized: standardized{Tool: "headway", ToolVersion: h.Version, Source: "unknown",
		Input: *input}, Native: native{Config: config, Args: map[string]string{
		"command": rep.Secrets.Text(h.Command), "model": h.Model, "url": rep.Secrets.Text(h.URL),
		"seed": strconv.FormatUint(h.Seed, 10)}}}}
	if len(config) > 0 {
		sum := sha256.Sum256(config)
		s.Load.Metadata.CfgID = hex.EncodeToString(sum[:16])
	}
	if h.Rate > 0 {
		s.Load.Standardized.Rate = &h.Rate
	}
	if h.Concurrency > 0 {
		s.Load.Standardized.Concurrency = &h.Concurrency
	}
	return s
}

// lengthOf is how many tokens there were: what was measured, not what was asked for.
func lengthOf(r *metric.Result, tag string) *length {
	s, ok := r.Summary(tag)
	if !ok {
		return nil
	}
	if s.Min == s.Max {
		return &length{Distribution: "fixed", Value: s.Mean}
	}
	low, high := int(s.Min), int(s.Max)
	return &length{Distribution: "other", Value: s.Mean, Deviation: &s.Std, Min: &low, Max: &high}
}
