package prompt

import (
	"context"
	"errors"
	"runtime"

	"headway/workload"
)

// Rendered is Ahead at a depth at which the generator has the first request of
// every slot in hand before it starts any, so that a burst is one. When ctx
// ends, what is left is yielded without text, so that each request that was
// planned still has a Record.
func Rendered(ctx context.Context, src workload.Source, m *Maker) workload.Source {
	return func(yield func(workload.Request, error) bool) {
		n := 0
		for r, err := range Ahead(ctx, src, m, 64+16*runtime.GOMAXPROCS(0)) {
			if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
				break
			}
			n++
			if !yield(r, err) || err != nil {
				return
			}
		}
		if ctx.Err() == nil {
			return
		}
		i := 0
		for r, err := range src {
			if i++; i > n && !yield(r, err) {
				return
			}
		}
	}
}
