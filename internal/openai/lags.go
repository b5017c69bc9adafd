package openai

import (
	"iter"
	"time"
)

// ReadLags gives how long data of any reply so far lay in the kernel before it
// was read, as cells of a histogram: the largest lag in each, and how many
// reads fell into it. Reads without a stamp of the kernel are not in it. It may
// be called at any time.
func (t *Target) ReadLags() iter.Seq2[time.Duration, int64] { return t.outlet.dialer.Lags.All() }
