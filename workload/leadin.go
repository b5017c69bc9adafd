package workload

import "time"

// LeadIn is a warm-up in front of the measured requests that hands over to them: a
// slot of a closed loop goes on from its last warm-up request to a measured one
// without a pause, and in an open loop the measured schedule begins where that
// of the warm-up ends. To let the server drain in between, as two plans one
// after the other do, would make every slot of the measurement start in the
// same instant once more, which is what a warm-up is to get past.
//
// Its requests and those of the plan are either all timed or none is.
type LeadIn struct {
	// Source yields the requests, see [InPhase].
	Source Source
	// Endless says that the Source goes on for longer than the warm-up may
	// last: what was only read ahead was never planned.
	Endless bool
	// Requests is how many the Source yields, 0 while that is not known.
	Requests int
	// Duration ends the warm-up of a closed loop after so long, when it is
	// not 0.
	Duration time.Duration
	// Settle ends the warm-up of a closed loop as soon as its start has
	// passed: every slot's first session has ended, and every request that
	// was sent while one of those first requests was still waiting for its
	// first token has had its own. The end of the Source ends it too.
	Settle bool
}

// Staggered shortens the replies of the first n requests, so that those of n
// slots that start at one moment end one after the other: the first of them
// asks for one n-th of its tokens, the last for all. That is how far the
// requests in flight of a loop that has long been running still have to go. A
// request that asks for no length is left as it is.
//
// Without it, replies of equal length keep the step of their start for as long
// as the loop runs: they end together, so that the next prompts wait for each
// other too.
func Staggered(src Source, n int) Source {
	return func(yield func(Request, error) bool) {
		i := 0
		each(src, func(r *Request) {
			if i++; i < n && r.Prompt.Payload == nil {
				r.OutputTokens = (r.OutputTokens*i + n - 1) / n
			}
		})(yield)
	}
}
