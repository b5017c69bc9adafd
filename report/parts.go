package report

import (
	"math"

	"headway/metric"
)

// part describes a stretch of a run: when it was, whose requests it has, its
// rates as numbers and its latencies as objects, with their intervals.
func part(p *metric.Part) object {
	o := object{{"begin_s", p.Begin}, {"duration_s", p.Duration}, {"share", p.Share}}
	if p.Duration == 0 {
		return o
	}
	o.add("requests", object{{"started", p.Requests}, {"failed", p.Failed}, {"cut_off", p.Cut}})
	o.add("outside", p.Outside)
	o.add("in_flight", p.InFlight)
	if p.Assumed > 0 {
		o.add("assumed_tokens", p.Assumed)
	}
	within, none := object{}, object{}
	for _, r := range p.Rates {
		o.add(r.Metric.Tag, shown(r.Metric, r.Value))
		if finite(r.Low) {
			within.add(r.Metric.Tag, []float64{shown(r.Metric, r.Low), shown(r.Metric, r.High)})
		} else if r.Why != "" {
			none.add(r.Metric.Tag, string(r.Why))
		}
	}
	if len(within) > 0 {
		o.add("intervals", within)
	}
	if len(none) > 0 {
		o.add("no_interval", none)
	}
	for _, s := range p.Latencies {
		o.add(s.Metric.Tag, latency(s))
	}
	return o
}

// latency is one of all requests of a part.
func latency(s metric.Summary) object {
	o := object{{"unit", s.Metric.Unit}}
	o = append(o, bounded("avg", shown(s.Metric, s.Mean), s.MeanAtLeast)...)
	for _, q := range s.Quantiles {
		o = append(o, bounded(quantileName(q.Q), shown(s.Metric, q.Value), q.AtLeast)...)
	}
	o = append(o, bounded("min", shown(s.Metric, s.Min), s.MinAtLeast)...)
	o = append(o, bounded("max", shown(s.Metric, s.Max), s.MaxAtLeast)...)
	o.add("count", s.Count)
	if s.Failed > 0 {
		o.add("failed", s.Failed)
	}
	if s.Cut > 0 {
		o.add("cut_off", s.Cut)
	}
	o.add("intervals", intervalsOf(s))
	if s.Known != nil {
		o.add("answered", latency(*s.Known))
	}
	return o
}

// bounded is a value under its name; one that is only bounded from below stands
// under the name with _at_least, and one that is infinite is "Infinity" as text,
// for which JSON has no number.
func bounded(name string, v float64, atLeast bool) object {
	switch {
	case math.IsNaN(v):
		return nil
	case math.IsInf(v, 1):
		return object{{name, "Infinity"}}
	case atLeast:
		return object{{name + "_at_least", v}}
	}
	return object{{name, v}}
}
