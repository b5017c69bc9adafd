package workload

import (
	"errors"
	"fmt"
	"math"
)

// Bounds chooses requests by their lengths in tokens; 0 is no bound.
type Bounds struct {
	// MinISL and MaxISL leave out requests with a shorter or longer prompt.
	MinISL, MaxISL int
	// OSLFactor multiplies the output length that is asked for, before it is raised
	// or cut; 0 is 1.
	OSLFactor float64
	// MinOSL and MaxOSL raise or cut the output length that is asked for. A
	// request that asks for no limit gets MaxOSL.
	MinOSL, MaxOSL int
}

// Validate names every fault.
func (b Bounds) Validate() error {
	var bad []error
	for _, c := range []struct {
		name   string
		lo, hi int
	}{{"input", b.MinISL, b.MaxISL}, {"output", b.MinOSL, b.MaxOSL}} {
		switch {
		case c.lo < 0 || c.hi < 0 || c.lo > MaxTokens || c.hi > MaxTokens:
			bad = append(bad, fmt.Errorf("least and most %s tokens %d and %d: must be from 0, which is no "+
				"bound, to %d", c.name, c.lo, c.hi, MaxTokens))
		case c.hi > 0 && c.lo > c.hi:
			bad = append(bad, fmt.Errorf("least %s tokens %d: must not be above the most, %d", c.name, c.lo, c.hi))
		}
	}
	if b.OSLFactor < 0 || math.IsNaN(b.OSLFactor) || math.IsInf(b.OSLFactor, 0) {
		bad = append(bad, fmt.Errorf("factor of the output length %g: must be above 0, or 0 for none", b.OSLFactor))
	}
	return errors.Join(bad...)
}

// Within yields the requests inside the bounds, numbered anew. A turn that is left
// out leaves its time to the next one of its session, which may become the first.
// A prompt or an answer whose length nobody knows yet, because it was given as
// text, ends the Source with an error where there is a bound to compare it with.
func Within(src Source, b Bounds) Source {
	if b == (Bounds{}) {
		return src
	}
	return func(yield func(Request, error) bool) {
		index := 0
		var session []Request
		for r, err := range src {
			keep := false
			if err == nil {
				keep, err = b.apply(&r)
			}
			if err != nil {
				yield(Request{}, err)
				return
			}
			session = b.gather(session, r, keep)
			if r.Turn < r.Turns-1 {
				continue
			}
			for _, kept := range session {
				kept.Index, kept.Turns = index, len(session)
				index++
				if !yield(kept, nil) {
					return
				}
			}
			session = session[:0]
		}
	}
}

// Within is the data set of the requests inside the bounds, as the function
// [Within] chooses them; most ends it with the session that brings so many
// requests, 0 does not. What the text and the blocks of a request are follows from
// its place in the new set.
func (d *Dataset) Within(b Bounds, most int) (*Dataset, error) {
	out := *d
	out.Requests, out.lines = nil, nil
	out.Sessions = 0
	out.BlockSize = 0
	out.LiveTurns = 0
	out.RecordedTurns = 0
	var session []Request
	for _, r := range d.Requests {
		keep, err := b.apply(&r)
		if err != nil {
			return nil, fmt.Errorf("choosing requests of %s: %w", d.Name, err)
		}
		session = b.gather(session, r, keep)
		if r.Turn < r.Turns-1 {
			continue
		}
		out.take(session, d.lines)
		session = session[:0]
		if most > 0 && len(out.Requests) >= most {
			break
		}
	}
	if len(out.Requests) == 0 {
		return nil, fmt.Errorf("none of %d requests in %s has an input %s", len(d.Requests), d.Name, b.inputs())
	}
	out.Timed = out.Requests[0].Timed
	return &out, nil
}

// take adds the turns of a session, whose lines are those of the set they are from.
func (d *Dataset) take(session []Request, lines []int) {
	for n, r := range session {
		d.lines = append(d.lines, lines[r.Index])
		r.Index, r.Turns = len(d.Requests), len(session)
		if n == 0 {
			r.Prompt.Whole = false
		}
		d.count(r)
		d.Requests = append(d.Requests, r)
	}
	if len(session) > 0 {
		d.Sessions++
	}
}

// inputs says which lengths of input are inside.
func (b Bounds) inputs() string {
	if b.MaxISL == 0 {
		return fmt.Sprintf("of at least %d tokens", b.MinISL)
	}
	return fmt.Sprintf("of %d to %d tokens", b.MinISL, b.MaxISL)
}

// waiting is the turn number of a request that stands in for one left out, until
// the next turn takes its time.
const waiting = -1

// gather adds a turn to those of its session. One that is left out stays as the
// last entry until it was taken over by the next.
func (b Bounds) gather(session []Request, r Request, keep bool) []Request {
	last := r.Turn == r.Turns-1
	if n := len(session); n > 0 && session[n-1].Turn == waiting {
		before := session[n-1]
		session = session[:n-1]
		if !r.Timed {
			r.At, r.Timed = before.At, before.Timed
			r.Delay += before.Delay
			if r.Timed {
				r.At, r.Delay = r.At+r.Delay, 0
			}
		}
	}
	switch {
	case keep:
		r.Turn = len(session)
	case last:
		return session
	default:
		r.Turn = waiting
	}
	return append(session, r)
}

// apply cuts the output length and says whether the prompt is inside the bounds.
func (b Bounds) apply(r *Request) (bool, error) {
	p := &r.Prompt
	if b.MinISL > 0 || b.MaxISL > 0 {
		if p.Tokens == 0 {
			return false, fmt.Errorf("request %d (session %s, turn %d): its prompt was given as %s, whose length in "+
				"tokens is not known here; bounds of the input length are for prompts of a length",
				r.Index, r.Session, r.Turn, p.kind())
		}
		n := p.Tokens + p.Prefix.Tokens
		if n < b.MinISL || b.MaxISL > 0 && n > b.MaxISL {
			return false, nil
		}
	}
	if b.MinOSL > 0 || b.MaxOSL > 0 || b.OSLFactor > 0 {
		if r.OutputTokens == 0 && (p.Reference != "" || p.Payload != nil) {
			return false, fmt.Errorf("request %d (session %s, turn %d): its output length stands in text that was "+
				"not counted; bounds of the output length are for requests of a length",
				r.Index, r.Session, r.Turn)
		}
		r.OutputTokens = b.output(r.OutputTokens)
	}
	return true, nil
}

func (b Bounds) output(n int) int {
	if n == 0 {
		return b.MaxOSL
	}
	if b.OSLFactor > 0 {
		n = Scaled(n, b.OSLFactor)
	}
	if b.MaxOSL > 0 {
		n = min(n, b.MaxOSL)
	}
	return max(n, b.MinOSL)
}

// ScaledOutput multiplies the output lengths, rounded, at least 1. A request that
// asks for no limit stays so.
func ScaledOutput(src Source, by float64) Source {
	return each(src, func(r *Request) {
		if r.OutputTokens > 0 {
			r.OutputTokens = Scaled(r.OutputTokens, by)
		}
	})
}

// Scaled is a number of tokens times a factor, rounded, from 1 to [MaxTokens].
func Scaled(tokens int, by float64) int {
	return int(max(1, min(math.Round(float64(tokens)*by), MaxTokens)))
}
