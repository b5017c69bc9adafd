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

import (
	"headway/record"
)

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
	GroupMain      Group = ""
	GroupEffective Group = "Effective"
	GroupActive    Group = "Active"
	GroupUsage     Group = "Usage"
	GroupHTTP      Group = "HTTP Trace"
	GroupServer    Group = "Server"
	GroupAdjusted  Group = "Adjusted for failures"
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
	// Low and High bound the 95 % interval, which knows that requests of one
	// run depend on each other (package series); NaN where there is none, and
	// Why says why.
	Low, High float64
	Why       Reason
	// AtLeast is set where requests that we ended ourselves reach into the
	// quantile: it is Value or more.
	AtLeast bool
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
	// MeanLow and MeanHigh bound the 95 % interval of the mean, which knows that
	// requests of one run depend on each other; NaN where there is none, and Why
	// says why. Only latencies and rates of requests have intervals.
	MeanLow, MeanHigh float64
	Why               Reason
	// Failed of the Count are requests that the server failed, whose value is
	// infinite, and Cut are requests that we ended before their value was known:
	// it is at least what had passed. Both are 0 but in a [Part].
	Failed, Cut int
	// Known describes the values that are known and finite where some are not;
	// nil where all are.
	Known *Summary
	// MeanAtLeast, MinAtLeast and MaxAtLeast are set where these are bounds from
	// below, for the requests that were cut off.
	MeanAtLeast, MinAtLeast, MaxAtLeast bool
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

// Rate is what was served a second, in base units.
type Rate struct {
	Metric Metric // output_token_throughput, …
	Value  float64
	// Low and High bound the 95 % interval; NaN where there is none, and Why
	// says why.
	Low, High float64
	Why       Reason
}

// Part is a stretch of a run and everything that went on in it. Its latencies
// are those of all measured requests that started in it: one that the server
// failed counts as infinite, one that we ended as at least what had passed. Its
// rates count what came in it, of whichever request, over its whole time.
type Part struct {
	// Begin and Duration are in seconds on the run's clock. Share is Duration
	// over the time in which measured requests were in flight, 0 to 1.
	Begin, Duration, Share float64
	// Requests is how many started in it; Failed and Cut of them the server
	// failed or we ended.
	Requests, Failed, Cut int
	// Outside is the share of their time in flight, 0 to 1, that belongs to
	// those two: figures of answered requests leave it out.
	Outside float64
	// InFlight is how many requests were in flight on average.
	InFlight float64
	// Assumed is the share of the output tokens, 0 to 1, that nobody counted:
	// of measured replies that were cut off where the server counts. They are
	// taken as so many a chunk as whole replies have, as are those of requests
	// before and after the measured ones, which are not in this share.
	Assumed   float64
	Latencies []Summary
	Rates     []Rate
}

// Sample is one request's value of a metric, in base units.
type Sample struct {
	Index int // the Record's
	Value float64
}

// Summary finds a latency of the part by its tag.
func (p *Part) Summary(tag string) (Summary, bool) {
	if p != nil {
		for _, s := range p.Latencies {
			if s.Metric.Tag == tag {
				return s, true
			}
		}
	}
	return Summary{}, false
}

// Rate finds a rate of the part by its tag.
func (p *Part) Rate(tag string) (Rate, bool) {
	if p != nil {
		for _, r := range p.Rates {
			if r.Metric.Tag == tag {
				return r, true
			}
		}
	}
	return Rate{}, false
}

// Steady is the part of a run without its start and its tail, see
// [view.steady].
type Steady struct {
	// Level is the concurrency that was asked for, 0 in an open loop.
	Level int
	Part  // of duration 0 where there is none
	// Reached is set where nine tenths of the level were in flight at a time.
	Reached bool
	// Drifts is set where no stationary stretch was found after the start.
	Drifts bool
}

// Result is everything computed from the Records of one run.
type Result struct {
	Summaries []Summary      // PerRecord and PerList metrics that have values
	Scalars   []Scalar       // Aggregate and Derived metrics that exist
	Warmup    *Result        // the warm-up phase, nil where there was none
	Failures  []FailureCount // the most frequent first, at most 1,000 and the others
	Finish    []FinishCount  // how replies ended, the most frequent first
	// Whole is all that was measured; nil where nothing was sent. Summaries and
	// Scalars are by aiperf's definitions, which leave out what failed and what
	// was cut off, and the time that went into it.
	Whole  *Part
	Steady *Steady // nil where nothing was sent
	// Samples are the latencies of valid replies that started in the leading
	// part, by tag and in the order of starts; nil unless asked for.
	Samples map[string][]Sample
	// Offered and Completed (requests/s) are the [record.MiddleRate] of planned
	// starts and of the ends of good replies, the latter no more than the share
	// of requests that got one; 0 where that is not known. What was completed is
	// less than what a schedule offered where the service did not keep up.
	Offered, Completed float64
	Verdicts           []Verdict
	Warnings           []record.Warning

	// Overview is what pictures of the run are made of; nil where nothing was sent.
	Overview *Overview

	// Chunks says how the times of chunks were taken.
	Chunks Chunks
	// Tokens says whose counts of tokens the figures are made of.
	Tokens TokenCounts

	// Workers are what a server's workers did, as far as replies name them.
	Workers Workers

	// Tail says where the time of the slowest requests went: put here by whoever runs
	// the measurement, nil where too few were answered.
	Tail *Tail

	// Pace says of how many replies the pace of their tokens is known; see
	// [Result.Meaningless].
	Pace ReadPace
	// Undecided counts valid replies of which it is not known whether they
	// meet the goodput objectives.
	Undecided int

	// Planned requests end as exactly one of the others.
	Planned, OK, Failed, Cancelled, Dropped int
}

// Chunks says how the times of a run's chunks were taken and kept.
type Chunks struct {
	Rule ChunkRule
	// Arrivals counts chunks with text of valid streamed replies, Coalesced
	// those of them that were read in one read with another, and Spread those
	// whose time the rule moved.
	Arrivals, Coalesced, Spread int
	// Gaps counts the values of inter_chunk_latency. They are exact up to
	// [GapLimit]; beyond it Error bounds the relative error of their
	// quantiles, and it is 0 where they are exact.
	Gaps  int
	Error float64
}

// Lead is the part whose figures tables and pictures lead with: the steady one,
// where it has ten requests or is half of the run, since the start of a load
// measures itself and its end an emptier server; else the whole run. Nil where nothing was sent.
func (r *Result) Lead() (p *Part, steady bool) {
	if s := r.Steady; s != nil && s.Duration > 0 && len(s.Latencies) > 0 &&
		(s.Requests >= leadRequests || s.Share >= 0.5) {
		return &s.Part, true
	}
	return r.Whole, false
}

// leadRequests is how many requests a steady part needs to lead where it is less
// than half of the run: of fewer the accident of which they are is larger than
// what the start of a load adds.
const leadRequests = 10

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
