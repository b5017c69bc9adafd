package coverage

import (
	"fmt"
	"math"

	"headway/internal/series"
	"headway/metric"
)

// collect has a run's Records read as `headway sim replay` reads them.
func (r *run) collect(l load, goal float64) {
	r.collector = metric.NewCollector(metric.Options{
		Streaming: true, Concurrency: l.slots,
		Goodput: []metric.Objective{{Tag: "request_latency", Op: "<=", Bound: goal}},
	})
}

// printed are the figures that the product leads with and their intervals.
func (r *run) printed() map[string]series.Estimate {
	all := map[string]series.Estimate{}
	lead, _ := r.collector.Result().Lead()
	for name, tag := range map[string]string{
		"TTFT": "time_to_first_token", "latency": "request_latency", "ITL": "inter_token_latency",
	} {
		s, ok := lead.Summary(tag)
		if !ok {
			continue
		}
		all[name+" mean"] = estimate(s.Mean, s.MeanLow, s.MeanHigh, s.Why)
		for _, p := range percents {
			if q, ok := s.Quantile(p); ok {
				all[fmt.Sprintf("%s p%d", name, p)] = estimate(q.Value, q.Low, q.High, q.Why)
			}
		}
	}
	for name, tag := range map[string]string{"output tok/s": "output_token_throughput", "goodput": "goodput"} {
		if rate, ok := lead.Rate(tag); ok {
			all[name+" mean"] = estimate(rate.Value, rate.Low, rate.High, rate.Why)
		}
	}
	return all
}

// estimate is one without an interval where a bound is missing, whatever the
// reason is.
func estimate(value, low, high float64, why series.Reason) series.Estimate {
	if why == "" && (math.IsNaN(low) || math.IsNaN(high)) {
		why = "none"
	}
	return series.Estimate{Value: value, Low: low, High: high, Why: why}
}
