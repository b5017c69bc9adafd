package metric

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Objective is a bound on a statistic: "time_to_first_token p99 < 500ms".
type Objective struct {
	Tag   string
	Stat  string  // avg, min, max, std, p1 … p99; "" for a scalar
	Op    string  // <, <=, >, >=
	Bound float64 // in the metric's base unit
	Text  string  // as it was written
}

// aliases are other names of tags.
var aliases = map[string]string{
	"ttft":        "time_to_first_token",
	"ttst":        "time_to_second_token",
	"ttfo":        "time_to_first_output_token",
	"itl":         "inter_token_latency",
	"tpot":        "inter_token_latency",
	"icl":         "inter_chunk_latency",
	"e2e":         "request_latency",
	"e2el":        "request_latency",
	"latency":     "request_latency",
	"isl":         "input_sequence_length",
	"osl":         "output_sequence_length",
	"throughput":  "output_token_throughput",
	"rps":         "request_throughput",
	"error_rate":  "failed_request_rate",
	"tps_per_gpu": "output_token_throughput_per_gpu",
}

var objectiveForm = regexp.MustCompile(
	`^([A-Za-z][A-Za-z0-9_-]*)(?:\s+([A-Za-z0-9]+))?\s*(<=|>=|<|>)\s*([^\s].*)$`)

// ParseObjective reads "tag statistic operator bound", for example
// "time_to_first_token p99 < 500ms", "ttft avg <= 0.5s" or "goodput > 10". The
// operators are <, <=, > and >=. A bound without a unit is in the metric's own
// as it is shown (ms for latencies); times may end in us, ms or s, shares in %.
// A metric with a distribution needs a statistic (avg, min, max, std, or p1,
// p5, p10, p25, p50, p75, p90, p95, p99), one with a single value takes none.
func ParseObjective(text string) (Objective, error) {
	text = strings.TrimSpace(text)
	part := objectiveForm.FindStringSubmatch(text)
	if part == nil {
		return Objective{}, fmt.Errorf("objective %q: want a metric, a statistic, one of < <= > >= and a "+
			"bound, as in %q",
			text, "time_to_first_token p99 < 500ms")
	}
	m, err := named(part[1])
	if err != nil {
		return Objective{}, fmt.Errorf("objective %q: %w", text, err)
	}
	stat, err := statistic(m, part[2])
	if err != nil {
		return Objective{}, fmt.Errorf("objective %q: %w", text, err)
	}
	limit, err := bound(m, part[4])
	if err != nil {
		return Objective{}, fmt.Errorf("objective %q: %w", text, err)
	}
	return Objective{Tag: m.Tag, Stat: stat, Op: part[3], Bound: limit, Text: text}, nil
}

// ParseGoodput reads "tag:bound tag:bound", bounds on every single request:
// at most the bound, or at least it where more of the metric is better. Bounds
// are written as in [ParseObjective].
func ParseGoodput(text string) ([]Objective, error) {
	var list []Objective
	for _, field := range strings.FieldsFunc(text,
		func(c rune) bool { return c == ' ' || c == '\t' || c == '\n' || c == ',' }) {
		o, err := goodputPair(field)
		if err != nil {
			return nil, fmt.Errorf("goodput %q: %w", field, err)
		}
		if slices.ContainsFunc(list, func(p Objective) bool { return p.Tag == o.Tag }) {
			return nil, fmt.Errorf("goodput %q: %s has a bound already", field, o.Tag)
		}
		list = append(list, o)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("goodput %q: want pairs of a metric and a bound, as in %q",
			text, "time_to_first_token:500 inter_token_latency:20")
	}
	return list, nil
}

func goodputPair(field string) (Objective, error) {
	tag, limit, ok := strings.Cut(field, ":")
	if !ok {
		return Objective{}, fmt.Errorf("want metric:bound")
	}
	m, err := named(tag)
	if err != nil {
		return Objective{}, err
	}
	if m.value == nil || m.Failed || m.adjusted {
		return Objective{}, fmt.Errorf("%s is not a figure of a single answered request; take one that is, such as "+
			"time_to_first_token", m.Tag)
	}
	v, err := bound(m, limit)
	if err != nil {
		return Objective{}, err
	}
	op := "<="
	if m.Better == Higher {
		op = ">="
	}
	return Objective{Tag: m.Tag, Op: op, Bound: v, Text: field}, nil
}

// named finds a metric by tag or alias; "-" is taken for "_".
func named(name string) (Metric, error) {
	tag := strings.ReplaceAll(strings.ToLower(name), "-", "_")
	if full, ok := aliases[tag]; ok {
		tag = full
	}
	m, ok := Lookup(tag)
	if !ok {
		return Metric{}, fmt.Errorf("no metric is called %q; the nearest is %q", name, nearestTag(tag))
	}
	return m, nil
}

// statistic checks the name of a statistic against the kind of the metric.
func statistic(m Metric, name string) (string, error) {
	if m.derive != nil {
		if name == "" {
			return "", nil
		}
		return "", fmt.Errorf("%s is a single value; leave out %q", m.Tag, name)
	}
	stat := strings.ToLower(name)
	have := percents[:]
	if m.Kind == OverTime {
		have = heldPercents[:]
	}
	switch stat {
	case "mean":
		stat = "avg"
	case "median":
		stat = "p50"
	case "avg", "min", "max", "std":
	default:
		if p, ok := percentOf(stat); !ok || !slices.Contains(have, p) {
			return "", fmt.Errorf("%s has a distribution; name one of avg, min, max, std, %s, not %q",
				m.Tag, percentNames(have), name)
		}
	}
	return stat, nil
}

// percentOf is 99 for "p99"; false for what no Summary has.
func percentOf(stat string) (int, bool) {
	digits, ok := strings.CutPrefix(stat, "p")
	i := slices.IndexFunc(percents[:], func(p int) bool { return strconv.Itoa(p) == digits })
	if !ok || i < 0 {
		return 0, false
	}
	return percents[i], true
}

func percentNames(have []int) string {
	var names []string
	for _, p := range have {
		names = append(names, "p"+strconv.Itoa(p))
	}
	return strings.Join(names, ", ")
}

var boundForm = regexp.MustCompile(`^([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*(\S*)$`)

// timeUnits are what one of a unit is in seconds.
var timeUnits = map[string]float64{"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "sec": 1}

// bound reads a number with an optional unit into the metric's base unit.
func bound(m Metric, text string) (float64, error) {
	part := boundForm.FindStringSubmatch(strings.TrimSpace(text))
	if part == nil {
		return 0, fmt.Errorf("the bound %q is not a number with an optional unit", text)
	}
	v, err := strconv.ParseFloat(part[1], 64)
	if err != nil || math.IsInf(v, 0) {
		return 0, fmt.Errorf("the bound %q is too large", text)
	}
	_, isTime := timeUnits[m.Unit]
	perUnit, timed := timeUnits[part[2]]
	switch unit := part[2]; {
	case isTime && timed && unit != m.Unit:
		// Dividing by a whole number keeps 500ms the float64 nearest to 0.5.
		return v / math.Round(1/perUnit), nil
	case unit == "", unit == m.Unit:
		return v / m.Scale, nil
	case isTime:
		return 0, fmt.Errorf("the bound %q has the unit %q; %s takes us, ms or s", text, unit, m.Tag)
	default:
		return 0, fmt.Errorf("the bound %q has the unit %q; %s is in %q", text, unit, m.Tag, m.Unit)
	}
}

// Holds reports whether a value keeps the bound.
func (o Objective) Holds(v float64) bool {
	switch o.Op {
	case "<":
		return v < o.Bound
	case "<=":
		return v <= o.Bound
	case ">":
		return v > o.Bound
	case ">=":
		return v >= o.Bound
	}
	return false
}

// String is the objective as it was written.
func (o Objective) String() string { return o.Text }
