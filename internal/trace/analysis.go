package trace

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"headway/internal/plain"
	"headway/report"
	"headway/workload/synth"
)

// Document is an analysis as people read it: shares in percent, lengths in tokens.
// tiers are caches that are to be compared, or none.
func Document(name string, a *synth.Analysis, tiers []synth.Tier) *report.Document {
	d := &report.Document{}
	d.AddLine("%s: %s", name, plain.HowMany(len(a.Rows), "request", "requests"))
	d.AddGap()
	d.Rows(1, summaries(a))
	d.AddGap()
	reuse(d, a)
	arrivals(d, a.Arrivals)
	tierTable(d, a, tiers)
	return d
}

// tierTable says what each of several caches below each other would have brought.
func tierTable(d *report.Document, a *synth.Analysis, tiers []synth.Tier) {
	if len(tiers) == 0 || a.Reuse.Blocks == 0 {
		return
	}
	rows := [][]string{{"tier", "blocks", "reach", "LRU %", "bound %", "LRU % of tokens"}}
	for _, t := range a.Reuse.Tiers(tiers) {
		rows = append(rows, []string{t.Name, strconv.Itoa(t.Tier.Blocks), strconv.Itoa(t.Reach),
			number(100*t.LRUBlocks, 1), number(100*t.BestBlocks, 1), number(100*t.LRUTokens, 1)})
	}
	d.AddGap()
	d.AddLine("what each tier adds to those above it, of all blocks; bound: Belady's rule, which knows what comes")
	d.Rows(1, rows)
}

// summaries are the rows of the table, under their titles.
func summaries(a *synth.Analysis) [][]string {
	rows := [][]string{{"", "mean", "std", "min", "p25", "median", "p75", "p90", "p99", "max"}}
	for _, r := range []struct {
		name  string
		s     synth.Summary
		scale float64
	}{
		{"input length", a.Input, 1}, {"context length", a.Context, 1}, {"unique prompt length", a.Unique, 1},
		{"output length", a.Output, 1}, {"theoretical hit rate %", a.HitRate, 100},
	} {
		row := []string{r.name}
		for i, v := range []float64{r.s.Mean, r.s.SD, r.s.Min, r.s.P25, r.s.Median, r.s.P75, r.s.P90, r.s.P99,
			r.s.Max} {
			digits := 0
			if i < 2 || r.scale > 1 {
				digits = 1
			}
			row = append(row, number(v*r.scale, digits))
		}
		rows = append(rows, row)
	}
	return rows
}

// number is a figure with so many digits after the point, – where it is not known.
func number(x float64, digits int) string {
	if math.IsNaN(x) {
		return "–"
	}
	return strconv.FormatFloat(x, 'f', digits, 64)
}

// smallestCache is the size (blocks) from which the text tells of LRU caches.
const smallestCache = 1000

func reuse(d *report.Document, a *synth.Analysis) {
	r := &a.Reuse
	if r.Blocks == 0 {
		d.AddLine("The trace has no block ids: nothing is known of shared prefixes.")
		return
	}
	d.AddLine("%s of %d tokens, %d different, %d in more than one prompt",
		plain.HowMany(r.Blocks, "block", "blocks"), a.BlockSize, r.Distinct, r.Repeated)
	d.AddLine("prefix hits of a cache that never forgets: %.1f %% of tokens, %.1f %% of blocks", 100*r.HitTokens,
		100*r.HitBlocks)
	if text := caches(r, r.At); text != "" {
		d.AddLine("of one LRU cache (blocks: tokens hit):%s", text)
		d.AddLine("of one cache that knows what comes (Belady's bound):%s", caches(r, r.BestAt))
	}
	if r.Ambiguous > 0 {
		d.AddLine("warning: %d ids stand after different prefixes; the format says that an id names all blocks "+
			"before it", r.Ambiguous)
	}
}

// caches are the shares of tokens that caches of several sizes hit; "" where all
// are small.
func caches(r *synth.Reuse, at func(int) (blocks, tokens float64)) string {
	var b strings.Builder
	for _, n := range r.Sizes() {
		if n < smallestCache {
			continue
		}
		_, tokens := at(n)
		fmt.Fprintf(&b, " %d: %.1f %%", n, 100*tokens)
	}
	return b.String()
}

func arrivals(d *report.Document, f synth.ArrivalFacts) {
	if f.Count == 0 {
		d.AddLine("The trace has no timestamps.")
		return
	}
	text := fmt.Sprintf("arrivals: %d at one time, so there is no rate", f.Count)
	if f.Span != 0 {
		text = fmt.Sprintf("arrivals: %d over %.0f s, %.2f requests/s; %d distinct timestamps, at most %s on one",
			f.Count, f.Span, f.Rate, f.Distinct, plain.HowMany(f.LargestBurst, "request", "requests"))
	}
	if f.Window > 0 {
		text += fmt.Sprintf("; variance over mean of the counts in %.0f s: %.1f (Poisson 1)", f.Window,
			f.VarianceOverMean)
	}
	d.AddLine("%s", text)
	if f.Step > 0 {
		d.AddLine("warning: timestamps look rounded to about %.0f ms; "+
			"replayed literally, requests come in bursts so far apart (--spread-timestamps)", f.Step)
	}
}
