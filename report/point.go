package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"headway/record"
)

// Latency is a statistic in milliseconds: of one run with the interval that its
// file has, of several their mean with its t-interval.
func (p Point) Latency(tag, stat string) Figure {
	var values []float64
	bounded := false
	for _, r := range p.Runs {
		if e, ok := r.open(tag, stat); ok {
			values, bounded = append(values, e.Value), bounded || e.AtLeast
			continue
		}
		v, ends, known, ok := r.Milliseconds(tag, stat)
		if ok && known && len(p.Runs) == 1 {
			return Figure{Value: v, Low: ends[0], High: ends[1]}
		}
		if ok {
			values = append(values, v)
		}
	}
	e := over(values)
	if bounded || math.IsInf(e.Value, 1) {
		e = Exact(e.Value)
		e.AtLeast = bounded && finite(e.Value)
	}
	return e
}

// Figure is a statistic in the file's unit: of one run with the interval that
// its file has, of several their mean with its t-interval.
func (p Point) Figure(tag, stat string) Figure {
	if len(p.Runs) == 1 {
		e := unknown()
		if v, ok := p.Runs[0].Value(tag, stat); ok {
			e.Value = v
			if ends, ok := p.Runs[0].figure(tag).Intervals[stat]; ok {
				e.Low, e.High = ends[0], ends[1]
			}
		}
		return e
	}
	var values []float64
	for _, r := range p.Runs {
		if v, ok := r.Value(tag, stat); ok {
			values = append(values, v)
		}
	}
	return over(values)
}

// Speed is what one user gets while replies are decoded, in tokens per second:
// tokens over decode time. Files of aiperf do not have it; the reciprocal of
// their mean inter-token latency, which no single fast reply can own either,
// stands in.
func (p Point) Speed() Figure {
	if e := p.Figure("decode_speed_per_user", "avg"); len(p.Runs) == 1 && finite(e.Value) {
		return e
	}
	var values []float64
	for _, r := range p.Runs {
		if v, ok := r.Value("decode_speed_per_user", "avg"); ok {
			values = append(values, v)
		} else if v, _, _, ok := r.Milliseconds("inter_token_latency", "avg"); ok && v > 0 {
			values = append(values, 1000/v)
		}
	}
	return over(values)
}

// Verdict is the worst of the level's runs on the client, "" where none has one.
func (p Point) Verdict() record.Verdict {
	worst := record.Verdict("")
	for _, r := range p.Runs {
		worst = worst.Worse(r.Verdict)
	}
	return worst
}

// PerGPU gives the output tokens per second of points, over their GPUs when known:
// then the number of GPUs of every point of all experiments is known. One that is not
// would stand among the others a whole factor too high, so then none is divided. given
// is the number of GPUs of every point, over what the files say; 0 takes theirs.
func PerGPU(experiments []Experiment, given int) (of func(Point) Figure, known bool) {
	gpus := func(p Point) int {
		if given > 0 {
			return given
		}
		return p.Runs[0].GPUs
	}
	known = !slices.ContainsFunc(experiments, func(e Experiment) bool {
		return slices.ContainsFunc(e.Points, func(p Point) bool { return gpus(p) == 0 })
	})
	return func(p Point) Figure {
		e := p.Figure("output_token_throughput", "avg")
		if !known {
			return e
		}
		n := float64(gpus(p))
		return Figure{Value: e.Value / n, Low: e.Low / n, High: e.High / n}
	}, known
}

// AllSimulated reports whether all experiments are simulated.
func AllSimulated(all []Experiment) bool {
	return !slices.ContainsFunc(all, func(e Experiment) bool { return !e.Simulated() })
}

// ModelNames are the models of the experiments, in the order in which they occur: the
// first two and how many more where there are more than three.
func ModelNames(experiments []Experiment) string {
	var names []string
	for _, e := range experiments {
		for _, p := range e.Points {
			for _, r := range p.Runs {
				if r.Model != "" && !slices.Contains(names, r.Model) {
					names = append(names, r.Model)
				}
			}
		}
	}
	if len(names) > 3 {
		return fmt.Sprintf("%s and %d more models", strings.Join(names[:2], ", "), len(names)-2)
	}
	return strings.Join(names, ", ")
}
