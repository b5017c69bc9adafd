package metric

import (
	"math"

	"headway/record"
)

// Phase is a part of a request's time, in seconds since the first measured request
// started.
type Phase struct {
	Name     string
	From, To float64
}

// The phases of a request as a client sees them.
const (
	PhaseWait    = "wait"    // from the planned time to the start: a free slot, or this client's lateness
	PhaseConnect = "connect" // without a connection: the wait for one, DNS, TCP and TLS
	PhaseTTFT    = "ttft"    // from then to the first text: sending, the server's queue, prefill
	PhaseDecode  = "decode"  // from the first text to the last
	PhaseRest    = "rest"    // from the last text to the end of the reply
	PhaseNone    = "none"    // without a text, to the end of a request that failed or was given up
)

// Phases are those of a request that took any time, one after the other.
func (s Sampled) Phases() []Phase {
	var all []Phase
	at := s.Start
	if s.Planned < at {
		at = s.Planned
	}
	to := func(name string, until float64) {
		if until > at {
			all = append(all, Phase{name, at, until})
			at = until
		}
	}
	to(PhaseWait, s.Start)
	if s.Connect > 0 {
		to(PhaseConnect, s.Start+s.Connect)
	}
	if math.IsNaN(s.First) {
		if s.Outcome == record.OK {
			to(PhaseRest, s.End)
		}
		to(PhaseNone, s.End)
		return all
	}
	to(PhaseTTFT, s.First)
	to(PhaseDecode, s.Last)
	to(PhaseRest, s.End)
	return all
}

// TTFT, Decode and Total are the times in seconds from the start to the first text,
// from there to the last, and from the start to the end; NaN where not known.
func (s Sampled) TTFT() float64   { return s.First - s.Start }
func (s Sampled) Decode() float64 { return s.Last - s.First }
func (s Sampled) Total() float64  { return s.End - s.Start }

// Wait is the time in seconds from the planned time to the start, at least 0.
func (s Sampled) Wait() float64 { return max(0, s.Start-s.Planned) }
