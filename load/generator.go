package load

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"headway/internal/alarm"
	"headway/record"
	"headway/workload"
)

// Generator runs plans on a target. It may run several plans one after the
// other (warm-up, then the measurement), on one clock; not two at once.
type Generator struct {
	Target Target
	Sink   record.Sink
	Clock  record.Clock
	// Aside is called on the goroutine that hands Records to the Sink, before
	// the first of them. It may lock the goroutine to its thread and lower that
	// thread's priority: what the Sink does delays no request. When more than
	// about 200 MB of Records wait, another goroutine goes on, without Aside,
	// so that memory does not grow with a processor that is full. Nil does
	// nothing.
	Aside func()
	// Room is about how many bytes of Records may wait for the Sink; 0 is a
	// gigabyte. Above it, and with more of them than there are slots, nothing
	// new is sent until the Sink has caught up: memory would grow without end.
	// Requests in flight go on, and are counted against it from then on.
	// Outcome.Backlog says whether that happened; a request that was
	// held back keeps its planned time.
	Room int

	// wait sleeps until an instant or until the context ends; tests replace
	// its fine part, which real time needs and a fake clock cannot drive.
	wait func(ctx context.Context, until time.Time) bool

	// Handover is called when the measured requests of a plan begin, before
	// the first of them is sent and on the goroutine that sends it. Nil does
	// nothing.
	Handover func()

	inFlight, waiting, concurrency atomic.Int64
	counts                         atomic.Pointer[tally] // of the phase under way
}

// tally counts the requests of a phase.
type tally struct{ planned, sent, finished, failed, dropped atomic.Int64 }

// Snapshot is the state of a run while it goes. Its counts are those of the
// phase under way: of a plan's warm-up until it hands over, then of what is
// measured.
type Snapshot struct {
	// Planned is how many requests the plan has, 0 where that is open.
	Planned int64
	Sent    int64
	// InFlight requests have been sent and not finished; Waiting ones of
	// these have had no text yet.
	InFlight, Waiting int64
	// Finished counts every Record made, Failed and Dropped those among them.
	Finished, Failed, Dropped int64
	// Concurrency is the limit of open sessions now, 0 without one.
	Concurrency int64
}

// Snapshot may be called from any goroutine at any time.
func (g *Generator) Snapshot() Snapshot {
	s := Snapshot{InFlight: g.inFlight.Load(), Waiting: g.waiting.Load(), Concurrency: g.concurrency.Load()}
	if n := g.counts.Load(); n != nil {
		s.Planned, s.Sent = n.planned.Load(), n.sent.Load()
		s.Finished, s.Failed, s.Dropped = n.finished.Load(), n.failed.Load(), n.dropped.Load()
	}
	return s
}

// Outcome says how a plan ended.
type Outcome struct {
	// Begin is when the measured requests began; where the run ended before
	// them, when it began itself.
	Begin, End record.Time
	// Warmup is how the plan's Warmup went, nil where it has none.
	Warmup *record.Warmup
	// Cooldown is how many requests of the plan's Cooldown were sent.
	Cooldown int
	// Cancelled is set when the context ended the run.
	Cancelled bool
	// Aborted says why the run ended itself early; empty when it did not.
	Aborted string
	Backlog Backlog
}

// Backlog is how finished Records waited for the Sink.
type Backlog struct {
	// Records and Bytes (in memory, about) are those of the moment when the
	// most waited; Room is the bound of the bytes.
	Records, Bytes, Room int
	// HeldRequests were sent later, or not at all, since there was no room;
	// Held is the time in which at least one of them waited.
	HeldRequests int
	Held         time.Duration
}

// errAbort carries the reason of an early end through a context.
type errAbort struct{ reason string }

func (e errAbort) Error() string { return e.reason }

// errStopped marks the end of sending that a plan's duration brings.
var errStopped = errors.New("the duration of the run is over")

// Run drives the plan to its end and returns when every Record has been taken
// by the Sink. When ctx ends, nothing more is sent, requests in flight are
// cancelled, and every request of a plan with an end still gets its
// Record. The error is that of the Source or of the Sink.
func (g *Generator) Run(ctx context.Context, p workload.Plan) (Outcome, error) {
	if g.wait == nil {
		a := alarm.New()
		defer a.Close()
		g.wait = func(ctx context.Context, until time.Time) bool { return waitUntil(ctx, a, until) }
		defer func() { g.wait = nil }()
	}
	g.inFlight.Store(0)
	g.waiting.Store(0)
	r := newRun(g, p)
	return r.drive(ctx)
}
