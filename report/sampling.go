package report

import "fmt"

// sampling is how well the sources of a run were read, all of them together.
type sampling struct {
	sources, samples, missed int
	interval                 float64 // seconds
	late, cpu                float64 // seconds at most; share of a core
}

// sampling is that of a run; ok says that something was sampled.
func (r *Report) sampling() (s sampling, ok bool) {
	t := r.Run.Telemetry
	if t == nil {
		return s, false
	}
	s.sources, s.interval = len(t.Sources), t.Interval
	for _, x := range t.Sources {
		s.samples += x.Samples
		s.missed += x.Missed
		s.cpu += x.CPU
		s.late = max(s.late, x.LateMost)
	}
	return s, true
}

func (s sampling) text() string {
	return fmt.Sprintf("Telemetry: %d samples of %d sources every %g s, %d missed, at most %s ms late; "+
		"reading them took %s %% of a core", s.samples, s.sources, s.interval, s.missed, significant(1000*s.late),
		significant(100*s.cpu))
}

// samplingParts adds how well runs were sampled.
func samplingParts(d *Document, runs []workerRun) {
	for _, line := range samplingLines(runs) {
		d.text("", line)
	}
}

// samplingLines say how well each run was sampled. Those of a sweep in which nothing was
// missed, of as many sources at the same interval, are one line.
func samplingLines(runs []workerRun) (lines []string) {
	type alike struct {
		sources  int
		interval float64
	}
	whole := map[alike][]sampling{}
	var order []alike
	for _, run := range runs {
		s, ok := run.report.sampling()
		switch like := (alike{s.sources, s.interval}); {
		case !ok:
		case s.missed > 0, len(runs) == 1:
			lines = append(lines, run.said(s.text()))
		default:
			if whole[like] == nil {
				order = append(order, like)
			}
			whole[like] = append(whole[like], s)
		}
	}
	for _, like := range order {
		lines = append(lines, foldedSampling(whole[like], len(runs)))
	}
	return lines
}

// foldedSampling is what samplings without a miss have in common, of so many runs.
func foldedSampling(list []sampling, runs int) string {
	least, most := list[0].samples, list[0].samples
	late, cpu := 0.0, 0.0
	for _, s := range list {
		least, most = min(least, s.samples), max(most, s.samples)
		late, cpu = max(late, s.late), max(cpu, s.cpu)
	}
	samples, of := fmt.Sprintf("%d", most), fmt.Sprintf("%d of %d runs", len(list), runs)
	if least < most {
		samples = fmt.Sprintf("%d to %d", least, most)
	}
	if len(list) == runs {
		of = fmt.Sprintf("all %d runs", runs)
	}
	return fmt.Sprintf("Telemetry of %s: %s samples of %d sources every %g s, 0 missed, at most %s ms late; "+
		"reading them took at most %s %% of a core", of, samples, list[0].sources, list[0].interval,
		significant(1000*late), significant(100*cpu))
}
