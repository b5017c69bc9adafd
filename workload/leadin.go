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
	// Settle ends the warm-up of a closed loop as soon as its start has passed:
	// of its requests, in blocks of so many as they were sent, two in a row had
	// like times to first token. The end of the Source ends it too. A Block is
	// at least two requests and no smaller than there are slots.
	Settle bool
	Block  int
	// Handover is when a measured schedule begins, counted from the start of the
	// warm-up; 0 is the last planned time of the Source. A [Share] has it from the
	// whole.
	Handover time.Duration
}
