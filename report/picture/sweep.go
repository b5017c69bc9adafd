// Package picture draws what was measured: the five charts of sweeps over
// concurrency, and those of a comparison of routers. It is apart from package
// report so that whoever only wants figures does not link a drawing library.
//
// Data flows one way: experiments and comparisons of package report in, PNG and SVG
// out. The package computes no figure.
package picture

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"headway/internal/chart"
	"headway/internal/fault"
	"headway/internal/plain"
	"headway/record"
	"headway/report"
)

// Options say how experiments are drawn.
type Options struct {
	// GPUs is the number of GPUs of every experiment, over what files say; 0
	// takes it from the files.
	GPUs int
	// See says where the sentences of warnings are; empty is SUMMARY.txt.
	See string
	// Warn, which may be nil, is told what a picture leaves out.
	Warn func(text string)
}

// Plot writes the five pictures as .png and .svg, and SUMMARY.txt, into dir. A
// value that no axis can show is left out, which the note under its picture says.
// It returns the paths in the order in which they were written.
func Plot(dir string, experiments []report.Experiment, o Options) ([]string, error) {
	if len(experiments) > chart.MaxSeries {
		var names []string
		for _, e := range experiments {
			names = append(names, e.Name)
		}
		return nil, fault.New("%d experiments are more than the %d that can be told apart in one picture: pick "+
			"some with %s from %s",
			len(experiments), chart.MaxSeries, fault.Field("benchmark-name"), strings.Join(names, ", "))
	}
	var written []string
	for _, p := range OfExperiments(experiments, o) {
		if err := p.chart.Validate(); err != nil {
			return written, fmt.Errorf("drawing %s: %w", p.Name, err)
		}
		if p.Left != "" && o.Warn != nil {
			o.Warn(p.Name + ": " + p.Left)
		}
		names, err := p.Write(dir)
		for _, name := range names {
			written = append(written, filepath.Join(dir, name))
		}
		if err != nil {
			return written, err
		}
	}
	path := filepath.Join(dir, "SUMMARY.txt")
	return append(written, path), report.WriteFile(path, func(w io.Writer) error {
		return report.WriteSummary(plain.NewWriter(w, false), experiments, o.GPUs)
	})
}

// OfExperiments makes the five charts under the names that Dynamo's scripts use.
func OfExperiments(experiments []report.Experiment, o Options) []Picture {
	levels := concurrencies(experiments)
	line := func(name, title, label, tag, stat string, read func(report.Point, string, string) report.Figure,
		of ...report.Concern) Picture {
		c := chart.Chart{
			Title: title, Subtitle: report.ExperimentsText(experiments),
			X: chart.Axis{Label: "Concurrency", Log: true, Values: levels},
			Y: chart.Axis{Label: label},
		}
		for _, e := range experiments {
			s := chart.Series{Name: seriesName(e, experiments)}
			for _, p := range e.Points {
				point := pointAt(float64(p.Concurrency), read(p, tag, stat))
				point.Faint, point.Loose = pale(p), loose(p)
				s.Points = append(s.Points, point)
			}
			c.Series = append(c.Series, s)
		}
		left := finish(&c, experiments, of, o)
		return Picture{Name: name, Left: left, chart: c}
	}
	return []Picture{
		line("p50_inter_token_latency_vs_concurrency", "Inter-token latency, median", "Inter-token latency p50 (ms)",
			"inter_token_latency", "p50", report.Point.Latency, report.AboutTokens, report.AboutPace,
			report.AboutArrival),
		line("avg_inter_token_latency_vs_concurrency", "Inter-token latency, mean", "Inter-token latency avg (ms)",
			"inter_token_latency", "avg", report.Point.Latency, report.AboutTokens, report.AboutPace,
			report.AboutArrival),
		line("avg_time_to_first_token_vs_concurrency", "Time to first token, mean", "Time to first token avg (ms)",
			"time_to_first_token", "avg", report.Point.Latency, report.AboutArrival),
		line("request_throughput_vs_concurrency", "Request throughput", "Requests per second", "request_throughput",
			"avg", report.Point.Figure),
		efficiency(experiments, o),
	}
}

// efficiency draws what a GPU yields against what a user gets.
func efficiency(experiments []report.Experiment, o Options) Picture {
	throughput, known := report.PerGPU(experiments, o.GPUs)
	y := "tok/s/GPU"
	if !known {
		y = "tok/s (GPUs not given)"
	}
	c := chart.Chart{
		Title: "Efficiency: throughput against speed per user", Subtitle: report.ExperimentsText(experiments),
		X: chart.Axis{Label: "tok/s/user"}, Y: chart.Axis{Label: y},
	}
	for _, e := range experiments {
		s := chart.Series{Name: seriesName(e, experiments)}
		for _, p := range e.Points {
			x := p.Speed().Value
			if math.IsNaN(x) {
				continue
			}
			point := pointAt(x, throughput(p))
			point.Label, point.Faint = strconv.Itoa(p.Concurrency), pale(p)
			point.Loose = loose(p)
			s.Points = append(s.Points, point)
		}
		c.Series = append(c.Series, s)
	}
	perUser := []report.Concern{report.AboutTokens, report.AboutPace, report.AboutArrival}
	left := finish(&c, experiments, perUser, o)
	c.Empty = emptyText(experiments, perUser)
	if drawnPoints(c.Series) > 0 {
		c.Note = "Labels: concurrency; tok/s/user: tokens over decode time. " + c.Note
	}
	return Picture{Name: "efficiency_tok_s_gpu_vs_user", Left: left, chart: c}
}

func pointAt(x float64, e report.Figure) chart.Point {
	p := chart.Point{X: x, Y: e.Value}
	if !finite(e.Value) || e.AtLeast {
		p.Y = math.NaN() // it has no place on an axis
	} else if finite(e.Low) && finite(e.High) {
		// An interval of a latency can reach below zero, a latency cannot.
		p.Low, p.High = max(0, e.Low), e.High
	}
	return p
}

func concurrencies(experiments []report.Experiment) []float64 {
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
func seriesName(e report.Experiment, all []report.Experiment) string {
	if e.Simulated() && !report.AllSimulated(all) {
		return e.Name + " (simulated)"
	}
	return e.Name
}

// finish drops whiskers that would hide behind their marker and writes the
// note: whether the figures are simulated, their warnings, of is what they are
// about, and what the others are. It returns what has no place in the picture.
func finish(c *chart.Chart, experiments []report.Experiment, of []report.Concern, o Options) (left string) {
	left = c.Trim()
	top, without := heights(c)
	bare := noWhiskers(c)
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
	if report.AllSimulated(experiments) {
		notes = append(notes, "SIMULATED: no real engine answered.")
	}
	if w := warningNote(experiments, of, cmp.Or(o.See, "see SUMMARY.txt")); w != "" {
		notes = append(notes, w)
	}
	if left != "" {
		notes = append(notes, left)
	}
	if whiskers {
		notes = append(notes, whiskerNote(experiments))
	}
	if bare != "" {
		notes = append(notes, bare)
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
	return left
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
func pale(p report.Point) bool { return p.Cut() || p.Verdict() == record.AuditInvalid }

// paleNote says why points are.
func paleNote(experiments []report.Experiment) string {
	var why []string
	for _, w := range []struct {
		text string
		is   func(report.Point) bool
	}{
		{"the run was ended before all was measured", report.Point.Cut},
		{"the measurement is not valid, for what its client did",
			func(p report.Point) bool { return p.Verdict() == record.AuditInvalid }},
	} {
		if slices.ContainsFunc(experiments,
			func(e report.Experiment) bool { return slices.ContainsFunc(e.Points, w.is) }) {
			why = append(why, w.text)
		}
	}
	return "Small pale points: " + strings.Join(why, ", or ") + "."
}

// markerShare is a marker's height as a share of the plot's.
const markerShare = 0.03

func whiskerNote(experiments []report.Experiment) string {
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
	return fmt.Sprintf("Points: mean of up to %d runs. Whiskers: 95 %% t-interval over them; a single run's own "+
		"where its file gives one.", most) + hidden
}

// warningNote names the warnings of a picture's figures. A picture has no room
// for their sentences, which stand elsewhere: see.
func warningNote(experiments []report.Experiment, of []report.Concern, see string) string {
	var names []string
	for _, e := range experiments {
		for _, w := range e.Warnings(of...) {
			name := strings.ReplaceAll(w.Code, "_", " ") + w.Where(len(e.Points))
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "Warnings (" + see + "): " + strings.Join(names, ", ") + "."
}

// emptyText says why a picture has nothing in it.
func emptyText(experiments []report.Experiment, of []report.Concern) string {
	for _, e := range experiments {
		for _, w := range e.Warnings(of...) {
			switch w.Code {
			case "itl_collapsed":
				return "no data: replies came in too few reads to tell the pace of their tokens"
			case "tokens_unknown":
				return "no data: nobody counted the tokens of replies"
			}
		}
	}
	return "no data: this needs streaming replies"
}

// loose reports whether the interval of a level's figures is of so few runs
// that it says next to nothing: Student's factor is 12.7 for two.
func loose(p report.Point) bool { return len(p.Runs) == 2 }

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
