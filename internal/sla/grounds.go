package sla

import (
	"fmt"
	"slices"
	"strings"

	"headway/internal/fault"
	"headway/internal/profile"
)

// RestsOn is what the figures of one worker of a deployment rest on.
type RestsOn struct {
	Phase   profile.Phase  `json:"phase"`
	Mapping string         `json:"mapping"`
	Basis   *profile.Basis `json:"basis"`
	// Open names the targets (ttft, itl) that lie inside of the intervals, so that
	// the twin does not tell whether they are met.
	Open []string `json:"targets_inside,omitempty"`
}

// String is the same in words.
func (r RestsOn) String() string {
	text := fmt.Sprintf("%s %s: %s", r.Phase, r.Mapping, basisText(r.Basis))
	if of := expectedText(r.Basis); of != "" {
		text += ", " + of
	}
	if len(r.Open) > 0 {
		text += fmt.Sprintf("; the target of %s lies inside, so it may be missed",
			strings.ToUpper(strings.Join(r.Open, ", ")))
	}
	if len(r.Basis.Why) > 0 {
		text += " (" + strings.Join(r.Basis.Why, "; ") + ")"
	}
	return text
}

// restsOn is what the points behind a deployment rest on.
func (s *Search) restsOn(d *profile.Deployment) (all []RestsOn) {
	for _, p := range []struct {
		phase profile.Phase
		pool  *profile.Pool
	}{{profile.Prefill, d.Prefill}, {profile.Decode, d.Decode}, {profile.Aggregated, d.Aggregated}} {
		if p.pool == nil {
			continue
		}
		if b := s.basisOf(p.phase, p.pool); b != nil {
			all = append(all, RestsOn{Phase: p.phase, Mapping: p.pool.Mapping, Basis: b, Open: s.open(b)})
		}
	}
	return all
}

// open are the targets that lie inside of a twin's intervals.
func (s *Search) open(b *profile.Basis) (names []string) {
	for _, of := range []struct {
		target   fault.Field
		at       float64
		expected *profile.Expected
	}{{ttft, s.Search.SLO.TTFT, b.TTFT}, {itl, s.Search.SLO.ITL, b.ITL}} {
		if e := of.expected; e != nil && e.Low <= of.at && of.at <= e.High {
			names = append(names, string(of.target))
		}
	}
	return names
}

// basisOf is that of the trial that a pool follows from: the one of its worker at its
// load, and of equal ones the least sure. nil where none is told.
func (s *Search) basisOf(p profile.Phase, pool *profile.Pool) (least *profile.Basis) {
	order := []profile.Grounds{profile.OnEngine, profile.OnTwin, profile.BeyondTwin, profile.OnRoofline}
	for _, t := range s.trials(p, pool.Mapping) {
		if t.Basis == nil || t.Concurrency != pool.Concurrency {
			continue
		}
		if least == nil || slices.Index(order, t.Basis.Grounds) > slices.Index(order, least.Grounds) {
			least = t.Basis
		}
	}
	return least
}

// trials are those of a mapping in a phase.
func (s *Search) trials(p profile.Phase, mapping string) []profile.Trial {
	for _, o := range s.found.Aggregated {
		if p == profile.Aggregated && o.Mapping == mapping {
			return o.Trials
		}
	}
	for _, r := range s.phases() {
		for _, o := range r.Outcomes {
			if r.Phase == p && o.Mapping == mapping {
				return o.Trials
			}
		}
	}
	return nil
}

// unmeasured warns of a recommendation that rests on what the twin does not tell. Without
// a twin nothing is measured, which the documentation and the table say.
func (s *Search) unmeasured() {
	if s.Fitted == nil || s.advice == nil {
		return
	}
	for _, w := range s.advice.RestsOn {
		text := ""
		switch w.Basis.Grounds {
		case profile.OnRoofline:
			text = fmt.Sprintf("the recommendation rests on a roofline for %s %s: nothing of it was ever measured, "+
				"and the roofline's error is not the twin's, so a comparison with %s may be wrong either way; fit a "+
				"twin to a server of %s, or leave other mappings out", w.Phase, w.Mapping, s.Fitted.Mapping, w.Mapping)
		case profile.BeyondTwin:
			text = fmt.Sprintf("the recommendation extrapolates the twin for %s %s: %s", w.Phase, w.Mapping,
				strings.Join(w.Basis.Why, "; "))
		default:
			continue
		}
		s.warnings = append(s.warnings, text)
		s.Warn("warning: %s", text)
	}
}

// basisText is the kind of a basis in a cell; empty where it is not told.
func basisText(b *profile.Basis) string {
	if b == nil {
		return ""
	}
	return b.Grounds.String()
}

// groundsText is added to a point that a twin has foretold.
func groundsText(t profile.Trial) string {
	if t.Basis == nil || t.Basis.Grounds == profile.OnEngine {
		return ""
	}
	text := "; " + t.Basis.Grounds.String()
	if of := expectedText(t.Basis); of != "" {
		text += ": " + of
	}
	return text
}

// expectedText is where a twin expects the latencies; ≈ has no level.
func expectedText(b *profile.Basis) string {
	var all []string
	add := func(name string, e *profile.Expected, digits int) {
		switch {
		case e == nil:
		case e.Level == 0:
			all = append(all, fmt.Sprintf("%s ≈ %.*f–%.*f ms", name, digits, e.Low*1e3, digits, e.High*1e3))
		default:
			all = append(all, fmt.Sprintf("%s %.*f–%.*f ms at %.0f %%", name, digits, e.Low*1e3, digits, e.High*1e3,
				100*e.Level))
		}
	}
	add("TTFT", b.TTFT, 1)
	add("ITL", b.ITL, 2)
	if len(all) == 0 && b.Grounds != profile.OnRoofline && b.Grounds != profile.OnEngine {
		return "no interval"
	}
	return strings.Join(all, ", ")
}

// statusText is how a candidate ended, in a word: simulating is no measuring.
func statusText(o profile.Outcome) string {
	if o.Status == profile.Measured && o.Simulated {
		return "simulated"
	}
	return string(o.Status)
}
