package duel

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"headway/metric"
	"headway/report"
)

// Kind is how a figure of two sides is compared.
type Kind uint8

const (
	// Ratio compares by the logarithm of the ratio: means and rates.
	Ratio Kind = iota
	// Share compares shares of requests by their difference.
	Share
)

// Figure is what is compared.
type Figure struct {
	metric.Figure
	Kind Kind
	// Above says that the share is that of requests that failed or whose metric is above
	// Threshold, in base units; NaN until a block has told it.
	Above     bool
	Threshold float64
	// Quantile is which one of the first block, of both sides together, the threshold
	// is, above 0 and below 1; 0 where it was given.
	Quantile float64
	Text     string
}

// fraction is the share of requests that met the goodput objectives.
const fraction = "good_request_fraction"

// ParseFigure reads a figure: "time_to_first_token avg", "output_token_throughput",
// "good_request_fraction", a quantile such as "time_to_first_token p99", or a share of
// requests such as "time_to_first_token > 500ms".
func ParseFigure(text string) (Figure, error) {
	text = strings.TrimSpace(text)
	if tag, bound, is := strings.Cut(text, ">"); is {
		o, err := metric.ParseObjective(strings.TrimSpace(tag) + " avg > " + strings.TrimSpace(bound))
		if err != nil {
			return Figure{}, fmt.Errorf("figure %q: want a latency and a bound, as in %q: %w", text,
				"time_to_first_token > 500ms", err)
		}
		return Figure{Figure: metric.Figure{Tag: o.Tag}, Kind: Share, Above: true, Threshold: o.Bound,
			Text: text}, nil
	}
	f, err := metric.ParseFigure(text)
	if err != nil {
		return Figure{}, err
	}
	out := Figure{Figure: f, Threshold: math.NaN(), Text: f.String()}
	switch {
	case f.Tag == fraction:
		out.Kind = Share
	case strings.HasPrefix(f.Stat, "p"):
		n, err := strconv.Atoi(f.Stat[1:])
		if err != nil {
			return Figure{}, fmt.Errorf("figure %q: no quantile", text)
		}
		out.Kind, out.Above, out.Quantile = Share, true, float64(n)/100
	case f.Stat == "min" || f.Stat == "max" || f.Stat == "std":
		return Figure{}, fmt.Errorf("figure %q: a block decides means, rates, quantiles and shares, not %s", text,
			f.Stat)
	}
	return out, nil
}

// better is which direction of the compared value is better.
func (f Figure) better() metric.Direction {
	if f.Above {
		return metric.Lower
	}
	return f.Figure.Better()
}

// String is the figure as tables name it.
func (f Figure) String() string {
	if f.Quantile > 0 && !math.IsNaN(f.Threshold) {
		m, _ := metric.Lookup(f.Tag)
		return fmt.Sprintf("%s > %.4g %s (%s of the first block)", f.Tag, m.Shown(f.Threshold), m.Unit, f.Stat)
	}
	return f.Text
}

// Value is a figure of one side in one block.
type Value struct {
	Value float64 `json:"value"`
	// Of is how many requests a share is of.
	Of int `json:"of,omitempty"`
}

// Observed is what a referee reads of a run.
type Observed interface {
	Figure(tag, stat string) report.Figure
	// Samples are values of the answered requests, in base units.
	Samples(tag string) []float64
	// Requests is how many were answered or failed, Failed how many failed.
	Requests() int
	Failed() int
}

// of is the figure of a run. It is NaN where the run has none. A request that failed is
// above every threshold.
func (f Figure) of(r Observed) Value {
	if !f.Above {
		return Value{Value: r.Figure(f.Tag, f.Stat).Value, Of: r.Requests()}
	}
	if math.IsNaN(f.Threshold) {
		return Value{Value: math.NaN()}
	}
	samples := r.Samples(f.Tag)
	above, all := r.Failed(), len(samples)+r.Failed()
	for _, v := range samples {
		if v > f.Threshold {
			above++
		}
	}
	return Value{Value: float64(above) / float64(all), Of: all}
}
