package workload

import (
	"fmt"
	"time"
)

// Share names one of Of equal parts of a plan, counted from 0. Processes that each
// drive one part drive the plan together, whatever their number: what is sent, and
// when, follows from the whole.
type Share struct{ Index, Of int }

// Validate reports a part that does not exist.
func (s Share) Validate() error {
	if s.Of < 1 || s.Index < 0 || s.Index >= s.Of {
		return fmt.Errorf("part %d of %d of a plan: must be from 0 to one below the number of parts", s.Index, s.Of)
	}
	return nil
}

// Places says which places of a larger limit the places of a plan are: its place j
// is place First + j·Step of the Of places there. The zero value is a limit of its
// own.
type Places struct{ First, Step, Of int }

// Opens is how long after the start place j of n opens in a linear ramp from the first
// place to the last.
func (p Places) Opens(j, n int, ramp time.Duration) time.Duration {
	if p.Of == 0 {
		p = Places{Step: 1, Of: n}
	}
	at := p.First + j*p.Step
	if at == 0 || ramp <= 0 {
		return 0
	}
	return ramp * time.Duration(at) / time.Duration(p.Of-1)
}

// Plan returns the part of a plan. Requests keep the index, the session, the text and
// the planned time that they have in the whole.
//
// Sessions are dealt in turn: of a plan with times the part has every Of-th session; of
// a closed loop it has every Of-th slot with the sessions that are bound to it, see
// [Plan.Bound]. A limit of open sessions, or of requests without a first token, is dealt
// in the same way, its ramp included.
//
// What a part cannot know of the others is refused: a limit with fewer places than there
// are parts, and a warm-up that ends when the load has settled. Plan.FailedThreshold and
// Plan.FailFast are kept and judge each part by itself.
//
// It reads the Source up to its first request, and a warm-up that hands over to the end.
func (s Share) Plan(p Plan) (Plan, error) {
	if err := s.Validate(); err != nil || s.Of == 1 {
		return p, err
	}
	timed, err := startsTimed(p.Source)
	if err != nil {
		return p, err
	}
	for _, l := range []struct {
		n    int
		what string
	}{{p.Concurrency, "concurrency"}, {p.PrefillConcurrency, "prefill concurrency"}} {
		if l.n > 0 && l.n < s.Of {
			return p, fmt.Errorf("a plan with %s %d cannot be split into %d parts: use at most %d",
				l.what, l.n, s.Of, l.n)
		}
	}
	slots := p.Concurrency
	if timed {
		slots = 0
	}
	p.Source, p.Requests = s.sessions(p.Source, slots), 0
	if p.Cooldown != nil {
		p.Cooldown = s.sessions(p.Cooldown, slots)
	}
	if p.Warmup != nil {
		if p.Warmup, err = s.leadIn(*p.Warmup, slots); err != nil {
			return p, err
		}
	}
	p.Concurrency, p.ConcurrencyPlaces = s.places(p.Concurrency, p.ConcurrencyPlaces)
	p.PrefillConcurrency, p.PrefillPlaces = s.places(p.PrefillConcurrency, p.PrefillPlaces)
	return p, nil
}

// leadIn is the part of a warm-up. When the measured schedule begins is read off the
// whole: the part's own last request may be an earlier one.
func (s Share) leadIn(w LeadIn, slots int) (*LeadIn, error) {
	if w.Settle {
		return nil, fmt.Errorf("a warm-up that ends when the load has settled cannot be split into %d parts, which "+
			"would end it at different times: give it a number of requests or a duration", s.Of)
	}
	whole := w.Source
	w.Source = s.sessions(whole, slots)
	if w.Endless {
		return &w, nil
	}
	w.Requests = 0
	for _, err := range w.Source {
		if err != nil {
			return nil, err
		}
		w.Requests++
	}
	if w.Handover > 0 {
		return &w, nil
	}
	for r, err := range whole {
		if err != nil {
			return nil, err
		}
		if r.Timed && r.Turn == 0 {
			w.Handover = r.At
		}
	}
	return &w, nil
}

// sessions are those of the part, in order. Slots is the whole's number of slots in a
// closed loop, 0 where there are times.
func (s Share) sessions(src Source, slots int) Source {
	return func(yield func(Request, error) bool) {
		session, last := -1, Request{Turns: 1}
		for r, err := range src {
			if err == nil && (session < 0 || r.Session != last.Session || last.Turn == last.Turns-1) {
				session++
			}
			last = r
			if err == nil && !s.has(session, slots) {
				continue
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

func (s Share) has(session, slots int) bool {
	if slots > 0 {
		session %= slots
	}
	return session%s.Of == s.Index
}

// places are the part's own of n places, which may be a part of a larger limit.
func (s Share) places(n int, of Places) (int, Places) {
	if n == 0 {
		return 0, Places{}
	}
	if of.Of == 0 {
		of = Places{Step: 1, Of: n}
	}
	own := (n - s.Index + s.Of - 1) / s.Of
	return own, Places{First: of.First + s.Index*of.Step, Step: of.Step * s.Of, Of: of.Of}
}

// startsTimed says whether the first request has a planned time.
func startsTimed(src Source) (bool, error) {
	for r, err := range src {
		return r.Timed, err
	}
	return false, nil
}
