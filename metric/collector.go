package metric

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sync"

	"headway/record"
)

// Options say how a run's records are to be read. The zero value gives the
// metrics of a run that did not stream.
type Options struct {
	// Clock is that of the run; it turns Times to wall time.
	Clock record.Clock
	// Concurrency is the asked number of requests in flight, 0 in an open
	// loop without a limit; Result.Steady is of it.
	Concurrency int
	// Goodput are bounds on single requests, as [ParseGoodput] reads them.
	Goodput []Objective
	// Objectives are bounds on the result, as [ParseObjective] reads them.
	Objectives []Objective
	// PerChunkUsage takes the server's usage at the first chunk for the
	// divisor of the inter-token latency, see [ITLByUsage].
	PerChunkUsage bool
	// Streaming says that replies were asked for as streams. Without it no
	// metric that needs one exists.
	Streaming bool
	// FixedSchedule says that requests have planned times, so that it can be
	// told how well they were kept; see replay_sched_lag_p99.
	FixedSchedule bool
	// NumGPUs is the declared number of GPUs of the endpoint, 0 where not said.
	NumGPUs int
	// Samples asks for Result.Samples.
	Samples bool
	// ChunkRule says what becomes of the times of chunks that were read
	// together; the zero value leaves them.
	ChunkRule ChunkRule
	// Tokens says whose counts of tokens the figures are made of.
	Tokens TokenSource
	// AsAiperf keeps inter-token latencies and speeds per user that the reads
	// say nothing of, for scripts that look for aiperf's keys in every result.
	// They are warned of all the same.
	AsAiperf bool
}

// metrics is the table that the options leave.
func (o Options) metrics() []Metric {
	table := byTokens
	switch {
	case o.AsAiperf && o.PerChunkUsage:
		table = allByUsage
	case o.AsAiperf:
		table = allByTokens
	case o.PerChunkUsage:
		table = byUsage
	}
	if o.Streaming {
		return table
	}
	return slices.DeleteFunc(slices.Clone(table), func(m Metric) bool { return m.Streaming })
}

// Collector is a record.Sink that keeps the values of every metric and lets the
// Record go. All are exact, but for the gaps between chunks of a run that has
// more than [GapLimit] of them. Only [Collector.Live] may be called
// while another goroutine is in Take.
type Collector struct {
	options Options
	table   []Metric
	columns []column // by the table's index
	totals  Totals
	goals   []goal
	result  Result // the counts alone
	failed  map[record.Failure]int
	times   timeline
	read    reading
	seen    evidence
	ends    endings
	workers workers
	warmup  *Collector
	broken  []broken // requests that were sent and have no valid reply
	// server has the same Records with the server's counts of tokens; nil where
	// they were not asked for and once a reply lacks them.
	server  *Collector
	scratch []float64 // values being summarised

	mu   sync.Mutex
	live tally
}

// NewCollector makes an empty Collector.
func NewCollector(o Options) *Collector {
	table := o.metrics()
	c := &Collector{
		options: o,
		table:   table,
		columns: make([]column, len(table)),
		times:   timeline{limit: GapLimit},
		read:    reading{rule: o.ChunkRule},
		totals:  Totals{Clock: o.Clock, NumGPUs: o.NumGPUs, Goals: len(o.Goodput) > 0},
		goals:   goals(o.Goodput, table),
		failed:  map[record.Failure]int{},
		seen:    evidence{kept: o.AsAiperf},
	}
	if o.Tokens == TokensAuto {
		o.Tokens = TokensServer
		c.server = NewCollector(o)
	}
	return c
}

// Take adds a Record. It never fails.
func (c *Collector) Take(r *record.Record) error {
	shown := c.byServer(r)
	c.mu.Lock()
	c.live.add(shown)
	c.mu.Unlock()
	if !r.Warmup {
		c.add(r)
		return nil
	}
	if c.warmup == nil {
		c.warmup = NewCollector(Options{
			Clock: c.options.Clock, NumGPUs: c.options.NumGPUs,
			PerChunkUsage: c.options.PerChunkUsage, AsAiperf: c.options.AsAiperf, Streaming: c.options.Streaming,
			ChunkRule: c.options.ChunkRule,
		})
	}
	c.warmup.add(r)
	return nil
}

func (c *Collector) add(r *record.Record) {
	c.result.Planned++
	if !c.outcome(r) {
		return
	}
	c.seen.add(r, c.options)
	c.ends.add(r)
	c.workers.add(r)
	r = c.read.of(r)
	place := c.times.spans.len()
	for i := range c.table {
		// Those that adjust for failures have the values of the plain ones,
		// and lists are on the timeline.
		if m := &c.table[i]; m.value != nil && !m.adjusted {
			if v, ok := m.value(r); ok {
				c.columns[i].add(place, v)
			}
		}
	}
	c.totals.add(r)
	if v, ok := lagOf(r); ok && c.options.FixedSchedule {
		c.totals.lags = append(c.totals.lags, v)
	}
	met := c.totals.Goals && c.goodput(r)
	if !Valid(r) {
		c.broken = append(c.broken, brokenOf(r, place))
	}
	c.times.add(r, met)
}

// outcome counts what became of a request; false for one that was not sent,
// which counts nowhere else.
func (c *Collector) outcome(r *record.Record) bool {
	switch {
	case r.Outcome == record.Dropped:
		c.result.Dropped++
		return false
	case Valid(r):
		c.result.OK++
		return true
	case r.Outcome == record.Cancelled:
		c.result.Cancelled++
	default:
		c.result.Failed++
	}
	f, _ := FailureOf(r)
	c.failed[f]++
	return true
}

// FailureOf is why a record counts as an error; false where it does not, see
// [Erred]. A record that says OK and is not valid has no Failure of its own,
// so that the reason is given here.
func FailureOf(r *record.Record) (record.Failure, bool) {
	if !Erred(r) {
		return record.Failure{}, false
	}
	if r.Failure != nil {
		return *r.Failure, true
	}
	f := record.Failure{Class: record.ClassEmpty, Type: "InvalidInferenceResultError",
		Message: "the reply has no text"}
	switch _, text := firstOf(r, anyText); {
	case r.Outcome == record.Cancelled:
		f = record.Failure{Class: record.ClassCancelled, Code: 499, Type: "RequestCancellationError",
			Message: "the request was given up"}
	case r.Outcome == record.Failed:
		f = record.Failure{Class: record.ClassClient, Type: "Error",
			Message: "the request failed, the cause was not recorded"}
	case text:
		f.Class, f.Message = record.ClassClient, "the reply's times lie before the request's start"
	}
	return f, true
}

// Result summarises the records taken so far. It depends on the set of them
// alone and not on the order in which they were taken, to the last bit.
func (c *Collector) Result() *Result {
	if r := c.serverResult(); r != nil {
		return r
	}
	r := c.result
	totals := c.totals
	totals.sums, totals.decoded = map[string]float64{}, c.seen.decoded
	r.Pace, r.Undecided = c.seen.decoded.pace, c.totals.Undecided
	curves := c.times.sweep()
	v := c.view()
	v.hides = func(tag string) bool { return c.hides(&r, tag) }
	r.Steady = v.steady(c.options.Concurrency)
	for i, m := range c.table {
		if s, ok := c.summary(i, curves, &v); ok && !c.hides(&r, m.Tag) {
			if c.summable(m.Tag, s.Count) {
				totals.sums[m.Tag] = s.Sum
			}
			r.Summaries = append(r.Summaries, s)
		}
	}
	r.Scalars = c.scalars(&totals)
	r.Failures = c.failures()
	r.Finish = c.ends.counts()
	r.Whole = v.whole()
	r.Overview = v.overview()
	if c.options.Samples {
		_, steady := r.Lead()
		r.Samples = v.samples(steady)
	}
	r.Offered, r.Completed = c.times.delivered()
	r.Chunks = c.chunks()
	r.Workers = c.workers.result()
	r.Tokens = c.seen.tokens.counts(c.options)
	if c.warmup != nil {
		r.Warmup = c.warmup.Result()
		r.Warmup.Warnings = nil // a warm-up is not a measurement
	}
	r.Verdicts = c.check(&r, &v)
	r.Warnings = slices.Concat(lossWarnings(&r), c.seen.warnings(&r, c.totals), r.Tokens.warnings(), c.ends.warnings())
	if v, ok := totals.lag(99); ok && v > degradedLag {
		r.Warnings = append(r.Warnings, record.Warning{Code: "replay_sched_degraded", Text: fmt.Sprintf(
			"one request in a hundred was sent %.0f ms late or more: this is not the schedule that was asked for",
			v*1000)})
	}
	return &r
}

// scalars are the metrics that follow from totals; those that do not are left out.
func (c *Collector) scalars(totals *Totals) (list []Scalar) {
	for _, m := range c.table {
		if m.derive == nil {
			continue
		}
		if v, ok := m.derive(totals); ok && !math.IsNaN(v) && !math.IsInf(v, 0) {
			list = append(list, Scalar{Metric: m, Value: v})
		}
	}
	return list
}

// summary describes the metric at an index of the table; false where it has no
// values.
func (c *Collector) summary(i int, curves map[string]Summary, v *view) (Summary, bool) {
	m := c.table[i]
	switch {
	case m.Kind == OverTime:
		s, ok := curves[m.Tag]
		s.Metric = m
		return s, ok
	case m.values != nil:
		s, ok := v.gapSummary(m)
		if v.holdsStart {
			s.without(HoldsStart)
		}
		return s, ok
	case m.adjusted:
		plain := slices.IndexFunc(c.table, func(p Metric) bool { return "adj_"+p.Tag == m.Tag })
		if c.columns[plain].len() == 0 || c.totals.Errors == 0 {
			return Summary{}, false
		}
		c.scratch = c.columns[plain].values(c.scratch[:0])
		return summariseAdjusted(m, c.scratch, c.totals.Errors), true
	case c.columns[i].len() == 0:
		return Summary{}, false
	}
	if !m.sampled() {
		c.scratch = c.columns[i].values(c.scratch[:0])
		return Summarise(m, c.scratch), true
	}
	s := summariseSeries(m, v.answers(i), v.inFlight())
	if v.holdsStart {
		s.without(HoldsStart)
	}
	return s, true
}

// sampled reports whether the metric's mean is an estimate: latencies and
// rates are, what was asked for and what was counted are not.
func (m Metric) sampled() bool {
	return m.Kind == PerRecord && m.Better != Neutral && !m.Integer && m.Group != GroupHTTP &&
		m.Group != GroupServer && m.Group != GroupUsage && !m.Failed
}

// chunks says how the times of chunks were taken.
func (c *Collector) chunks() Chunks {
	k := Chunks{Rule: c.options.ChunkRule, Arrivals: c.seen.arrivals, Coalesced: c.seen.coalesced, Spread: c.read.moved,
		Gaps: c.times.gaps}
	if !c.times.exact() {
		k.Error = GapError
	}
	return k
}

// OtherFailures is the Type of the entry that stands for all failures beyond
// the thousand that are listed. It has no class and no code.
const OtherFailures = "(others)"

// maxFailures is how many kinds of failure a result lists. A server that puts
// the request's id into its message makes a kind of every failure.
const maxFailures = 1000

// failures lists what went wrong, the most frequent first.
//
// The list is cut here and not while failures are counted: which kinds are the
// most frequent is known only now, and a list of those that came first would
// depend on the order of records. Until then every kind stays in memory, as the
// values of valid requests do.
func (c *Collector) failures() []FailureCount {
	var list []FailureCount
	for f, n := range c.failed {
		list = append(list, FailureCount{Failure: f, Count: n})
	}
	slices.SortFunc(list, func(a, b FailureCount) int {
		return cmp.Or(
			cmp.Compare(b.Count, a.Count),
			cmp.Compare(a.Failure.Class, b.Failure.Class),
			cmp.Compare(a.Failure.Code, b.Failure.Code),
			cmp.Compare(a.Failure.Type, b.Failure.Type),
			cmp.Compare(a.Failure.Message, b.Failure.Message),
		)
	})
	if len(list) <= maxFailures {
		return list
	}
	others := 0
	for _, f := range list[maxFailures:] {
		others += f.Count
	}
	message := fmt.Sprintf("%d more kinds of failure, none more frequent than those listed", len(list)-maxFailures)
	return append(list[:maxFailures:maxFailures], FailureCount{
		Failure: record.Failure{Type: OtherFailures, Message: message}, Count: others,
	})
}
