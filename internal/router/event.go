package router

import (
	"errors"
	"fmt"
)

// EventKind says what happened in a worker's KV cache.
type EventKind uint8

const (
	// Stored says that the worker now has the blocks.
	Stored EventKind = iota
	// Removed says that the worker no longer has the blocks.
	Removed
	// Cleared says that the worker has no blocks any more, in no tier.
	Cleared
)

// Tier is where a worker keeps a block.
type Tier uint8

const (
	// Device is the memory of the accelerator.
	Device Tier = iota
	// Host is the memory of the worker's host.
	Host
	// Disk is the disk of the worker's host.
	Disk

	tiers = 3
)

// Event is a change of a worker's KV cache. Blocks are sequence hashes: the
// hash of a block covers all blocks before it, so it names its whole prefix.
// The slice is not kept.
type Event struct {
	Kind EventKind
	Tier Tier
	// Parent is the block before the first one of Stored, if HasParent is
	// set; else the first one begins a prompt. The index does not need it,
	// but a parent that the worker does not have shows that events were lost
	// or came out of order; see [Router.Orphans].
	Parent    uint64
	HasParent bool
	Blocks    []uint64
}

var errPredicts = errors.New("applying a KV event: this router predicts the caches; set UseKVEvents")

// Apply takes note of an event of a worker. Events may be repeated and out of
// order: a block is there after Stored and gone after Removed, whichever came
// how often. It fails for a worker or tier that does not exist, and without
// UseKVEvents.
func (r *Router) Apply(worker int, e Event) error {
	switch {
	case !r.cfg.UseKVEvents:
		return errPredicts
	case worker < 0 || worker >= r.cfg.Workers:
		return fmt.Errorf("applying a KV event: worker %d does not exist: there are %d, from 0", worker, r.cfg.Workers)
	case e.Tier >= tiers || e.Kind > Cleared:
		return fmt.Errorf("applying a KV event of worker %d: kind %d in tier %d is not known", worker, e.Kind, e.Tier)
	}
	r.index.apply(worker, e)
	r.applied++
	return nil
}

// AppliedEvents counts what Apply took. None at all after a run in mode KV
// with UseKVEvents means that the workers publish nothing and that every
// overlap was 0, which the caller should say.
func (r *Router) AppliedEvents() int64 { return r.applied }

// Orphans counts the Stored events whose parent the worker did not have.
func (r *Router) Orphans() int64 { return r.index.orphans }
