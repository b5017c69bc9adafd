package picture

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"headway/internal/chart"
	"headway/report"
)

// comparison is one that is being drawn.
type comparison struct{ *report.Comparison }

// OfComparison are the charts that a comparison has: over the cases where there
// are several, and of the tiers where there are any.
func OfComparison(of *report.Comparison) []Picture {
	c := comparison{of}
	var all []Picture
	if p, ok := c.tierPicture(); ok {
		all = append(all, p)
	}
	if len(c.Cases) == 0 {
		return all
	}
	for _, p := range []struct {
		name, title, y, tag, stat string
		log                       bool
	}{
		{"ttft", "Time to first token", "TTFT, mean (ms)", "time_to_first_token", "avg", true},
		{"ttft_p99", "Time to first token, 99th percentile", "TTFT, p99 (ms)", "time_to_first_token", "p99", true},
		{"itl", "Inter-token latency", "ITL, mean (ms)", "inter_token_latency", "avg", false},
		{"throughput", "Output throughput", "Output tokens/s", "output_token_throughput", "avg", false},
	} {
		ch := c.chart(p.title, p.y)
		ch.Y.Log = p.log
		for _, name := range c.ArmNames() {
			ch.Series = append(ch.Series, c.series(name,
				func(a report.Arm) report.Figure { return spanned(a, p.tag, p.stat) }))
		}
		ch.Note = c.note(c.whiskersText(ch.Series))
		all = append(all, Picture{Name: p.name + c.over(), chart: ch})
	}
	if c.HasClusters() {
		all = append(all, c.hitPicture())
	}
	if slices.Contains(c.ArmNames(), c.Baseline) && len(c.ArmNames()) > 1 {
		all = append(all, c.gainPicture())
	}
	return all
}

func (c comparison) chart(title, y string) chart.Chart {
	ch := chart.Chart{Title: title, Subtitle: c.subtitle(), X: chart.Axis{Label: c.XLabel}, Y: chart.Axis{Label: y}}
	if c.alone() {
		ch.X = chart.Axis{Label: "One load: " + c.Cases[0].Name, Min: 0, Max: 2, Values: []float64{1}}
		return ch
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, k := range c.Cases {
		ch.X.Values = append(ch.X.Values, k.X)
		low, high = math.Min(low, k.X), math.Max(high, k.X)
	}
	// Rates are swept by factors, ratios by steps.
	ch.X.Log = low > 0 && high > 5*low && c.XKey == "request_rate"
	return ch
}

// alone says that there is one load, so that nothing is drawn over anything.
func (c comparison) alone() bool { return len(c.Cases) == 1 && c.XKey == "" }

// over is the end of a picture's name.
func (c comparison) over() string {
	if c.alone() {
		return "_of_one_load"
	}
	return "_vs_" + c.XKey
}

// at is where a case stands on the X axis.
func (c comparison) at(k report.Case) float64 {
	if c.alone() {
		return 1
	}
	return k.X
}

// beside is where the i-th of n series stands on the X axis: of one load beside the
// others, since equal values would hide each other there.
func (c comparison) beside(k report.Case, i, n int) float64 {
	if !c.alone() {
		return c.at(k)
	}
	return c.at(k) + 0.1*(float64(i)-float64(n-1)/2)
}

// whiskersText says what whiskers are, where there are any.
func whiskersText(list []chart.Series) string {
	some, without := false, false
	for _, s := range list {
		for _, p := range s.Points {
			has := p.Low != 0 || p.High != 0
			some, without = some || has && finite(p.Y), without || !has && finite(p.Y)
		}
	}
	switch {
	case some && without:
		return "Whiskers: 95 % intervals; points without one have no interval."
	case some:
		return "Whiskers: 95 % intervals."
	case without:
		return "No point has an interval."
	}
	return ""
}

// spanned is a figure with the interval that is drawn: on the server, where a
// calibration says it.
func spanned(a report.Arm, tag, stat string) report.Figure {
	e := a.Figure(tag, stat)
	if x := a.Expected(tag, stat); x != nil && x.Why == "" {
		e.Low, e.High = x.Low, x.High
	}
	return e
}

// whiskersText says what whiskers are.
func (c comparison) whiskersText(list []chart.Series) string {
	s := whiskersText(list)
	if level, known := c.level(); known {
		of := fmt.Sprintf("where a server is expected by the twin, in %.0f %% of cases", 100*level)
		if level == 0 {
			of = "where a server is expected by the twin, without a level, since too few blocks calibrate it"
		}
		return strings.Replace(s, "95 % intervals", of, 1)
	}
	return s
}

// level is the lowest one of the intervals on the server; false where there is none.
func (c comparison) level() (level float64, known bool) {
	for _, k := range c.Cases {
		for _, a := range k.Arms {
			if x := a.Expected("time_to_first_token", "avg"); x != nil && x.Why == "" {
				if !known || x.Level < level {
					level, known = x.Level, true
				}
			}
		}
	}
	return level, known
}

// subtitle says what was compared, on what, and with which requests.
func (c comparison) subtitle() string {
	var reports []*report.Report
	for _, k := range c.Cases {
		for _, a := range k.Arms {
			reports = append(reports, a.Report)
		}
	}
	return strings.Trim(c.place()+" · "+report.LoadText(reports), " ·")
}

// place is the verb and the cluster.
func (c comparison) place() string {
	s := "headway router " + c.Benchmark
	if c.Simulated {
		s += " on a simulated cluster"
		for _, k := range c.Cases {
			for _, a := range k.Arms {
				if r := a.Report.Run.Cluster; r != nil {
					return fmt.Sprintf("%s of %d workers", s, len(r.Workers))
				}
			}
		}
	}
	return s
}

func (c comparison) note(more ...string) string {
	var parts []string
	if c.Simulated {
		parts = append(parts, "SIMULATED: no real engine answered.")
	}
	for _, s := range more {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, " ")
}

// labelled says whether a point that is drawn has a label.
func labelled(list []chart.Series) bool {
	for _, s := range list {
		for _, p := range s.Points {
			if p.Label != "" && finite(p.Y) {
				return true
			}
		}
	}
	return false
}

func (c comparison) series(name string, value func(report.Arm) report.Figure) chart.Series {
	s := chart.Series{Name: name}
	for _, k := range c.Cases {
		for _, a := range k.Arms {
			if a.Name != name {
				continue
			}
			e := value(a)
			p := drawn(c.beside(k, slices.Index(c.ArmNames(), name), len(c.ArmNames())), e)
			if sat, _ := a.Saturation(); sat {
				p.Label = "saturated"
			}
			s.Points = append(s.Points, p)
		}
	}
	return s
}

// drawn is a figure's point: a gap where it is infinite, for failed requests
// reach into it, and without whiskers where one would be endless.
func drawn(x float64, e report.Figure) chart.Point {
	switch {
	case !finite(e.Value):
		return chart.Point{X: x, Y: math.NaN()}
	case !finite(e.Low) || !finite(e.High):
		return chart.Point{X: x, Y: e.Value}
	}
	return chart.Point{X: x, Y: e.Value, Low: e.Low, High: e.High}
}

// hitPicture shows the hit rates beside those of ideal caches, which are the
// same for all arms.
func (c comparison) hitPicture() Picture {
	ch := c.chart("Prefix hit rate", "Prompt tokens found in a cache (%)")
	for _, name := range c.ArmNames() {
		ch.Series = append(ch.Series, c.series(name,
			func(a report.Arm) report.Figure { return report.Exact(100 * a.HitRate()) }))
	}
	unlimited, sized := chart.Series{Name: "ideal: nothing forgotten",
		Faint: true}, chart.Series{Name: "ideal: one LRU of all workers' size", Faint: true}
	for _, k := range c.Cases {
		for _, a := range k.Arms {
			if r := a.Report.Run.Cluster; r != nil {
				unlimited.Points = append(unlimited.Points, chart.Point{X: c.at(k), Y: 100 * float64(r.IdealHitRate)})
				sized.Points = append(sized.Points, chart.Point{X: c.at(k), Y: 100 * float64(r.IdealAtSize)})
				break
			}
		}
	}
	if slices.Equal(unlimited.Points, sized.Points) {
		unlimited.Name = "ideal: nothing forgotten, or one LRU of all workers' size"
		sized.Points = nil
	}
	ch.Series = append(ch.Series, unlimited)
	if len(sized.Points) > 0 {
		ch.Series = append(ch.Series, sized)
	}
	ch.Note = c.note("Ideal caches see all requests in the order of arrival.")
	return Picture{Name: "hit_rate" + c.over(), chart: ch}
}

// gainPicture shows where the gain is and where it vanishes.
func (c comparison) gainPicture() Picture {
	ch := c.chart("Gain over "+c.Baseline, "Times better (1 is no gain)")
	ch.Y.Log = true
	ch.Lines = []chart.Line{{Value: 1, Label: "no gain"}}
	for _, name := range c.ArmNames() {
		if name == c.Baseline {
			continue
		}
		for _, m := range []struct {
			what  string
			value func(report.Gain) report.Effect
		}{{"TTFT mean", func(g report.Gain) report.Effect { return g.TTFTMean }}, {"TTFT p99",
			func(g report.Gain) report.Effect { return g.TTFTP99 }},
			{"ITL mean", func(g report.Gain) report.Effect { return g.ITLMean }},
			{"throughput", func(g report.Gain) report.Effect { return g.OutputThroughput }}} {
			ch.Series = append(ch.Series, c.gainSeries(name, m.what, m.value, len(ch.Series), 4*(len(c.ArmNames())-1)))
		}
	}
	left := ""
	if more := len(ch.Series) - chart.MaxSeries; more > 0 {
		left = fmt.Sprintf("Not drawn: %d more.", more)
		ch.Series = ch.Series[:chart.MaxSeries]
	}
	saturated := ""
	if labelled(ch.Series) {
		saturated = "Points marked saturated are no gain to quote: there the baseline's queue grows as long as the " +
			"load lasts."
	}
	ch.Note = c.note(c.whiskersText(ch.Series), saturated, left)
	return Picture{Name: "gain" + c.over(), chart: ch}
}

// gainSeries is one figure of one arm, the i-th of n series.
func (c comparison) gainSeries(arm, what string, value func(report.Gain) report.Effect, i, n int) chart.Series {
	s := chart.Series{Name: what}
	if len(c.ArmNames()) > 2 {
		s.Name = arm + ": " + what
	}
	for _, k := range c.Cases {
		for _, g := range k.Gains(c.Baseline) {
			if g.Arm != arm {
				continue
			}
			e := value(g)
			p := chart.Point{X: c.beside(k, i, n), Y: e.Value}
			if low, high := e.Span(); finite(low) && low > 0 {
				p.Low, p.High = low, high
			}
			if strings.Contains(g.Caution, "saturated") && what == "TTFT mean" {
				p.Label = "saturated"
			}
			s.Points = append(s.Points, p)
		}
	}
	return s
}

// tierPicture shows the median TTFT of each tier with its quartiles. Tiers are
// numbered, since priorities may be any numbers, such as 0, 10 and 100.
func (c comparison) tierPicture() (Picture, bool) {
	ch := chart.Chart{Title: "Time to first token by tier", Subtitle: c.subtitle(), Y: chart.Axis{Label: "TTFT (ms)"},
		Note: c.note("Points: median. Whiskers: 25th and 75th percentile.")}
	for _, k := range c.Cases {
		for i, a := range k.Arms {
			if len(a.Tiers) == 0 {
				continue
			}
			s := chart.Series{Name: a.Name}
			var names []string
			ch.X.Values = nil
			for n, t := range a.Tiers {
				names = append(names, fmt.Sprintf("%d: priority %g", n+1, t.Priority))
				ch.X.Values = append(ch.X.Values, float64(n+1))
				stat := func(name string) float64 { return t.Figure("time_to_first_token", name).Value }
				// Beside each other, so that no whisker hides another.
				shift := (float64(i) - float64(len(k.Arms)-1)/2) * 0.03
				// The gap after each point keeps tiers from being joined by a line.
				s.Points = append(s.Points, drawn(float64(n+1)+shift,
					report.Figure{Value: stat("p50"), Low: stat("p25"), High: stat("p75")}),
					chart.Point{X: float64(n+1) + shift, Y: math.NaN()})
			}
			ch.X.Min, ch.X.Max = 0.5, float64(len(a.Tiers))+0.5
			ch.X.Label = "Tier (" + strings.Join(names, ", ") + ")"
			ch.Series = append(ch.Series, s)
		}
	}
	return Picture{Name: "ttft_comparison", chart: ch}, len(ch.Series) > 0
}

// WriteComparison writes a comparison's results_summary.json and its pictures into dir.
// It returns the names of the pictures' files.
func WriteComparison(dir string, c *report.Comparison) ([]string, error) {
	if err := report.WriteFile(filepath.Join(dir, report.ComparisonName), c.WriteJSON); err != nil {
		return nil, err
	}
	var written []string
	for _, p := range OfComparison(c) {
		p.chart.Note = strings.TrimSpace(p.chart.Note + " " + p.chart.Trim())
		names, err := p.Write(dir)
		if err != nil {
			return written, err
		}
		written = append(written, names...)
	}
	return written, nil
}
