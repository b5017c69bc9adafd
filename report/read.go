package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"headway/internal/bound"
	"headway/metric"
	"headway/record"
)

// Loaded is a profile_export_aiperf.json that was read back: ours, or aiperf's
// of any version from 0.1 to schema 1.5.
type Loaded struct {
	Path string
	// Schema is "0.1" where the file has no version.
	Schema string
	// Headway is set when the file has our own key.
	Headway bool
	// Metrics are all objects with a unit, by tag, by aiperf's definitions.
	Metrics map[string]Stats
	// Lead are the figures that tables and pictures lead with, in the units of
	// Metrics: of the steady part of a closed loop, or of the whole run with what
	// failed and what was cut off. Files of aiperf's own have none.
	Lead map[string]Stats
	// Concurrency and Rate (requests/s) are the asked load, 0 where the file
	// does not say.
	Concurrency int
	Rate        float64
	// GPUs is the declared number of GPUs, 0 where not said.
	GPUs      int
	Simulated bool
	Model     string
	Cancelled bool
	// Incomplete is set where the file says that not all was measured.
	Incomplete bool
	// Verdict is whether the client was good enough, and Reasons why it was
	// not; empty where the file does not say.
	Verdict record.Verdict
	Reasons []record.AuditReason
	// Warnings are those of the run and its figures; only our files have them.
	Warnings []record.Warning
	// ID is the run's benchmark_id.
	ID string
	// Seed is that of everything that was drawn, as the file has it; empty where it
	// does not say.
	Seed string
}

// Cut reports whether the run was ended before all was measured.
func (l *Loaded) Cut() bool { return l.Cancelled || l.Incomplete }

// Answered reports whether a request of the run was answered.
func (l *Loaded) Answered() bool {
	if n, ok := l.Metrics["request_count"].Values["avg"]; ok {
		return n > 0
	}
	_, ok := l.Metrics["request_latency"].Values["avg"]
	return ok
}

// Stats are the statistics of a metric as the file has them, in its unit.
type Stats struct {
	Unit   string
	Values map[string]float64
	// Intervals are the 95 % intervals by statistic; only our files have them.
	Intervals map[string][2]float64
	// Endless are the statistics that failed requests reach into.
	Endless map[string]bool
}

// figure is a metric as pictures lead with it. What leads stands for all of a
// metric: a quantile that it leaves open is not that of answered requests.
func (l *Loaded) figure(tag string) Stats {
	if s, ok := l.Lead[tag]; ok {
		return s
	}
	return l.Metrics[tag]
}

// Value is a statistic in the file's unit.
func (l *Loaded) Value(tag, stat string) (float64, bool) {
	v, ok := l.figure(tag).Values[stat]
	return v, ok
}

// Milliseconds is a latency's statistic and its 95 % interval, whatever unit of
// time the file has. The interval is NaN-free only when known is set.
func (l *Loaded) Milliseconds(tag, stat string) (value float64, interval [2]float64, known, ok bool) {
	s := l.figure(tag)
	value, ok = s.Values[stat]
	scale, isTime := map[string]float64{"ms": 1, "s": 1e3, "sec": 1e3, "us": 1e-3, "ns": 1e-6}[s.Unit]
	if !ok || !isTime {
		return 0, interval, false, false
	}
	interval, known = s.Intervals[stat]
	return value * scale, [2]float64{interval[0] * scale, interval[1] * scale}, known, true
}

// open is a latency's statistic in milliseconds that is infinite or only bounded
// from below; false for others.
func (l *Loaded) open(tag, stat string) (Figure, bool) {
	if l.figure(tag).Endless[stat] {
		return Exact(math.Inf(1)), true
	}
	e := unknown()
	if v, _, _, ok := l.Milliseconds(tag, stat+"_at_least"); ok {
		e.Value, e.AtLeast = v, true
	}
	return e, e.AtLeast
}

// Load reads a file by its path.
func Load(path string) (*Loaded, error) {
	f, err := bound.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading results: %w", err)
	}
	defer f.Close()
	return Read(f, path)
}

// Read reads a summary; the path is used in errors and kept.
func Read(r io.Reader, path string) (*Loaded, error) {
	raw, err := bound.ReadAll(r, bound.Document, "results "+path)
	if err != nil {
		return nil, err
	}
	doc, err := decode(raw)
	if err != nil {
		return nil, fmt.Errorf("reading results %s: %w%s", path, err, where(raw, err))
	}
	if _, ok := doc.(object); !ok {
		return nil, fmt.Errorf("reading results %s: not a JSON object", path)
	}
	return load(doc.(object), path)
}

// where says in which line a JSON document is broken, or that it was cut off.
func where(raw []byte, err error) string {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return " (the file was cut off, perhaps by a run that was killed)"
	}
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) || syntax.Offset < 1 || syntax.Offset > int64(len(raw)) {
		return ""
	}
	line := 1
	for _, c := range raw[:syntax.Offset-1] {
		if c == '\n' {
			line++
		}
	}
	return fmt.Sprintf(" (line %d)", line)
}

func load(doc object, path string) (*Loaded, error) {
	l := &Loaded{Path: path, Schema: getString(doc, "schema_version"), Metrics: map[string]Stats{}}
	if l.Schema == "" {
		l.Schema = "0.1"
	}
	for _, f := range doc {
		if s, ok := stats(f.value); ok {
			l.Metrics[f.key] = s
		}
	}
	own := get(doc, "headway")
	_, l.Headway = own.(object)
	// A run of ours that was ended at once has none.
	if len(l.Metrics) == 0 && !l.Headway {
		return nil, fmt.Errorf("reading results %s: no metric in it, so not a profile_export_aiperf.json", path)
	}
	for _, f := range asObject(get(own, "metrics")) {
		if s, ok := stats(f.value); ok {
			l.Metrics[f.key] = s
		}
	}
	for _, f := range asObject(get(own, "intervals")) {
		s := l.Metrics[f.key]
		s.Intervals = pairs(f.value)
		l.Metrics[f.key] = s
	}
	l.lead(own)
	l.GPUs = count(own, "num_gpus")
	l.Simulated, _ = get(own, "simulated").(bool)
	l.Cancelled, _ = get(doc, "was_cancelled").(bool)
	if whole, said := get(doc, "is_complete").(bool); said {
		l.Incomplete = !whole
	}
	l.ID = getString(doc, "benchmark_id")
	if seed := get(own, "seed"); seed != nil {
		l.Seed = fmt.Sprint(seed)
	}
	l.audited(get(own, "audit"))
	l.warned(get(own, "warnings"))
	l.asked(doc, own)
	return l, nil
}

// lead reads the part whose figures lead.
func (l *Loaded) lead(own any) {
	part := asObject(get(own, getString(own, "lead")))
	if _, ok := getFloat(part, "in_flight"); !ok {
		return
	}
	l.Lead = map[string]Stats{}
	within := pairs(get(part, "intervals"))
	for _, f := range part {
		if unit := getString(f.value, "unit"); unit != "" {
			s, _ := stats(f.value) // none of its values may be finite
			s.Unit, s.Intervals = unit, pairs(get(f.value, "intervals"))
			l.Lead[f.key] = s
			continue
		}
		m, known := metric.Lookup(f.key)
		if v, ok := getFloat(f.value); known && ok {
			s := Stats{Unit: m.Unit, Values: map[string]float64{"avg": v}}
			if ends, ok := within[f.key]; ok {
				s.Intervals = map[string][2]float64{"avg": ends}
			}
			l.Lead[f.key] = s
		}
	}
}

// audited reads the verdict on the client.
func (l *Loaded) audited(a any) {
	switch v := record.Verdict(getString(a, "verdict")); v {
	case record.AuditValid, record.AuditDoubtful, record.AuditInvalid:
		l.Verdict = v
	}
	list, _ := get(a, "reasons").([]any)
	for _, r := range list {
		l.Reasons = append(l.Reasons, record.AuditReason{Level: record.Verdict(getString(r, "level")),
			About: getString(r, "about"), Code: getString(r, "code"),
			Found: getString(r, "found"), Bound: getString(r, "bound"), Change: getString(r, "change")})
	}
}

// asked finds the load and the model, which each version keeps elsewhere.
func (l *Loaded) asked(doc object, own any) {
	config := get(doc, "input_config")
	var phase any
	phases, _ := get(config, "phases").([]any)
	for _, p := range phases {
		kind := getString(p, "kind")
		if phase == nil && (kind == "profiling" || kind == "" && getString(p, "name") != "warmup") {
			phase = p
		}
	}
	for _, c := range []int{
		count(own, "concurrency"),
		count(phase, "concurrency"),
		count(get(doc, "run_info", "variation_values"), "phases.profiling.concurrency"),
		count(get(config, "phases", "profiling"), "concurrency"),
		count(get(config, "loadgen"), "concurrency"),
	} {
		if l.Concurrency == 0 {
			l.Concurrency = c
		}
	}
	for _, from := range []any{get(own, "request_rate"), get(phase, "rate"), get(config, "loadgen", "request_rate")} {
		if v, ok := getFloat(from); ok && l.Rate == 0 {
			l.Rate = v
		}
	}
	for _, from := range []any{
		get(own, "model"), get(config, "models", "items", 0, "name"),
		get(config, "endpoint", "model_names", 0), get(config, "endpoint", "model_names"),
		get(config, "endpoint", "model"),
	} {
		if s, ok := from.(string); ok && l.Model == "" {
			l.Model = s
		}
	}
}

func asObject(v any) object {
	o, _ := v.(object)
	return o
}

// count is a whole number above zero, or 0.
func count(v any, key string) int {
	f, ok := getFloat(v, key)
	if !ok || f < 1 || f > 1e9 || f != float64(int(f)) {
		return 0
	}
	return int(f)
}

// stats reads a metric object: one with a unit and at least one number.
func stats(v any) (Stats, bool) {
	o, ok := v.(object)
	if !ok {
		return Stats{}, false
	}
	unit, ok := get(o, "unit").(string)
	if !ok {
		return Stats{}, false
	}
	s := Stats{Unit: unit, Values: map[string]float64{}}
	for _, f := range o {
		if n, ok := getFloat(f.value); ok {
			s.Values[f.key] = n
		} else if f.value == "Infinity" {
			if s.Endless == nil {
				s.Endless = map[string]bool{}
			}
			s.Endless[f.key] = true
		}
	}
	return s, len(s.Values)+len(s.Endless) > 0
}

func pairs(v any) map[string][2]float64 {
	all := map[string][2]float64{}
	for _, f := range asObject(v) {
		low, ok := getFloat(f.value, 0)
		high, ok2 := getFloat(f.value, 1)
		if list, isList := f.value.([]any); ok && ok2 && isList && len(list) == 2 {
			all[f.key] = [2]float64{low, high}
		}
	}
	return all
}
