package engine

import (
	"math"
	"time"
)

// match says what the prefix cache has of a sequence that is about to be
// admitted: how many of its blocks need not be computed, and how many of its
// blocks a running sequence holds, so that they cost no room.
func (e *Engine) match(s *sequence) (cached, shared int) {
	limit := len(s.req.Blocks)
	if e.rules.whole {
		limit = min(limit, s.context()/e.cfg.BlockSize)
		// Any position counts, and nothing is held for it at admission.
		for _, h := range s.req.Blocks[:limit] {
			if e.pool.find(h) != none {
				cached++
			}
		}
		return cached, 0
	}
	// The last token is computed in any case: its output is the next one. On a
	// decode worker that is the one that came with the prompt.
	limit = min(limit, (s.context()-1)/e.cfg.BlockSize)
	for cached < limit {
		i := e.pool.find(s.req.Blocks[cached])
		if i == none {
			break
		}
		if e.pool.isActive(i) {
			shared++
		}
		cached++
	}
	return cached, shared
}

// admit moves the head of the queue among the running, or returns nil when it
// has to wait. It never looks past the head: a short request does not overtake
// a long one. Those for whose adapter there is no slot are passed over.
// budget bounds what a prompt that is computed whole may cost.
//
// That the head had to wait for room is remembered: nothing but a release or a
// change of the queue can change the answer. (New blocks in the cache could,
// too, but while a prompt is being computed nobody gets as far as to be asked.)
func (e *Engine) admit(at time.Duration, budget int) *sequence {
	if e.stuck || e.waiting.len() == 0 {
		return nil
	}
	if e.running.n >= e.cfg.MaxNumSeqs {
		e.stuck = true
		return nil
	}
	s := e.firstAdmissible()
	if s == nil {
		e.stuck = true
		return nil
	}
	if s.came > e.cutoff {
		return nil
	}
	cached, shared := e.match(s)
	if !e.fits(s, shared) {
		e.stuck = true
		return nil
	}
	if e.cfg.NoChunkedPrefill && e.cfg.Role != DecodeOnly && s.context()-cached*e.cfg.BlockSize > budget {
		return nil
	}
	e.enter(s, cached, at)
	return s
}

// fits reports whether the blocks of s's whole context have room below the
// watermark, with the output where that is set aside.
func (e *Engine) fits(s *sequence, shared int) bool {
	need := e.cfg.blocksFor(s.context() + e.firstAhead())
	switch {
	case e.rules.whole:
		return e.holding+need <= e.usable
	case e.rules.reserve:
		promised := e.reserved - e.holding
		return e.pool.active+promised+e.whole(s)-shared <= e.usable
	}
	return e.pool.active+need-shared <= e.usable
}

// whole is how many blocks the prompt and all of the output take.
func (e *Engine) whole(s *sequence) int {
	return e.cfg.blocksFor(e.cfg.tokensHere(s.req) + e.cfg.Speculation.Tokens)
}

// firstAhead is 1 where the step that follows admission decodes, and so needs
// the block of the token it brings.
func (e *Engine) firstAhead() int {
	if e.cfg.Role == DecodeOnly {
		return e.rules.ahead
	}
	return 0
}

// enter moves s from the queue among the running. The leading cached blocks
// are its own from now on.
func (e *Engine) enter(s *sequence, cached int, at time.Duration) {
	e.waiting.remove(s)
	e.running.push(s)
	e.load(s)
	first := s.admitted == 0
	e.admissions++
	s.admitted, s.phase, s.quiet = e.admissions, prefilling, false
	e.reserved += e.whole(s)
	if !e.rules.whole {
		for _, h := range s.req.Blocks[:cached] {
			i := e.pool.find(h)
			e.pool.ref(i)
			s.held = append(s.held, i)
		}
		e.holding += cached
		if e.hasTiers() {
			e.use(s.held)
		}
	}
	s.again = !first
	s.computed = cached * e.cfg.BlockSize
	if first {
		e.stats.QueriedTokens += int64(s.context())
		e.stats.CachedTokens += int64(s.computed)
	}
	e.events = append(e.events, Event{At: at, ID: s.req.ID, Kind: Admitted, Token: s.generated, Cached: s.computed})
}

// grow gives s the blocks for so many tokens of its context, or reports false,
// and does nothing, when there are not enough. Growth may use what the
// watermark keeps from admission.
func (e *Engine) grow(s *sequence, tokens int) bool {
	need := e.cfg.blocksFor(tokens)
	if need <= len(s.held)+s.private && tokens < e.nextName(s) {
		return true
	}
	full := min(len(s.req.Blocks), tokens/e.cfg.BlockSize)
	if !e.roomFor(s, need, full) {
		return false
	}
	before := len(s.held) + s.private
	e.nameBlocks(s, full)
	if more := need - len(s.held) - s.private; more > 0 {
		e.pool.take(more)
		s.private += more
	}
	e.holding += len(s.held) + s.private - before
	return true
}

// nextName is with how many tokens the next block of s is full and has a name.
func (e *Engine) nextName(s *sequence) int {
	if len(s.held) >= len(s.req.Blocks) {
		return math.MaxInt
	}
	return (len(s.held) + 1) * e.cfg.BlockSize
}

// roomFor reports whether s can have need blocks, the first full of them
// named. A block takes room unless somebody holds it already. Where room is
// plenty, nobody has to be looked up.
func (e *Engine) roomFor(s *sequence, need, full int) bool {
	more := need - len(s.held) - s.private
	if more <= e.pool.available() {
		return true
	}
	for _, h := range s.req.Blocks[min(len(s.held), full):full] {
		if i := e.pool.find(h); i != none && e.pool.isActive(i) {
			more--
		}
	}
	return more <= e.pool.available()
}

// nameBlocks makes the first full blocks of s's prompt named ones. A block
// that is in the pool already is shared, even where it was not credited; a
// private block that has filled up gets its name.
func (e *Engine) nameBlocks(s *sequence, full int) {
	before := len(s.held)
	fresh := before // where a run of blocks that are new to the pool begins
	for k := fresh; k < full; k++ {
		h := s.req.Blocks[k]
		if i := e.pool.find(h); i != none {
			if s.private > 0 {
				e.pool.give(1)
				s.private--
			}
			e.pool.ref(i)
			e.stored(s, fresh, k)
			fresh = k + 1
			s.held = append(s.held, i)
			continue
		}
		if s.private > 0 {
			s.private--
		} else {
			e.pool.take(1)
		}
		s.held = append(s.held, e.pool.name(h))
		if e.hasTiers() {
			e.expect(s.held[k])
		}
	}
	e.stored(s, fresh, len(s.held))
	if e.hasTiers() {
		e.use(s.held[before:])
	}
}
