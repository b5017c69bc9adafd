package main

import (
	"fmt"
	"math"

	"headway/internal/profile"
)

// offers prints the deployments, what bounds them and what they cost.
func (s *slaSearch) offers() {
	if s.best == nil {
		fmt.Fprintf(s.a.stdout, "disaggregated: %s\n", s.unmatched())
	} else {
		s.offer("disaggregated", s.best)
	}
	if s.whole != nil {
		s.offer("aggregated", s.whole)
	} else if len(s.found.Aggregated) > 0 {
		why := fmt.Sprintf("no measured worker fits --total-gpus %d", s.c.TotalGPUs)
		if s.c.TotalGPUs == 0 {
			why = "no measured worker meets both targets under random arrivals"
		}
		fmt.Fprintf(s.a.stdout, "aggregated: none: %s\n", why)
	}
}

// unmatched says why there are no matched pools.
func (s *slaSearch) unmatched() string {
	p, q := s.found.Result.Prefill.Pick, s.found.Result.Decode.Pick
	switch {
	case p == nil || q == nil:
		return "none: a phase has no measured worker"
	case s.c.Rate == 0 && s.c.TotalGPUs == 0 && !(p.Met && q.Met):
		return "none: a target is missed, so there is no load to match the pools for; --request-rate or --total-gpus sizes them with the nearest workers"
	}
	if s.c.TotalGPUs > 0 {
		return fmt.Sprintf("none: no prefill and decode worker that were measured fit --total-gpus %d together", s.c.TotalGPUs)
	}
	return "none: TTFT leaves no room for a prompt to wait; a higher --ttft does"
}

func (s *slaSearch) offer(name string, d *profile.Deployment) {
	text, bounds := "", ""
	for _, p := range []struct {
		what string
		pool *profile.Pool
	}{{"prefill", d.Prefill}, {"decode", d.Decode}, {"worker", d.Aggregated}} {
		if p.pool == nil {
			continue
		}
		text += fmt.Sprintf("%d× %s %s, ", p.pool.Workers, p.what, p.pool.Mapping)
		if d.Aggregated == nil {
			share := p.pool.RequestRate / p.pool.AlwaysBusy
			bounds += fmt.Sprintf("  %s: %.2f%s requests/s if always busy, of which %.1f %% can be used: %s\n",
				p.what, p.pool.AlwaysBusy, rangeText(p.pool.AlwaysBusyRange), 100*share, s.bound(p.what, share))
		}
	}
	note := ""
	if !d.Met {
		note = "; a target is missed"
	}
	if d.Short {
		note += fmt.Sprintf("; the GPUs do not suffice for %g requests/s", s.found.Demand.RequestRate)
	}
	wait := ""
	if d.Prefill != nil {
		wait = " (the wait for a worker in it)"
	}
	fmt.Fprintf(s.a.stdout, "%s: %s%s: up to %.2f%s requests/s%s\n%s", name, text, gpuCount(d.GPUs), d.RequestRate, rangeText(d.RequestRateRange), note, bounds)
	fmt.Fprintf(s.a.stdout, "  at %.2f%s requests/s: mean TTFT %.1f ms%s, ITL %.2f ms; $%.3f%s per 1000 requests, $%.3f per million tokens of prompts and replies, $%.3f per million of replies\n",
		d.Served, rangeText(d.ServedRange), d.TTFT*1e3, wait, d.ITL*1e3, d.Per1000Requests, rangeText(d.CostRange), d.PerMillionTokens, d.PerMillionOutput)
	switch {
	case d.Aggregated != nil:
		fmt.Fprintln(s.a.stdout, "  without an interval: each rate was tried in one run")
	case d.RequestRateRange == nil:
		fmt.Fprintln(s.a.stdout, "  without an interval: a point that this follows from was measured once")
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

// gpuCount is a number of GPUs in words.
func gpuCount(n int) string {
	if n == 1 {
		return "1 GPU"
	}
	return fmt.Sprintf("%d GPUs", n)
}

// counted is how much of an always busy pool AIConfigurator counts on at the
// most, and so does headway.
const counted = 0.9

// bound is what keeps a pool from being used more.
func (s *slaSearch) bound(what string, share float64) string {
	if what == "prefill" && share < counted-1e-9 {
		return fmt.Sprintf("with more, prompts wait beyond --ttft %.4g", s.search.Target.TTFT*1e3)
	}
	return "as AIConfigurator counts, since what one pool hands over the other does not take at once"
}
