package report

import (
	"slices"
	"strconv"
	"strings"

	"headway/internal/plain"
	"headway/metric"
)

// endings gives how replies ended, by their finish_reason.
func (r *Report) endings(list []metric.FinishCount) object {
	var o object
	for _, f := range list {
		o.add(r.Secrets.Text(f.Reason), f.Count)
	}
	return o
}

// endingText says how replies ended; empty where all stopped by themselves or
// at the length that was asked for.
func (r *Report) endingText(list []metric.FinishCount) string {
	usual := func(f metric.FinishCount) bool { return f.Reason == "stop" || f.Reason == "length" }
	if !slices.ContainsFunc(list, func(f metric.FinishCount) bool { return !usual(f) }) {
		return ""
	}
	var parts []string
	for i, f := range list {
		if i == maxErrors {
			parts = append(parts, strconv.Itoa(len(list)-i)+" more")
			break
		}
		parts = append(parts, plain.Grouped(strconv.Itoa(f.Count))+" "+r.clean(f.Reason))
	}
	return "finish_reason: " + strings.Join(parts, ", ")
}

// levelEndings has a line for each level whose replies did not all end as
// usual.
func levelEndings(d *Document, levels []Level) {
	for _, l := range levels {
		var all []metric.FinishCount
		for _, r := range l.Runs {
			for _, f := range r.Result.Finish {
				i := slices.IndexFunc(all, func(g metric.FinishCount) bool { return g.Reason == f.Reason })
				if i < 0 {
					all = append(all, f)
					continue
				}
				all[i].Count += f.Count
			}
		}
		if text := l.Runs[0].endingText(all); text != "" {
			d.text("", "Replies at "+l.where()+", "+text)
		}
	}
}
