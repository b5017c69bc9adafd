package report

import (
	"encoding/json"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"headway/metric"
	"headway/record"
)

// schemaVersion is aiperf's version of profile_export_aiperf.json that is
// written.
const schemaVersion = "1.4"

// declared are the metrics that aiperf's schema names, in its order; they stand
// before the run's description, all others after it. (aiperf 0.13.0)
func declared() []string {
	return []string{
		"request_throughput", "request_latency", "request_count",
		"time_to_first_token", "time_to_second_token", "inter_token_latency",
		"output_token_throughput", "output_token_throughput_per_user",
		"output_sequence_length", "input_sequence_length", "goodput", "good_request_count",
		"output_token_count", "reasoning_token_count", "inter_chunk_latency",
		"total_output_tokens", "total_reasoning_tokens", "benchmark_duration",
		"total_isl", "total_osl", "error_request_count", "error_isl", "total_error_isl",
	}
}

// internal reports whether a metric is used to compute others and stays out of
// files: wall-clock nanoseconds do not fit a float64, and aiperf keeps these
// two out as well.
func internal(tag string) bool {
	return tag == "min_request_timestamp" || tag == "max_response_timestamp"
}

// figure is a Summary or a Scalar as files show it, in the metric's unit.
type figure struct {
	metric metric.Metric
	stats  object // without the unit
}

// ours reports whether aiperf does not know the metric. In JSON it stands under
// "headway".
func (f figure) ours() bool { return f.metric.Source == "headway" }

// figures lists what a result holds, summaries first.
func figures(r *metric.Result) []figure {
	var all []figure
	for _, s := range r.Summaries {
		if !internal(s.Metric.Tag) {
			all = append(all, figure{s.Metric, summaryStats(s)})
		}
	}
	for _, s := range r.Scalars {
		if internal(s.Metric.Tag) {
			continue
		}
		var o object
		o.add("avg", shown(s.Metric, s.Value))
		all = append(all, figure{s.Metric, o})
	}
	return all
}

func summaryStats(s metric.Summary) object {
	var o object
	m := s.Metric
	o.add("avg", shown(m, s.Mean))
	for _, q := range s.Quantiles {
		o.add(quantileName(q.Q), shown(m, q.Value))
	}
	o.add("min", shown(m, s.Min))
	o.add("max", shown(m, s.Max))
	o.add("std", shown(m, s.Std))
	if m.Kind != metric.OverTime {
		o.add("count", s.Count)
		o.add("sum", shown(m, s.Sum))
	}
	return o
}

func quantileName(q float64) string {
	return "p" + strconv.Itoa(int(math.Round(q*100)))
}

// shown converts a value in base units to the metric's unit.
func shown(m metric.Metric, v float64) float64 {
	if m.Scale == 1 {
		return v
	}
	return tidy(m.Shown(v))
}

// tidy rounds to fifteen digits, all that are sure after a change of unit. A
// latency is a count of nanoseconds divided by 10⁹; times 1000 it would show a
// digit that was never measured (23.290000000000003).
func tidy(v float64) float64 {
	if !finite(v) {
		return v
	}
	short, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', 14, 64), 64)
	if err != nil {
		return v
	}
	return short
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// metricObjects turns figures into JSON: unit first, then the statistics.
func metricObjects(figs []figure) object {
	var o object
	for _, f := range figs {
		o.add(f.metric.Tag, append(object{{"unit", f.metric.Unit}}, f.stats...))
	}
	return o
}

// WriteJSON writes profile_export_aiperf.json: aiperf's schema 1.4 with its
// order of keys, and everything of ours under the one key "headway".
func (r *Report) WriteJSON(w io.Writer) error {
	e := encoder{indent: true, text: r.Secrets.Text}
	e.value(r.document())
	_, err := w.Write(e.b)
	return err
}

func (r *Report) document() object {
	figs := figures(r.Result)
	first := declared()
	place := func(f figure) int { return slices.Index(first, f.metric.Tag) }
	var named, others []figure
	for _, f := range figs {
		switch {
		case place(f) >= 0:
			named = append(named, f)
		case !f.ours():
			others = append(others, f)
		}
	}
	slices.SortStableFunc(named, func(a, b figure) int { return place(a) - place(b) })

	var o object
	o.add("schema_version", schemaVersion)
	o.add("aiperf_version", "headway-"+r.Run.Version)
	o.add("benchmark_id", r.Run.ID)
	o = append(o, metricObjects(named)...)
	o.add("input_config", r.inputConfig())
	o.add("run_info", r.runInfo())
	o.add("was_cancelled", r.Run.Cancelled)
	o.add("is_complete", r.Complete())
	o.add("incomplete_reason", r.cutReason())
	o.add("error_summary", errorSummary(r.Result.Failures))
	clock := record.ClockAt(r.Run.Origin)
	o.add("start_time", naive(clock, r.Run.Begin))
	o.add("end_time", naive(clock, r.Run.End))
	if r.Result.Warmup != nil {
		o.add("warmup_metrics", metricObjects(figures(r.Result.Warmup)))
	}
	o = append(o, metricObjects(others)...)
	o.add("headway", r.extras())
	return o
}

// naive is a local time without its zone in Python's ISO form, to the
// microsecond, which aiperf writes. The zone is that of the run's origin.
func naive(c record.Clock, t record.Time) string {
	if !t.Known() {
		return ""
	}
	wall := c.Wall(t).Round(time.Microsecond)
	if wall.Nanosecond() == 0 {
		return wall.Format("2006-01-02T15:04:05")
	}
	return wall.Format("2006-01-02T15:04:05.000000")
}

func errorSummary(failures []metric.FailureCount) []object {
	list := []object{}
	for _, f := range failures {
		list = append(list, object{{"error_details", errorDetails(&f.Failure)}, {"count", f.Count}})
	}
	return list
}

func errorDetails(f *record.Failure) object {
	var o object
	if f.Code != 0 {
		o.add("code", f.Code)
	}
	o.add("type", f.Type)
	return append(o, field{"message", f.Message})
}

// inputConfig describes the load in the shape of aiperf's own resolved
// configuration, since that is where its readers look for the concurrency. The
// whole configuration of ours is headway.config.
func (r *Report) inputConfig() object {
	h := r.Run.Header
	endpoint := object{{"urls", []string{h.URL}}, {"type", h.Endpoint}, {"streaming", h.Streaming}}
	if h.ServerCount {
		endpoint.add("use_server_token_count", true)
	}
	phase := object{{"name", "profiling"}, {"kind", "profiling"}, {"type", arrivalType(h)}}
	phase.add("requests", r.Result.Planned)
	if h.Concurrency > 0 {
		phase.add("concurrency", h.Concurrency)
	}
	if h.Rate > 0 {
		phase.add("rate", h.Rate)
	}
	return object{
		{"models", object{{"items", []object{{{"name", h.Model}}}}}},
		{"endpoint", endpoint},
		{"phases", []object{phase}},
		{"loadgen", r.loadgen()},
		{"tokenizer", object{{"name", h.Tokenizer.Name}}},
	}
}

// loadgen is the load where aiperf 0.1 had it, which scripts of that time read.
func (r *Report) loadgen() object {
	h := r.Run.Header
	var o object
	if h.Concurrency > 0 {
		o.add("concurrency", h.Concurrency)
	}
	if h.Rate > 0 {
		o.add("request_rate", h.Rate)
		o.add("request_rate_mode", arrivalType(h))
	}
	o.add("request_count", r.Result.Planned)
	return o
}

func arrivalType(h record.Header) string {
	if h.Arrivals == "" {
		return "concurrency"
	}
	return h.Arrivals
}

func (r *Report) runInfo() object {
	var o object
	o.add("benchmark_id", r.Run.ID)
	o.add("random_seed", r.Run.Seed)
	o.add("trial", r.Run.Repeat)
	o.add("cli_command", r.Run.Command)
	return o
}

// raw makes redacted JSON of ours part of a document.
func (r *Report) raw(j json.RawMessage) any {
	if len(j) == 0 {
		return nil
	}
	v, err := decode(j)
	if err != nil {
		return string(j)
	}
	return r.Secrets.tree(v)
}
