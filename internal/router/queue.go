package router

import (
	"container/heap"
	"slices"
	"time"
)

// waiting is a request that is held back.
type waiting struct {
	Request
	key float64 // highest first
	seq int     // earliest first among equals; with LCFS latest
}

// queue is a heap of waiting requests. The key does not depend on the time
// of release, so it is computed once.
type queue struct {
	policy QueuePolicy
	items  []waiting
	seq    int
}

func (q *queue) push(now time.Duration, r Request) {
	q.seq++
	seq := q.seq
	if q.policy == LCFS {
		seq = -seq
	}
	heap.Push(q, waiting{Request: r, key: q.policy.key(now, &r), seq: seq})
}

func (p QueuePolicy) key(arrival time.Duration, r *Request) float64 {
	switch p {
	case LCFS:
		return r.Priority + arrival.Seconds()
	case WSPT:
		return (1 + r.Priority) / float64(r.Tokens)
	}
	return r.Priority - arrival.Seconds()
}

func (q *queue) pop() Request { return heap.Pop(q).(waiting).Request }

// remove takes out a request that gave up. It searches: requests that give up
// while they wait are few.
func (q *queue) remove(id uint64) bool {
	i := slices.IndexFunc(q.items, func(w waiting) bool { return w.ID == id })
	if i >= 0 {
		heap.Remove(q, i)
	}
	return i >= 0
}

// Len, Less, Swap, Push and Pop are for container/heap.
func (q *queue) Len() int { return len(q.items) }

// Less says that i is released before j.
func (q *queue) Less(i, j int) bool {
	a, b := &q.items[i], &q.items[j]
	if a.key != b.key {
		return a.key > b.key
	}
	return a.seq < b.seq
}

// Swap swaps two items.
func (q *queue) Swap(i, j int) { q.items[i], q.items[j] = q.items[j], q.items[i] }

// Push appends an item.
func (q *queue) Push(x any) { q.items = append(q.items, x.(waiting)) }

// Pop takes the last item.
func (q *queue) Pop() any {
	last := len(q.items) - 1
	w := q.items[last]
	q.items[last] = waiting{}
	q.items = q.items[:last]
	return w
}
