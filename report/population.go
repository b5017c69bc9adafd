package report

import (
	"slices"
	"strings"

	"headway/metric"
)

// populationNotes say what the marks of a table's cells mean.
func populationNotes(d *Document, cells string) {
	beside := ""
	if strings.Contains(cells, "\n(") {
		beside = " In brackets: of answered requests alone."
	}
	if strings.Contains(cells, infinite) {
		d.text("", infinite+" reaches into requests that the server failed, which count as never answered."+beside)
	}
	if strings.Contains(cells, atLeastMark) {
		d.text("", atLeastMark+
			" depends on requests that this run ended before their reply, which would have taken at least as long "+
			"as they had."+beside)
	}
}

// reasons gives why figures that tables lead with have no interval, each once.
func reasons(p *metric.Part) func(yield func(metric.Reason) bool) {
	return func(yield func(metric.Reason) bool) {
		if p == nil {
			return
		}
		seen := map[metric.Reason]bool{"": true}
		say := func(why metric.Reason) bool {
			if seen[why] {
				return true
			}
			seen[why] = true
			return yield(why)
		}
		for _, s := range p.Latencies {
			if !leading(s.Metric.Tag) {
				continue
			}
			if !say(s.Why) {
				return
			}
			for _, percent := range leadPercents {
				if q, ok := s.Quantile(percent); ok && !say(q.Why) {
					return
				}
			}
		}
		for _, r := range p.Rates {
			if leading(r.Metric.Tag) && !say(r.Why) {
				return
			}
		}
	}
}

// noInterval says why figures have no interval, and what to do about it.
func noInterval(where string, why metric.Reason) string {
	what, remedy := metric.Because(why)
	if remedy != "" {
		what += "; " + remedy
	}
	return "Figures without an interval" + where + ": " + what + "."
}

// leadPercents are the quantiles that tables lead with.
var leadPercents = []int{50, 90, 99}

// leadTags are the figures of a part that its table shows, in its order.
var leadTags = []string{
	"time_to_first_token", "request_latency", "inter_token_latency",
	"decode_speed_per_user", "output_token_throughput", "output_token_throughput_per_gpu", "request_throughput",
	"goodput",
}

func leading(tag string) bool {
	return slices.Contains(leadTags, tag)
}

// partTable shows the part that leads, with the intervals of its figures.
func (r *Report) partTable(d *Document, name string) {
	p, steady := r.Result.Lead()
	if p == nil || r.Result.OK == 0 {
		return
	}
	title := "Whole run, with 95 % intervals"
	if steady {
		title = "Steady part, with 95 % intervals"
	}
	t := table{title: r.title(title, name), columns: []column{{title: "Metric", style: styleCyan},
		{title: "avg", style: styleGreen}, {title: "p50", style: styleGreen},
		{title: "p90", drop: 1, style: styleGreen}, {title: "p99", style: styleGreen}}}
	for _, tag := range leadTags {
		if rate, ok := p.Rate(tag); ok {
			e, _ := ofPart(p, tag, "avg")
			t.shows(len(t.rows), 1, e)
			t.rows = append(t.rows, []string{nameCell(rate.Metric, 34), e.cell(), "", "", ""})
			continue
		}
		s, ok := p.Summary(tag)
		if !ok {
			continue
		}
		row := []string{nameCell(s.Metric, 34)}
		for x, stat := range []string{"avg", "p50", "p90", "p99"} {
			e := ofSummary(s, stat)
			t.shows(len(t.rows), x+1, e)
			row = append(row, e.cell())
		}
		t.rows = append(t.rows, row)
	}
	if len(t.rows) == 0 {
		return
	}
	d.gap()
	d.table(t)
	populationNotes(d, strings.Join(flatten(t.rows), "\n"))
	for why := range reasons(p) {
		d.text("", noInterval("", why))
	}
}
