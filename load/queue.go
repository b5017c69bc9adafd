package load

import (
	"sync"

	"headway/record"
)

// queue carries finished Records to the Sink on a goroutine of its own. It has
// no bound, so that a slot is never held up by counting or by a slow disk:
// the Records of a run have to be held somewhere, and a slot is the one place
// where waiting would change the measurement.
type queue struct {
	sink    record.Sink
	aside   func() // nil once it is no longer called for
	failed  func(error)
	mu      sync.Mutex
	ready   sync.Cond
	taken   sync.Cond
	items   []*record.Record
	weight  int // of items, see weigh
	heavy   int // the weight above which aside is given up
	closed  bool
	done    chan struct{}
	takeErr error
}

func newQueue(sink record.Sink, aside func(), failed func(error)) *queue {
	q := &queue{sink: sink, aside: aside, heavy: heavy, failed: failed, done: make(chan struct{})}
	q.ready.L, q.taken.L = &q.mu, &q.mu
	go q.run()
	return q
}

// heavy is the weight of Records waiting above which they are taken at the
// common priority. An arrival is 40 bytes and has some text.
const heavy = 4 << 20

// weigh is about what a Record takes in memory, in arrivals.
func weigh(r *record.Record) int { return 50 + len(r.Arrivals) }

func (q *queue) put(r *record.Record) {
	q.mu.Lock()
	q.items = append(q.items, r)
	q.weight += weigh(r)
	q.mu.Unlock()
	q.ready.Signal()
}

// backlog is how many Records settle leaves waiting.
const backlog = 4096

// settle waits while more than a backlog of Records waits for the Sink.
func (q *queue) settle() {
	q.mu.Lock()
	for len(q.items) > backlog {
		q.taken.Wait()
	}
	q.mu.Unlock()
}

// close waits until the Sink has taken everything and returns its first error.
func (q *queue) close() error {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.ready.Signal()
	<-q.done
	return q.takeErr
}

// run hands Records on until the queue is closed, or until a goroutine without
// Aside takes over from it.
func (q *queue) run() {
	if q.aside != nil {
		q.aside()
	}
	for {
		q.mu.Lock()
		for len(q.items) == 0 && !q.closed {
			q.ready.Wait()
		}
		if q.aside != nil && q.weight > q.heavy {
			q.aside = nil
			q.mu.Unlock()
			go q.run()
			return
		}
		items := q.items
		q.items, q.weight = nil, 0
		q.mu.Unlock()
		q.taken.Signal()
		if len(items) == 0 {
			close(q.done)
			return
		}
		for _, r := range items {
			// After an error the Sink is still offered the rest: one that
			// writes to two places may yet save what it can.
			if err := q.sink.Take(r); err != nil && q.takeErr == nil {
				q.takeErr = err
				q.failed(err)
			}
		}
	}
}
