package terminal

import (
	"time"

	"headway/load"
	"headway/metric"
)

// State is what is known of a benchmark at one moment.
type State struct {
	// Title says which run this is, such as
	// "my-run · http://… · level 10 (3 of 7) · run 1 of 3".
	Title string
	// Phase is "warmup" or "profiling"; counts and times are those of the
	// phase.
	Phase    string
	Snapshot load.Snapshot
	Live     metric.Live
	// Elapsed is the time since the phase began to send.
	Elapsed time.Duration
	// Duration is how long the phase is planned to send; 0 where no time
	// ends it.
	Duration time.Duration
	// Done has a line for each finished level, the oldest first.
	Done []string
	// Note is a line for what is unusual; empty where nothing is.
	Note string
}

// fraction is the share of the phase that is done, 0 to 1. A phase may be
// limited by requests, by time or by both: then the first limit to be reached
// ends it, so the larger share counts. False where there is no limit.
func (s State) fraction() (float64, bool) {
	var share float64
	if s.Snapshot.Planned > 0 {
		share = float64(s.Snapshot.Finished) / float64(s.Snapshot.Planned)
	}
	if s.Duration > 0 {
		share = max(share, float64(s.Elapsed)/float64(s.Duration))
	}
	return min(max(share, 0), 1), s.Snapshot.Planned > 0 || s.Duration > 0
}

// left estimates the time until the phase ends: the rest of its duration, or
// the rest of its requests at the average pace so far, whichever is shorter.
//
// The pace is unknown until as many requests have finished as are in flight at
// once. A closed loop ends its requests in waves: after the first of ten
// simultaneous replies the pace would come out ten times too slow.
func (s State) left() (time.Duration, bool) {
	rest, known := time.Duration(0), false
	if s.Duration > 0 {
		rest, known = max(0, s.Duration-s.Elapsed), true
	}
	n := s.Snapshot
	wave := max(1, n.InFlight, min(n.Concurrency, n.Planned))
	if n.Planned > 0 && s.Elapsed > 0 && (n.Finished >= wave || n.Finished >= n.Planned) {
		pace := float64(s.Elapsed) / float64(n.Finished)
		// In a long run the product can pass what a Duration holds.
		if byCount := pace * float64(max(0, n.Planned-n.Finished)); byCount < float64(1<<62) {
			if d := time.Duration(byCount); !known || d < rest {
				rest, known = d, true
			}
		}
	}
	return rest, known
}

// finishing is set when nothing more is sent and replies are still awaited.
func (s State) finishing() bool {
	return s.Duration > 0 && s.Elapsed >= s.Duration && s.Snapshot.InFlight > 0
}

// failed counts requests that failed. The generator's count has those that
// were cancelled in it, which a run may do on purpose, and lacks replies that
// came and were no good; the metrics tell them apart a moment later.
func (s State) failed() int64 {
	return max(0, s.Snapshot.Failed-int64(s.Live.Cancelled), int64(s.Live.Failed))
}
