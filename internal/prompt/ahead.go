package prompt

import (
	"context"
	"runtime"
	"sync"

	"headway/workload"
)

// Ahead yields the requests of src with their text made, in the same order.
// While the sequence is read, goroutines of its own (one less than GOMAXPROCS,
// at least one) keep up to depth requests ready, so that a reader that paces
// itself never waits for text; one that has to wait makes some itself, which is
// what all processors do before a load begins. They have ended when the loop over
// the sequence has. The sequence ends with an error when src does, when a prompt cannot be
// made, or when ctx ends.
func Ahead(ctx context.Context, src workload.Source, m *Maker, depth int) workload.Source {
	return func(yield func(workload.Request, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var all sync.WaitGroup
		defer all.Wait()
		defer cancel()

		// The order is kept by one queue of jobs, each with a place for its
		// result; the workers take them from a second one.
		queue := make(chan *job, max(depth, 1))
		work := make(chan *job)
		all.Go(func() { plan(ctx, src, queue, work) })
		for range max(1, runtime.GOMAXPROCS(0)-1) {
			all.Go(func() {
				for j := range work {
					j.make(m)
				}
			})
		}
		for {
			j, err := next(ctx, m, queue, work)
			if err != nil {
				yield(workload.Request{}, err)
				return
			}
			if j == nil || !yield(j.request, j.err) || j.err != nil {
				return
			}
		}
	}
}

// job is a request on its way; made is closed when the rest may be read.
type job struct {
	request workload.Request
	err     error
	made    chan struct{}
}

func (j *job) make(m *Maker) {
	j.request, j.err = m.Fill(j.request)
	close(j.made)
}

// plan reads src into both queues until it ends or ctx does, and closes them.
func plan(ctx context.Context, src workload.Source, queue, work chan<- *job) {
	defer close(queue)
	defer close(work)
	for r, err := range src {
		j := &job{request: r, err: err, made: make(chan struct{})}
		select {
		case queue <- j:
		case <-ctx.Done():
			return
		}
		if err != nil {
			close(j.made)
			return
		}
		select {
		case work <- j:
		case <-ctx.Done():
			return
		}
	}
}

// next waits for the next request to be made, and makes those that nobody is
// making meanwhile; nil is the end.
func next(ctx context.Context, m *Maker, queue, work <-chan *job) (*job, error) {
	var j *job
	select {
	case first, ok := <-queue:
		if !ok {
			return nil, ctx.Err()
		}
		j = first
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		select {
		case <-j.made:
			return j, nil
		default:
		}
		select {
		case <-j.made:
			return j, nil
		case other, ok := <-work:
			if !ok {
				work = nil // all are being made
				continue
			}
			other.make(m)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
