package main

import (
	"fmt"

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
		fmt.Fprintf(s.a.stdout, "aggregated: none: no measured worker fits --total-gpus %d\n", s.c.TotalGPUs)
	}
}

// unmatched says why there are no matched pools.
func (s *slaSearch) unmatched() string {
	if p, q := s.found.Result.Prefill.Pick, s.found.Result.Decode.Pick; p == nil || q == nil {
		return "none: a phase has no measured worker"
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
			bounds += fmt.Sprintf("  %s: %.2f requests/s if always busy, of which %.1f %% can be used: %s\n",
				p.what, p.pool.AlwaysBusy, 100*share, s.bound(p.what, share))
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
	fmt.Fprintf(s.a.stdout, "%s: %s%d GPUs: up to %.2f requests/s%s\n%s", name, text, d.GPUs, d.RequestRate, note, bounds)
	fmt.Fprintf(s.a.stdout, "  at %.2f requests/s: mean TTFT %.1f ms%s, ITL %.2f ms; $%.3f per 1000 requests, $%.3f per million tokens of prompts and replies, $%.3f per million of replies\n",
		d.Served, d.TTFT*1e3, wait, d.ITL*1e3, d.Per1000Requests, d.PerMillionTokens, d.PerMillionOutput)
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
