package main

import (
	"fmt"
	"strings"

	"headway/record"
)

// clusterText is a cluster's account of itself; what is not known is "–".
func clusterText(c record.Cluster) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nSimulated cluster: %s, router %s\n", howMany(len(c.Workers), "worker", "workers"), c.RouterMode)
	if c.Frontend > 0 {
		fmt.Fprintf(&b, "front end         %g ms on average, exponentially distributed (--frontend-delay)\n", 1e3*c.Frontend)
	}
	fmt.Fprintf(&b, "prefix hits       %s %% of prompt tokens; ideal %s %%, in one cache as large as all %s %%\n",
		figureText("%.1f", 100, c.HitRate), figureText("%.1f", 100, c.IdealHitRate), figureText("%.1f", 100, c.IdealAtSize))
	fmt.Fprintf(&b, "imbalance         %s (busiest worker over the mean)\n", figureText("%.3f", 1, c.Imbalance))
	if c.RegretMean.Known() {
		fmt.Fprintf(&b, "routing regret    mean %.1f ms, p50 %.1f, p99 %.1f (modelled TTFT less the best worker's)\n", 1e3*c.RegretMean, 1e3*c.RegretP50, 1e3*c.RegretP99)
	}
	fmt.Fprintf(&b, "completed         %s requests/s", figureText("%.3g", 1, c.Completed))
	if c.Offered.Known() {
		fmt.Fprintf(&b, " of %.3g offered", c.Offered)
	}
	if c.Saturated {
		b.WriteString(": SATURATED")
	}
	fmt.Fprintf(&b, "\nKV events applied %d; preemptions %d\n", c.EventsApplied, c.Preemptions)
	fmt.Fprintf(&b, "worker  requests  prompt tokens  cached  output tokens  busy s\n")
	for _, w := range c.Workers {
		share := record.Unknown()
		if w.PromptTokens > 0 {
			share = record.Number(float64(w.CachedTokens) / float64(w.PromptTokens))
		}
		fmt.Fprintf(&b, "%6d  %8d  %13d  %4s %%  %13d  %6.1f\n", w.ID, w.Requests, w.PromptTokens, figureText("%.1f", 100, share), w.OutputTokens, w.Busy)
	}
	return b.String()
}

// figureText is a figure times a scale, "–" where it is not known.
func figureText(format string, scale float64, n record.Number) string {
	if !n.Known() {
		return "–"
	}
	return fmt.Sprintf(format, scale*float64(n))
}
