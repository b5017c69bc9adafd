// Package tail says where the time of requests went, and of the slowest what made
// them slower than a typical one, from what a client sees: the times of its requests
// and of the chunks of their replies, the counts in their usage, the worker that
// answered, and what servers count (/metrics).
//
// An engine with continuous batching gives every running sequence a token at the
// end of each step, so that the chunks of all replies of a worker together are the
// ends of its steps. How long a step without a prompt takes is a fit to the steps in
// which no reply began; what a step takes beyond it was spent on prompts, and those
// are computed in the order of their first tokens.
//
// Records go in ([Evidence]), shares of time come out ([Analyse]). The package
// defines no metric, reads no clock and no file. What it cannot tell it calls [Unknown] and
// spreads over nothing else.
package tail

import (
	"headway/metric"
	"headway/record"
)

// The result is package metric's, since reports show it.
type (
	// Class is what a part of a request's time was spent on.
	Class = metric.TimeClass
	// Split is time in seconds by class.
	Split = metric.TimeSplit
	// Request is where the time of one went.
	Request = metric.RequestTime
	// Result is the analysis of a run.
	Result = metric.Tail
	// Excess is what made the slowest requests slower than typical.
	Excess = metric.TailExcess
)

// The classes.
const (
	Queueing       = metric.TimeQueueing
	OthersPrefills = metric.TimeOthersPrefills
	OwnPrefill     = metric.TimeOwnPrefill
	MissingCache   = metric.TimeMissingCache
	Preemption     = metric.TimePreempted
	Transfer       = metric.TimeTransfer
	Client         = metric.TimeClient
	Decoding       = metric.TimeDecoding
	Unknown        = metric.TimeUnknown
)

// Server is what is known from the server's side.
type Server struct {
	// Preemptions is how many there were during the load; nil where nobody counts
	// them. Where there were none, a reply that stood still stood still for another
	// reason.
	Preemptions *float64
}

func seconds(t record.Time) float64 { return float64(t) / 1e9 }
