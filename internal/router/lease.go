package router

import "time"

// leases predict the caches of workers that publish no events: a block that
// was sent to a worker is taken to be there until it expires or is the least
// recently sent of too many. A list in the order of the last sending serves
// both, since all leases have the same length.
type leases struct {
	ttl          time.Duration
	most, target int // blocks
	at           map[holding]int32
	// nodes[0] is the ring's root: next is the oldest, prev the youngest. Of
	// a node that is free, next is the next free one.
	nodes []lease
	free  int32
}

type lease struct {
	holding
	prev, next int32
	expires    time.Duration
}

func newLeases(c Config) *leases {
	return &leases{
		ttl: c.TTL, most: c.MaxTreeBlocks, target: int(float64(c.MaxTreeBlocks) * c.PruneTarget),
		at: map[holding]int32{}, nodes: make([]lease, 1),
	}
}

// renew notes that blocks were sent to a worker. The last block of the prompt
// is the oldest of them: a prefix is worth more than what follows it, and
// nothing without it.
func (l *leases) renew(now time.Duration, worker int, blocks []uint64, t *table) {
	for i := len(blocks) - 1; i >= 0; i-- {
		h := holding{blocks[i], worker}
		n, ok := l.at[h]
		if ok {
			l.unlink(n)
		} else {
			n = l.take()
			l.at[h] = n
			t.add(worker, h.block)
		}
		l.append(n, lease{holding: h, expires: now + l.ttl})
	}
	if len(l.at) > l.most {
		for len(l.at) > l.target {
			l.drop(l.nodes[0].next, t)
		}
	}
}

// expire forgets what was last sent a lease ago.
func (l *leases) expire(now time.Duration, t *table) {
	for n := l.nodes[0].next; n != 0 && l.nodes[n].expires <= now; n = l.nodes[0].next {
		l.drop(n, t)
	}
}

func (l *leases) drop(n int32, t *table) {
	h := l.nodes[n].holding
	l.unlink(n)
	l.nodes[n].next, l.free = l.free, n
	delete(l.at, h)
	t.remove(h.worker, h.block)
}

func (l *leases) take() int32 {
	if n := l.free; n != 0 {
		l.free = l.nodes[n].next
		return n
	}
	l.nodes = append(l.nodes, lease{})
	return int32(len(l.nodes) - 1)
}

func (l *leases) unlink(n int32) {
	prev, next := l.nodes[n].prev, l.nodes[n].next
	l.nodes[prev].next, l.nodes[next].prev = next, prev
}

func (l *leases) append(n int32, e lease) {
	e.prev, e.next = l.nodes[0].prev, 0
	l.nodes[n] = e
	l.nodes[e.prev].next, l.nodes[0].prev = n, n
}
