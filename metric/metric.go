// Package metric turns Records into figures. It is the only place where two
// times of a Record are subtracted: one metric a file, its formula in words
// beside it (ttft.go, itl.go, …), docs/metrics.md generated from [All].
//
// A [Collector] takes Records as they finish and keeps values, not Records;
// [Collector.Result] summarises them. Values are in base units (seconds,
// tokens, bytes, fractions); Metric.Scale turns them into the unit that is
// shown. The package never sees a workload or a generator, so a figure cannot
// depend on how a Record was made.
package metric

import "headway/record"

// Kind says how a metric's values come about.
type Kind uint8

const (
	// PerRecord metrics have at most one value a request.
	PerRecord Kind = iota
	// PerList metrics have any number of values a request, pooled over all.
	PerList
	// Aggregate metrics are counters, minima and maxima over all requests.
	Aggregate
	// Derived metrics are formulas over a run's totals.
	Derived
	// OverTime metrics are curves over the run, described by how long each
	// value held: their Summary has no count, no sum, no intervals and the
	// quantiles p50, p90, p95 and p99 alone.
	OverTime
)

// Direction says which way is better.
type Direction int8

const (
	// Neutral metrics are neither.
	Neutral Direction = 0
	// Lower is better: latencies.
	Lower Direction = -1
	// Higher is better: throughputs, and token counts, so that a bound on one
	// in a goodput objective is the least that a reply must have (aiperf's).
	Higher Direction = 1
)

// Group is the table that a metric is shown in.
type Group string

// The groups; the empty one is the main table. Cache, Prediction and Reasoning
// are tables that aiperf 0.13 has and leaves empty: the metrics that the names
// suggest are under Usage, here too.
const (
	GroupMain       Group = ""
	GroupEffective  Group = "Effective"
	GroupActive     Group = "Active"
	GroupUsage      Group = "Usage"
	GroupCache      Group = "Cache"
	GroupPrediction Group = "Prediction"
	GroupReasoning  Group = "Reasoning"
	GroupHTTP       Group = "HTTP Trace"
	GroupAdjusted   Group = "Adjusted for failures"
)

// Metric describes one figure: its name in files, its unit and its formula.
type Metric struct {
	Tag    string // "time_to_first_token"
	Header string // "Time to First Token"
	Unit   string // as shown and written: "ms", "tokens/sec/user"
	Scale  float64
	Kind   Kind
	Better Direction
	Group  Group
	// Formula is the definition in words and Source where it is from.
	Formula string
	Source  string
	// Streaming metrics exist only where replies came as a stream.
	Streaming bool
	// Failed metrics are taken from failed requests only.
	Failed bool
	// Console is false for metrics that are in files but not in the table.
	Console bool
	// Integer values are written without a fraction per record.
	Integer bool
	// Where is the file of this package that holds the formula.
	Where string

	value  func(*record.Record) (float64, bool)
	values func(*record.Record, []float64) []float64
	derive func(*Totals) (float64, bool)
	// adjusted metrics take every failed request as an infinite value.
	adjusted bool
	// absentIsZero is set for counters that files leave out while they are 0.
	absentIsZero bool
}

// Shown converts a value in base units to the metric's unit.
func (m Metric) Shown(v float64) float64 { return v * m.Scale }

// Quantile is one quantile of a sample with its uncertainty.
type Quantile struct {
	Q     float64 // 0.99
	Value float64 // linear interpolation on the sorted sample
	// Low and High are the order statistics between which the quantile lies
	// with 95 % confidence (binomial); equal to the sample's end where the
	// sample does not reach far enough.
	Low, High float64
	// Few is set when fewer than five samples lie beyond the quantile,
	// n(1−q) < 5: the value is then close to a single observation.
	Few bool
}

// Summary is the distribution of one metric over a run, in base units.
type Summary struct {
	Metric              Metric
	Count               int
	Sum, Mean, Min, Max float64
	// Std is the population standard deviation (divided by n), as aiperf's.
	Std float64
	// MeanLow and MeanHigh are the 95 % t-interval of the mean; NaN below two
	// values. It takes values as independent, which requests that share a
	// batch are not: repeats say more.
	MeanLow, MeanHigh float64
	// Quantiles are p1, p5, p10, p25, p50, p75, p90, p95, p99; fewer of an
	// OverTime metric.
	Quantiles []Quantile
}

// Scalar is the one value of an Aggregate or Derived metric, in base units.
type Scalar struct {
	Metric Metric
	Value  float64
}

// FailureCount counts failures that are the same. One of Type [OtherFailures]
// stands for all that are too many to list.
type FailureCount struct {
	Failure record.Failure
	Count   int
}

// Steady is the throughput over the part of a run in which at least 90 % of
// the asked concurrency was in flight, so without ramp and tail.
type Steady struct {
	Level    int     // concurrency that was asked for
	Begin    float64 // seconds on the run's clock
	Duration float64 // seconds; 0 when the level was never reached
	// RequestThroughput (requests/s) counts each good reply by the share of its
	// time in flight that lies inside, OutputTokenThroughput (tokens/s) spreads a
	// request's tokens over its chunks and counts those inside; the tokens of a
	// reply in one piece count like the reply.
	RequestThroughput     float64
	OutputTokenThroughput float64
	// Share is Duration over the time from the first start to the last reply's
	// end, failed requests included: 0 to 1.
	Share float64
}

// Result is everything computed from the Records of one run.
type Result struct {
	Summaries []Summary      // PerRecord and PerList metrics that have values
	Scalars   []Scalar       // Aggregate and Derived metrics that exist
	Warmup    *Result        // the warm-up phase, nil where there was none
	Failures  []FailureCount // the most frequent first, at most 1,000 and the others
	Finish    []FinishCount  // how replies ended, the most frequent first
	Steady    *Steady        // nil in an open loop without a concurrency
	// Offered and Completed (requests/s) are the [record.MiddleRate] of planned
	// starts and of the ends of good replies, the latter no more than the share
	// of requests that got one. What was completed is less than what a schedule
	// offered where the service did not keep up.
	Offered, Completed float64
	Verdicts           []Verdict
	Warnings           []record.Warning

	// Chunks says how the times of chunks were taken.
	Chunks Chunks
	// Tokens says whose counts of tokens the figures are made of.
	Tokens TokenCounts

	// Planned requests end as exactly one of the others.
	Planned, OK, Failed, Cancelled, Dropped int
}

// Chunks says how the times of a run's chunks were taken and kept.
type Chunks struct {
	Rule ChunkRule
	// Arrivals counts chunks with text of valid streamed replies, Together
	// those of them that were read in one read with another, and Spread those
	// whose time the rule moved.
	Arrivals, Together, Spread int
	// Gaps counts the values of inter_chunk_latency. They are exact up to
	// [GapLimit]; beyond it Error bounds the relative error of their
	// quantiles, and it is 0 where they are exact.
	Gaps  int
	Error float64
}

// Summary finds the distribution of a metric by its tag.
func (r *Result) Summary(tag string) (Summary, bool) {
	for _, s := range r.Summaries {
		if s.Metric.Tag == tag {
			return s, true
		}
	}
	return Summary{}, false
}

// Scalar finds a single value by its tag.
func (r *Result) Scalar(tag string) (Scalar, bool) {
	for _, s := range r.Scalars {
		if s.Metric.Tag == tag {
			return s, true
		}
	}
	return Scalar{}, false
}
