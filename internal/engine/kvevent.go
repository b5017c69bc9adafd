package engine

import "time"

// KVEvent is a change of what a worker's prefix cache holds. Blocks are
// announced when the step that computes them starts.
type KVEvent struct {
	At time.Duration
	// ID counts the worker's events from 0.
	ID uint64
	// Removed distinguishes blocks that are gone from blocks that are new.
	Removed bool
	// Blocks are the hashes, for new ones in order of the sequence, each the
	// prefix of the next; valid during the call only. There is one event per
	// eviction.
	Blocks []uint64
	// Parent is the hash of the block before the first, when HasParent is
	// set; else the first begins a prompt. Removed has none.
	Parent    uint64
	HasParent bool
}

// stored announces positions from up to but not to of s's prompt.
func (e *Engine) stored(s *sequence, from, to int) {
	if e.cfg.OnKV == nil || from == to {
		return
	}
	ev := KVEvent{At: e.clock, ID: e.kvEvents, Blocks: s.req.Blocks[from:to]}
	if from > 0 {
		ev.Parent, ev.HasParent = s.req.Blocks[from-1], true
	}
	e.kvEvents++
	e.cfg.OnKV(ev)
}

// evicted announces the end of a block.
func (e *Engine) evicted(hash uint64) {
	e.gone[0] = hash
	ev := KVEvent{At: e.clock, ID: e.kvEvents, Removed: true, Blocks: e.gone[:]}
	e.kvEvents++
	e.cfg.OnKV(ev)
}
