package deploy

import (
	"context"
	"errors"
	"runtime"

	"headway/internal/prompt"
	"headway/workload"
)

// render makes the text of a plan ahead of need; the generator has the first
// request of every slot in hand before it starts any, so that a burst is one.
// When ctx ends, what is left is yielded without text, so that each request
// that was planned still has a Record.
func (e *Endpoint) render(ctx context.Context, src workload.Source) workload.Source {
	return func(yield func(workload.Request, error) bool) {
		n := 0
		for r, err := range prompt.Ahead(ctx, src, e.maker, 64+16*runtime.GOMAXPROCS(0)) {
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
