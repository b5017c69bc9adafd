package engine

import (
	"math"
	"time"
)

// fetchTime is how long the keys and values of s, which was just admitted,
// travel to this worker: tokens × bytes per token / bandwidth. All tokens of
// the context have some but the last, which the next step computes.
func (e *Engine) fetchTime(s *sequence) time.Duration {
	if e.cfg.TransferBandwidth <= 0 {
		return 0
	}
	tokens := s.context() - 1
	if e.cfg.Transfer == DestinationMissing {
		tokens = max(tokens-s.computed, 0)
	}
	e.stats.TransferredTokens += int64(tokens)
	seconds := float64(tokens) * float64(e.cfg.KVBytesPerToken) / e.cfg.TransferBandwidth
	return sped(time.Duration(math.Round(seconds*1e9)), e.cfg.SpeedupRatio)
}
