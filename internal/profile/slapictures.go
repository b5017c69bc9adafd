package profile

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"

	"headway/internal/chart"
)

// Report is everything that a search's pictures show.
type Report struct {
	Result     Result
	Target     Target
	Demand     Demand
	Aggregated []AggregatedOutcome
	// Title names the model and the GPU, Note how the figures came about.
	Title, Note string
}

// WritePictures draws prefill_performance, decode_performance, cost_sla and
// pareto, each as PNG and SVG, and returns the names of the files. A picture
// for which nothing was measured is left out.
func (r Report) WritePictures(dir string) ([]string, error) {
	var names []string
	for _, p := range []struct {
		name  string
		chart chart.Chart
	}{
		{"prefill_performance", r.performance(r.Result.Prefill)}, {"decode_performance", r.performance(r.Result.Decode)},
		{"cost_sla", r.cost()}, {"pareto", r.pareto()},
	} {
		if len(p.chart.Series) == 0 {
			continue
		}
		p.chart.Subtitle, p.chart.Note = r.Title, r.Note
		var png, svg bytes.Buffer
		if err := p.chart.WritePNG(&png); err != nil {
			return names, fmt.Errorf("drawing %s: %w", p.name, err)
		}
		if err := p.chart.WriteSVG(&svg); err != nil {
			return names, fmt.Errorf("drawing %s: %w", p.name, err)
		}
		for ext, data := range map[string][]byte{".png": png.Bytes(), ".svg": svg.Bytes()} {
			if err := ReplaceFile(filepath.Join(dir, p.name+ext), data); err != nil {
				return names, err
			}
		}
		names = append(names, p.name+".png", p.name+".svg")
	}
	return names, nil
}

// performance is latency against throughput per GPU, a line for each mapping.
func (r Report) performance(p PhaseResult) chart.Chart {
	c := chart.Chart{
		Title: "Decode: ITL and throughput per GPU",
		X:     chart.Axis{Label: latencyName(p.Phase) + " (ms)"},
		Y:     chart.Axis{Label: "Tokens/s/GPU"},
		Lines: []chart.Line{{Value: r.Target.of(p.Phase) * 1e3, Vertical: true, Label: fmt.Sprintf("target %.4g ms", r.Target.of(p.Phase)*1e3)}},
	}
	if p.Phase == Prefill {
		c.Title = "Prefill: TTFT and throughput per GPU"
	}
	for _, o := range p.Outcomes {
		if len(o.Trials) == 0 || len(c.Series) == chart.MaxSeries {
			continue
		}
		s := chart.Series{Name: o.Mapping}
		for _, t := range o.Trials {
			point := chart.Point{X: t.latency(p.Phase).Mean * 1e3, Y: t.Throughput.Mean}
			if t.Throughput.N > 1 {
				point.Low, point.High = t.Throughput.Mean-t.Throughput.HalfWidth(), t.Throughput.Mean+t.Throughput.HalfWidth()
			}
			if point.Label = fmt.Sprint(t.Concurrency); p.Phase == Prefill {
				point.Label = o.Mapping
			}
			s.Points = append(s.Points, point)
		}
		slices.SortFunc(s.Points, func(a, b chart.Point) int { return int(a.X*1e6) - int(b.X*1e6) })
		c.Series = append(c.Series, s)
	}
	return c
}

// cost is what a thousand requests cost against how fast each user is served:
// a line over the decode front for each prefill point of the prefill front.
func (r Report) cost() chart.Chart {
	c := chart.Chart{
		Title: "Cost and experience",
		X:     chart.Axis{Label: "Tokens/s/user (1000 / ITL in ms)"},
		Y:     chart.Axis{Label: fmt.Sprintf("$ per 1000 requests at $%.2f per GPU hour", r.Demand.GPUHour), Log: true},
		Lines: []chart.Line{{Value: 1 / r.Target.ITL, Vertical: true, Label: fmt.Sprintf("target ITL %.4g ms", r.Target.ITL*1e3)}},
	}
	decode := frontOf(r.Result.Decode)
	for _, p := range frontOf(r.Result.Prefill) {
		if len(c.Series) == chart.MaxSeries || len(decode) == 0 {
			break
		}
		s := chart.Series{Name: fmt.Sprintf("prefill %s, TTFT %.0f ms", p.Mapping, p.Trial.TTFT.Mean*1e3)}
		for _, q := range decode {
			point := chart.Point{X: 1 / q.Trial.ITL.Mean, Y: CostPer1000(r.Demand.ISL, r.Demand.OSL, p.Trial.Throughput.Mean, q.Trial.Throughput.Mean, r.Demand.GPUHour)}
			if len(c.Series) == 0 {
				point.Label = q.Mapping.String() // the same for every line
			}
			s.Points = append(s.Points, point)
		}
		c.Series = append(c.Series, s)
	}
	return c
}

// pareto is tokens/s/user against tokens/s/GPU of whole requests: the front of
// matched pairs whose prefill meets the TTFT target, and that of aggregated
// workers whose TTFT does.
func (r Report) pareto() chart.Chart {
	c := chart.Chart{
		Title: "Disaggregated and aggregated",
		X:     chart.Axis{Label: "Tokens/s/user"},
		Y:     chart.Axis{Label: "Output tokens/s/GPU, prefill GPUs included"},
		Lines: []chart.Line{{Value: 1 / r.Target.ITL, Vertical: true, Label: fmt.Sprintf("target ITL %.4g ms", r.Target.ITL*1e3)}},
	}
	var pairs, whole []Corner
	for _, p := range r.Result.Prefill.points(r.Target.TTFT) {
		for _, q := range picksOf(r.Result.Decode) {
			request := float64(r.Demand.ISL)/p.Trial.Throughput.Mean/prefillShare + float64(r.Demand.OSL)/q.Trial.Throughput.Mean/decodeShare
			pairs = append(pairs, Corner{1 / q.Trial.ITL.Mean, float64(r.Demand.OSL) / request, p.Mapping.String() + " + " + q.Mapping.String()})
		}
	}
	for _, o := range r.Aggregated {
		for _, t := range o.Trials {
			if t.TTFT.Mean <= r.Target.TTFT {
				whole = append(whole, Corner{1 / t.ITL.Mean, t.Throughput.Mean, o.Mapping})
			}
		}
	}
	for _, s := range []struct {
		name   string
		points []Corner
	}{{"disaggregated, prefill + decode", pairs}, {"aggregated", whole}} {
		if len(s.points) == 0 {
			continue
		}
		line := chart.Series{Name: s.name}
		for _, p := range ParetoFront(s.points) {
			line.Points = append(line.Points, chart.Point{X: p.X, Y: p.Y, Label: p.Label})
		}
		c.Series = append(c.Series, line)
	}
	return c
}
