package engine

import (
	"container/heap"
	"math"
	"time"
)

// below is what an engine with tiers knows of a block in its prefix cache beside the
// pool: how often it was used since it came, up to 255, and when it is there, where a
// tier had it. A block has a place and a name from when it is planned to be computed, or
// asked of a tier; it is coming until its keys and values are there, and no tier gets it
// before: another worker would read from a shared one what nobody has computed yet.
type below struct {
	uses   uint8
	coming bool
	ready  time.Duration
}

// hasTiers says whether blocks are kept anywhere else.
func (e *Engine) hasTiers() bool { return len(e.cfg.Tiers) > 0 }

// use counts one more use of blocks in the prefix cache, and offers those that are there
// to the tiers, the last one first, so that in a tier as on the GPU a prefix is younger
// than what extends it.
func (e *Engine) use(nodes []int32) {
	for k := len(nodes) - 1; k >= 0; k-- {
		b := &e.below[nodes[k]]
		b.uses = more(b.uses)
		if !b.coming {
			e.offer(nodes[k])
		}
	}
}

// offer gives the tiers a block that is there.
func (e *Engine) offer(i int32) {
	e.cfg.Tiers[0].use(e.pool.nodes[i].hash, e.below[i].uses, e.clock)
}

// expect is a block that is new to the prefix cache and has nothing in it yet.
func (e *Engine) expect(i int32) {
	for int(i) >= len(e.below) {
		e.below = append(e.below, below{})
	}
	e.below[i] = below{coming: true}
	e.coming = append(e.coming, i)
}

// came is the arrival of what is expected, but for the first from blocks of it.
func (e *Engine) came(from int) {
	for k := len(e.coming) - 1; k >= from; k-- {
		i := e.coming[k]
		there := e.below[i].coming && e.pool.nodes[i].refs >= 0 // not evicted meanwhile
		if e.below[i].coming = false; there {
			e.offer(i)
		}
	}
	e.coming = e.coming[:from]
}

// fetched is the end of the wait of s for what a tier brings; arrived says whether it is
// there, and s did not leave before.
func (e *Engine) fetched(s *sequence, arrived bool) {
	for k := len(s.held) - 1; k >= s.brought; k-- {
		b := &e.below[s.held[k]]
		there := b.coming && arrived
		if b.coming = false; there {
			e.offer(s.held[k])
		}
	}
}

// renew makes what a request held the youngest in the tiers, as it is on the GPU.
func (e *Engine) renew(nodes []int32) {
	for k := len(nodes) - 1; k >= 0; k-- {
		e.cfg.Tiers[0].renew(e.pool.nodes[nodes[k]].hash)
	}
}

// lost is the end of a block on the GPU: whoever follows the prefix cache hears of it,
// and a tier that takes what is evicted gets it.
func (e *Engine) lost(hash uint64) {
	if e.cfg.OnKV != nil {
		e.evicted(hash)
	}
	if e.hasTiers() {
		e.cfg.Tiers[0].spill(hash, e.clock)
	}
}

// inTiers counts, tier by tier, the blocks that follow the first from of s's and can be
// read, up to the first that none has.
func (e *Engine) inTiers(s *sequence, from int, at time.Duration) (found [MaxTiers]int, n int) {
	limit := min(len(s.req.Blocks), (s.context()-1)/e.cfg.BlockSize)
	for k := from; k < limit; k++ {
		i := 0
		for i < len(e.cfg.Tiers) && !e.cfg.Tiers[i].has(s.req.Blocks[k], at) {
			i++
		}
		if i == len(e.cfg.Tiers) {
			break
		}
		found[i]++
		n++
	}
	return found, n
}

// onboard has the tiers bring what they have of s, which was just admitted, and returns
// when all that it need not compute is on the GPU: at, where it is already. Blocks that
// are still on their way for another request are waited for, and not fetched twice.
func (e *Engine) onboard(s *sequence, at time.Duration) time.Duration {
	due := at
	for _, i := range s.held {
		due = max(due, e.below[i].ready)
	}
	cached := len(s.held)
	found, n := e.inTiers(s, cached, at)
	if n == 0 {
		return due
	}
	tokens, computing := (cached+n)*e.cfg.BlockSize, len(e.coming)
	if !e.grow(s, tokens) { // admission saw to it that there is room
		return due
	}
	e.coming = e.coming[:computing] // the others come with their transfer
	for i, t := range e.cfg.Tiers {
		due = max(due, t.read(found[i], at))
	}
	for _, i := range s.held[cached:] {
		e.below[i].ready = due
	}
	s.computed = tokens
	ev := &e.events[len(e.events)-1]
	ev.Cached = tokens
	for i := range e.cfg.Tiers {
		ev.Onboarded[i] = found[i] * e.cfg.BlockSize
	}
	if s.again {
		return due
	}
	e.stats.CachedTokens += int64(n * e.cfg.BlockSize)
	for i := range e.cfg.Tiers {
		e.stats.OnboardedTokens[i] += int64(ev.Onboarded[i])
	}
	return due
}

// await lets s, which was just admitted, wait for what tiers have of it, while the
// others go on. It reports false where there is nothing to wait for.
func (l *lockstep) await(e *Engine, s *sequence, at time.Duration) bool {
	if !e.hasTiers() {
		return false
	}
	s.brought = len(s.held)
	due := e.onboard(s, at)
	if due <= at {
		e.fetched(s, true)
		return false
	}
	s.phase, s.due = fetching, due
	heap.Push(&l.fetch, s)
	return true
}

// tiersFault says why tiers can have no effect, or are too many; empty where they can.
func (c Config) tiersFault() string {
	switch _, fixed := c.Timing.(Fixed); {
	case len(c.Tiers) == 0:
		return ""
	case len(c.Tiers) > MaxTiers:
		return "too many"
	case fixed:
		return "fixed times do not depend on caches"
	case schedulers[c.Type].whole:
		return "mocker-2025 has none"
	case c.NoChunkedPrefill:
		return "what follows a part that is fetched is computed in chunks, which are off"
	case c.NoPrefixCaching:
		return "without a prefix cache nothing is looked up"
	case c.Role == DecodeOnly:
		return "a decode worker gets its keys and values from a prefill worker"
	case c.KVBytesPerToken <= 0 || c.KVBytesPerToken > math.MaxInt32:
		return "the bytes of a token in the cache are not known"
	}
	return ""
}
