package engine

import (
	"fmt"
	"math"
	"time"

	"headway/internal/fault"
)

// MaxTiers is how many tiers a worker can have below its GPU.
const MaxTiers = 3

// TierPolicy says when a block is written to a tier.
type TierPolicy string

// The policies.
const (
	// WriteThrough writes a block while it is still in the cache above: from its
	// MinUses-th use on. With 1, the default, that is what KVBM of NVIDIA Dynamo does
	// between GPU and host, LMCache, vLLM's own offloading and HiCache of SGLang by
	// default; 2 is HiCache's write_through_selective, and 8 is what KVBM asks for
	// between host and disk (its filter presence_lfu).
	WriteThrough TierPolicy = "write-through"
	// WriteBack writes a block when the cache above evicts it: HiCache's write_back.
	WriteBack TierPolicy = "write-back"
)

// TierConfig describes one store for KV blocks below the GPU.
type TierConfig struct {
	// Name is how results call it.
	Name string
	// Blocks is how many blocks it holds, at least 1.
	Blocks int
	// Bandwidth of its link in bytes per second, each way for itself, above 0. Latency
	// is how long the first byte of a transfer takes more.
	Bandwidth float64
	Latency   time.Duration
	// Policy says when blocks are written; default WriteThrough. MinUses is from which
	// use on they are, with WriteThrough; default 1.
	Policy  TierPolicy
	MinUses int
}

// Validate lists every fault, by the name of the tier.
func (c TierConfig) Validate() error {
	var f fault.List
	f.When(c.Blocks < 1 || c.Blocks > math.MaxInt32, "%d blocks: must be from 1 to 2147483647", c.Blocks)
	f.When(!(c.Bandwidth > 0), "bandwidth of %v bytes/s: must be above 0", c.Bandwidth)
	f.When(c.Latency < 0, "latency of %v: must be 0 or more", c.Latency)
	f.When(c.Policy != "" && c.Policy != WriteThrough && c.Policy != WriteBack,
		"policy %s: must be write-through or write-back", c.Policy)
	f.When(c.MinUses < 0 || c.MinUses > 255, "min-uses %d: must be from 1 to 255", c.MinUses)
	f.When(c.MinUses > 1 && c.Policy == WriteBack, "min-uses %d with policy write-back: what is evicted is written",
		c.MinUses)
	if err := f.Err(); err != nil {
		return fmt.Errorf("tier %s: %w", c.Name, err)
	}
	return nil
}

// TierStats is what a tier did.
type TierStats struct {
	// Stored and Evicted count blocks that were written and forgotten, Read those that
	// were brought to a GPU.
	Stored, Evicted, Read int64
	// WriteBusy and ReadBusy are how long the link carried them.
	WriteBusy, ReadBusy time.Duration
}

// Tier is a store of KV blocks, such as a host's memory, that one or several engines
// share, and the link to it. A block is named as in the engines' prefix caches, and the
// one that was used longest ago is evicted first. Transfers go one after the other in
// the order in which they are asked for, reads and writes on links of their own. A
// block can be read when all of it has been written.
//
// Engines that share one have to be stepped in order of time. It is not safe for
// concurrent use.
type Tier struct {
	cfg   TierConfig
	next  *Tier // below, nil for the last
	block float64
	pool  pool            // all of it inactive
	ready []time.Duration // by node: when it is whole
	uses  []uint8         // by node, up to 255

	clock    time.Duration
	in, out  Link // of writes, and of reads
	stats    TierStats
	speed    float64
	first    time.Duration // until the first byte
	writable bool          // the tier below wants what is evicted
}

// NewTier makes an empty tier above next, which may be nil. Blocks have so many bytes;
// times are divided by speedup.
func NewTier(c TierConfig, next *Tier, blockBytes int, speedup float64) (*Tier, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	setDefault(&c.Policy, WriteThrough)
	setDefault(&c.MinUses, 1)
	setDefault(&speedup, 1)
	t := &Tier{cfg: c, next: next, pool: newPool(c.Blocks), speed: speedup,
		block: float64(blockBytes) / c.Bandwidth * 1e9}
	t.first = time.Duration(math.Round(min(float64(c.Latency)/speedup, float64(farthest))))
	t.pool.evicted = t.forget
	t.writable = next != nil && next.cfg.Policy == WriteBack
	return t, nil
}

// Stats is what the tier did so far.
func (t *Tier) Stats() TierStats {
	s := t.stats
	s.WriteBusy, s.ReadBusy = t.in.Busy(), t.out.Busy()
	return s
}

// Config is what the tier was made of, defaults filled in.
func (t *Tier) Config() TierConfig { return t.cfg }

// has reports whether a block can be read.
func (t *Tier) has(hash uint64, at time.Duration) bool {
	i := t.pool.find(hash)
	return i != none && t.ready[i] <= at
}

// use notes the uses-th use of a block that is in the cache above, and writes it where
// the policy says so.
func (t *Tier) use(hash uint64, uses uint8, at time.Duration) {
	t.clock = at
	i := t.pool.find(hash)
	switch {
	case i != none:
		t.uses[i] = more(t.uses[i])
		t.touch(i)
		if t.next != nil {
			t.next.use(hash, t.uses[i], max(at, t.ready[i])) // not written before it is asked for
		}
	case t.cfg.Policy == WriteThrough && int(uses) >= t.cfg.MinUses:
		t.put(hash, at)
	case t.next != nil && t.next.pool.find(hash) != none:
		t.next.use(hash, uses, at)
	}
}

// more counts up to 255.
func more(uses uint8) uint8 {
	if uses < math.MaxUint8 {
		uses++
	}
	return uses
}

// touch makes a block the last to be evicted.
func (t *Tier) touch(i int32) {
	t.pool.ref(i)
	t.pool.deref(i)
}

// renew is touch of a block, in this tier and below, that may be there.
func (t *Tier) renew(hash uint64) {
	if i := t.pool.find(hash); i != none {
		t.touch(i)
	}
	if t.next != nil {
		t.next.renew(hash)
	}
}

// put writes a block that is not there, and passes it on to a tier below that wants
// it at once.
func (t *Tier) put(hash uint64, at time.Duration) {
	t.clock = at
	t.pool.take(1)
	i := t.pool.name(hash)
	t.pool.deref(i)
	for int(i) >= len(t.ready) {
		t.ready, t.uses = append(t.ready, 0), append(t.uses, 0)
	}
	written := t.in.carry(at, t.time(1))
	t.stats.Stored++
	t.ready[i], t.uses[i] = later(written, t.first), 1
	if t.next != nil {
		t.next.use(hash, 1, t.ready[i])
	}
}

// spill takes a block that the cache above evicts.
func (t *Tier) spill(hash uint64, at time.Duration) {
	if t.cfg.Policy != WriteBack {
		return
	}
	if i := t.pool.find(hash); i != none {
		t.touch(i)
		return
	}
	t.put(hash, at)
}

// forget is the end of a block here.
func (t *Tier) forget(hash uint64) {
	t.stats.Evicted++
	if t.writable {
		t.next.spill(hash, t.clock)
	}
}

// read brings n blocks to a GPU and returns when they are there.
func (t *Tier) read(n int, at time.Duration) time.Duration {
	if n == 0 {
		return at
	}
	t.stats.Read += int64(n)
	return later(t.out.carry(at, t.time(n)), t.first)
}

// time is how long the link carries n blocks.
func (t *Tier) time(n int) time.Duration {
	return time.Duration(math.Round(min(float64(n)*t.block/t.speed, float64(farthest))))
}

// farthest bounds times on links: years later than any load ends, so that what a slow
// link has in its queue is never there, instead of a sum that overflows.
const farthest = time.Duration(1) << 61

// later is d after a time.
func later(at, d time.Duration) time.Duration {
	return min(min(at, farthest)+min(d, farthest), farthest)
}
