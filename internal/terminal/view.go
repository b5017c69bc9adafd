package terminal

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

const (
	// maxLines is the most a View has.
	maxLines = 8
	// labelWidth is that of the words before the figures, in columns.
	labelWidth = 10
	// From wideWidth columns up two cells share a line, from pairWidth up
	// only the two latencies do. A terminal of 120 columns shows 119.
	wideWidth = 118
	pairWidth = 72
	// minBar is the shortest progress bar worth drawing, in columns.
	minBar = 5
)

// View is the display of a state: at most eight lines, none wider than width
// columns, without a newline at the end. Styles are ANSI sequences, none
// unless color is set. Where there is room, the lines of the levels finished
// last follow.
func View(s State, width int, color bool) string {
	width = max(1, width)
	p := paint(color)
	lines := []string{p.strong(shorten(clean(s.Title), width)), p.progress(s, width)}
	lines = append(lines, p.figures(s, width)...)
	if s.Note != "" {
		lines = append(lines, p.warn(clean(s.Note)))
	}
	for _, done := range s.Done[max(0, len(s.Done)-(maxLines-len(lines))):] {
		lines = append(lines, p.weak("✓ "+clean(done)))
	}
	for i, l := range lines {
		lines[i] = ansi.Truncate(l, width, "…")
	}
	return strings.Join(lines, "\n")
}

// figures are the lines between the bar and the note. What stands on which
// line follows from the width alone: lines that moved with the length of a
// number could not be read.
func (p paint) figures(s State, width int) []string {
	requests, flight, rates := p.cell("Requests", p.requests(s)), p.cell("In flight", inFlight(s)),
		p.cell("Rates", rates(s))
	ttft, itl := quantiles(s.Live.TTFT50, s.Live.TTFT99), quantiles(s.Live.ITL50, s.Live.ITL99)
	switch {
	case width >= wideWidth:
		return []string{requests, beside(flight, rates, width), beside(p.cell("TTFT", ttft), p.cell("ITL", itl), width)}
	case width >= pairWidth:
		return []string{requests, flight, rates, p.cell("Latency", "TTFT "+ttft+" · ITL "+itl)}
	}
	return []string{requests, flight, rates, p.cell("TTFT", ttft), p.cell("ITL", itl)}
}

// progress is the line with the bar.
func (p paint) progress(s State, width int) string {
	share, known := s.fraction()
	text := unknown + " %"
	if known {
		text = percent(share)
	}
	text = pad(text, 5) + " " + clock(s.Elapsed) + " elapsed · " + remaining(s)
	label := p.label(s.Phase)
	room := width - labelWidth - 1 - ansi.StringWidth(text)
	if room < minBar {
		return label + text
	}
	return label + p.bar(share, room) + " " + text
}

func remaining(s State) string {
	if s.finishing() {
		return "finishing"
	}
	rest, known := s.left()
	if !known {
		return unknown + " left"
	}
	return countdown(rest) + " left"
}

// bar is length columns long, in steps of half a column.
func (p paint) bar(share float64, length int) string {
	halves := int(share*float64(2*length) + 1e-9)
	full := strings.Repeat("━", halves/2)
	if halves%2 == 1 {
		full += "╸"
	}
	return p.accent(full) + p.weak(strings.Repeat("─", length-(halves+1)/2))
}

func (p paint) requests(s State) string {
	n := s.Snapshot
	text := grouped(n.Finished) + " done"
	if n.Planned > 0 {
		text = grouped(n.Finished) + " of " + grouped(n.Planned) + " done"
	}
	return text + " · " + p.bad(s.failed(), "failed") + " · " + p.bad(n.Dropped, "dropped") + cancelled(s)
}

func cancelled(s State) string {
	if s.Live.Cancelled == 0 {
		return ""
	}
	return " · " + grouped(int64(s.Live.Cancelled)) + " cancelled"
}

func inFlight(s State) string {
	n := s.Snapshot
	text := grouped(n.InFlight)
	if n.Concurrency > 0 {
		text += " of " + grouped(n.Concurrency)
	}
	return text + " · " + grouped(n.Waiting) + " waiting for first token"
}

// rates are unknown until a request was answered: a rate of 0 is one that has
// stalled.
func rates(s State) string {
	requests, tokens := unknown, unknown
	if s.Live.OK > 0 {
		requests, tokens = figure(s.Live.RequestRate), figure(s.Live.TokenRate)
	}
	return requests + " requests/s · " + tokens + " output tokens/s"
}

// quantiles takes seconds and writes milliseconds.
func quantiles(p50, p99 float64) string {
	return "p50 " + millis(p50) + " p99 " + millis(p99) + " ms"
}
