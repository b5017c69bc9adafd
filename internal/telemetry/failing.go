package telemetry

import (
	"fmt"
	"time"
)

// silent counts what a Feed did not tell until it was stopped: one that ended or hangs
// misses samples too.
func (of *sampled) silent(interval time.Duration) {
	missed, longest := 0, time.Duration(0)
	for _, last := range of.fed {
		quiet := max(0, of.since.Sub(last))
		missed += int(quiet / interval)
		longest = max(longest, quiet)
	}
	if of.failing != "" {
		missed = max(0, missed-1) // its end is counted
	} else if longest > gapIntervals*interval {
		of.failing = fmt.Sprintf("it said nothing in the last %.3g s", longest.Seconds())
		of.lastError = of.failing
	}
	of.missed += missed
}

// Failing are the sources that told something and did not at the end, by name, with
// why. It may be called after Stop.
func (s *Sampler) Failing() map[string]string {
	all := map[string]string{}
	for _, of := range s.sources {
		if of.samples > 0 && of.failing != "" {
			all[of.name] = of.failing
		}
	}
	return all
}
