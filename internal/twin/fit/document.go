package fit

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"headway/internal/twin"
	"headway/report"
)

// Document shows a twin: the loads beside their simulations, the mean errors, and
// what the fit has seen.
func Document(f *twin.File) *report.Document {
	d := &report.Document{}
	d.Rows(2, rows(f))
	for _, part := range []struct {
		name  string
		loads []twin.Judged
	}{{"fitted", f.Fitted}, {"held out", f.HeldOut}} {
		if len(part.loads) > 0 {
			d.Line("mean absolute error, %s: %s", part.name, errorsOf(part.loads))
		}
	}
	if len(f.HeldOut) == 0 {
		d.Line("no load was held out: the errors above are of loads that the fit has seen, and say little of others")
	}
	sayIntervals(d, f)
	if c := f.Calibration; c != nil {
		d.Line("measured: %d probes, %.0f s of load, %d requests, %d prompt and %d reply tokens", c.Probes,
			c.LoadSeconds, c.Requests, c.PromptTokens, c.OutputTokens)
		for _, doubt := range c.Doubts {
			d.Line("less sure than the errors say: %s", doubt)
		}
	}
	r := f.Range
	d.Line("seen: prompts of %d to %d tokens, replies of %d to %d, up to %d requests in flight; beyond that the twin "+
		"only extrapolates", r.ISL[0], r.ISL[1], r.OSL[0], r.OSL[1], r.InFlight[1])
	return d
}

// Check shows how a twin does on loads that it has not seen.
func Check(f *twin.File, judged []twin.Judged) *report.Document {
	g := *f
	g.Fitted, g.HeldOut, g.Calibration = nil, judged, nil
	return Document(&g)
}

func rows(f *twin.File) [][]string {
	all := [][]string{{"load", "part", "figure", "unit", "measured", "twin", "interval", "error"}}
	for _, part := range []struct {
		name  string
		loads []twin.Judged
	}{{"fitted", f.Fitted}, {"held out", f.HeldOut}} {
		for _, l := range part.loads {
			for _, c := range l.Figures {
				all = append(all, []string{l.Load, part.name, c.Figure, c.Unit, fmt.Sprintf("%.2f", c.Measured),
					fmt.Sprintf("%.2f", c.Simulated), interval(c), fmt.Sprintf("%+.1f %%", 100*c.Error())})
			}
		}
	}
	return all
}

// interval is how a table shows one; "≈" marks a range without a level.
func interval(c twin.Compared) string {
	switch i := c.Interval; {
	case i == nil:
		return "none"
	case i.Level == 0:
		return fmt.Sprintf("≈ %.2f–%.2f", i.Low, i.High)
	default:
		return fmt.Sprintf("%.2f–%.2f", i.Low, i.High)
	}
}

// sayIntervals says what the intervals are worth, which loads lie outside, and which
// are doubted.
func sayIntervals(d *report.Document, f *twin.File) {
	d.Line("%s", f.Uncertainty.Basis())
	for _, l := range append(append([]twin.Judged(nil), f.Fitted...), f.HeldOut...) {
		for _, doubt := range l.Doubts {
			d.Line("%s: less sure than the errors say: %s", l.Load, doubt)
		}
		if len(l.Beyond) > 0 {
			d.Line("%s: %s: outside of what the fit has seen, so its intervals are wider and extrapolate",
				l.Load, strings.Join(l.Beyond, ", "))
		}
	}
}

// errorsOf are the mean absolute errors of the figures.
func errorsOf(loads []twin.Judged) string {
	var names []string
	sum, n := map[string]float64{}, map[string]int{}
	for _, l := range loads {
		for _, c := range l.Figures {
			if !slices.Contains(names, c.Figure) {
				names = append(names, c.Figure)
			}
			sum[c.Figure] += math.Abs(c.Error())
			n[c.Figure]++
		}
	}
	text := ""
	for i, name := range names {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s %.1f %%", name, 100*sum[name]/float64(n[name]))
	}
	return text
}
