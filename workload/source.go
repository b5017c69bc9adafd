package workload

import (
	"errors"
	"iter"
	"math"
	"time"
)

// Limit yields the first n requests. A session that the limit cuts has fewer
// turns from its first turn on, so that whoever keeps its history knows when it
// is over.
func Limit(src Source, n int) Source {
	return func(yield func(Request, error) bool) {
		if n <= 0 {
			return
		}
		left, turns := n, 0
		for r, err := range src {
			if err != nil {
				yield(Request{}, err)
				return
			}
			if r.Turn == 0 {
				turns = min(r.Turns, left)
			}
			r.Turns = turns
			left--
			if !yield(r, nil) || left == 0 {
				return
			}
		}
	}
}

// Untimed drops all planned times: replies and limits set the pace, and a
// turn that had a time of its own follows the reply before it at once.
func Untimed(src Source) Source {
	return each(src, func(r *Request) { r.At, r.Timed = 0, false })
}

// Paced gives the sessions the start times of a law, one arrival for each
// session; later turns wait for the reply before them and their Delay. It ends
// with the session whose start would reach until, when that is not 0. A law
// without times gives an untimed Source.
func Paced(src Source, law Arrivals, key Key, until time.Duration) Source {
	if !law.Timed() {
		return Untimed(src)
	}
	if until == 0 {
		until = math.MaxInt64
	}
	return func(yield func(Request, error) bool) {
		next, stop := iter.Pull(law.Times(key))
		defer stop()
		for r, err := range src {
			if err != nil {
				yield(Request{}, err)
				return
			}
			r.At, r.Timed = 0, false
			if r.Turn == 0 {
				at, ok := next()
				if !ok || at >= until {
					return
				}
				r.At, r.Timed = at, true
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// Cancelled marks each request, independently and with the given probability
// from 0 to 1, to be dropped so long after it was sent.
func Cancelled(src Source, key Key, probability float64, after time.Duration) Source {
	return each(src, func(r *Request) {
		if key.Index(r.Index).Rand().Float64() < probability {
			r.Cancel, r.CancelAfter = true, after
		}
	})
}

// InPhase puts all requests into a phase.
func InPhase(src Source, p Phase) Source {
	return each(src, func(r *Request) { r.Phase = p })
}

// WithOutput gives requests that ask for no output length one from l. A request
// with a recorded answer keeps its own.
func WithOutput(src Source, key Key, l Length) Source {
	return each(src, func(r *Request) {
		if r.OutputTokens == 0 && r.Prompt.Reference == "" && r.Prompt.Payload == nil {
			r.OutputTokens = l.Draw(key.Index(r.Index).Rand())
		}
	})
}

// WithSystem has every request without a system message carry one of so many
// tokens, made from the key and so the same for all.
func WithSystem(src Source, key Key, tokens int) Source {
	return each(src, func(r *Request) {
		if tokens > 0 && r.Prompt.System == "" && r.Prompt.Payload == nil {
			r.Prompt.SystemKey, r.Prompt.SystemTokens = key, tokens
		}
	})
}

// WithSystemText puts a text before the system message of every request, or makes
// it that. A whole body that was given cannot be added to and is an error.
func WithSystemText(src Source, text string) Source {
	if text == "" {
		return src
	}
	return func(yield func(Request, error) bool) {
		for r, err := range src {
			switch {
			case err != nil:
			case r.Prompt.Payload != nil:
				err = errors.New("a system prompt cannot be added to a request body that is given whole")
			case r.Prompt.System != "":
				r.Prompt.System = text + "\n" + r.Prompt.System
			default:
				r.Prompt.System = text
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// CappedDelays makes no pause between the turns of a session longer than most.
func CappedDelays(src Source, most time.Duration) Source {
	return each(src, func(r *Request) { r.Delay = min(r.Delay, most) })
}

// each changes every request on its way; errors pass.
func each(src Source, change func(*Request)) Source {
	return func(yield func(Request, error) bool) {
		for r, err := range src {
			if err == nil {
				change(&r)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}
