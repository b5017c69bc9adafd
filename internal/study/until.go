package study

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"headway/internal/sequential"
	"headway/metric"
	"headway/record"
	"headway/report"
)

// short are the figures that are not known as well as was asked for, by an interval
// over complete runs that holds however often one looks. Figures share the error.
func (r Repeat) short(runs []*report.Report) (all []string) {
	for _, w := range r.Until {
		var values []float64
		for _, rep := range runs {
			if v, ok := valueOf(rep, w.Figure); ok && rep.Complete() {
				values = append(values, v)
			}
		}
		mean, _, high := sequential.Mean(values, (1-r.Confidence)/float64(len(r.Until)))
		switch within := (high - mean) / math.Abs(mean); {
		case within <= w.Within:
		case math.IsInf(within, 0) || math.IsNaN(within):
			all = append(all, w.Text+" (no interval yet)")
		default:
			all = append(all, fmt.Sprintf("%s (±%.1f %%)", w.Text, 100*within))
		}
	}
	return all
}

// warnShort says of the last run that not enough was known after it.
func (r Repeat) warnShort(runs []*report.Report) {
	if short := r.short(runs); short != nil && len(runs) > 0 {
		last := &runs[len(runs)-1].Run
		last.Warnings = append(slices.Clip(last.Warnings), record.Warning{Code: "until_not_reached",
			Text: fmt.Sprintf("after %d runs not known as well as was asked for: %s", len(runs),
				strings.Join(short, ", "))})
	}
}

// valueOf is the figure of a run; false where it has none, or none that is finite.
func valueOf(r *report.Report, w metric.Figure) (v float64, ok bool) {
	if w.Stat == "" {
		s, has := r.Result.Scalar(w.Tag)
		v, ok = s.Value, has
	} else if s, has := r.Result.Summary(w.Tag); has {
		v, ok = s.Stat(w.Stat)
	}
	return v, ok && !math.IsInf(v, 0) && !math.IsNaN(v)
}
