package profile

import (
	"math"
	"strings"

	"headway/internal/fault"
	"headway/internal/model"
)

// Remedies say what it would take to meet a target that nothing met, by the
// roofline corrected by what was measured: another target, a shorter prompt,
// more GPUs for an engine, another GPU. There is none where the target is met
// or nothing was measured.
func (s Search) Remedies(r PhaseResult) []string {
	s = s.withDefaults()
	if r.Pick == nil || r.Pick.Met {
		return nil
	}
	name := latencyName(r.Phase)
	c := Candidate{Phase: r.Phase, Mapping: r.Pick.Mapping}
	nearest := r.Pick.Trial.latency(r.Phase)
	list := []string{fault.Text(s.Name, "%s %.4g: the %s of the nearest candidate, %s, is met by it",
		fault.Field(strings.ToLower(name)), ceil(nearest.Mean*1e3), name, r.Pick.Mapping)}
	f, err := newForecast(s.Space, s.SLO.Of(r.Phase), []Candidate{c})
	if err != nil {
		return list
	}
	w := wish{s: s, phase: r.Phase, factor: f.factor(f.of[c], r.Pick.Trial)}
	for _, line := range []string{w.shorter(c), w.larger(), w.faster()} {
		if line != "" {
			list = append(list, line)
		}
	}
	return list
}

// ceil rounds up to three digits.
func ceil(v float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(v))-2)
	return math.Ceil(v/unit-1e-9) * unit
}

// wish asks the roofline, corrected by a factor, what would meet a target.
type wish struct {
	s      Search
	phase  Phase
	factor float64
}

// least is the lowest latency, in seconds, over some candidates of a space,
// each with one sequence a rank.
func (w wish) least(space Space, list []Candidate) (float64, Candidate) {
	best, who := math.Inf(1), Candidate{}
	f, err := newForecast(space, w.s.SLO.Of(w.phase), list)
	if err != nil {
		return best, who
	}
	for _, c := range list {
		x := f.of[c]
		t := w.factor * f.ttft(x)
		if w.phase == Decode {
			t = w.factor * f.itl(x, x.ranks)
		}
		if t < best {
			best, who = t, c
		}
	}
	return best, who
}

// shorter is the longest prompt that meets the target.
func (w wish) shorter(c Candidate) string {
	space := w.s.Space
	meets := func(isl int) bool {
		space.ISL = isl
		t, _ := w.least(space, []Candidate{c})
		return t <= w.s.SLO.Of(w.phase)
	}
	lo, hi := 0, w.s.Space.ISL
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; meets(mid) {
			lo = mid
		} else {
			hi = mid
		}
	}
	if lo < 1 {
		return ""
	}
	return fault.Text(w.s.Name, "%s %d: the longest prompt with which %s would meet it", fault.Field("isl"), lo,
		c.Mapping)
}

// larger is the smallest engine that would meet the target.
func (w wish) larger() string {
	space := w.s.Space
	_, hi := space.bounds()
	for n := 2 * hi; n <= 8*hi; n *= 2 {
		space.MaxGPUs, space.MinGPUs = n, n
		list, _, err := space.Candidates(w.phase)
		if err != nil {
			return ""
		}
		if t, c := w.least(space, list); t <= w.s.SLO.Of(w.phase) {
			return fault.Text(w.s.Name, "%s %d: %s would have about %.4g ms", fault.Field("max-num-gpus-per-engine"), n,
				c.Mapping, t*1e3)
		}
	}
	return ""
}

// faster is a GPU that would meet the target.
func (w wish) faster() string {
	for _, g := range model.GPUs() {
		space := w.s.Space
		space.GPU = g
		list, _, err := space.Candidates(w.phase)
		if err != nil || g.Name == w.s.Space.GPU.Name {
			continue
		}
		if t, c := w.least(space, list); t <= w.s.SLO.Of(w.phase) {
			return fault.Text(w.s.Name, "%s %s: %s would have about %.4g ms", fault.Field("gpu"), g.Name, c.Mapping,
				t*1e3)
		}
	}
	return ""
}
