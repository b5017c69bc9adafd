package engine

import "slices"

// fifo is a queue whose head can also be put back. Taking from it costs the
// same however long it is: a trace of a hundred thousand requests may be
// submitted at once, where shifting a slice each time would dominate.
type fifo[T comparable] struct {
	items []T
	head  int
}

func (q *fifo[T]) len() int { return len(q.items) - q.head }

// all is the queue from head to tail, valid until it changes.
func (q *fifo[T]) all() []T { return q.items[q.head:] }

func (q *fifo[T]) push(v T) { q.items = append(q.items, v) }

// first is the head; the queue must not be empty.
func (q *fifo[T]) first() T { return q.items[q.head] }

// pop takes the head.
func (q *fifo[T]) pop() {
	clear(q.items[q.head : q.head+1])
	q.head++
	if q.head > len(q.items)/2 {
		kept := copy(q.items, q.items[q.head:])
		clear(q.items[kept:])
		q.items, q.head = q.items[:kept], 0
	}
}

// pushFront puts v before the head.
func (q *fifo[T]) pushFront(v T) {
	if q.head == 0 {
		q.items = slices.Insert(q.items, 0, v)
		return
	}
	q.head--
	q.items[q.head] = v
}

// remove takes v from wherever it is and reports whether it was there.
func (q *fifo[T]) remove(v T) bool {
	i := slices.Index(q.all(), v)
	if i >= 0 {
		q.items = slices.Delete(q.items, q.head+i, q.head+i+1)
	}
	return i >= 0
}
