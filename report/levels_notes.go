package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"headway/metric"
	"headway/record"
)

// levelCuts says of which levels only a part was measured, and how much.
func levelCuts(d *Document, levels []Level) {
	for _, l := range levels {
		if l.cut() == "" {
			continue
		}
		done, planned, why := 0, 0, ""
		for _, r := range l.Runs {
			done += r.Result.OK + r.Result.Failed
			planned += r.Result.Planned
			if why == "" {
				why = r.cutReason()
			}
		}
		text := fmt.Sprintf("Incomplete at %s: %s. Its figures are of %d of %d requests.", l.where(),
			levels[0].Runs[0].clean(why), done, planned)
		d.text(styleYellow, text)
	}
}

// levelWorkers lists the workers of each level, by its first run.
func levelWorkers(d *Document, levels []Level, name string) {
	var runs []workerRun
	for _, l := range levels {
		runs = append(runs, workerRun{[]string{l.name()}, l.Runs[0]})
	}
	if text := hitSources(runs); text != "" {
		d.text("", text)
	}
	first := levelColumns(levels)[0].column
	r := levels[0].Runs[0]
	workerTable(d, r.title("Workers", name), []column{first}, runs)
	telemetryParts(d, func(of string) string { return r.title(of, name) }, []column{first}, runs)
	levelSampling(d, levels)
}

// levelSampling says how well all runs of the levels were sampled, and of which of them
// the tables are.
func levelSampling(d *Document, levels []Level) {
	var all []workerRun
	sampled, repeated := false, false
	for _, l := range levels {
		repeated = repeated || len(l.Runs) > 1
		for i, run := range l.Runs {
			name := l.name()
			if i > 0 {
				name += fmt.Sprintf(" (run %d)", i+1)
			}
			all = append(all, workerRun{[]string{name}, run})
			sampled = sampled || run.Run.Telemetry != nil
		}
	}
	if sampled && repeated {
		d.text("", "Servers, GPUs, hosts, energy and cost are of the first run of each level; "+
			"those of the others are in their folders.")
	}
	samplingParts(d, all)
}

// levelErrors lists what failed, equal failures of a level together.
func levelErrors(d *Document, levels []Level) {
	lines := 0
	for _, l := range levels {
		for _, f := range l.failures() {
			if lines++; lines > maxErrors {
				continue
			}
			code := ""
			if f.Failure.Code != 0 {
				code = strconv.Itoa(f.Failure.Code) + " "
			}
			r := l.Runs[0]
			what := "Failed"
			if f.Failure.Class == record.ClassCancelled {
				what = "Ended by this run" // no fault of the server's
			}
			text := fmt.Sprintf("%s at %s: %d × %s%s: %s", what, l.where(), f.Count, code, r.clean(f.Failure.Type),
				r.clean(f.Failure.Message))
			d.add(piece{text: text, style: styleRed, lines: 3})
		}
	}
	if lines > maxErrors {
		d.line("", fmt.Sprintf("and %d more kinds of error; all are in the levels' own files.", lines-maxErrors))
	}
}

func (l Level) failures() []metric.FailureCount {
	var all []metric.FailureCount
	for _, r := range l.Runs {
		for _, f := range r.Result.Failures {
			i := slices.IndexFunc(all, func(g metric.FailureCount) bool { return g.Failure == f.Failure })
			if i < 0 {
				all = append(all, f)
				continue
			}
			all[i].Count += f.Count
		}
	}
	return all
}

// levelVerdicts has a line an objective: where it was met and where it was not.
func levelVerdicts(d *Document, levels []Level) {
	var texts []string
	for _, l := range levels {
		for _, r := range l.Runs {
			for _, v := range r.Result.Verdicts {
				if !slices.Contains(texts, v.Objective.Text) {
					texts = append(texts, v.Objective.Text)
				}
			}
		}
	}
	whole := false
	for _, text := range texts {
		at := map[metric.Decision][]string{}
		for _, l := range levels {
			decision, note := l.verdict(text)
			at[decision] = append(at[decision], l.name()+note)
			whole = whole || l.ofWhole(text)
		}
		mark, style := decisionMark(metric.Met)
		var parts []string
		for _, d := range []metric.Decision{metric.Met, metric.NotDecided, metric.Missed} {
			if len(at[d]) > 0 {
				parts = append(parts, strings.ReplaceAll(string(d), "_", " ")+" at "+strings.Join(at[d], ", "))
				mark, style = decisionMark(d)
			}
		}
		line := mark + " " + levels[0].Runs[0].clean(text) + ": " + strings.Join(parts, "; ")
		d.text(style, line)
	}
	if whole {
		d.text("", "Objectives are of whole runs, the table of their steady parts.")
	}
}

// ofWhole reports whether the table has another figure than the objective is
// held against.
func (l Level) ofWhole(text string) bool {
	return slices.ContainsFunc(l.Runs, func(r *Report) bool {
		return slices.ContainsFunc(r.Result.Verdicts, func(v metric.Verdict) bool {
			return v.Objective.Text == text && ofWhole(r.Result, v)
		})
	})
}

// verdict sums up a level's runs: the worst of them, and what it rests on.
func (l Level) verdict(text string) (worst metric.Decision, note string) {
	count := map[metric.Decision]int{}
	notes := map[metric.Decision]string{}
	for _, r := range l.Runs {
		i := slices.IndexFunc(r.Result.Verdicts, func(v metric.Verdict) bool { return v.Objective.Text == text })
		if i < 0 {
			count[metric.NotDecided]++
			notes[metric.NotDecided] = "not measured"
			continue
		}
		v := r.Result.Verdicts[i]
		count[v.Decision]++
		switch {
		case v.Decision == metric.NotDecided:
			notes[v.Decision] = v.Why
		case v.Decision == metric.Missed:
			notes[v.Decision] = measured(v)
		}
	}
	worst = metric.Met
	for _, d := range []metric.Decision{metric.NotDecided, metric.Missed} {
		if count[d] > 0 {
			worst = d
		}
	}
	note = notes[worst]
	if n := count[worst]; len(l.Runs) > 1 && worst != metric.Met {
		note = fmt.Sprintf("in %d of %d runs", n, len(l.Runs))
	}
	if note == "" {
		return worst, ""
	}
	return worst, " (" + note + ")"
}

// levelIntervals says of which levels figures have no interval, and why.
func levelIntervals(d *Document, levels []Level) {
	var order []metric.Reason
	at := map[metric.Reason][]string{}
	for _, l := range levels {
		if len(l.Runs) > 1 {
			continue
		}
		lead, _ := l.Runs[0].Result.Lead()
		for why := range reasons(lead) {
			if at[why] == nil {
				order = append(order, why)
			}
			if name := l.name(); !slices.Contains(at[why], name) {
				at[why] = append(at[why], name)
			}
		}
	}
	for _, why := range order {
		d.text("", noInterval(" at "+strings.Join(at[why], ", "), why))
	}
}

// levelWarnings says a warning of one kind once, with the levels that have it
// and, where they differ in it, that of which it has the figures. Too few samples
// are marked in the table itself.
func levelWarnings(d *Document, levels []Level) {
	var first []record.Warning
	at := map[string][]string{}
	differ := map[string]bool{}
	for _, l := range levels {
		for _, r := range l.Runs {
			for _, w := range r.Warnings() {
				names, known := at[w.Code]
				if w.Code == "few_samples" {
					continue
				}
				if !known {
					first = append(first, w)
				} else if !slices.Contains(first, w) {
					differ[w.Code] = true
				}
				if name := l.name(); !slices.Contains(names, name) {
					at[w.Code] = append(names, name)
				}
			}
		}
	}
	for _, w := range first {
		where := ""
		if len(levels) > 1 && len(at[w.Code]) < len(levels) {
			where = " (at " + strings.Join(at[w.Code], ", ") + ")"
		}
		if differ[w.Code] {
			where = " (at " + strings.Join(at[w.Code], ", ") + "; figures of " + at[w.Code][0] + ")"
		}
		text := "Warning" + where + ": " + levels[0].Runs[0].clean(w.Text)
		d.text(styleYellow, text)
	}
}
