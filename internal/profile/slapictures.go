package profile

import (
	"fmt"
	"slices"

	"headway/internal/chart"
	"headway/report/picture"
)

// Pictures is everything that a search's pictures show.
type Pictures struct {
	Result     Result
	SLO        SLO
	Demand     Demand
	Aggregated []AggregatedOutcome
	// Title names the model and the GPU, Note how the figures came about.
	Title, Note string
}

// All are prefill_performance, decode_performance, cost_sla and pareto. A picture
// for which nothing was measured is left out.
func (r Pictures) All() []picture.Picture {
	var all []picture.Picture
	for _, p := range []struct {
		name  string
		chart chart.Chart
	}{
		{"prefill_performance", r.performance(r.Result.Prefill)},
		{"decode_performance", r.performance(r.Result.Decode)},
		{"cost_sla", r.cost()}, {"pareto", r.pareto()},
	} {
		if len(p.chart.Series) == 0 {
			continue
		}
		p.chart.Subtitle, p.chart.Note = r.Title, noted(p.chart.Note, r.Note)
		all = append(all, picture.Of(p.name, p.chart))
	}
	return all
}

// WritePictures draws [Pictures.All] into a folder, each as PNG and SVG, and returns
// the names of the files.
func (r Pictures) WritePictures(dir string) ([]string, error) {
	var names []string
	for _, p := range r.All() {
		written, err := p.Write(dir)
		names = append(names, written...)
		if err != nil {
			return names, fmt.Errorf("drawing %s: %w", p.Name, err)
		}
	}
	return names, nil
}

// performance is latency against throughput per GPU, a line for each mapping.
func (r Pictures) performance(p PhaseResult) chart.Chart {
	c := chart.Chart{
		Title: "Decode: ITL and throughput per GPU",
		X:     chart.Axis{Label: latencyName(p.Phase) + " (ms)"},
		Y:     chart.Axis{Label: "Tokens/s/GPU"},
		Lines: []chart.Line{{Value: r.SLO.Of(p.Phase) * 1e3, Vertical: true,
			Label: fmt.Sprintf("target %.4g ms", r.SLO.Of(p.Phase)*1e3)}},
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
				point.Low, point.High = t.Throughput.Mean-t.Throughput.HalfWidth(),
					t.Throughput.Mean+t.Throughput.HalfWidth()
			}
			if point.Label = fmt.Sprint(t.Concurrency); p.Phase == Prefill {
				point.Label = o.Mapping
			}
			s.Points = append(s.Points, point)
		}
		slices.SortFunc(s.Points, func(a, b chart.Point) int { return int(a.X*1e6) - int(b.X*1e6) })
		c.Series = append(c.Series, s)
	}
	c.Note = whiskersOf(c.Series...)
	return c
}

// cost is what a thousand requests cost against how fast each user is served:
// a line over the decode front for each prefill point of the prefill front, as
// Dynamo draws it; faint where the TTFT target is missed.
func (r Pictures) cost() chart.Chart {
	c := chart.Chart{
		Title: "Cost and experience",
		Note:  "all workers always busy: no queue, and no pool of whole workers, which cost more",
		X:     chart.Axis{Label: "Tokens/s/user (1000 / ITL in ms)"},
		Y:     chart.Axis{Label: fmt.Sprintf("$ per 1000 requests, $%.2f a GPU hour", r.Demand.GPUHour), Log: true},
		Lines: []chart.Line{{Value: 1 / r.SLO.ITL, Vertical: true,
			Label: fmt.Sprintf("target ITL %.4g ms", r.SLO.ITL*1e3)}},
	}
	decode := frontOf(r.Result.Decode)
	for _, p := range frontOf(r.Result.Prefill) {
		if len(c.Series) == chart.MaxSeries || len(decode) == 0 {
			break
		}
		s := chart.Series{Name: fmt.Sprintf("prefill %s, TTFT %.0f ms", p.Mapping, p.Trial.TTFT.Mean*1e3)}
		if !p.Trial.meets(Prefill, r.SLO.TTFT) {
			s.Name, s.Faint = s.Name+fmt.Sprintf(" (misses %.4g ms)", r.SLO.TTFT*1e3), true
		}
		for _, q := range decode {
			point := chart.Point{X: 1 / q.Trial.ITL.Mean, Y: CostPer1000(r.Demand.ISL, r.Demand.OSL,
				p.Trial.Throughput.Mean, q.Trial.Throughput.Mean, r.Demand.GPUHour)}
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
// matched pools whose prefill meets the TTFT target (or of the nearest, which is
// said), that of aggregated workers whose TTFT does, and the recommended pools.
// Both fronts have queueing in them: pools by [Match]'s rule, each pair in the
// size that has most of a GPU; aggregated workers since requests arrive at random.
func (r Pictures) pareto() chart.Chart {
	c := chart.Chart{
		Title: "Disaggregated and aggregated",
		Note: fmt.Sprintf("random arrivals, TTFT with the wait for a worker; pools of at most %d prefill workers, "+
			"used to %.0f %% (prefill) and %.0f %% (decode) at most", mostWorkers, 100*prefillShare, 100*decodeShare),
		X: chart.Axis{Label: "Tokens/s/user"},
		Y: chart.Axis{Label: "Output tokens/s/GPU, prefill GPUs included"},
		Lines: []chart.Line{{Value: 1 / r.SLO.ITL, Vertical: true,
			Label: fmt.Sprintf("target ITL %.4g ms", r.SLO.ITL*1e3)}},
	}
	pools, named := r.pools()
	var whole []Corner
	for _, o := range r.Aggregated {
		for _, t := range o.Trials {
			if t.meets(Prefill, r.SLO.TTFT) {
				whole = append(whole, Corner{1 / t.ITL.Mean, t.Throughput.Mean, o.Mapping})
			}
		}
	}
	for _, s := range []struct {
		name   string
		points []Corner
	}{{named, pools}, {"aggregated", whole}, {"recommended pools", r.recommended()}} {
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

// perGPU is a deployment's place in the picture of fronts.
func (r Pictures) perGPU(x Deployment, label string) Corner {
	return Corner{1 / x.ITL, x.RequestRate * float64(r.Demand.OSL) / float64(x.GPUs), label}
}

// pools is every pair of a prefill and a decode worker in the size that has most
// of a GPU, and what they are called.
func (r Pictures) pools() (list []Corner, name string) {
	name = "disaggregated, prefill + decode"
	free := Demand{ISL: r.Demand.ISL, OSL: r.Demand.OSL, GPUHour: r.Demand.GPUHour}
	for _, p := range r.Result.Prefill.points(r.SLO.TTFT) {
		if !p.Met {
			name = "disaggregated, misses the TTFT target"
		}
		for _, q := range picksOf(r.Result.Decode) {
			best := Corner{}
			for _, x := range free.pair(p, q, r.SLO) {
				if at := r.perGPU(x, p.Mapping.String()+" + "+q.Mapping.String()); at.Y > best.Y {
					best = at
				}
			}
			if best.Y > 0 {
				list = append(list, best)
			}
		}
	}
	return list, name
}

// recommended is the deployment of the result, if there is one.
func (r Pictures) recommended() []Corner {
	x := r.Demand.Recommend(Match(r.Result, r.SLO, r.Demand), MatchAggregated(r.Aggregated, r.SLO, r.Demand))
	switch {
	case x == nil:
		return nil
	case x.Aggregated != nil:
		return []Corner{r.perGPU(*x, fmt.Sprintf("%d× %s", x.Aggregated.Workers, x.Aggregated.Mapping))}
	}
	return []Corner{r.perGPU(*x,
		fmt.Sprintf("%d× %s + %d× %s", x.Prefill.Workers, x.Prefill.Mapping, x.Decode.Workers, x.Decode.Mapping))}
}
