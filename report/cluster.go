package report

import (
	"fmt"
	"strings"

	"headway/record"
)

// clusterAccount adds a simulated cluster's account of itself, below the tables of
// its run.
func (r *Report) clusterAccount(d *Document) {
	if c := r.Run.Cluster; c != nil {
		d.add(piece{block: strings.TrimSuffix(clusterText(*c), "\n")})
		d.foretold(c.Foretold)
	}
}

// clusterText is the account; what is not known is "–".
func clusterText(c record.Cluster) string {
	var b strings.Builder
	workers := fmt.Sprintf("%d workers", len(c.Workers))
	if len(c.Workers) == 1 {
		workers = "1 worker"
	}
	fmt.Fprintf(&b, "\nSimulated cluster: %s, router %s\n", workers, c.RouterMode)
	if c.Frontend > 0 {
		fmt.Fprintf(&b, "front end         %g ms on average, exponentially distributed (--frontend-delay)\n",
			1e3*c.Frontend)
	}
	if c.Outside > 0 {
		fmt.Fprintf(&b, "outside of engine %.3g ms for each request, as the profile has it\n", 1e3*c.Outside)
	}
	fmt.Fprintf(&b, "prefix hits       %s %% of prompt tokens; ideal %s %%, in one cache as large as all %s %%\n",
		figureText("%.1f", 100, c.HitRate), figureText("%.1f", 100, c.IdealHitRate),
		figureText("%.1f", 100, c.IdealAtSize))
	b.WriteString(tiersText(c))
	b.WriteString(stagesText(c))
	fmt.Fprintf(&b, "imbalance         %s (busiest worker over the mean)\n", figureText("%.3f", 1, c.Imbalance))
	if c.RegretMean.Known() {
		fmt.Fprintf(&b, "routing regret    mean %.1f ms, p50 %.1f, p99 %.1f (modelled TTFT less the best worker's)\n",
			1e3*c.RegretMean, 1e3*c.RegretP50, 1e3*c.RegretP99)
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
		fmt.Fprintf(&b, "%6d  %8d  %13d  %4s %%  %13d  %6.1f\n", w.ID, w.Requests, w.PromptTokens,
			figureText("%.1f", 100, share), w.OutputTokens, w.Busy)
	}
	return b.String()
}

// tiersText says where the hits were, and what the tiers did.
func tiersText(c record.Cluster) string {
	if len(c.Tiers) == 0 {
		return ""
	}
	var b strings.Builder
	gpu := c.HitRate
	for _, t := range c.Tiers {
		gpu -= t.HitRate
	}
	fmt.Fprintf(&b, "hits by tier      GPU %s %%", figureText("%.1f", 100, gpu))
	for _, t := range c.Tiers {
		fmt.Fprintf(&b, ", %s %s %%", t.Name, figureText("%.1f", 100, t.HitRate))
	}
	b.WriteByte('\n')
	fmt.Fprintf(&b, "tier    stores  blocks each    stored   evicted      read  write s  read s\n")
	for _, t := range c.Tiers {
		fmt.Fprintf(&b, "%-6s  %6d  %11d  %8d  %8d  %8d  %7.1f  %6.1f\n", t.Name, t.Stores, t.Blocks, t.Stored,
			t.Evicted, t.Read, t.WriteBusy, t.ReadBusy)
	}
	return b.String()
}

// stagesText says what became of drafts, transfers and adapters.
func stagesText(c record.Cluster) string {
	var b strings.Builder
	if s := c.Speculation; s != nil {
		fmt.Fprintf(&b, "drafts            %s %% of %d tokens accepted, %s tokens per step; by position",
			figureText("%.1f", 100, s.Accepted), s.DraftTokens, figureText("%.2f", 1, s.TokensPerStep))
		for _, share := range s.AcceptedAt {
			fmt.Fprintf(&b, " %.1f %%", 100*share)
		}
		b.WriteByte('\n')
	}
	if t := c.Transfers; t != nil && t.Transfers > 0 {
		fmt.Fprintf(&b, "KV transfers      %d, %s ms each on average", t.Transfers, figureText("%.3g", 1e3, t.Mean))
		if t.Links > 0 {
			fmt.Fprintf(&b, ", %s of them waiting for links; busiest link %.1f s", figureText("%.3g", 1e3, t.MeanWait),
				t.Busiest)
		}
		b.WriteByte('\n')
	}
	if a := c.Adapters; a != nil {
		fmt.Fprintf(&b, "adapters          %d loads into %d slots a worker, %.1f s of steps\n", a.Loads, a.Slots,
			a.LoadTime)
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
