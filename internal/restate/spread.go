package restate

import (
	"math"
	"slices"
	"strconv"

	"headway/metric"
)

// spread has the statistics of a distribution, by a tool's rules; NaN where there is no
// value. stat is avg, std, min, max or a percentile such as p99.9.
type spread interface {
	stat(name string) float64
}

// numpy are values whose percentiles are interpolated linearly (NumPy's default) and
// whose standard deviation is the population's.
type numpy []float64

func (v numpy) stat(name string) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	switch name {
	case "avg":
		return mean(v, nil)
	case "std":
		return deviation(v, nil)
	}
	return metric.Percentile(sorted(v), percent(name))
}

// indexed are values whose percentile is the one at index ⌊n·p⌋ of the sorted ones, as
// MLPerf's loadgen takes it (results.cc, ProcessLatencies).
type indexed []float64

func (v indexed) stat(name string) float64 {
	if len(v) == 0 || name == "avg" || name == "std" {
		return numpy(v).stat(name)
	}
	at := int(float64(len(v)) * (percent(name) / 100))
	return sorted(v)[min(at, len(v)-1)]
}

// weighted are values that count as often as their weights say, whose percentile is the
// least value up to which at least that share of the weight lies (GuideLLM, statistics.py:
// Percentiles.from_pdf). Without weights all count once.
type weighted struct{ values, weights []float64 }

func (w weighted) stat(name string) float64 {
	order, total := w.order()
	switch {
	case len(order) == 0:
		return math.NaN()
	case name == "avg":
		return mean(w.values, w.weights)
	case name == "std":
		return deviation(w.values, w.weights)
	case name == "min":
		return w.values[order[0]]
	case name == "max":
		return w.values[order[len(order)-1]]
	}
	upTo := 0.0
	for _, i := range order {
		if upTo += w.weight(i) / total; upTo >= percent(name)/100 {
			return w.values[i]
		}
	}
	return w.values[order[len(order)-1]]
}

// order are the places of values with weight, by value, and the sum of the weights.
func (w weighted) order() (places []int, total float64) {
	for i := range w.values {
		if w.weight(i) > 0 {
			places = append(places, i)
			total += w.weight(i)
		}
	}
	slices.SortFunc(places, func(a, b int) int {
		switch {
		case w.values[a] < w.values[b]:
			return -1
		case w.values[a] > w.values[b]:
			return 1
		}
		return a - b
	})
	return places, total
}

func (w weighted) weight(i int) float64 {
	if w.weights == nil {
		return 1
	}
	return w.weights[i]
}

// mean is weighted; nil weights are all one.
func mean(values, weights []float64) float64 {
	w := weighted{values, weights}
	var sum, total float64
	for i, v := range values {
		sum += v * w.weight(i)
		total += w.weight(i)
	}
	return sum / total
}

// deviation is the standard deviation of the population.
func deviation(values, weights []float64) float64 {
	w, m := weighted{values, weights}, mean(values, weights)
	var sum, total float64
	for i, v := range values {
		sum += (v - m) * (v - m) * w.weight(i)
		total += w.weight(i)
	}
	return math.Sqrt(sum / total)
}

func sorted(values []float64) []float64 { return slices.Sorted(slices.Values(values)) }

// percent reads p99.9, min and max.
func percent(stat string) float64 {
	switch stat {
	case "min":
		return 0
	case "max":
		return 100
	}
	p, err := strconv.ParseFloat(stat[1:], 64)
	if err != nil {
		panic("restate: no statistic " + stat)
	}
	return p
}
