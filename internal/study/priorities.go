package study

import (
	"fmt"

	"headway/internal/cluster"
	"headway/internal/plain"
	"headway/internal/router"
	"headway/record"
	"headway/workload"
)

// countPriorities counts the requests of a source that hint at a priority.
func countPriorities(src workload.Source, n *int) workload.Source {
	return func(yield func(workload.Request, error) bool) {
		for r, err := range src {
			if err == nil && workload.HasPriority(r.Extra) {
				*n++
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// idlePriorities warns of so many requests with priorities that a simulated cluster
// has no use for: the router's queue is off, as in Dynamo 1.6 where nothing is said,
// and workers do not look at them.
func idlePriorities(c cluster.Config, hinted int) []record.Warning {
	queue := c.Router.Mode == router.KV && c.Router.QueueThreshold > 0
	if hinted == 0 || queue || c.PriorityScheduling {
		return nil
	}
	return []record.Warning{{Code: "priorities_idle", Text: fmt.Sprintf(
		"%s that changes nothing: the router has no queue (--router-queue-threshold is off, as in Dynamo 1.6, or "+
			"its mode is not kv), and the workers take requests in their order (--scheduling-policy)",
		plain.HowMany(hinted, "request has a priority", "requests have a priority"))}}
}
