package twin

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"headway/internal/cluster"
)

// Basis says how far figures that are simulated with a twin may be off: the widest
// of its intervals on the loads that it was judged on, and what it has seen. changed
// is what the simulated cluster has otherwise than the server, of which no interval
// is known.
func (f *File) Basis(changed []string) string {
	said, level := f.widest()
	if len(said) == 0 {
		return "simulated with a twin whose file has no intervals: fit it again to have them"
	}
	r := f.Range
	text := fmt.Sprintf("simulated with a twin: %s within %s on loads of up to %d in flight, prompts of %d to %d and "+
		"replies of %d to %d tokens; no interval is known beyond that", expected(level), strings.Join(said, ", "),
		r.InFlight[1], r.ISL[0], r.ISL[1], r.OSL[0], r.OSL[1])
	if len(changed) > 0 {
		text += ", nor of what is otherwise than on its server: " + strings.Join(changed, ", ")
	}
	return text
}

// widest are the widest intervals of the figures of loads that the fit has seen the
// like of, with the lowest level among them.
func (f *File) widest() (said []string, level float64) {
	var names []string
	widths := map[string]float64{}
	level = 1
	for _, l := range slices.Concat(f.Fitted, f.HeldOut) {
		for _, c := range l.Figures {
			if c.Interval == nil || len(l.Beyond) > 0 || !(c.Simulated > 0) {
				continue
			}
			if !slices.Contains(names, c.Figure) {
				names = append(names, c.Figure)
			}
			widths[c.Figure] = max(widths[c.Figure], (c.Interval.High-c.Interval.Low)/2/c.Simulated)
			level = min(level, c.Interval.Level)
		}
	}
	for _, name := range names {
		said = append(said, fmt.Sprintf("%s ±%s %%", name, percent(widths[name])))
	}
	return said, level
}

// percent is a share with two digits, or all of those before the point.
func percent(share float64) string {
	if share >= 0.1 {
		return fmt.Sprintf("%.0f", 100*share)
	}
	return fmt.Sprintf("%.2g", 100*share)
}

func expected(level float64) string {
	if level == 0 {
		return "figures were (without a level: too few blocks calibrate it)"
	}
	return fmt.Sprintf("in %.0f %% of cases figures are", 100*level)
}

// Changed is what a cluster has otherwise than the server, in words; nil where
// nothing that the twin knows of is.
func (f *File) Changed(c *cluster.Config) []string {
	e, s := c.Engine, f.Engine
	cache := math.Abs(float64(e.NumGPUBlocks*e.BlockSize - s.Blocks*s.BlockSize))
	sped := func(ratio float64) bool { return ratio != 0 && ratio != 1 }
	var all []string
	for _, d := range []struct {
		what    string
		differs bool
	}{
		{"the requests of a batch", e.MaxNumSeqs != s.MaxNumSeqs},
		{"the tokens of a step", e.MaxNumBatchedTokens != s.MaxNumBatchedTokens},
		{"the size of the KV cache", cache >= float64(e.BlockSize)},
		{"prompts in one piece", e.NoChunkedPrefill},
		{"the speed", sped(e.SpeedupRatio) || sped(e.DecodeSpeedupRatio)},
		{"speculative decoding", e.Speculation.Tokens > 0},
		{"slots for adapters", e.MaxLoras > 0},
		{"prefill workers", c.PrefillWorkers > 0},
		{"tiers of the KV cache", len(c.Tiers) > 0},
		{"a delay in front of it", c.Frontend > 0},
		{"the time of its start", e.StartupTime > 0},
	} {
		if d.differs {
			all = append(all, d.what)
		}
	}
	return all
}
