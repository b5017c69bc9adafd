package engine

import (
	"math"
	"time"
)

// fetchTime is how long the keys and values of s, which was just admitted, take to get
// to this worker: tokens × bytes per token / bandwidth, and the latency. All tokens of
// the context have some but the last, which the next step computes.
//
// Where links are shared, a transfer holds the way out of the worker that has the prompt
// and the way into this one, both from when both are free.
func (e *Engine) fetchTime(s *sequence, at time.Duration) time.Duration {
	if e.cfg.TransferBandwidth <= 0 {
		return 0
	}
	tokens := s.context() - 1
	if e.cfg.Transfer == DestinationMissing {
		tokens = max(tokens-s.computed, 0)
	}
	e.stats.TransferredTokens += int64(tokens)
	seconds := float64(tokens) * float64(e.cfg.KVBytesPerToken) / e.cfg.TransferBandwidth
	span := sped(time.Duration(math.Round(min(seconds*1e9, float64(farthest)))), e.cfg.SpeedupRatio)
	if span == 0 {
		return 0
	}
	begin := e.cfg.Inbound.from(s.req.Outbound.from(at))
	e.cfg.Inbound.hold(begin, span)
	s.req.Outbound.hold(begin, span)
	took := later(begin-at, later(span, sped(e.cfg.TransferLatency, e.cfg.SpeedupRatio)))
	e.stats.Transfers++
	e.stats.TransferWait = later(e.stats.TransferWait, begin-at)
	e.stats.TransferTime = later(e.stats.TransferTime, took)
	return took
}

// from is when a transfer that may begin at a time does so; nil is a link that nobody
// has to wait for.
func (l *Link) from(at time.Duration) time.Duration {
	if l == nil {
		return at
	}
	return max(l.free, at)
}

// hold is carry where there is a link.
func (l *Link) hold(at, span time.Duration) {
	if l != nil {
		l.carry(at, span)
	}
}
