package report

import (
	"bytes"
	"encoding/json"
	"io"
	"math"

	"headway/record"
)

// comparisonVersion is that of results_summary.json.
const comparisonVersion = 1

const comparisonFormat = "headway.router"

type latencyDocument map[string]Figure

type tierDocument struct {
	Priority float64         `json:"priority"`
	Requests int             `json:"requests"`
	TTFT     latencyDocument `json:"time_to_first_token_ms"`
	ITL      latencyDocument `json:"inter_token_latency_ms"`
}

type runDocument struct {
	Case       string          `json:"case"`
	X          *float64        `json:"x,omitempty"`
	Name       string          `json:"name"`
	Dir        string          `json:"dir"`
	Repeats    int             `json:"repeats"`
	Planned    int             `json:"planned"`
	OK         int             `json:"ok"`
	Failed     int             `json:"failed"`
	Cut        int             `json:"cut_off"`
	TTFT       latencyDocument `json:"time_to_first_token_ms"`
	ITL        latencyDocument `json:"inter_token_latency_ms"`
	Latency    latencyDocument `json:"request_latency_ms"`
	Lag        latencyDocument `json:"replay_sched_lag_ms,omitempty"`
	LagBad     bool            `json:"replay_sched_degraded,omitempty"`
	Output     record.Number   `json:"output_token_throughput"`
	Throughput record.Number   `json:"request_throughput"`
	HitRate    record.Number   `json:"hit_rate"`
	HitsBy     string          `json:"hit_rate_source,omitempty"`
	// KVUsage, Preemptions and Energy are what servers and GPUs say of the first run.
	KVUsage     *shareDocument `json:"kv_usage,omitempty"`
	Preemptions *float64       `json:"preemptions,omitempty"`
	Energy      object         `json:"energy,omitempty"`

	Saturated bool            `json:"saturated"`
	Completed record.Number   `json:"completed_share"`
	Client    record.Verdict  `json:"client,omitempty"`
	Cluster   *record.Cluster `json:"cluster,omitempty"`
	// Workers are those of a live endpoint, Imbalance that of its busiest one.
	Workers *workersDocument `json:"workers,omitempty"`
	Tiers   []tierDocument   `json:"tiers,omitempty"`
	// Expected is where the figures of a server are expected, by metric and statistic.
	Expected map[string]expectedDocument `json:"expected,omitempty"`
	Errors   map[string]int              `json:"errors,omitempty"`
}

type expectedDocument struct {
	Low   float64 `json:"low,omitzero"`
	High  float64 `json:"high,omitzero"`
	Level float64 `json:"level,omitzero"`
	Why   string  `json:"no_interval,omitempty"`
}

type gainDocument struct {
	Case     string        `json:"case"`
	X        *float64      `json:"x,omitempty"`
	Arm      string        `json:"name"`
	Baseline string        `json:"over"`
	TTFT     record.Number `json:"time_to_first_token_avg"`
	TTFTP50  record.Number `json:"time_to_first_token_p50"`
	TTFTP99  record.Number `json:"time_to_first_token_p99"`
	ITL      record.Number `json:"inter_token_latency_avg"`
	Latency  record.Number `json:"request_latency_avg"`
	Output   record.Number `json:"output_token_throughput"`
	// Intervals are the 95 % intervals of those that have one.
	Intervals map[string][2]float64 `json:"intervals"`
	// Expected is where a server's gains are expected.
	Expected map[string]expectedDocument `json:"expected,omitempty"`
	Word     string                      `json:"time_to_first_token"`
	Quotable bool                        `json:"quotable"`
	Caution  string                      `json:"caution,omitempty"`
}

// document is a gain as files have it.
func (g Gain) document(name string, x *float64) gainDocument {
	d := gainDocument{Case: name, X: x, Arm: g.Arm, Baseline: g.Baseline, Intervals: map[string][2]float64{},
		Expected: map[string]expectedDocument{},
		Word:     g.Word, Quotable: g.Caution == "", Caution: g.Caution}
	for _, f := range []struct {
		name string
		of   Effect
		into *record.Number
	}{
		{"time_to_first_token_avg", g.TTFTMean, &d.TTFT}, {"time_to_first_token_p50", g.TTFTP50, &d.TTFTP50},
		{"time_to_first_token_p99", g.TTFTP99, &d.TTFTP99}, {"inter_token_latency_avg", g.ITLMean, &d.ITL},
		{"request_latency_avg", g.LatencyMean, &d.Latency}, {"output_token_throughput", g.OutputThroughput, &d.Output},
	} {
		*f.into = record.Number(f.of.Value)
		if finite(f.of.Low) && finite(f.of.High) {
			d.Intervals[f.name] = [2]float64{f.of.Low, f.of.High}
		}
		if x := f.of.Expected; x != nil {
			d.Expected[f.name] = expectedDocument(*x)
		}
	}
	return d
}

type comparisonDocument struct {
	Format    string           `json:"format"`
	Version   int              `json:"version"`
	Benchmark string           `json:"benchmark"`
	Simulated bool             `json:"simulated"`
	Command   string           `json:"command"`
	Seed      uint64           `json:"seed"`
	X         string           `json:"x_is,omitempty"`
	Runs      []runDocument    `json:"runs"`
	Gains     []gainDocument   `json:"gains"`
	Notes     []string         `json:"notes"`
	Warnings  []record.Warning `json:"warnings"`
}

// WriteJSON writes results_summary.json; docs/router-benchmark.md describes it.
func (c *Comparison) WriteJSON(w io.Writer) error {
	d := comparisonDocument{Format: comparisonFormat, Version: comparisonVersion, Benchmark: c.Benchmark,
		Simulated: c.Simulated,
		Command:   c.Command, Seed: c.Seed, X: c.XKey, Notes: append([]string{}, c.Notes...),
		Warnings: append([]record.Warning{}, c.Warnings...), Gains: []gainDocument{}}
	for _, k := range c.Cases {
		var x *float64
		if c.XKey != "" {
			x = &k.X
		}
		for _, a := range k.Arms {
			d.Runs = append(d.Runs, a.document(k.Name, x))
		}
		for _, g := range k.Gains(c.Baseline) {
			d.Gains = append(d.Gains, g.document(k.Name, x))
		}
	}
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, c.Secrets.JSON(text), "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err = w.Write(b.Bytes())
	return err
}

func (a Arm) document(name string, x *float64) runDocument {
	r := a.Report.Result
	sat, share := a.Saturation()
	d := runDocument{Case: name, X: x, Name: a.Name, Dir: a.Dir, Planned: r.Planned, OK: r.OK, Failed: r.Failed,
		Cut:     r.Cancelled,
		Repeats: len(a.Runs()), TTFT: a.latencies("time_to_first_token"), ITL: a.latencies("inter_token_latency"),
		Latency:    a.latencies("request_latency"),
		Output:     record.Number(a.value("output_token_throughput", "avg")),
		Throughput: record.Number(a.value("request_throughput", "avg")),
		HitRate:    record.Number(a.HitRate()), Saturated: sat, Completed: record.Number(share),
		Cluster: a.Report.Run.Cluster, Workers: a.Report.workers()}
	if _, by := a.Report.HitRate(); by != hitsCluster {
		d.HitsBy = by
	}
	d.told(a.Report)
	for _, f := range expectedFigures {
		if x := a.Expected(f.tag, f.stat); x != nil {
			if d.Expected == nil {
				d.Expected = map[string]expectedDocument{}
			}
			d.Expected[f.tag+"_"+f.stat] = expectedDocument(*x)
		}
	}
	if a.Report.Run.Audit != nil {
		d.Client = a.Report.Run.Audit.Verdict
	}
	if a.Report.Run.Schedule.Timed && !a.Report.Run.Simulated {
		d.Lag = a.latencies("credit_to_start_latency")
		d.LagBad = a.LagDegraded()
	}
	for _, f := range r.Failures {
		if d.Errors == nil {
			d.Errors = map[string]int{}
		}
		d.Errors[a.Report.Secrets.Text(f.Failure.Error())] += f.Count
	}
	for _, t := range a.Tiers {
		one := Arm{Report: &Report{Result: t.Result}}
		d.Tiers = append(d.Tiers, tierDocument{t.Priority, t.Result.OK, one.latencies("time_to_first_token"),
			one.latencies("inter_token_latency")})
	}
	return d
}

// lagLimit is the lateness in milliseconds of one request in a hundred above
// which a replay is not faithful, as in aiperf.
const lagLimit = 500

// LagDegraded says that requests of a timed replay were sent so late that it
// is not faithful: the 99th percentile of their lateness is above 500 ms.
func (a Arm) LagDegraded() bool {
	return a.Report.Run.Schedule.Timed && !a.Report.Run.Simulated &&
		a.value("credit_to_start_latency", "p99") > lagLimit
}

// latencies are the mean and the quantiles of a metric as they are shown.
func (a Arm) latencies(tag string) latencyDocument {
	d := latencyDocument{}
	for _, stat := range []string{"avg", "p25", "p50", "p75", "p90", "p95", "p99"} {
		e := a.Figure(tag, stat)
		if !math.IsNaN(e.Value) {
			d[stat] = e
		}
	}
	return d
}
