package picture

import (
	"strconv"
	"strings"

	"headway/internal/chart"
)

// noWhiskers names the points whose figure has no interval, so that they are not
// taken for those whose whiskers are too short to be seen; empty where there are
// none.
func noWhiskers(c *chart.Chart) string {
	var parts []string
	whiskers := false
	for _, s := range c.Series {
		var at []string
		for _, p := range s.Points {
			switch {
			case !finite(p.Y):
			case p.Low == 0 && p.High == 0:
				at = append(at, pointName(c, p))
			default:
				whiskers = true
			}
		}
		if len(at) > 0 && len(c.Series) > 1 {
			at[0] = s.Name + " at " + at[0]
		}
		if len(at) > 0 {
			parts = append(parts, strings.Join(at, ", "))
		}
	}
	switch {
	case len(parts) == 0:
		return ""
	case !whiskers:
		return "No point has an interval: another run may differ."
	}
	return "No interval, so that another run may differ: " + strings.Join(parts, "; ") + "."
}

// pointName is the concurrency of a point.
func pointName(c *chart.Chart, p chart.Point) string {
	if p.Label != "" {
		return p.Label
	}
	return strconv.FormatFloat(p.X, 'f', -1, 64)
}

// drawnPoints is how many points a picture has.
func drawnPoints(list []chart.Series) int {
	n := 0
	for _, s := range list {
		for _, p := range s.Points {
			if finite(p.Y) {
				n++
			}
		}
	}
	return n
}
