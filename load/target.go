// Package load drives a plan: it decides when each request starts, keeps the
// limits, and makes exactly one Record of every planned request.
//
// A [Generator] takes a workload.Plan, starts requests on a [Target] and gives
// finished Records to a record.Sink. It knows nothing of HTTP, tokens or
// statistics, and a slot is free as soon as its reply ended: whatever is done
// with the Record happens on another goroutine.
package load

import (
	"context"

	"headway/record"
	"headway/workload"
)

// Target is what requests are sent to.
type Target interface {
	// Start begins a request and returns at once. The target stamps events on
	// the tape as they happen, sets Outcome and Failure, and calls done once,
	// from any goroutine, after its last write to the tape. When ctx ends the
	// request is given up and done is still called.
	Start(ctx context.Context, r workload.Request, tape *record.Tape, done func())
}

// Preparer is a Target that can make a request apart from sending it, so that
// what many slots send at one moment takes no longer than sending does.
type Preparer interface {
	// Prepare does what Start does up to the first byte that is sent, and
	// returns what does the rest, to be called once or, where the request is
	// not sent after all, never. done is not called before that. The time of
	// the start is that of the call.
	Prepare(r workload.Request, tape *record.Tape, done func()) (start func(ctx context.Context))
}
