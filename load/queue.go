package load

import (
	"sync"
	"sync/atomic"
	"time"

	"headway/record"
)

// queue carries finished Records to the Sink on a goroutine of its own. Putting
// one never waits: what ended has been measured and is in memory anyway, and
// the one who puts it may be reading others. What has a bound is what is sent
// while Records pile up, see room: memory would otherwise grow for as long as
// the Sink is slower than the wire.
type queue struct {
	sink   record.Sink
	aside  func() // nil once it is no longer called for
	failed func(error)
	heavy  int64        // the weight above which aside is given up
	limit  int64        // the weight above which requests are held back
	slots  int64        // so many Records may wait whatever their weight
	flying func() int64 // requests in flight

	// Of the Records that wait and the one being taken. They are no part of
	// what mu guards: the goroutine that takes Records may have a low priority,
	// and whoever puts one would wait for it at each.
	weight, waiting atomic.Int64
	waiters         atomic.Int64 // who waits for fewer of them
	mean            atomic.Int64 // weight of a Record, of all that were put
	behind          atomic.Bool  // the limit was reached in this run
	freed           atomic.Bool  // nothing is held back any more

	mu      sync.Mutex
	ready   sync.Cond // a Record waits, or the queue is closed
	fewer   sync.Cond // the Sink has taken one, and requests are not held back
	items   []*record.Record
	count   int64 // of Records that were put
	sum     int64 // of their weights
	closed  bool
	held    int       // requests that are held back now
	since   time.Time // when the first of them was
	backlog Backlog

	batch   []*record.Record // out of items and not yet taken; run's own
	done    chan struct{}
	takeErr error
}

// newQueue starts a queue. room is the weight above which requests are held
// back, 0 for the default, slots the number of Records that may wait whatever
// they weigh, and flying how many requests are in flight.
func newQueue(sink record.Sink, aside func(), room, slots int, flying func() int64, failed func(error)) *queue {
	if room <= 0 {
		room = usualRoom
	}
	q := &queue{sink: sink, aside: aside, heavy: heavy, limit: int64(room), slots: int64(slots), flying: flying,
		failed: failed, done: make(chan struct{})}
	q.ready.L, q.fewer.L = &q.mu, &q.mu
	q.backlog.Room = room
	go q.run()
	return q
}

// heavy is the weight of Records waiting above which they are taken at the
// common priority.
const heavy = 200 << 20

// usualRoom is the weight of Records waiting above which requests are held
// back, where the Generator sets none.
const usualRoom = 1 << 30

// weigh is about what a Record takes in memory, in bytes.
func weigh(r *record.Record) int64 {
	n := 600 + 40*cap(r.Arrivals) + r.Raw.Size()
	if t := r.Text; t != nil {
		n += len(t.Prompt) + cap(t.Content) + cap(t.Reasoning) + cap(t.ToolCalls) + 24*cap(t.Pieces)
	}
	return int64(n)
}

func (q *queue) put(r *record.Record) {
	q.mu.Lock()
	q.items = append(q.items, r)
	n, weight := int(q.waiting.Add(1)), int(q.weight.Add(weigh(r)))
	if weight > q.backlog.Bytes {
		q.backlog.Bytes, q.backlog.Records = weight, n
	}
	q.count++
	q.sum += weigh(r)
	q.mean.Store(q.sum / q.count)
	q.mu.Unlock()
	q.ready.Signal()
}

// full reports whether requests are held back. As many Records as there are
// slots may wait: replies that end at one moment were in memory before, and the
// slots must not stand still for that.
//
// Once the limit was reached, what is in flight counts for what it will weigh:
// a schedule has by then fallen behind, and all that is overdue would be sent
// in the moment in which there is room for one.
func (q *queue) full() bool {
	weight, n := q.weight.Load(), q.waiting.Load()
	if q.behind.Load() {
		flying := q.flying()
		weight, n = weight+flying*q.mean.Load(), n+flying
	}
	if weight <= q.limit || n <= q.slots || q.freed.Load() {
		return false
	}
	q.behind.Store(true)
	return true
}

// room waits while more Records wait for the Sink than there is room for.
func (q *queue) room() {
	if !q.full() {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.backlog.HeldRequests++
	if q.held++; q.held == 1 {
		q.since = time.Now()
	}
	q.waitWhile(q.full)
	if q.held--; q.held == 0 {
		q.backlog.Held += time.Since(q.since)
	}
}

// waitWhile waits until the Sink has taken so much that something is no longer
// so; the caller has the lock. It says that it waits before it looks, and took
// counts before it looks for one who waits: one of them sees the other.
func (q *queue) waitWhile(so func() bool) {
	q.waiters.Add(1)
	for so() {
		q.fewer.Wait()
	}
	q.waiters.Add(-1)
}

// free holds nothing back any more: nothing is sent after it.
func (q *queue) free() {
	q.freed.Store(true)
	q.mu.Lock() // not between another's look and its wait
	q.fewer.Broadcast()
	q.mu.Unlock()
}

// settled is how many Records settle leaves waiting.
const settled = 4096

// settle waits while more than that wait for the Sink.
func (q *queue) settle() {
	q.mu.Lock()
	q.waitWhile(func() bool { return q.waiting.Load() > settled })
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
	for q.fill() {
		if q.aside != nil && q.weight.Load() > q.heavy {
			q.aside = nil
			go q.run()
			return
		}
		r := q.batch[0]
		q.batch[0] = nil // the Sink alone has it now
		q.batch = q.batch[1:]
		weight := weigh(r) // the Sink lets go of parts of it
		// After an error the Sink is still offered the rest: one that writes to
		// two places may yet save what it can.
		if err := q.sink.Take(r); err != nil && q.takeErr == nil {
			q.takeErr = err
			q.failed(err)
		}
		q.took(weight)
	}
	close(q.done)
}

// fill waits for Records where none is left of the batch, and reports false
// when there will be none.
func (q *queue) fill() bool {
	if len(q.batch) > 0 {
		return true
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.items) == 0 && !q.closed {
		q.ready.Wait()
	}
	q.batch, q.items = q.items, nil
	return len(q.batch) > 0
}

// took notes that a Record of that weight is with the Sink.
func (q *queue) took(weight int64) {
	q.weight.Add(-weight)
	q.waiting.Add(-1)
	if q.waiters.Load() == 0 || q.full() {
		return
	}
	q.mu.Lock() // not between another's look and its wait
	q.fewer.Broadcast()
	q.mu.Unlock()
}
