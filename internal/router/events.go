package router

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// EventsMetric counts the KV events that a router took, on the /metrics of
// Dynamo's frontend.
const EventsMetric = "dynamo_component_kv_cache_events_applied"

// EventsApplied is the sum of [EventsMetric], of all labels, in a page of metrics in
// the Prometheus text format; known is false where the page does not have it.
// Samples without a finite count are passed over.
func EventsApplied(page []byte) (n float64, known bool) {
	for line := range bytes.Lines(page) {
		if v, ok := eventSample(strings.TrimRight(string(line), "\r\n")); ok && !math.IsInf(n+v, 0) {
			n, known = n+v, true
		}
	}
	return n, known
}

// eventSample reads a line.
func eventSample(line string) (float64, bool) {
	rest, ok := strings.CutPrefix(line, EventsMetric)
	if !ok {
		return 0, false
	}
	rest, ok = afterLabels(strings.TrimPrefix(rest, "_total"))
	fields := strings.Fields(rest)
	if !ok || len(fields) == 0 {
		return 0, false
	}
	v, err := strconv.ParseFloat(fields[0], 64)
	return v, err == nil && v >= 0 && !math.IsInf(v, 0)
}

// afterLabels is what follows a sample's labels, which are in braces and may have
// braces in quotes. It is false where they do not end, or where the name goes on.
func afterLabels(rest string) (string, bool) {
	if rest == "" || rest[0] != '{' {
		return rest, rest != "" && (rest[0] == ' ' || rest[0] == '\t')
	}
	quoted := false
	for i := 1; i < len(rest); i++ {
		switch c := rest[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && c == '}':
			return rest[i+1:], true
		}
	}
	return "", false
}
