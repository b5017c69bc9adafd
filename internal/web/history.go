package web

import (
	"math"
	"slices"
	"strconv"
	"time"

	"headway/internal/terminal"
)

// mostPoints are kept of a curve; with more of them every second one goes, so that a
// run of a day takes as much as one of a minute.
const mostPoints = 240

// history is how the figures of a phase went. Another title or phase begins again.
type history struct {
	of     string
	every  int // one of so many states is kept
	seen   int
	points []point
}

// point is one moment: requests in flight, output tokens a second, TTFT and ITL in
// seconds; NaN is not known.
type point struct {
	at                         time.Duration
	flight, tokens, ttft, pace float64
}

// add takes a state.
func (h *history) add(s terminal.State) {
	if of := s.Title + "\x00" + s.Phase; of != h.of {
		*h = history{of: of, every: 1}
	}
	h.seen++
	if (h.seen-1)%h.every != 0 {
		return
	}
	h.points = append(h.points, point{at: s.Elapsed, flight: float64(s.Snapshot.InFlight),
		tokens: known(s, s.Live.TokenRate), ttft: s.Live.TTFT50, pace: s.Live.ITL50})
	if len(h.points) == mostPoints {
		h.halve()
	}
}

// known is a rate, which says something when a request was answered.
func known(s terminal.State, rate float64) float64 {
	if s.Live.OK == 0 {
		return math.NaN()
	}
	return rate
}

func (h *history) halve() {
	for i := range mostPoints / 2 {
		h.points[i] = h.points[2*i]
	}
	h.points = h.points[:mostPoints/2]
	h.every *= 2
}

// copy is the history as it stands; drawing it is left to whoever shows it.
func (h *history) copy() history {
	c := *h
	c.points = slices.Clone(h.points)
	return c
}

// Curves are those of which there is more than one value.
func (s shown) Curves() []curve { return s.past.curves() }

// Sizes of a curve's drawing, in the units of its view box.
const (
	curveWidth  = 300
	curveHeight = 60
)

// curve is a figure over time, drawn as an SVG path that begins at zero.
type curve struct {
	Name, Most, Time, Path string
}

func (h *history) curves() []curve {
	var all []curve
	for _, c := range []struct {
		name, unit string
		scale      float64
		of         func(point) float64
	}{
		{"In flight", "", 1, func(p point) float64 { return p.flight }},
		{"Output tokens/s", "", 1, func(p point) float64 { return p.tokens }},
		{"TTFT, median so far", " ms", 1e3, func(p point) float64 { return p.ttft }},
		{"ITL, median so far", " ms", 1e3, func(p point) float64 { return p.pace }},
	} {
		if path, most, ok := h.path(c.of); ok {
			all = append(all, curve{Name: c.name, Most: short(most*c.scale) + c.unit, Path: path,
				Time: h.points[len(h.points)-1].at.Round(time.Second).String()})
		}
	}
	return all
}

// path draws the values; most is the largest. It is not ok with fewer than two.
func (h *history) path(of func(point) float64) (path string, most float64, ok bool) {
	var b []byte
	n, whole := 0, 0.0
	for _, p := range h.points {
		if v := of(p); !math.IsNaN(v) && !math.IsInf(v, 0) {
			most, n = max(most, v), n+1
		}
		whole = max(whole, p.at.Seconds())
	}
	if n < 2 || whole <= 0 {
		return "", 0, false
	}
	move := "M"
	for _, p := range h.points {
		v := of(p)
		if math.IsNaN(v) || math.IsInf(v, 0) {
			move = "M"
			continue
		}
		height := 0.0
		if most > 0 {
			height = v / most
		}
		b = strconv.AppendFloat(append(b, move...), curveWidth*p.at.Seconds()/whole, 'f', 1, 64)
		b = strconv.AppendFloat(append(b, ' '), 1+(curveHeight-2)*(1-height), 'f', 1, 64)
		move = " L"
	}
	return string(b), most, true
}
