package engine

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// hold uses a block as a sequence would: shared when it is there, else taken
// and named.
func hold(p *pool, hash uint64) (int32, bool) {
	if i := p.find(hash); i != none {
		p.ref(i)
		return i, true
	}
	if !p.take(1) {
		return none, false
	}
	return p.name(hash), true
}

// The vector of Dynamo's evictor: insert 4, 3, 2, 1, 5, touch 1, 4, 2; what
// goes then is 3, 5, 1, 4, 2.
func TestEvictionOrder(t *testing.T) {
	p := newPool(5)
	var gone []uint64
	p.evicted = func(h uint64) { gone = append(gone, h) }
	for _, h := range []uint64{4, 3, 2, 1, 5, 1, 4, 2} {
		i, ok := hold(&p, h)
		if !ok {
			t.Fatalf("no room for %d", h)
		}
		p.deref(i)
	}
	if len(gone) != 0 || p.inactive != 5 {
		t.Fatalf("evicted %v early, %d inactive", gone, p.inactive)
	}
	for range 5 {
		if !p.take(1) {
			t.Fatal("nothing to evict")
		}
	}
	if want := []uint64{3, 5, 1, 4, 2}; !slices.Equal(gone, want) {
		t.Errorf("evicted %v, want %v", gone, want)
	}
}

// The vector of Dynamo's block manager: when all ten blocks are in use, the
// eleventh is refused, and one that is shared is not.
func TestCapacity(t *testing.T) {
	p := newPool(10)
	for h := range uint64(10) {
		if _, ok := hold(&p, h); !ok {
			t.Fatalf("block %d of 10 was refused", h)
		}
	}
	if _, ok := hold(&p, 10); ok || p.take(1) {
		t.Error("an eleventh block was given")
	}
	if _, ok := hold(&p, 3); !ok || p.active != 10 {
		t.Errorf("sharing a block: %v, %d in use", ok, p.active)
	}
}

// plainPool is a pool without any cleverness.
type plainPool struct {
	capacity, private int
	refs              map[uint64]int
	idle              []uint64 // from the oldest
	gone              []uint64
}

func (p *plainPool) used() int {
	n := p.private
	for _, r := range p.refs {
		if r > 0 {
			n++
		}
	}
	return n
}

func (p *plainPool) take(n int) bool {
	used := p.used()
	if used+n > p.capacity {
		return false
	}
	p.private += n
	for used+n+len(p.idle) > p.capacity {
		p.gone = append(p.gone, p.idle[0])
		delete(p.refs, p.idle[0])
		p.idle = p.idle[1:]
	}
	return true
}

func (p *plainPool) hold(h uint64) bool {
	if r, ok := p.refs[h]; ok {
		if r == 0 {
			p.idle = slices.DeleteFunc(p.idle, func(v uint64) bool { return v == h })
		}
		p.refs[h]++
		return true
	}
	if !p.take(1) {
		return false
	}
	p.private--
	p.refs[h] = 1
	return true
}

func (p *plainPool) drop(h uint64) {
	if p.refs[h]--; p.refs[h] == 0 {
		p.idle = append(p.idle, h)
	}
}

// A million operations on pools of several sizes, against the plain one.
func TestPoolAgainstPlain(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 200 {
		capacity := 1 + rng.IntN(40)
		p, plain := newPool(capacity), plainPool{capacity: capacity, refs: map[uint64]int{}}
		var gone []uint64
		p.evicted = func(h uint64) { gone = append(gone, h) }
		var held []int32
		for op := range 5000 {
			switch k := rng.IntN(10); {
			case k < 4:
				h := rng.Uint64N(uint64(2 * capacity))
				i, ok := hold(&p, h)
				if ok != plain.hold(h) {
					t.Fatalf("round %d, operation %d: holding %d: %v", round, op, h, ok)
				}
				if ok {
					held = append(held, i)
				}
			case k < 8 && len(held) > 0:
				at := rng.IntN(len(held))
				plain.drop(p.nodes[held[at]].hash)
				p.deref(held[at])
				held = slices.Delete(held, at, at+1)
			case k == 8:
				if n := rng.IntN(3); p.take(n) != plain.take(n) {
					t.Fatalf("round %d, operation %d: taking %d", round, op, n)
				}
			case plain.private > 0:
				n := 1 + rng.IntN(plain.private)
				p.give(n)
				plain.private -= n
			}
			if !slices.Equal(gone, plain.gone) {
				t.Fatalf("round %d, operation %d: evicted %v, want %v", round, op, gone, plain.gone)
			}
			gone, plain.gone = gone[:0], plain.gone[:0]
			if p.active != plain.used() || p.inactive != len(plain.idle) || p.named != len(plain.refs) {
				t.Fatalf("round %d, operation %d: %d in use, %d idle; want %d, %d", round, op, p.active, p.inactive,
					plain.used(), len(plain.idle))
			}
		}
		for h := range uint64(2 * capacity) {
			if _, there := plain.refs[h]; there != (p.find(h) != none) {
				t.Fatalf("round %d: block %d: %v", round, h, there)
			}
		}
	}
}
