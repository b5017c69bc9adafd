package study

import (
	"context"
	"time"

	"headway/internal/openai"
	"headway/internal/router"
	"headway/record"
)

// KVEvents is router.EventsMetric over all replicas of an endpoint; it is not known
// where none of them shows it.
type KVEvents struct {
	applied float64
	known   bool
}

// largestMetrics bounds what is read of a server's metrics, in bytes.
const largestMetrics = 16 << 20

// CountKVEvents asks the servers. One that does not answer within two seconds, or
// has no such metric, says nothing.
func CountKVEvents(ctx context.Context, client openai.Config) KVEvents {
	var all KVEvents
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	for i := range client.URLs {
		text, err := client.Get(ctx, i, "/metrics", largestMetrics)
		if err != nil {
			continue
		}
		if n, known := router.EventsApplied(text); known {
			all.applied, all.known = all.applied+n, true
		}
	}
	return all
}

// Warning says that a router got no event during a run, of which e was counted
// before; nil where it got some, or nothing is known.
func (e KVEvents) Warning(after KVEvents) *record.Warning {
	if !after.known || after.applied > e.applied || after.applied > 0 && !e.known {
		return nil
	}
	return &record.Warning{Code: "no_kv_events", Text: "the router applied not one KV event " +
		"during this run (" + router.EventsMetric +
		"): if its mode is kv, it routed without knowing any cache. Check the events of the workers " +
		"(--kv-events-config) and the broker"}
}
