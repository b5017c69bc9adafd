package sla

import (
	"fmt"
	"math"
	"strings"

	"headway/internal/fault"
	"headway/internal/profile"
)

// offers adds the deployments, what bounds them and what they cost.
func (v view) offers() {
	if v.Disagg != nil {
		v.offer("disaggregated", v.Disagg)
	}
	if v.InFlight > 0 && v.RequestRate > 0 {
		v.Line("%s", fault.Text(v.name, "  %s %g is %.2f requests/s at these latencies", inFlight, v.InFlight,
			v.RequestRate))
	}
	for _, w := range v.Warnings {
		if v.Disagg == nil && strings.HasPrefix(w, noPools) {
			v.Line("%s", w)
		}
	}
	switch {
	case v.Agg != nil:
		v.offer("aggregated", v.Agg)
	case len(v.AggTrials) == 0:
	case v.TotalGPUs > 0:
		v.Line("%s", fault.Text(v.name, "aggregated: none: no measured worker fits %s %d", gpusOver, v.TotalGPUs))
	case v.GPUHour > 0:
		v.Line("aggregated: none: no measured worker meets both targets under random arrivals")
	default:
		v.Line("aggregated: none") // of a version that did not keep what was asked for
	}
}

func (v view) offer(name string, d *profile.Deployment) {
	note := ""
	if !d.Met {
		note = "; a target is missed"
	}
	switch {
	case d.Short && v.RequestRate > 0:
		note += fmt.Sprintf("; the GPUs do not suffice for %g requests/s", v.RequestRate)
	case d.Short:
		note += "; the GPUs do not suffice for the requests/s that were asked for"
	}
	v.Line("%s: %s, %s: up to %.2f%s requests/s%s", name, d.Workers(), profile.GPUs(d.GPUs),
		d.RequestRate, rangeText(d.RequestRateRange), note)
	v.bounds(d)
	v.costs(d)
}

// pool is one of a deployment, with what its workers do.
type pool struct {
	what string
	*profile.Pool
}

func poolsOf(d *profile.Deployment) (all []pool) {
	for _, p := range []pool{{"prefill", d.Prefill}, {"decode", d.Decode}, {"worker", d.Aggregated}} {
		if p.Pool != nil {
			all = append(all, p)
		}
	}
	return all
}

// bounds adds how much of each pool can be used, where there are two.
func (v view) bounds(d *profile.Deployment) {
	if d.Aggregated != nil {
		return
	}
	for _, p := range poolsOf(d) {
		share := p.RequestRate / p.AlwaysBusy
		v.Line("  %s: %.2f%s requests/s if always busy, of which %.1f %% can be used: %s",
			p.what, p.AlwaysBusy, rangeText(p.AlwaysBusyRange), 100*share, v.bound(p.what, share))
	}
}

// costs adds what is served at which latency and price.
func (v view) costs(d *profile.Deployment) {
	wait := ""
	if d.Prefill != nil {
		wait = " (the wait for a worker in it)"
	}
	v.Line("  at %.2f%s requests/s: mean TTFT %.1f ms%s, ITL %.2f ms; "+
		"$%.3f%s per 1000 requests, $%.3f per million tokens of prompts and replies, $%.3f per million of replies",
		d.Served, rangeText(d.ServedRange), d.TTFT*1e3, wait, d.ITL*1e3,
		d.Per1000Requests, rangeText(d.CostRange), d.PerMillionTokens, d.PerMillionOutput)
	switch {
	case d.Aggregated != nil:
		v.Line("  without an interval: each rate was tried in one run")
	case d.RequestRateRange == nil:
		v.Line("  without an interval: a point that this follows from was measured once")
	}
}

// rangeText is where a figure lies, in brackets; ±0 where its points came out
// the same every time, and nothing where there is no range.
func rangeText(r *profile.Range) string {
	switch {
	case r == nil:
		return ""
	case math.IsInf(r.High, 1):
		return fmt.Sprintf(" (%.5g or more)", r.Low)
	case r.High-r.Low <= 1e-9*r.High:
		return " ±0"
	}
	return fmt.Sprintf(" (%.5g to %.5g)", r.Low, r.High)
}

// counted is how much of an always busy pool AISimulate counts on at the
// most, and so does headway.
const counted = 0.9

// bound is what keeps a pool from being used more.
func (v view) bound(what string, share float64) string {
	if what == "prefill" && share < counted-1e-9 {
		return fault.Text(v.name, "with more, prompts wait beyond %s %.4g", ttft, v.TTFT)
	}
	return "as AISimulate counts, since what one pool hands over the other does not take at once"
}
