package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"headway/internal/chart"
	"headway/record"
)

// PlotOptions say how experiments are drawn.
type PlotOptions struct {
	// GPUs is the number of GPUs of every experiment, over what files say; 0
	// takes it from the files.
	GPUs int
}

// Picture is one of the five pictures.
type Picture struct {
	Name  string // file name without ending
	Chart chart.Chart
}

// Plot writes the five pictures as .png and .svg, and SUMMARY.txt, into dir.
// It returns the paths in the order in which they were written.
func Plot(dir string, experiments []Experiment, o PlotOptions) ([]string, error) {
	if len(experiments) > chart.MaxSeries {
		var names []string
		for _, e := range experiments {
			names = append(names, e.Name)
		}
		return nil, fmt.Errorf("%d experiments are more than the %d that can be told apart in one picture: pick some with --benchmark-name from %s",
			len(experiments), chart.MaxSeries, strings.Join(names, ", "))
	}
	var written []string
	put := func(name string, write func(io.Writer) error) error {
		path := join(dir, name)
		written = append(written, path)
		return WriteFile(path, write)
	}
	for _, p := range Pictures(experiments, o) {
		if err := p.Chart.Validate(); err != nil {
			return written, fmt.Errorf("drawing %s: %w", p.Name, err)
		}
		if err := put(p.Name+".png", p.Chart.WritePNG); err != nil {
			return written, err
		}
		if err := put(p.Name+".svg", p.Chart.WriteSVG); err != nil {
			return written, err
		}
	}
	err := put("SUMMARY.txt", func(w io.Writer) error { return WriteSummary(w, experiments, o) })
	return written, err
}

// Pictures makes the five charts under the names that Dynamo's scripts use.
func Pictures(experiments []Experiment, o PlotOptions) []Picture {
	levels := concurrencies(experiments)
	line := func(name, title, label, tag, stat string, read func(Point, string, string) estimate, of ...concern) Picture {
		c := chart.Chart{
			Title: title, Subtitle: subtitle(experiments),
			X: chart.Axis{Label: "Concurrency", Log: true, Values: levels},
			Y: chart.Axis{Label: label},
		}
		for _, e := range experiments {
			s := chart.Series{Name: seriesName(e, experiments)}
			for _, p := range e.Points {
				point := pointAt(float64(p.Concurrency), read(p, tag, stat))
				point.Faint, point.Loose = p.pale(), p.loose()
				s.Points = append(s.Points, point)
			}
			c.Series = append(c.Series, s)
		}
		finish(&c, experiments, of)
		return Picture{name, c}
	}
	return []Picture{
		line("p50_inter_token_latency_vs_concurrency", "Inter-token latency, median", "Inter-token latency p50 (ms)", "inter_token_latency", "p50", Point.latency, ofTokens, ofPace, ofArrival),
		line("avg_inter_token_latency_vs_concurrency", "Inter-token latency, mean", "Inter-token latency avg (ms)", "inter_token_latency", "avg", Point.latency, ofTokens, ofPace, ofArrival),
		line("avg_time_to_first_token_vs_concurrency", "Time to first token, mean", "Time to first token avg (ms)", "time_to_first_token", "avg", Point.latency, ofArrival),
		line("request_throughput_vs_concurrency", "Request throughput", "Requests per second", "request_throughput", "avg", Point.figure),
		efficiency(experiments, o),
	}
}

// efficiency draws what a GPU yields against what a user gets.
func efficiency(experiments []Experiment, o PlotOptions) Picture {
	gpus := o.known(experiments)
	y := "tok/s/GPU"
	if !gpus {
		y = "tok/s (GPUs not given)"
	}
	c := chart.Chart{
		Title: "Efficiency: throughput against speed per user", Subtitle: subtitle(experiments),
		X: chart.Axis{Label: "tok/s/user"}, Y: chart.Axis{Label: y},
	}
	for _, e := range experiments {
		s := chart.Series{Name: seriesName(e, experiments)}
		for _, p := range e.Points {
			x := p.speed().value
			if math.IsNaN(x) {
				continue
			}
			point := pointAt(x, o.perGPU(p, gpus))
			point.Label, point.Faint = strconv.Itoa(p.Concurrency), p.pale()
			point.Loose = p.loose()
			s.Points = append(s.Points, point)
		}
		c.Series = append(c.Series, s)
	}
	perUser := []concern{ofTokens, ofPace, ofArrival}
	finish(&c, experiments, perUser)
	c.Empty = emptyText(experiments, perUser)
	c.Note = "Labels: concurrency; tok/s/user: tokens over decode time. " + c.Note
	return Picture{"efficiency_tok_s_gpu_vs_user", c}
}

// known reports whether every point's number of GPUs is known. One that is not
// would stand among the others a whole factor too high, so then none is
// divided.
func (o PlotOptions) known(experiments []Experiment) bool {
	for _, e := range experiments {
		for _, p := range e.Points {
			if o.gpus(p) == 0 {
				return false
			}
		}
	}
	return true
}

func (o PlotOptions) gpus(p Point) int {
	if o.GPUs > 0 {
		return o.GPUs
	}
	return p.Runs[0].GPUs
}

// perGPU is a point's output tokens per second, by its GPUs when divide is set.
func (o PlotOptions) perGPU(p Point, divide bool) estimate {
	e := p.figure("output_token_throughput", "avg")
	if !divide {
		return e
	}
	n := float64(o.gpus(p))
	return estimate{value: e.value / n, low: e.low / n, high: e.high / n}
}

// latency is a statistic in milliseconds: of one run with the interval that its
// file has, of several their mean with its t-interval.
func (p Point) latency(tag, stat string) estimate {
	var values []float64
	bounded := false
	for _, r := range p.Runs {
		if e, ok := r.open(tag, stat); ok {
			values, bounded = append(values, e.value), bounded || e.atLeast
			continue
		}
		v, ends, known, ok := r.Milliseconds(tag, stat)
		if ok && known && len(p.Runs) == 1 {
			return estimate{value: v, low: ends[0], high: ends[1]}
		}
		if ok {
			values = append(values, v)
		}
	}
	e := over(values)
	if bounded || math.IsInf(e.value, 1) {
		e = plain(e.value)
		e.atLeast = bounded && finite(e.value)
	}
	return e
}

// figure is a statistic in the file's unit: of one run with the interval that
// its file has, of several their mean with its t-interval.
func (p Point) figure(tag, stat string) estimate {
	if len(p.Runs) == 1 {
		e := unknown()
		if v, ok := p.Runs[0].Value(tag, stat); ok {
			e.value = v
			if ends, ok := p.Runs[0].figure(tag).Intervals[stat]; ok {
				e.low, e.high = ends[0], ends[1]
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

func pointAt(x float64, e estimate) chart.Point {
	p := chart.Point{X: x, Y: e.value}
	if !finite(e.value) || e.atLeast {
		p.Y = math.NaN() // it has no place on an axis
	} else if finite(e.low) && finite(e.high) {
		// An interval of a latency can reach below zero, a latency cannot.
		p.Low, p.High = max(0, e.low), e.high
	}
	return p
}

func concurrencies(experiments []Experiment) []float64 {
	var all []float64
	for _, e := range experiments {
		for _, p := range e.Points {
			all = append(all, float64(p.Concurrency))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// seriesName marks a simulated experiment where others are not; where all are,
// the note says so.
func seriesName(e Experiment, all []Experiment) string {
	if e.Simulated() && !simulated(all) {
		return e.Name + " (simulated)"
	}
	return e.Name
}

// simulated reports whether all experiments are.
func simulated(all []Experiment) bool {
	return !slices.ContainsFunc(all, func(e Experiment) bool { return !e.Simulated() })
}

// subtitle names the models.
func subtitle(experiments []Experiment) string {
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

// finish drops whiskers that would hide behind their marker and writes the
// note: whether the figures are simulated, their warnings, of is what they are
// about, and what the others are.
func finish(c *chart.Chart, experiments []Experiment, of []concern) {
	top, without := heights(c)
	whiskers, faint := false, false
	for _, s := range c.Series {
		for i, p := range s.Points {
			faint = faint || p.Faint && finite(p.Y)
			if p.High-p.Low < markerShare*top {
				s.Points[i].Low, s.Points[i].High = 0, 0
			} else {
				whiskers = true
			}
		}
	}
	var notes []string
	if simulated(experiments) {
		notes = append(notes, "SIMULATED: no real engine answered.")
	}
	if w := warningNote(experiments, of); w != "" {
		notes = append(notes, w)
	}
	if whiskers {
		notes = append(notes, whiskerNote(experiments))
	}
	if faint {
		notes = append(notes, paleNote(experiments))
	}
	if len(without) > 0 && len(without) < len(c.Series) {
		notes = append(notes, "No data: "+strings.Join(without, ", ")+".")
	}
	c.Note = strings.Join(notes, " ")
	if c.X.Log {
		c.Empty = emptyText(experiments, of)
	}
}

// heights is how high a picture reaches, and the names of the series that have
// nothing in it. A name in the legend would promise a line, so theirs are taken
// away; the series stay, so that those after them look the same in every picture.
func heights(c *chart.Chart) (top float64, without []string) {
	for i, s := range c.Series {
		some := false
		for _, p := range s.Points {
			if finite(p.Y) {
				top, some = max(top, p.Y), true
				if !p.Loose {
					top = max(top, p.High)
				}
			}
		}
		if !some {
			without = append(without, s.Name)
			c.Series[i].Name = ""
		}
	}
	return top, without
}

// pale says that a point is not to be read like the others.
func (p Point) pale() bool { return p.Cut() || p.verdict() == record.AuditInvalid }

// paleNote says why points are.
func paleNote(experiments []Experiment) string {
	var why []string
	for _, w := range []struct {
		text string
		is   func(Point) bool
	}{
		{"the run was ended before all was measured", Point.Cut},
		{"the measurement is not valid, for what its client did", func(p Point) bool { return p.verdict() == record.AuditInvalid }},
	} {
		if slices.ContainsFunc(experiments, func(e Experiment) bool { return slices.ContainsFunc(e.Points, w.is) }) {
			why = append(why, w.text)
		}
	}
	return "Small pale points: " + strings.Join(why, ", or ") + "."
}

// markerShare is a marker's height as a share of the plot's.
const markerShare = 0.03

func whiskerNote(experiments []Experiment) string {
	least, most := math.MaxInt, 0
	for _, e := range experiments {
		for _, p := range e.Points {
			least, most = min(least, len(p.Runs)), max(most, len(p.Runs))
		}
	}
	const hidden = " None is shown where it is shorter than the marker."
	switch {
	case most == 1:
		return "Whiskers: 95 % interval within the run." + hidden
	case least == most:
		return fmt.Sprintf("Points: mean of %d runs. Whiskers: 95 %% t-interval over them.", most) + hidden
	}
	return fmt.Sprintf("Points: mean of up to %d runs. Whiskers: 95 %% t-interval over them; a single run's own where its file gives one.", most) + hidden
}
