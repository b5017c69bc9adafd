package report

import (
	"fmt"
	"io"
	"math"
	"strings"

	"headway/internal/chart"
)

// Pictures are the charts that the comparison has: over the cases where there
// are several, and of the tiers where there are any.
func (c *Comparison) Pictures() []Picture {
	var all []Picture
	if p, ok := c.tierPicture(); ok {
		all = append(all, p)
	}
	if len(c.Cases) < 2 {
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
		ch.Note = c.note("Whiskers: 95 % intervals; none is shown where there is none.")
		for _, name := range c.names() {
			ch.Series = append(ch.Series, c.series(name, func(a Arm) estimate { return a.estimate(p.tag, p.stat) }))
		}
		all = append(all, Picture{p.name + "_vs_" + c.XKey, ch})
	}
	if c.simulated() {
		all = append(all, c.hitPicture())
	}
	if len(c.names()) > 1 {
		all = append(all, c.gainPicture())
	}
	return all
}

func (c *Comparison) chart(title, y string) chart.Chart {
	ch := chart.Chart{Title: title, Subtitle: c.subtitle(), X: chart.Axis{Label: c.XLabel}, Y: chart.Axis{Label: y}}
	low, high := math.Inf(1), math.Inf(-1)
	for _, k := range c.Cases {
		ch.X.Values = append(ch.X.Values, k.X)
		low, high = math.Min(low, k.X), math.Max(high, k.X)
	}
	// Rates are swept by factors, ratios by steps.
	ch.X.Log = low > 0 && high > 5*low && c.XKey == "request_rate"
	return ch
}

func (c *Comparison) subtitle() string {
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

func (c *Comparison) note(more string) string {
	var parts []string
	if c.Simulated {
		parts = append(parts, "SIMULATED: no real engine answered.")
	}
	return strings.Join(append(parts, more), " ")
}

// names are those of all arms in their order.
func (c *Comparison) names() []string {
	var all []string
	seen := map[string]bool{}
	for _, k := range c.Cases {
		for _, a := range k.Arms {
			if !seen[a.Name] {
				seen[a.Name], all = true, append(all, a.Name)
			}
		}
	}
	return all
}

func (c *Comparison) series(name string, value func(Arm) estimate) chart.Series {
	s := chart.Series{Name: name}
	for _, k := range c.Cases {
		for _, a := range k.Arms {
			if a.Name != name {
				continue
			}
			e := value(a)
			p := drawn(k.X, e)
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
func drawn(x float64, e estimate) chart.Point {
	switch {
	case !finite(e.value):
		return chart.Point{X: x, Y: math.NaN()}
	case !finite(e.low) || !finite(e.high):
		return chart.Point{X: x, Y: e.value}
	}
	return chart.Point{X: x, Y: e.value, Low: e.low, High: e.high}
}

// plain is a figure without an interval.
func plain(v float64) estimate { return estimate{value: v, low: math.NaN(), high: math.NaN()} }

// hitPicture shows the hit rates beside those of ideal caches, which are the
// same for all arms.
func (c *Comparison) hitPicture() Picture {
	ch := c.chart("Prefix hit rate", "Prompt tokens found in a cache (%)")
	for _, name := range c.names() {
		ch.Series = append(ch.Series, c.series(name, func(a Arm) estimate { return plain(100 * a.HitRate()) }))
	}
	unlimited, sized := chart.Series{Name: "ideal: nothing forgotten", Faint: true}, chart.Series{Name: "ideal: one LRU of all workers' size", Faint: true}
	for _, k := range c.Cases {
		for _, a := range k.Arms {
			if r := a.Report.Run.Cluster; r != nil {
				unlimited.Points = append(unlimited.Points, chart.Point{X: k.X, Y: 100 * float64(r.IdealHitRate)})
				sized.Points = append(sized.Points, chart.Point{X: k.X, Y: 100 * float64(r.IdealAtSize)})
				break
			}
		}
	}
	ch.Series = append(ch.Series, unlimited, sized)
	ch.Note = c.note("Ideal caches see all requests in the order of arrival.")
	return Picture{"hit_rate_vs_" + c.XKey, ch}
}

// gainPicture shows where the gain is and where it vanishes.
func (c *Comparison) gainPicture() Picture {
	ch := c.chart("Gain over "+c.Baseline, "Times better (1 is no gain)")
	ch.Y.Log = true
	ch.Lines = []chart.Line{{Value: 1, Label: "no gain"}}
	for _, name := range c.names() {
		if name == c.Baseline {
			continue
		}
		for _, m := range []struct {
			what  string
			value func(Gain) Effect
		}{{"TTFT mean", func(g Gain) Effect { return g.TTFTMean }}, {"TTFT p99", func(g Gain) Effect { return g.TTFTP99 }},
			{"ITL mean", func(g Gain) Effect { return g.ITLMean }}, {"throughput", func(g Gain) Effect { return g.OutputThroughput }}} {
			ch.Series = append(ch.Series, c.gainSeries(name, m.what, m.value))
		}
	}
	if len(ch.Series) > chart.MaxSeries {
		ch.Series = ch.Series[:chart.MaxSeries]
	}
	ch.Note = c.note("Whiskers: 95 % intervals. Points marked saturated are no gain to quote: there the baseline's queue grows as long as the load lasts.")
	return Picture{"gain_vs_" + c.XKey, ch}
}

func (c *Comparison) gainSeries(arm, what string, value func(Gain) Effect) chart.Series {
	s := chart.Series{Name: what}
	if len(c.names()) > 2 {
		s.Name = arm + ": " + what
	}
	for _, k := range c.Cases {
		for _, g := range k.Gains(c.Baseline) {
			if g.Arm != arm {
				continue
			}
			e := value(g)
			p := chart.Point{X: k.X, Y: e.Value}
			if finite(e.Low) && e.Low > 0 {
				p.Low, p.High = e.Low, e.High
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
func (c *Comparison) tierPicture() (Picture, bool) {
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
				stat := func(name string) float64 { return within(t.Result, "time_to_first_token", name).value }
				// Beside each other, so that no whisker hides another.
				shift := (float64(i) - float64(len(k.Arms)-1)/2) * 0.03
				// The gap after each point keeps tiers from being joined by a line.
				s.Points = append(s.Points, drawn(float64(n+1)+shift, estimate{value: stat("p50"), low: stat("p25"), high: stat("p75")}),
					chart.Point{X: float64(n+1) + shift, Y: math.NaN()})
			}
			ch.X.Min, ch.X.Max = 0.5, float64(len(a.Tiers))+0.5
			ch.X.Label = "Tier (" + strings.Join(names, ", ") + ")"
			ch.Series = append(ch.Series, s)
		}
	}
	return Picture{"ttft_comparison", ch}, len(ch.Series) > 0
}

// WriteFiles writes results_summary.json, the table and the pictures into dir.
// It returns the names of the pictures' files.
func (c *Comparison) WriteFiles(dir string) ([]string, error) {
	if err := WriteFile(join(dir, "results_summary.json"), c.WriteJSON); err != nil {
		return nil, err
	}
	var written []string
	for _, p := range c.Pictures() {
		for _, f := range []struct {
			ending string
			write  func(io.Writer) error
		}{{".png", p.Chart.WritePNG}, {".svg", p.Chart.WriteSVG}} {
			if err := WriteFile(join(dir, p.Name+f.ending), f.write); err != nil {
				return written, err
			}
			written = append(written, p.Name+f.ending)
		}
	}
	return written, nil
}
