package probe

import (
	"fmt"
	"time"

	"headway/internal/twin/fit"
	"headway/metric"
	"headway/record"
)

// SufferError says that a probe was ended because the server did not bear it.
type SufferError struct{ Probe, Why string }

// Error says what was seen and what to do.
func (e *SufferError) Error() string {
	return fmt.Sprintf("stopped in the probe %s, so that the server recovers: %s", e.Probe, e.Why)
}

// Bounds of what is borne: so many requests that fail, or that wait for their first
// token so many times as long as the slowest was to, and by so much longer.
const (
	mostFailed = 3
	mostLate   = 3
	late       = 5
	lateAtAll  = 2 * time.Second
)

// guard is a sink before the others that ends a probe which the server does not
// bear.
type guard struct {
	probe    string
	requests int
	// slowest is the longest time to a first token that was expected, 0 where
	// nothing is known.
	slowest time.Duration
	stop    func(error)

	seen Seen
	late int
}

// Take counts.
func (g *guard) Take(r *record.Record) error {
	g.seen.take(r)
	if r.Outcome == record.Failed && g.seen.Failed >= max(mostFailed, g.requests/50) {
		why := "for no reason that was given"
		if r.Failure != nil {
			why = r.Failure.Described()
		}
		g.stop(&SufferError{g.probe, fmt.Sprintf("%d of %d requests failed, the last: %s", g.seen.Failed,
			g.seen.Requests, why)})
	}
	first, ok := metric.TTFT(r)
	if bound := late*g.slowest + lateAtAll; ok && g.slowest > 0 && first > bound.Seconds() {
		if g.late++; g.late == mostLate {
			g.stop(&SufferError{g.probe, fmt.Sprintf("%d requests waited more than %.3g s for their first token, "+
				"where the probes before let expect at most %.3g s", g.late, bound.Seconds(), g.slowest.Seconds())})
		}
	}
	return nil
}

// slowestOf is the longest time to a first token.
func slowestOf(all []fit.Times) time.Duration {
	most := time.Duration(0)
	for _, t := range all {
		most = max(most, t.First)
	}
	return most
}

// Seen is what the Records of a probe say of how far they can be believed.
type Seen struct {
	// Requests were sent, Failed of them failed. Replies came whole.
	Requests int `json:"requests"`
	Failed   int `json:"failed,omitempty"`
	Replies  int `json:"replies"`
	// Of the replies: NoHead have no time of their head, NoUsage no counts of the
	// server, OtherLength another length than was asked for.
	NoHead      int `json:"no_head,omitempty"`
	NoUsage     int `json:"no_usage,omitempty"`
	OtherLength int `json:"other_length,omitempty"`
	// Prompt and Output are tokens as the server counted them, else this client;
	// Chunks are pieces of the replies that have text, Counted their tokens.
	Prompt  int `json:"prompt_tokens"`
	Output  int `json:"output_tokens"`
	Chunks  int `json:"chunks"`
	Counted int `json:"counted_tokens"`
}

func (s *Seen) take(r *record.Record) {
	if r.Outcome == record.Dropped {
		return
	}
	s.Requests++
	if r.Outcome == record.Failed {
		s.Failed++
	}
	if r.Outcome != record.OK {
		return
	}
	s.Replies++
	if !r.Ack.Known() {
		s.NoHead++
	}
	in, out, reasoning := r.ServerTokens()
	s.Prompt += max(in, r.PlannedISL)
	if in < 0 || out < 0 {
		s.NoUsage++
		s.Output += r.PlannedOSL
		return
	}
	out += max(reasoning, 0)
	s.Output += out
	s.Counted += out
	for _, a := range r.Arrivals {
		if a.Kind.Text() {
			s.Chunks++
		}
	}
	if out != r.PlannedOSL {
		s.OtherLength++
	}
}

// add sums up.
func (s *Seen) add(o Seen) {
	s.Requests += o.Requests
	s.Failed += o.Failed
	s.Replies += o.Replies
	s.NoHead += o.NoHead
	s.NoUsage += o.NoUsage
	s.OtherLength += o.OtherLength
	s.Prompt += o.Prompt
	s.Output += o.Output
	s.Chunks += o.Chunks
	s.Counted += o.Counted
}
