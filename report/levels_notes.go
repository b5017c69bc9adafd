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
func levelCuts(b *strings.Builder, levels []Level, o ConsoleOptions) {
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
		text := fmt.Sprintf("Incomplete at %s: %s. Its figures are of %d of %d requests.", l.where(), levels[0].Runs[0].clean(why), done, planned)
		b.WriteString(paint(o.Color, styleYellow, wrap(text, o.width())) + "\n")
	}
}

// levelErrors lists what failed, equal failures of a level together.
func levelErrors(b *strings.Builder, levels []Level, o ConsoleOptions) {
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
			text := fmt.Sprintf("Failed at %s: %d × %s%s: %s", l.where(), f.Count, code, r.clean(f.Failure.Type), r.clean(f.Failure.Message))
			b.WriteString(paint(o.Color, styleRed, shorten(wrap(text, o.width()), 3)) + "\n")
		}
	}
	if lines > maxErrors {
		fmt.Fprintf(b, "and %d more kinds of error; all are in the levels' own files.\n", lines-maxErrors)
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
func levelVerdicts(b *strings.Builder, levels []Level, o ConsoleOptions) {
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
	for _, text := range texts {
		var met, missed []string
		for _, l := range levels {
			ok, note := l.verdict(text)
			if ok {
				met = append(met, l.name()+note)
			} else {
				missed = append(missed, l.name()+note)
			}
		}
		line, style := "✓ ", styleGreen
		if len(missed) > 0 {
			line, style = "✗ ", styleRed
		}
		line += levels[0].Runs[0].clean(text) + ":"
		if len(met) > 0 {
			line += " met at " + strings.Join(met, ", ")
		}
		if len(met) > 0 && len(missed) > 0 {
			line += ";"
		}
		if len(missed) > 0 {
			line += " missed at " + strings.Join(missed, ", ")
		}
		b.WriteString(paint(o.Color, style, wrap(line, o.width())) + "\n")
	}
}

// verdict sums up a level's runs: met when all of them met it.
func (l Level) verdict(text string) (met bool, note string) {
	missed, unsure := 0, false
	value := ""
	for _, r := range l.Runs {
		i := slices.IndexFunc(r.Result.Verdicts, func(v metric.Verdict) bool { return v.Objective.Text == text })
		if i < 0 || !r.Result.Verdicts[i].Met {
			missed++
		}
		if i < 0 {
			continue
		}
		v := r.Result.Verdicts[i]
		unsure = unsure || v.Unsure
		if v.Known && !v.Met {
			x, unit := verdictValue(v)
			value = strings.TrimSpace(significant(x) + " " + unit)
		}
	}
	var notes []string
	switch {
	case missed > 0 && len(l.Runs) > 1:
		notes = append(notes, fmt.Sprintf("in %d of %d runs", missed, len(l.Runs)))
	case missed > 0 && value == "":
		notes = append(notes, "not measured")
	case missed > 0:
		notes = append(notes, value)
	}
	if unsure {
		notes = append(notes, "unsure")
	}
	if len(notes) == 0 {
		return missed == 0, ""
	}
	return missed == 0, " (" + strings.Join(notes, ", ") + ")"
}

// levelWarnings says a warning of one kind once, with the levels that have it.
// Too few samples are marked in the table itself.
func levelWarnings(b *strings.Builder, levels []Level, o ConsoleOptions) {
	var first []record.Warning
	at := map[string][]string{}
	for _, l := range levels {
		for _, r := range l.Runs {
			for _, w := range r.Warnings() {
				names, known := at[w.Code]
				if w.Code == "few_samples" {
					continue
				}
				if !known {
					first = append(first, w)
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
		text := "Warning" + where + ": " + levels[0].Runs[0].clean(w.Text)
		b.WriteString(paint(o.Color, styleYellow, wrap(text, o.width())) + "\n")
	}
}
