package plan

import (
	"fmt"
	"strings"
	"time"

	"headway/internal/plain"
	"headway/record"
	"headway/report"
)

// Document shows a plan.
func (r *Result) Document() *report.Document {
	d := &report.Document{}
	d.Line("%s: %s over %s, %s of %g s", r.Trace, plain.HowMany(r.Requests, "request", "requests"),
		time.Duration(r.Span*1e9), plain.HowMany(r.Windows, "window", "windows"), r.Window)
	d.Line("in every window: %s", strings.Join(r.Objectives, ", "))
	d.Gap()
	if r.Static == nil {
		r.none(d)
		return d
	}
	r.plans(d)
	r.worst(d)
	r.Static.Risk.say(d)
	r.besides(d)
	r.hours(d)
	r.priced(d)
	d.Line("%s", r.Searched)
	return d
}

// plans are the ways to serve the load, and the bound.
func (r *Result) plans(d *report.Document) {
	s := r.Static
	per := s.GPUHours / float64(max(s.Replicas, 1))
	rows := [][]string{{"plan", "mapping", "router", "replicas", "GPUs", "GPU hours", "cost"},
		{"static", s.Mapping, s.routed(), replicas(s.Replicas, s.Prefill), fmt.Sprint(s.GPUs),
			hoursOf(s.GPUHours), money(s.Cost)}}
	if h := r.Hourly; h != nil {
		low, high := h.ends()
		rows = append(rows, []string{"by the hour", s.Mapping, s.routed(), fmt.Sprintf("%d–%d", low, high), "",
			hoursOf(h.GPUHours), money(h.Cost)})
	}
	bound := per * float64(s.Bound)
	rows = append(rows, []string{"perfect system, at least", s.Mapping, "any", fmt.Sprint(s.Bound), "", hoursOf(bound),
		money(record.Number(bound) * r.CostPerHour)})
	d.Rows(1, rows)
	for _, b := range r.Bounds {
		if b.Impossible != "" {
			d.Line("%s cannot be planned for with any number of replicas: %s", b.Mapping, b.Impossible)
		}
	}
	if s.Failed > 0 {
		d.Line("%s too long for a replica; they miss every objective",
			plain.HowMany(s.Failed, "request is", "requests are"))
	}
	d.Gap()
}

// routed is the router with the tiers.
func (s *Static) routed() string {
	if s.Tiers == "" {
		return s.Router
	}
	return s.Router + ", " + s.Tiers
}

// replicas are a number of them, with prefill replicas as their two parts.
func replicas(n, prefill int) string {
	if prefill == 0 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d prefill + %d decode", prefill, n-prefill)
}

// besides are the cheapest plans of other layouts and tiers.
func (r *Result) besides(d *report.Document) {
	if len(r.Beside) == 0 {
		return
	}
	rows := [][]string{{"beside it", "mapping", "router", "replicas", "GPUs", "GPU hours", "cost", "risk"}}
	for _, b := range r.Beside {
		name := string(b.Layout)
		if b.Tiers != "" {
			name += ", " + b.Tiers
		}
		s := b.Plan
		if s == nil {
			rows = append(rows, []string{name, "none keeps the objectives", "", "", "", "", "", ""})
			continue
		}
		rows = append(rows, []string{name, s.Mapping, s.Router, replicas(s.Replicas, s.Prefill), fmt.Sprint(s.GPUs),
			hoursOf(s.GPUHours), money(s.Cost), share(s.Risk.Any)})
	}
	d.Rows(1, rows)
	d.Line("The cheapest plan of each other layout and of more tiers. No risk is known where the twin was not " +
		"calibrated for it.")
	d.Gap()
}

// ends are the least and the most replicas of an hour.
func (h *Hourly) ends() (low, high int) {
	low = h.Hours[0].Replicas
	for _, one := range h.Hours {
		low, high = min(low, one.Replicas), max(high, one.Replicas)
	}
	return low, high
}

func (r *Result) worst(d *report.Document) {
	rows := [][]string{{"objective", "worst window", "from", "expected"}}
	for _, w := range r.Static.Worst {
		rows = append(rows, []string{w.Objective, millis(w.Value), clock(time.Duration(w.Window * 1e9)),
			within(w.Expected)})
	}
	d.Rows(1, rows)
	d.Gap()
}

func (k *Risk) say(d *report.Document) {
	if !k.Any.Known() {
		d.Line("no risk and no intervals: %s", k.Basis)
		d.Gap()
		return
	}
	d.Line("risk of losing at least one window of such a load: %.0f %% (%.0f–%.0f %%); %.2g of %d are lost on average",
		100*k.Any, 100*k.Low, 100*k.High, float64(k.Windows), k.Of)
	d.Line("- of %d loads drawn from the windows' own sessions and replayed, on %d models drawn around the twin, "+
		"with its residuals; %s", k.Replayed, k.Models, k.Basis)
	d.Gap()
}

func (r *Result) hours(d *report.Document) {
	if r.Hourly == nil {
		return
	}
	rows := [][]string{{"hour", "requests", "replicas", "perfect system"}}
	for _, h := range r.Hourly.Hours {
		rows = append(rows, []string{fmt.Sprint(h.Hour), fmt.Sprint(h.Requests), replicas(h.Replicas, h.Prefill),
			fmt.Sprint(h.Bound)})
	}
	d.Rows(1, rows)
	for _, h := range r.Hourly.Hours {
		if h.Loses != nil {
			d.Line("Hour %d loses the window from %s with them on empty caches: %s; start its replicas before it, or "+
				"keep them.", h.Hour, clock(time.Duration(h.Loses.Window*1e9)), h.Loses.Objective)
		}
	}
	d.Line("Hours are replayed one by one, on empty caches; what it takes to start replicas is not in it, so no risk " +
		"is known.")
	d.Gap()
}

func (r *Result) priced(d *report.Document) {
	if len(r.Prices) == 0 {
		return
	}
	header := []string{"replicas", "GPU hours", "cost", "risk"}
	for _, p := range r.Prices[0].Promises {
		header = append(header, p.Objective+": worst", "expected", "each 10 ms less")
	}
	rows := [][]string{header}
	for _, p := range r.Prices {
		row := []string{replicas(p.Replicas, p.Prefill), hoursOf(p.GPUHours), money(p.Cost), share(p.Risk)}
		for _, o := range p.Promises {
			row = append(row, millis(o.Value), within(o.Expected), o.price())
		}
		rows = append(rows, row)
	}
	d.Rows(1, rows)
	from := "one replica less"
	if r.Static.Prefill > 0 {
		from = "the plan"
	}
	d.Line("The worst window of the part from %s, which is replayed by itself to compare numbers of replicas; in "+
		"the whole load another window may be worse (of the plan: above). The step from %s.",
		clock(time.Duration(r.PricesOf*1e9)), from)
	d.Gap()
}

// price is what 10 ms cost.
func (p *Promise) price() string {
	switch {
	case p.CostPer10ms.Known():
		return fmt.Sprintf("%.3g", float64(p.CostPer10ms))
	case p.GPUHoursPer10ms.Known():
		return fmt.Sprintf("%.3g GPU h", float64(p.GPUHoursPer10ms))
	}
	return "–"
}

// none says why there is no plan.
func (r *Result) none(d *report.Document) {
	d.Line("no plan of up to %s keeps the objectives", plain.HowMany(r.MaxReplicas, "replica", "replicas"))
	for _, b := range r.Bounds {
		switch {
		case b.Impossible != "":
			d.Line("- %s, any number of replicas: %s", b.Mapping, b.Impossible)
		case b.Replicas > r.MaxReplicas:
			d.Line("- %s: a perfect system needs at least %d replicas, for the window from %s: raise --max-replicas",
				b.Mapping, b.Replicas, clock(time.Duration(b.Window*1e9)))
		}
	}
	for _, l := range r.Lost[max(len(r.Lost)-lostShown, 0):] {
		d.Line("- %s: loses the window from %s: %s", l.Plan, clock(time.Duration(l.Window*1e9)), l.Objective)
	}
	d.Line("%s", r.Searched)
}

// lostShown are how many plans that lost are named: those with most GPUs.
const lostShown = 6

// String counts in words.
func (s Searched) String() string {
	return fmt.Sprintf("%d candidates: %d left out by the bound, %d as dearer, %d replayed until a window was lost, "+
		"%d in full", s.Candidates, s.Bounded, s.Dearer, s.Ended, s.Replayed)
}

func hoursOf(h float64) string { return fmt.Sprintf("%.2f", h) }

func money(n record.Number) string {
	if !n.Known() {
		return "–"
	}
	return fmt.Sprintf("%.2f", float64(n))
}

// share is a probability in percent.
func share(n record.Number) string {
	if !n.Known() {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", 100*float64(n))
}

func millis(n record.Number) string {
	if !n.Known() {
		return "–"
	}
	return fmt.Sprintf("%.1f ms", 1e3*float64(n))
}

// within is an interval; "≈" marks a range without a level.
func within(e Expected) string {
	if !e.Low.Known() {
		return "not known"
	}
	text := fmt.Sprintf("%.1f–%.1f ms", 1e3*float64(e.Low), 1e3*float64(e.High))
	if e.Level == 0 {
		text = "≈ " + text
	}
	return text
}
