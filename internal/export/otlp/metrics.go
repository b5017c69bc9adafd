package otlp

import (
	"maps"
	"slices"
	"time"

	commonpb "go.opentelemetry.io/proto/slim/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"

	"headway/internal/export/tally"
	"headway/record"
)

// pushMetrics sends the tally as it stands; before the first run there is nothing.
func (e *Exporter) pushMetrics() error {
	states := e.c.Tally.Now()
	if len(states) == 0 {
		return nil
	}
	body, err := proto.Marshal(e.metrics(states, time.Now()))
	if err != nil {
		return err
	}
	return e.post(e.c.Metrics, body, e.readMetrics)
}

// points makes metrics of one moment, point by point of what is measured.
type points struct {
	since, now uint64
	common     []*commonpb.KeyValue
	all        []*metricspb.Metric
}

// metrics is the message of all States.
func (e *Exporter) metrics(states []tally.State, now time.Time) *metricspb.MetricsData {
	p := &points{now: uint64(now.UnixNano())}
	for _, s := range states {
		p.since = uint64(s.Since.UnixNano())
		p.common = slices.Concat(e.operation(s.Run), server(s.Run.URL), of(s.Point))
		p.state(s)
	}
	scope := &metricspb.ScopeMetrics{Scope: e.scope(), Metrics: p.all}
	return &metricspb.MetricsData{ResourceMetrics: []*metricspb.ResourceMetrics{
		{Resource: e.resource(), ScopeMetrics: []*metricspb.ScopeMetrics{scope}}}}
}

// state adds the series of a State. The names that begin with gen_ai are those of the
// semantic conventions.
func (p *points) state(s tally.State) {
	p.histogram("gen_ai.client.operation.duration", "s", "Start of a request to its last text.", s.Latency)
	p.histogram("gen_ai.client.operation.time_to_first_chunk", "s", "Time to the first text (TTFT).", s.TTFT)
	p.histogram("gen_ai.client.token.usage", "{token}", "Tokens of a request.", s.Input,
		text("gen_ai.token.type", "input"))
	p.histogram("gen_ai.client.token.usage", "{token}", "Tokens of a request.", s.Output,
		text("gen_ai.token.type", "output"))
	p.histogram("headway.inter_token_latency", "s", "Time between two output tokens, the mean of a request.", s.ITL)
	p.histogram("headway.start_delay", "s", "Time from the planned to the real start of a request.", s.Delay)
	p.counts("headway.requests", "{request}", "Planned requests that ended, by what became of them.", "headway.outcome",
		map[string]int64{"ok": s.OK, "failed": s.Failed, "cancelled": s.Cancelled, "dropped": s.Dropped})
	classes := map[string]int64{}
	for class, n := range s.Failures {
		classes[string(class)] = n
	}
	p.counts("headway.failures", "{request}", "Failed requests by reason.", "error.type", classes)
	p.counts("headway.requests.sent", "{request}", "Requests sent and ended.", "", map[string]int64{"": s.Sent})
	p.counts("headway.requests.late", "{request}", "Answered requests that started later than planned.", "",
		map[string]int64{"": s.Late})
	p.counts("headway.requests.warmup", "{request}", "Requests of warm-ups.", "", map[string]int64{"": s.Warmup})
	p.gauge("headway.requests.in_flight", "{request}", "Requests without a whole reply.", s.InFlight)
	p.verdict("stamps", s.Stamps)
	p.verdict("schedule", s.Schedule)
}

func (p *points) with(more ...*commonpb.KeyValue) []*commonpb.KeyValue {
	return append(slices.Clip(p.common), more...)
}

func (p *points) cells(h tally.Histogram, more ...*commonpb.KeyValue) *metricspb.HistogramDataPoint {
	return &metricspb.HistogramDataPoint{Attributes: p.with(more...), StartTimeUnixNano: p.since, TimeUnixNano: p.now,
		Count: h.Count, Sum: &h.Sum, BucketCounts: h.Counts, ExplicitBounds: h.Bounds}
}

// metric is that of a name; data begins it where it is new.
func (p *points) metric(name, unit, what string, data func(*metricspb.Metric)) *metricspb.Metric {
	if i := slices.IndexFunc(p.all, func(m *metricspb.Metric) bool { return m.Name == name }); i >= 0 {
		return p.all[i]
	}
	m := &metricspb.Metric{Name: name, Unit: unit, Description: what}
	data(m)
	p.all = append(p.all, m)
	return m
}

const cumulative = metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE

func (p *points) histogram(name, unit, what string, h tally.Histogram, more ...*commonpb.KeyValue) {
	m := p.metric(name, unit, what, func(m *metricspb.Metric) {
		m.Data = &metricspb.Metric_Histogram{Histogram: &metricspb.Histogram{AggregationTemporality: cumulative}}
	}).GetHistogram()
	m.DataPoints = append(m.DataPoints, p.cells(h, more...))
}

// counts adds a counter with a point for each value of an attribute.
func (p *points) counts(name, unit, what, by string, values map[string]int64) {
	for _, value := range slices.Sorted(maps.Keys(values)) {
		point := p.number(values[value])
		if by != "" {
			point.Attributes = append(point.Attributes, text(by, value))
		}
		sum := p.metric(name, unit, what, func(m *metricspb.Metric) {
			m.Data = &metricspb.Metric_Sum{Sum: &metricspb.Sum{IsMonotonic: true, AggregationTemporality: cumulative}}
		}).GetSum()
		sum.DataPoints = append(sum.DataPoints, point)
	}
}

func (p *points) number(n int64) *metricspb.NumberDataPoint {
	return &metricspb.NumberDataPoint{Attributes: p.with(), StartTimeUnixNano: p.since, TimeUnixNano: p.now,
		Value: &metricspb.NumberDataPoint_AsInt{AsInt: n}}
}

func (p *points) gauge(name, unit, what string, n int64) {
	m := p.metric(name, unit, what, func(m *metricspb.Metric) {
		m.Data = &metricspb.Metric_Gauge{Gauge: &metricspb.Gauge{}}
	}).GetGauge()
	m.DataPoints = append(m.DataPoints, p.number(n))
}

// verdict adds one of the verdicts on the client, once there is one.
func (p *points) verdict(question string, v record.Verdict) {
	if v == "" {
		return
	}
	p.gauge("headway.client."+question, "1", "Verdict on the client: 0 valid, 1 doubtful, 2 invalid.", tally.Level(v))
}
