// Package profile measures an engine and finds the configuration that meets
// targets of TTFT and ITL with the most tokens per second and GPU.
//
// Plans flow out to a [Subject], Records come back, and points, curves, a
// recommendation and its files are made of them. The package does not know how
// a candidate is run: on Kubernetes in hours, as processes of this host, or
// simulated in milliseconds, the search cannot tell.
package profile

import (
	"context"
	"fmt"
	"time"

	"headway/internal/model"
	"headway/record"
)

// Phase is what a worker is measured for.
type Phase string

// The phases. Decode workers keep their prefix cache, prefill workers have none.
const (
	Prefill    Phase = "prefill"
	Decode     Phase = "decode"
	Aggregated Phase = "agg"
)

// Candidate is one configuration to be measured: a single worker that takes
// whole requests, set up for one phase.
type Candidate struct {
	Phase   Phase
	Mapping model.Mapping
}

// Tag names the candidate in files, as Dynamo's profiler does:
// prefill_4gpus_TP4.
func (c Candidate) Tag() string {
	return fmt.Sprintf("%s_%dgpus_%s", c.Phase, c.Mapping.GPUs(), c.Mapping.Tag())
}

// Bench runs candidates. Open may be called from several goroutines; what it
// returned is closed by the caller, also when ctx has ended.
type Bench interface {
	// Open starts the candidate and returns when it answers. A *DeadError
	// says that this candidate cannot run; any other error that none can.
	Open(ctx context.Context, c Candidate) (Subject, error)
}

// Subject is a candidate that runs.
type Subject interface {
	Facts() Facts
	// Run drives a plan and gives the sink one Record for every planned
	// request. It may be called again, so that one plan can fill a cache for
	// the next, but not twice at once. A *DeadError says that the engine died,
	// [ErrNotKept] that the run's Records cannot be kept.
	Run(ctx context.Context, p Part, sink record.Sink) (Ran, error)
	// Close stops the engine and returns when nothing of it is left. It does
	// so even when ctx has ended, and gives up only at limits of its own.
	Close(ctx context.Context) error
}

// Facts are what is known of a running engine.
type Facts struct {
	// GPUs is how many the engine uses, AttentionDP how many attention ranks.
	GPUs, AttentionDP int
	// KVTokens is how many tokens the caches of all ranks hold together; 0
	// when the engine did not say.
	KVTokens int
	// Sequences is how many requests the engine runs at a time; 0 when that is not
	// known.
	Sequences int
	// Load is how long the engine took from its start to its first answer.
	Load time.Duration
	// URL is where it answers and Logs the folder of its logs; empty where
	// there is none.
	URL, Logs string
	// Simulated says that no real engine answers.
	Simulated bool
}

// DeadError says that one candidate could not run, or died. The search goes on
// with the next.
type DeadError struct {
	// Reason is one of the Reason constants.
	Reason Reason
	// Message says what happened, Advice what to change, Log is the end of the
	// engine's log.
	Message, Advice, Log string
}

// Error is the reason, the message and the advice, without the log.
func (e *DeadError) Error() string {
	s := string(e.Reason) + ": " + e.Message
	if e.Advice != "" {
		s += "; " + e.Advice
	}
	return s
}

// Reason sorts the deaths of candidates.
type Reason string

// The reasons.
const (
	ReasonMemory        Reason = "out-of-memory"
	ReasonCrash         Reason = "crashed"
	ReasonImage         Reason = "image"
	ReasonUnschedulable Reason = "unschedulable"
	ReasonQuota         Reason = "quota"
	ReasonTimeout       Reason = "timeout"
	ReasonLost          Reason = "lost" // taken away by another hand
	ReasonLog           Reason = "log"  // the log does not say what it should
)
