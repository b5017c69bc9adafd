package workload

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Synthetic plans requests whose lengths are drawn and whose text is made. What
// is in session i follows from the key and i alone, whatever came before.
type Synthetic struct {
	// Key names all randomness; see [Stream].
	Key   Key
	Phase Phase

	// Requests and Sessions end the plan, whichever is reached first; 0 is no
	// limit. Until ends a timed plan before the first session whose start
	// would reach it. Without any of them the plan has no end.
	Requests int
	Sessions int
	Until    time.Duration

	// ISL and OSL are the lengths of the prompt of a turn, prefix and system
	// message not counted, and of the reply. A zero OSL asks for no limit.
	ISL, OSL Length
	// Sequences, when set, draws both lengths together in their place.
	Sequences SequenceDist

	// PrefixPool is how many shared prefixes of PrefixTokens each there are;
	// the first turn of every session begins with one at random.
	PrefixPool   int
	PrefixTokens int
	// SystemTokens is the length of one system message that all share.
	SystemTokens int

	// Entries is how many different sessions there are; they are reused in
	// the order of Sampling. 0 gives every session its own prompts: a reused
	// prompt meets a warm prefix cache, which then is measured unseen.
	Entries  int
	Sampling Sampling

	// Turns is the number of turns of a session; zero is one turn.
	Turns Length
	// TurnDelay and TurnDelaySD are the mean and standard deviation of the
	// pause before each later turn, both scaled by TurnDelayRatio.
	TurnDelay, TurnDelaySD time.Duration
	TurnDelayRatio         float64

	// Arrivals says when sessions start; zero leaves the pace to replies.
	Arrivals Arrivals

	// CancelRate is the share of requests, from 0 to 1, that are dropped
	// CancelAfter they were sent.
	CancelRate  float64
	CancelAfter time.Duration
}

// Validate reports every fault.
func (s Synthetic) Validate() error {
	faults := []error{s.Arrivals.Validate()}
	if s.Sequences != nil {
		faults = append(faults, s.Sequences.Validate())
	} else {
		faults = append(faults, s.ISL.Validate("input length"))
		if !s.OSL.IsZero() {
			faults = append(faults, s.OSL.Validate("output length"))
		}
	}
	if !s.Turns.IsZero() {
		faults = append(faults, s.Turns.Validate("turns"))
	}
	for _, n := range []struct {
		what  string
		value int
	}{
		{"requests", s.Requests}, {"sessions", s.Sessions}, {"dataset entries", s.Entries},
		{"prefix prompts", s.PrefixPool}, {"prefix length", s.PrefixTokens}, {"system prompt length", s.SystemTokens},
	} {
		if n.value < 0 {
			faults = append(faults, fmt.Errorf("%s %d: must not be negative", n.what, n.value))
		}
	}
	if (s.PrefixPool > 0) != (s.PrefixTokens > 0) {
		faults = append(faults, fmt.Errorf("%d prefix prompts of %d tokens: give both "+
			"numbers or neither", s.PrefixPool, s.PrefixTokens))
	}
	if max(s.PrefixTokens, s.SystemTokens) > MaxTokens {
		faults = append(faults, fmt.Errorf("prefix or system prompt length: must be at most %d tokens", MaxTokens))
	}
	if s.TurnDelay < 0 || s.TurnDelaySD < 0 || !(s.TurnDelayRatio >= 0 && s.TurnDelayRatio <= 1e6) {
		faults = append(faults, fmt.Errorf("turn delay %v, deviation %v, ratio %v: must not "+
			"be negative", s.TurnDelay, s.TurnDelaySD, s.TurnDelayRatio))
	}
	if !(s.CancelRate >= 0 && s.CancelRate <= 1) || s.CancelAfter < 0 {
		faults = append(faults, fmt.Errorf("cancellation rate %v after %v: the rate must be from 0 to 1, the delay "+
			"not negative", s.CancelRate, s.CancelAfter))
	}
	if s.Until < 0 || s.Until > 0 && !s.Arrivals.Timed() {
		faults = append(faults, fmt.Errorf("end of arrivals %v: needs a request rate", s.Until))
	}
	return errors.Join(faults...)
}

// Source returns the plan, which must be valid. It can be ranged over any
// number of times and is the same each time.
func (s Synthetic) Source() Source {
	src := Paced(s.sessions(), s.Arrivals, s.Key.Named("arrival"), s.Until)
	if s.Requests > 0 {
		src = Limit(src, s.Requests)
	}
	if s.CancelRate > 0 {
		src = Cancelled(src, s.Key.Named("cancel"), s.CancelRate, s.CancelAfter)
	}
	return src
}

// sessions yields the sessions without times and without the limit of requests.
func (s Synthetic) sessions() Source {
	return func(yield func(Request, error) bool) {
		entry := func(i int) int { return i }
		if s.Entries > 0 {
			entry = s.Sampling.order(s.Key.Named("sampling"), s.Entries)
		}
		ids := s.Key.Named("session").Named(s.Phase.String())
		index := 0
		for i := 0; s.Sessions == 0 || i < s.Sessions; i++ {
			r := Request{Phase: s.Phase, Session: sessionID(ids.Index(i))}
			for range s.turns(entry(i), &r) {
				r.Index = index
				index++
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

// turns fills r with one turn of an entry after another.
func (s Synthetic) turns(entry int, r *Request) func(yield func() bool) {
	return func(yield func() bool) {
		rng := func(use string) *rand.Rand { return s.Key.Named(use).Index(entry).Rand() }
		prompts := s.Key.Named("prompt").Index(entry)
		lengths, delays := rng("length"), rng("delay")
		r.Turns = 1
		if !s.Turns.IsZero() {
			r.Turns = s.Turns.Draw(rng("turns"))
		}
		for r.Turn = range r.Turns {
			r.Prompt = Prompt{Key: prompts.Index(r.Turn)}
			r.Prompt.Tokens, r.OutputTokens = s.lengths(lengths)
			if s.SystemTokens > 0 {
				r.Prompt.SystemKey, r.Prompt.SystemTokens = s.Key.Named("system"), s.SystemTokens
			}
			if r.Turn == 0 && s.PrefixPool > 0 {
				member := rng("pool").IntN(s.PrefixPool)
				r.Prompt.Prefix = Prefix{Key: s.Key.Named("prefix").Index(member), Tokens: s.PrefixTokens}
			}
			if r.Turn > 0 {
				r.Delay = s.delay(delays)
			}
			if !yield() {
				return
			}
		}
	}
}

func (s Synthetic) lengths(r *rand.Rand) (isl, osl int) {
	if s.Sequences != nil {
		return s.Sequences.Draw(r)
	}
	isl = s.ISL.Draw(r)
	if !s.OSL.IsZero() {
		osl = s.OSL.Draw(r)
	}
	return isl, osl
}

// delay draws a pause: normal, repeated until it is not negative, scaled.
func (s Synthetic) delay(r *rand.Rand) time.Duration {
	d := float64(s.TurnDelay)
	for range 64 {
		d = float64(s.TurnDelay) + float64(s.TurnDelaySD)*r.NormFloat64()
		if d >= 0 {
			break
		}
	}
	return time.Duration(min(max(d, 0)*s.TurnDelayRatio, math.MaxInt64/2))
}
