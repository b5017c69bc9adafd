package step

import (
	"fmt"
	"strings"
)

// Ends are the least and the largest of what was measured; both 0 of nothing.
type Ends struct{ Least, Most float64 }

func (e *Ends) add(v float64) {
	if *e == (Ends{}) {
		e.Least = v
	}
	e.Least, e.Most = min(e.Least, v), max(e.Most, v)
}

// Trust says how far the points of a profile can be trusted, and what they cover.
type Trust struct {
	// Points is how many there are, Untold of how many nothing is known but their
	// means, Single how many were measured once, Wide how many intervals stayed wider
	// than was asked for, and Widest the half width of the widest interval of 95 %
	// over its mean (0 where there is none).
	Points, Untold, Single, Wide int
	Widest                       float64
	// FrontBound is how many decode points the front end bounds.
	FrontBound int
	// Flat says what costs nothing by the points; empty where nothing does.
	Flat string
	// ISL are the prompts of prefill and Context the contexts of decode points, in
	// tokens; Requests is the most that decoded together.
	ISL, Context Ends
	Requests     int
}

// add counts a point; latency names the columns of its figure.
func (t *Trust) add(r Row, latency string) {
	t.Points++
	repeats := r.Count("repeats")
	switch {
	case repeats == 0:
		t.Untold++
		return
	case repeats == 1:
		t.Single++
		return
	}
	if r["wide"] == "true" {
		t.Wide++
	}
	mean, high := r.Number(latency), r.Number(latency+"_ci95_high")
	if mean > 0 && high > mean {
		t.Widest = max(t.Widest, high/mean-1)
	}
}

// String says how sure the points are, in a sentence without a full stop.
func (t Trust) String() string {
	var said []string
	of := func(n int, text string) {
		if n > 0 {
			said = append(said, fmt.Sprintf(text, n, t.Points))
		}
	}
	of(t.Untold, "of %d of its %d points neither repeats nor intervals are known")
	of(t.Single, "%d of its %d points were measured once and have no interval")
	of(t.Wide, "%d of its %d points stayed wider than was asked for")
	if t.Widest > 0 {
		said = append(said, fmt.Sprintf("its widest interval of 95 %% is ±%.2g %%", 100*t.Widest))
	}
	of(t.FrontBound, "%d of its %d points are bound by the front end and no times of the engine")
	if t.Flat != "" {
		said = append(said, t.Flat)
	}
	if len(said) == 0 {
		return "its points have no spread"
	}
	return strings.Join(said, ", ")
}
