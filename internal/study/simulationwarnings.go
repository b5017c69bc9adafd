package study

import (
	"fmt"
	"strings"

	"headway/internal/cluster"
	"headway/internal/plain"
	"headway/record"
)

// simulationWarnings are what a reader of simulated figures must know.
func simulationWarnings(c cluster.Config, facts record.Cluster, o cluster.Outcome) []record.Warning {
	var all []record.Warning
	add := func(code, format string, args ...any) {
		all = append(all, record.Warning{Code: code, Text: fmt.Sprintf(format, args...)})
	}
	basis := c.RestsOn()
	if basis.Code != "" {
		add(basis.Code, "%s", basis.Text)
	}
	if left := basis.Seen.Left(o.Reached); len(left) > 0 {
		add("profile_left", "the load lies outside of what the step times were measured at: %s; nothing is known of "+
			"how right they are there", strings.Join(left, "; "))
	}
	if facts.Saturated {
		add(Saturated,
			"the cluster is saturated: it completed %s requests/s of %.3g offered, so latencies grow with the "+
				"length of the run",
			knownText(facts.Completed), facts.Offered)
	}
	if facts.RouterMode == "kv" && c.Router.UseKVEvents && facts.EventsApplied == 0 {
		add("no_kv_events",
			"the router is in mode kv, and not one KV event was applied: every overlap was 0, so it routed by load "+
				"alone. "+
				"Prompts shorter than a block, or workers without prefix caching, publish nothing")
	}
	if o.TooLong > 0 {
		add("too_long",
			"%s fit a worker: the longest has %d tokens of prompt and output, a worker takes %d "+
				"(--num-gpu-blocks-override, --max-model-len)",
			plain.HowMany(o.TooLong, "request does not", "requests do not"), o.TooLongTokens, o.Capacity)
	}
	return all
}

// Saturated is the code of the warning that a simulated cluster completed less
// than was offered. A comparison of several says it in a column of its own.
const Saturated = "saturated"

// knownText is a figure, "–" where it is not known.
func knownText(n record.Number) string {
	if !n.Known() {
		return "–"
	}
	return fmt.Sprintf("%.3g", float64(n))
}
