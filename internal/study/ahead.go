package study

import (
	"context"
	"time"

	"headway/metric"
	"headway/record"
)

// Opener is a target that can open connections before they are needed.
type Opener interface {
	// Preconnect opens connections until so many are free.
	Preconnect(ctx context.Context, n int) error
	// Opened is how long those took that were opened so, in order of that time.
	Opened() []time.Duration
}

// aheadWithin bounds what nobody asked to wait for.
const aheadWithin = 10 * time.Second

// OpenAhead is [Measurement.Connect] for so many connections; nil for none. Unless
// they are demanded, what cannot be opened, or not within ten seconds, is left to the
// requests, which fail for it as they would have.
func OpenAhead(t Opener, n int, demanded bool) func(context.Context) (*record.Ahead, error) {
	if n == 0 {
		return nil
	}
	return func(ctx context.Context) (*record.Ahead, error) {
		within := ctx
		if !demanded {
			var cancel context.CancelFunc
			within, cancel = context.WithTimeout(ctx, aheadWithin)
			defer cancel()
		}
		if err := t.Preconnect(within, n); err != nil && demanded {
			return nil, err
		}
		return Ahead(t.Opened()), nil
	}
}

// Ahead sums up how long connections took that were opened before a run, given
// in order of that time; nil where there are none.
func Ahead(took []time.Duration) *record.Ahead {
	if len(took) == 0 {
		return nil
	}
	sorted := make([]float64, len(took))
	a := record.Ahead{Count: len(took)}
	for i, d := range took {
		sorted[i] = d.Seconds()
		a.Mean += sorted[i] / float64(len(took))
	}
	a.P50, a.P99, a.Max = metric.Percentile(sorted, 50), metric.Percentile(sorted, 99), metric.Percentile(sorted, 100)
	return &a
}
