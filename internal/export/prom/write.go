package prom

import (
	"io"
	"maps"
	"math"
	"slices"
	"strconv"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/proto"

	"headway/internal/export/tally"
)

// Write writes States in a format that was agreed on.
func Write(w io.Writer, states []tally.State, format expfmt.Format) error {
	e := expfmt.NewEncoder(w, format)
	for _, f := range families(states) {
		if err := e.Encode(f); err != nil {
			return err
		}
	}
	if end, ok := e.(expfmt.Closer); ok {
		return end.Close()
	}
	return nil
}

// kind is a metric: its name, what it is, and its series of a State.
type kind struct {
	name, help string
	kind       dto.MetricType
	of         func(tally.State) []*dto.Metric
}

// kinds are the metrics in the order in which they stand on the page.
var kinds = []kind{
	{"headway_requests_total", "Planned requests that ended, by what became of them.", dto.MetricType_COUNTER,
		outcomes},
	count("headway_requests_sent_total", "Requests that were sent and ended.",
		func(s tally.State) int64 { return s.Sent }),
	count("headway_requests_late_total", "Answered requests that started later than planned.",
		func(s tally.State) int64 { return s.Late }),
	count("headway_warmup_requests_total", "Requests of warm-ups that ended.",
		func(s tally.State) int64 { return s.Warmup }),
	level("headway_requests_in_flight", "Requests without a whole reply.",
		func(s tally.State) int64 { return s.InFlight }),
	level("headway_requests_waiting", "Requests in flight without text yet.",
		func(s tally.State) int64 { return s.Waiting }),
	spread("headway_time_to_first_token_seconds", "Time to the first text (TTFT).",
		func(s tally.State) tally.Histogram { return s.TTFT }),
	spread("headway_inter_token_latency_seconds", "Time between output tokens, the mean of a request.",
		func(s tally.State) tally.Histogram { return s.ITL }),
	spread("headway_request_latency_seconds", "Time from the start of a request to its last text.",
		func(s tally.State) tally.Histogram { return s.Latency }),
	spread("headway_start_delay_seconds", "Time from the planned to the real start of a request.",
		func(s tally.State) tally.Histogram { return s.Delay }),
	spread("headway_input_tokens", "Input tokens of a request.",
		func(s tally.State) tally.Histogram { return s.Input }),
	spread("headway_output_tokens", "Output tokens of a request.",
		func(s tally.State) tally.Histogram { return s.Output }),
	{"headway_request_failures_total", "Failed requests by reason.", dto.MetricType_COUNTER, failures},
	{"headway_client_verdict", "Verdict on the client: 0 valid, 1 doubtful, 2 invalid.", dto.MetricType_GAUGE,
		verdicts},
	{"headway_run_info", "The run under way, or the last one.", dto.MetricType_GAUGE, info},
}

// families are the metrics of States: each series has the names of its point as labels.
func families(states []tally.State) []*dto.MetricFamily {
	var all []*dto.MetricFamily
	for _, k := range kinds {
		f := &dto.MetricFamily{Name: &k.name, Help: &k.help, Type: &k.kind}
		for _, s := range states {
			at := point(s.Point)
			for _, m := range k.of(s) {
				m.Label = slices.Concat(at, m.Label)
				f.Metric = append(f.Metric, m)
			}
		}
		if len(f.Metric) > 0 {
			all = append(all, f)
		}
	}
	return all
}

func count(name, help string, of func(tally.State) int64) kind {
	return kind{name, help, dto.MetricType_COUNTER, func(s tally.State) []*dto.Metric {
		return []*dto.Metric{counter(of(s))}
	}}
}

func level(name, help string, of func(tally.State) int64) kind {
	return kind{name, help, dto.MetricType_GAUGE, func(s tally.State) []*dto.Metric {
		return []*dto.Metric{gauge(of(s))}
	}}
}

func spread(name, help string, of func(tally.State) tally.Histogram) kind {
	return kind{name, help, dto.MetricType_HISTOGRAM, func(s tally.State) []*dto.Metric {
		return []*dto.Metric{histogram(of(s))}
	}}
}

func outcomes(s tally.State) []*dto.Metric {
	return []*dto.Metric{counter(s.OK, "outcome", "ok"), counter(s.Failed, "outcome", "failed"),
		counter(s.Cancelled, "outcome", "cancelled"), counter(s.Dropped, "outcome", "dropped")}
}

func failures(s tally.State) (all []*dto.Metric) {
	for _, class := range slices.Sorted(maps.Keys(s.Failures)) {
		all = append(all, counter(s.Failures[class], "class", string(class)))
	}
	return all
}

// verdicts are those on the client, once there are some.
func verdicts(s tally.State) []*dto.Metric {
	if s.Stamps == "" && s.Schedule == "" {
		return nil
	}
	return []*dto.Metric{gauge(tally.Level(s.Stamps), "question", "stamps"),
		gauge(tally.Level(s.Schedule), "question", "schedule")}
}

func info(s tally.State) []*dto.Metric {
	h := s.Run
	return []*dto.Metric{gauge(1, "run_id", h.ID, "model", h.Model, "concurrency", strconv.Itoa(h.Concurrency),
		"request_rate", strconv.FormatFloat(h.Rate, 'g', -1, 64), "version", h.Version)}
}

// point are the labels of a point of a measurement.
func point(at map[string]string) []*dto.LabelPair {
	var labels []string
	for _, name := range slices.Sorted(maps.Keys(at)) {
		labels = append(labels, name, at[name])
	}
	return pairs(labels)
}

func counter(n int64, labels ...string) *dto.Metric {
	return &dto.Metric{Label: pairs(labels), Counter: &dto.Counter{Value: proto.Float64(float64(n))}}
}

func gauge(n int64, labels ...string) *dto.Metric {
	return &dto.Metric{Label: pairs(labels), Gauge: &dto.Gauge{Value: proto.Float64(float64(n))}}
}

// pairs are labels of names and values in turn.
func pairs(labels []string) []*dto.LabelPair {
	var all []*dto.LabelPair
	for i := 0; i+1 < len(labels); i += 2 {
		all = append(all, &dto.LabelPair{Name: &labels[i], Value: &labels[i+1]})
	}
	return all
}

func histogram(h tally.Histogram) *dto.Metric {
	d := &dto.Histogram{SampleCount: &h.Count, SampleSum: &h.Sum}
	var below uint64
	for i, n := range h.Counts {
		bound := math.Inf(1)
		if i < len(h.Bounds) {
			bound = h.Bounds[i]
		}
		below += n
		d.Bucket = append(d.Bucket, &dto.Bucket{UpperBound: proto.Float64(bound), CumulativeCount: proto.Uint64(below)})
	}
	return &dto.Metric{Histogram: d}
}
