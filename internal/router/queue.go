package router

import (
	"container/heap"
	"slices"
	"time"
)

// waiting is a request that is held back.
type waiting struct {
	Request
	key  float64 // highest first
	seq  int     // earliest first among equals; with LCFS latest
	cost int     // uncached tokens when it came, at least 1
}

// pending is a heap of waiting requests. The key does not depend on the time
// of release, so it is computed once.
type pending []waiting

// key orders a request among those that wait. WSPT counts what has to be
// computed, as Dynamo does since 1.5, and not the whole prompt.
func (p QueuePolicy) key(arrival time.Duration, r *Request, cost int) float64 {
	switch p {
	case LCFS:
		return r.Priority + arrival.Seconds()
	case WSPT:
		return (1 + r.Priority) / float64(cost)
	}
	return r.Priority - arrival.Seconds()
}

// Len, Less, Swap, Push and Pop are for container/heap.
func (p pending) Len() int { return len(p) }

// Less says that i is released before j.
func (p pending) Less(i, j int) bool {
	a, b := &p[i], &p[j]
	if a.key != b.key {
		return a.key > b.key
	}
	return a.seq < b.seq
}

// Swap swaps two items.
func (p pending) Swap(i, j int) { p[i], p[j] = p[j], p[i] }

// Push appends an item.
func (p *pending) Push(x any) { *p = append(*p, x.(waiting)) }

// Pop takes the last item.
func (p *pending) Pop() any {
	last := len(*p) - 1
	w := (*p)[last]
	(*p)[last] = waiting{}
	*p = (*p)[:last]
	return w
}

// classQueue is the requests of a class that wait.
type classQueue struct {
	Class
	limit   float64 // of prompt tokens, above which a worker is busy
	pending pending
	deficit int // uncached tokens that the class may still release
}

// queue is the classes, which take turns by deficit round robin: each turn
// adds a class's quantum to what it may release, in uncached tokens. A class
// whose head has to wait for a worker gains nothing meanwhile, and an empty one
// loses what it has. With one class this is a plain queue.
type queue struct {
	classes []classQueue
	n, seq  int
	cursor  int   // the class of the next turn
	carried int   // the class whose turn has not ended, or nobody
	heads   []int // scratch: cost of each class's head, 0 where none can go
}

const nobody = -1

func newQueue(c Config) queue {
	q := queue{carried: nobody}
	for _, class := range c.classes() {
		q.classes = append(q.classes, classQueue{Class: class, limit: class.limit(c.MaxNumBatchedTokens)})
	}
	q.heads = make([]int, len(q.classes))
	return q
}

func (q *queue) push(now time.Duration, class int, r Request, cost int) {
	q.seq++
	q.n++
	c, seq := &q.classes[class], q.seq
	if c.Policy == LCFS {
		seq = -seq
	}
	heap.Push(&c.pending, waiting{Request: r, key: c.Policy.key(now, &r, cost), seq: seq, cost: cost})
}

// pop takes out the request whose turn it is, of those whose class has a worker
// that is below the class's limit; least is the least of what workers have to
// prefill.
func (q *queue) pop(least float64) (Request, bool) {
	q.look(least)
	carried := q.carried
	q.carried = nobody
	if carried != nobody && q.affords(carried) {
		return q.take(carried), true
	}
	for i := range q.classes {
		c := (q.cursor + i) % len(q.classes)
		if q.heads[c] > 0 && !q.affords(c) {
			q.classes[c].deficit += q.classes[c].Quantum
		}
		if q.affords(c) {
			return q.take(c), true
		}
	}
	return q.forward()
}

// look notes what the heads cost that can go now.
func (q *queue) look(least float64) {
	for i := range q.classes {
		c := &q.classes[i]
		q.heads[i] = 0
		switch {
		case c.pending.Len() == 0:
			c.deficit = 0
		case least <= c.limit:
			q.heads[i] = c.pending[0].cost
		}
	}
}

func (q *queue) affords(class int) bool {
	return q.heads[class] > 0 && q.heads[class] <= q.classes[class].deficit
}

// forward gives as many turns to all at once as it takes until one can go, so
// that prompts much longer than a quantum cost no time.
func (q *queue) forward() (Request, bool) {
	turns := 0
	for i, cost := range q.heads {
		c := &q.classes[i]
		if cost == 0 {
			continue
		}
		if n := (cost - c.deficit + c.Quantum - 1) / c.Quantum; turns == 0 || n < turns {
			turns = n
		}
	}
	for i, cost := range q.heads {
		if cost > 0 {
			q.classes[i].deficit += turns * q.classes[i].Quantum
		}
	}
	for i := range q.classes {
		if c := (q.cursor + i) % len(q.classes); q.affords(c) {
			return q.take(c), true
		}
	}
	return Request{}, false
}

// take releases the head of a class.
func (q *queue) take(class int) Request {
	c := &q.classes[class]
	w := heap.Pop(&c.pending).(waiting)
	q.n--
	q.cursor = (class + 1) % len(q.classes)
	c.deficit -= w.cost
	switch {
	case c.pending.Len() == 0:
		c.deficit = 0
	case c.deficit > 0:
		q.carried = class
	}
	return w.Request
}

// remove takes out a request that gave up. It searches: requests that give up
// while they wait are few.
func (q *queue) remove(id uint64) bool {
	for k := range q.classes {
		c := &q.classes[k]
		i := slices.IndexFunc(c.pending, func(w waiting) bool { return w.ID == id })
		if i < 0 {
			continue
		}
		heap.Remove(&c.pending, i)
		q.n--
		return true
	}
	return false
}
