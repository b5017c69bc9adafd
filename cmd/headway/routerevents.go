package main

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"headway/record"
)

// kvEventsMetric counts the KV events that a router took, on the /metrics of
// Dynamo's frontend.
const kvEventsMetric = "dynamo_component_kv_cache_events_applied"

// eventCount is that metric over all replicas; known is false where none of
// them shows it.
type eventCount struct {
	applied float64
	known   bool
}

// kvEvents asks the servers. One that does not answer within two seconds, or
// has no such metric, says nothing.
func kvEvents(ctx context.Context, urls []string) eventCount {
	var all eventCount
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	for _, base := range urls {
		u, err := url.Parse(base)
		if err != nil {
			continue
		}
		u.Path, u.RawQuery = "/metrics", ""
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			continue
		}
		reply, err := http.DefaultClient.Do(req)
		if err != nil {
			continue
		}
		lines := bufio.NewScanner(reply.Body)
		for reply.StatusCode == http.StatusOK && lines.Scan() {
			if v, ok := metricValue(lines.Text()); ok {
				all.applied += v
				all.known = true
			}
		}
		reply.Body.Close()
	}
	return all
}

// metricValue reads a line of the Prometheus text format.
func metricValue(line string) (float64, bool) {
	rest, ok := strings.CutPrefix(line, kvEventsMetric)
	if !ok {
		return 0, false
	}
	if rest = strings.TrimPrefix(rest, "_total"); rest == "" || rest[0] != '{' && rest[0] != ' ' {
		return 0, false
	}
	fields := strings.Fields(rest[strings.LastIndexByte(rest, '}')+1:])
	if len(fields) == 0 {
		return 0, false
	}
	v, err := strconv.ParseFloat(fields[0], 64)
	return v, err == nil
}

// warning says that a router got no event during the run.
func (e eventCount) warning(after eventCount) *record.Warning {
	if !after.known || after.applied > e.applied || after.applied > 0 && !e.known {
		return nil
	}
	return &record.Warning{Code: "no_kv_events", Text: "the router applied not one KV event during this run (" + kvEventsMetric +
		"): if its mode is kv, it routed without knowing any cache. Check the events of the workers (--kv-events-config) and the broker"}
}
