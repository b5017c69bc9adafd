package doctor

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"headway/internal/plain"
	"headway/internal/telemetry"
)

// sample is a line of Prometheus' text format: name, labels, value, and perhaps a
// time.
var sample = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{.*\})?[ \t]+(\S+)(?:[ \t]+-?[0-9.]+)?(?: # .*)?$`)

// families are the names of a page in Prometheus' text format, sorted, and how many
// of its lines are not of that format.
func families(page []byte) (names []string, odd int) {
	for line := range bytes.Lines(page) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		m := sample.FindSubmatch(line)
		if m == nil {
			odd++
			continue
		}
		if _, err := strconv.ParseFloat(string(m[2]), 64); err != nil {
			odd++
			continue
		}
		names = append(names, string(m[1]))
	}
	slices.Sort(names)
	return slices.Compact(names), odd
}

// exposed judges a page of metrics.
func exposed(path string, page []byte) Finding {
	names, odd := families(page)
	if len(names) == 0 || odd > len(names) {
		return warn(path+" is not in Prometheus' text format", "What answers there is something else: check the port. "+
			"Dynamo's workers have their metrics at a port of their own (DYN_SYSTEM_PORT).")
	}
	var of []string
	for _, n := range names {
		if server := telemetry.Whose(n); server != "" && !slices.Contains(of, server) {
			of = append(of, server)
		}
	}
	seen := fmt.Sprintf("%s has %s", path, plain.HowMany(len(names), "series name", "series names"))
	if odd > 0 {
		seen += fmt.Sprintf(" and %s that cannot be read", plain.HowMany(odd, "line", "lines"))
	}
	if len(of) == 0 {
		return warn(seen+", none of a known engine", "The engine may have its metrics at another port, or need an "+
			"option: SGLang --enable-metrics; Dynamo's workers DYN_SYSTEM_PORT.")
	}
	return ok(seen + ", of " + strings.Join(of, " and "))
}
