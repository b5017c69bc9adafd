package engine

// pool is the KV cache of a worker. A block is either private (the growing end
// of a sequence, its output) and then only a number, or named by the hash of
// what it and everything before it holds. Named blocks are counted by
// reference; at zero they stay as inactive, and the one that has been inactive
// longest is evicted when room is needed.
//
// A sequence lets go of its blocks from the last to the first. Whoever holds a
// block also holds those before it, so among inactive blocks a prefix is
// always younger than what extends it, and eviction never leaves a block
// behind whose prefix is gone.
type pool struct {
	capacity int
	active   int // blocks in use: private ones, and named ones with references
	inactive int // named ones without

	nodes   []node
	spare   int32   // head of the list of unused nodes, through chain
	buckets []int32 // heads of chains; a power of two
	shift   uint    // 64 − log2(len(buckets))
	named   int

	// The list of inactive nodes, from the one to be evicted first.
	oldest, newest int32

	evicted func(hash uint64) // nil: nobody wants to know
}

// node is one named block.
type node struct {
	hash       uint64
	refs       int32
	chain      int32 // next in its bucket, or in the list of unused nodes
	prev, next int32 // among the inactive
}

const none = int32(-1)

func newPool(capacity int) pool {
	p := pool{capacity: capacity, spare: none, oldest: none, newest: none}
	p.rehash(64)
	return p
}

// available is how many more blocks could be active.
func (p *pool) available() int { return p.capacity - p.active }

// bucket spreads by Fibonacci hashing: callers may use small integers as
// hashes.
func (p *pool) bucket(hash uint64) *int32 {
	return &p.buckets[hash*0x9E3779B97F4A7C15>>p.shift]
}

func (p *pool) rehash(size int) {
	p.buckets = make([]int32, size)
	p.shift = 64
	for n := size; n > 1; n >>= 1 {
		p.shift--
	}
	for i := range p.buckets {
		p.buckets[i] = none
	}
	for i := range p.nodes {
		if n := &p.nodes[i]; n.refs >= 0 {
			b := p.bucket(n.hash)
			n.chain, *b = *b, int32(i)
		}
	}
}

// find is the node of a hash, or none.
func (p *pool) find(hash uint64) int32 {
	i := *p.bucket(hash)
	for i != none && p.nodes[i].hash != hash {
		i = p.nodes[i].chain
	}
	return i
}

// isActive reports whether a sequence holds the block.
func (p *pool) isActive(i int32) bool { return p.nodes[i].refs > 0 }

// ref adds a user to a block. An inactive one becomes active, for which there
// is always room: it was in the cache already.
func (p *pool) ref(i int32) {
	n := &p.nodes[i]
	if n.refs == 0 {
		p.unlink(i)
		p.active++
	}
	n.refs++
}

// deref takes a user from a block.
func (p *pool) deref(i int32) {
	n := &p.nodes[i]
	if n.refs--; n.refs > 0 {
		return
	}
	p.active--
	p.inactive++
	n.prev, n.next = p.newest, none
	if p.newest == none {
		p.oldest = i
	} else {
		p.nodes[p.newest].next = i
	}
	p.newest = i
}

// unlink takes a node from among the inactive.
func (p *pool) unlink(i int32) {
	n := &p.nodes[i]
	if n.prev == none {
		p.oldest = n.next
	} else {
		p.nodes[n.prev].next = n.next
	}
	if n.next == none {
		p.newest = n.prev
	} else {
		p.nodes[n.next].prev = n.prev
	}
	p.inactive--
}

// take makes n private blocks, evicting inactive ones where it must. It
// reports false, and does nothing, when there are not enough.
func (p *pool) take(n int) bool {
	if n > p.available() {
		return false
	}
	p.active += n
	for p.active+p.inactive > p.capacity {
		p.evict()
	}
	return true
}

// give frees n private blocks.
func (p *pool) give(n int) { p.active -= n }

// name turns a private block into the block of a hash that is not in the pool
// yet, with one user.
func (p *pool) name(hash uint64) int32 {
	if p.named == len(p.buckets) {
		p.rehash(2 * len(p.buckets))
	}
	i := p.spare
	if i != none {
		p.spare = p.nodes[i].chain
	} else {
		i = int32(len(p.nodes))
		p.nodes = append(p.nodes, node{})
	}
	b := p.bucket(hash)
	p.nodes[i] = node{hash: hash, refs: 1, chain: *b}
	*b = i
	p.named++
	return i
}

// evict forgets the block that has been inactive longest.
func (p *pool) evict() {
	i := p.oldest
	p.unlink(i)
	n := &p.nodes[i]
	link := p.bucket(n.hash)
	for *link != i {
		link = &p.nodes[*link].chain
	}
	*link = n.chain
	n.refs, n.chain = -1, p.spare
	p.spare = i
	p.named--
	if p.evicted != nil {
		p.evicted(n.hash)
	}
}
