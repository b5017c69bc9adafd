package report

import (
	"encoding/json"
	"math"

	"headway/metric"
	"headway/record"
)

// extrasVersion is the version of the "headway" key.
const extrasVersion = 1

// extras is the "headway" key: what aiperf's schema has no place for. Readers
// of aiperf's files skip a key that they do not know.
func (r *Report) extras() object {
	h := r.Run.Header
	var o object
	o.add("format", extrasVersion)
	o.add("version", h.Version)
	o.add("simulated", h.Simulated)
	o.add("model", h.Model)
	o.add("arrivals", h.Arrivals)
	if h.Concurrency > 0 {
		o.add("concurrency", h.Concurrency)
	}
	if h.Rate > 0 {
		o.add("request_rate", h.Rate)
	}
	if h.NumGPUs > 0 {
		o.add("num_gpus", h.NumGPUs)
	}
	o.add("requests", object{
		{"planned", r.Result.Planned}, {"ok", r.Result.OK}, {"failed", r.Result.Failed},
		{"cancelled", r.Result.Cancelled}, {"dropped", r.Result.Dropped},
	})
	o.add("seed", h.Seed)
	o.add("repeat", h.Repeat)
	o.add("tokenizer", tokenizer(h, r.Result.Tokens))
	if r.Result.Tokens.Replies > 0 {
		o.add("tokens", tokenCounts(r.Result.Tokens))
	}
	o.add("machine", object{{"os", h.Machine.OS}, {"arch", h.Machine.Arch}, {"cpus", h.Machine.CPUs},
		{"go", h.Machine.Go}})
	o.add("schedule", schedule(h.Schedule))
	o = append(o, r.phases()...)
	if r.Result.Chunks.Arrivals > 0 {
		o.add("chunks", chunks(r.Result.Chunks))
	}
	if own := r.own(); len(own) > 0 {
		o.add("metrics", metricObjects(own))
	}
	o.add("audit", r.audit())
	o.add("intervals", intervals(r.Result.Summaries))
	o.add("failures", failures(r.Result.Failures))
	if len(r.Result.Finish) > 0 {
		o.add("finish_reasons", r.endings(r.Result.Finish))
	}
	if len(r.Result.Verdicts) > 0 {
		o.add("verdicts", verdicts(r.Result.Verdicts))
	}
	o.add("warnings", warnings(r.Warnings()))
	if w := r.workers(); w != nil {
		o.add("workers", r.asJSON(w))
	}
	if share, source := r.HitRate(); source != "" && !math.IsNaN(share) {
		o.add("prefix_cache", object{{"hit_rate", share}, {"source", source}})
	}
	if c := r.Run.Servers; c != nil {
		o.add("servers", r.asJSON(c))
	}
	if t := r.Run.Telemetry; t != nil {
		o.add("telemetry", r.asJSON(t))
	}
	if e, ok := r.Energy(); ok {
		o.add("energy", e.object())
	}
	if c, ok := r.Cost(); ok {
		o.add("cost", c.object())
	}
	if t := r.Result.Tail; t != nil {
		o.add("tail", r.asJSON(tailOf(t)))
	}
	if c := r.Run.Cluster; c != nil {
		o.add("cluster", r.asJSON(c))
	}
	o.add("aborted", r.Run.Aborted)
	o.add("config", r.raw(h.Config))
	return o
}

// asJSON is what has a JSON form of its own, such as a simulated cluster's account of
// itself as records have it.
func (r *Report) asJSON(v any) any {
	text, err := json.Marshal(v)
	if err != nil {
		return nil // of numbers and names: it always has a JSON form
	}
	return r.raw(text)
}

// own are the figures that aiperf does not have.
func (r *Report) own() (list []figure) {
	for _, f := range figures(r.Result) {
		if f.ours() {
			list = append(list, f)
		}
	}
	return list
}

// phases give the stretches of the run: connecting, its warm-up and what kept
// the load up after it, all that was measured, and the steady part of that.
func (r *Report) phases() object {
	var o object
	if c := r.connecting(); c.ahead != nil || c.own > 0 {
		o.add("time_to_connect", c.object())
	}
	if w := r.Run.Warmup; w != nil {
		o.add("warmup", object{{"requests", w.Requests}, {"seconds", w.Seconds}, {"ended_by", w.EndedBy}})
	}
	if n := r.Run.Cooldown; n > 0 {
		o.add("cooldown", object{{"requests", n}})
	}
	if p := r.Result.Whole; p != nil {
		o.add("whole", part(p))
	}
	if s := r.Result.Steady; s != nil {
		o.add("steady", steady(s))
	}
	if _, is := r.Result.Lead(); is {
		o.add("lead", "steady")
	} else {
		o.add("lead", "whole")
	}
	return o
}

func tokenizer(h record.Header, c metric.TokenCounts) object {
	o := object{{"name", h.Tokenizer.Name}}
	o.add("fingerprint", h.Tokenizer.Fingerprint)
	o.add("fallback", h.Tokenizer.Fallback)
	o.add("server_count", h.ServerCount || c.Source == metric.TokensServer)
	return o
}

func schedule(s record.Schedule) object {
	o := object{{"timed", s.Timed}}
	if s.Timed {
		o.add("count", s.Count)
		o.add("span_s", s.Span)
		o.add("rate", float64(s.Rate))
		o.add("dispersion", float64(s.Dispersion))
		o.add("gap_cv2", float64(s.GapCV2))
	}
	return o
}

func steady(s *metric.Steady) object {
	var o object
	o.add("level", s.Level)
	if s.Level > 0 {
		o.add("level_reached", s.Reached)
	}
	if s.Drifts {
		o.add("drifts", true)
	}
	return append(o, part(&s.Part)...)
}

// chunks says how the times of chunks were taken, and whether the gaps between
// them are exact.
func chunks(c metric.Chunks) object {
	o := object{{"rule", c.Rule.String()}, {"arrivals", c.Arrivals}, {"read_together", c.Coalesced},
		{"spread", c.Spread}, {"gaps", c.Gaps}}
	if c.Error > 0 {
		return append(o, field{"gaps_kept", "histogram"}, field{"relative_error", c.Error})
	}
	return append(o, field{"gaps_kept", "exact"})
}

// intervals gives the 95 % interval of each mean and quantile in the metric's
// unit, says why others have none, and names the quantiles that rest on too few
// samples. Figures without sampling error, such as lengths, are left out.
func intervals(summaries []metric.Summary) object {
	all := object{}
	for _, s := range summaries {
		if internal(s.Metric.Tag) || s.Metric.Kind == metric.OverTime {
			continue
		}
		if o := intervalsOf(s); len(o) > 0 {
			all.add(s.Metric.Tag, o)
		}
	}
	return all
}

func intervalsOf(s metric.Summary) object {
	o, none := object{}, object{}
	add := func(name string, low, high float64, why metric.Reason) {
		switch {
		case finite(low) && finite(high):
			o.add(name, []float64{shown(s.Metric, low), shown(s.Metric, high)})
		case why != "":
			none.add(name, string(why))
		}
	}
	add("avg", s.MeanLow, s.MeanHigh, s.Why)
	few := []string{}
	for _, q := range s.Quantiles {
		add(quantileName(q.Q), q.Low, q.High, q.Why)
		if q.Few {
			few = append(few, quantileName(q.Q))
		}
	}
	if len(few) > 0 {
		o.add("few", few)
	}
	if len(none) > 0 {
		o.add("none", none)
	}
	return o
}

func failures(list []metric.FailureCount) []object {
	all := []object{}
	for _, f := range list {
		o := object{{"class", string(f.Failure.Class)}}
		o = append(o, errorDetails(&f.Failure)...)
		all = append(all, append(o, field{"count", f.Count}))
	}
	return all
}

func verdicts(list []metric.Verdict) []object {
	all := []object{}
	for _, v := range list {
		o := object{{"objective", v.Objective.Text}, {"decision", string(v.Decision)},
			{"met", v.Decision == metric.Met}, {"known", v.Known}}
		if v.Known {
			value, unit := verdictValue(v)
			o = append(o, bounded("value", value, v.AtLeast)...)
			o.add("unit", unit)
		}
		if v.Why != "" {
			o.add("why", v.Why)
		}
		all = append(all, o)
	}
	return all
}

// verdictValue is the measured value in the unit in which its metric is shown.
func verdictValue(v metric.Verdict) (value float64, unit string) {
	m, ok := metric.Lookup(v.Objective.Tag)
	if !ok {
		return v.Value, ""
	}
	if v.Objective.Stat == "count" {
		return v.Value, ""
	}
	return shown(m, v.Value), m.Unit
}

func warnings(list []record.Warning) []object {
	all := []object{}
	for _, w := range list {
		all = append(all, object{{"code", w.Code}, {"text", w.Text}})
	}
	return all
}
