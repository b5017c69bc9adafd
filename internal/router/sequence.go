package router

import "math"

// sequence is a request that runs.
type sequence struct {
	worker int
	blocks []uint64 // in active, if any
	// own counts blocks that are only this request's and in no table: those
	// of its reply and, without AssumeKVReuse, of its prompt.
	own      int
	weight   int32 // of each of own
	outputs  int
	expected int // tokens of the reply
	prefill  int // tokens that worker.prefill counts for it
}

// admit counts a request to the load of its worker.
func (r *Router) admit(q Request, d Decision) {
	w := &r.workers[d.Worker]
	w.requests++
	s := sequence{worker: d.Worker, weight: whole, expected: q.ExpectedOutput}
	if r.cfg.Mode == KV {
		if r.cfg.TrackPrefillTokens {
			s.prefill = r.uncached(q.Tokens, d.Overlap)
			w.prefill += s.prefill
		}
		switch {
		case r.cfg.TrackActiveBlocks && r.cfg.AssumeKVReuse:
			s.blocks = q.Blocks
			r.active.enter(d.Worker, q.Blocks, r.found[d.Worker])
		case r.cfg.TrackActiveBlocks:
			s.own = len(q.Blocks)
			r.active.sums[d.Worker] += int64(s.own) * whole
		}
	}
	if len(r.free) == 0 {
		r.free = append(r.free, int32(len(r.sequences)))
		r.sequences = append(r.sequences, sequence{})
	}
	i := r.free[len(r.free)-1]
	r.free = r.free[:len(r.free)-1]
	r.sequences[i], r.known[q.ID] = s, i
}

// uncached is how many tokens a worker has to compute. A block on its device
// saves itself; one that must be fetched saves its credit's share, since
// fetching takes the rest.
func (r *Router) uncached(tokens int, o Overlap) int {
	saved := float64(o.Device) + r.cfg.HostCredit*float64(o.Host) + r.cfg.DiskCredit*float64(o.Disk)
	return max(0, tokens-int(math.Round(saved*float64(r.cfg.BlockSize))))
}

// running finds the sequence of a request, nil when none runs.
func (r *Router) running(id uint64) *sequence {
	i, ok := r.known[id]
	if !ok || i < 0 {
		return nil
	}
	return &r.sequences[i]
}

// PrefillDone says that the prompt of a request has been computed. It reports
// whether the request runs; a second call changes nothing.
func (r *Router) PrefillDone(id uint64) bool {
	s := r.running(id)
	if s == nil {
		return false
	}
	r.workers[s.worker].prefill -= s.prefill
	s.prefill = 0
	return true
}

// OutputBlock says that a running request has filled another block of its
// reply. It counts with TrackOutputBlocks in mode KV, and reports whether the
// request runs.
func (r *Router) OutputBlock(id uint64) bool {
	s := r.running(id)
	if s == nil {
		return false
	}
	if r.cfg.Mode != KV || !r.cfg.TrackOutputBlocks {
		return true
	}
	before := int64(s.own) * int64(s.weight)
	s.own++
	s.outputs++
	if s.expected > 0 {
		left := 1 - float64(s.outputs*r.cfg.BlockSize)/float64(s.expected)
		s.weight = int32(math.Round(max(0, left) * whole))
		r.active.fade(s.worker, s.blocks, s.weight)
	}
	r.active.sums[s.worker] += int64(s.own)*int64(s.weight) - before
	return true
}

// Finished says that a request has ended, however it did, and frees its ID.
// One that still waits leaves the queue. It reports whether the request was
// known.
func (r *Router) Finished(id uint64) bool {
	i, ok := r.known[id]
	if !ok {
		return false
	}
	delete(r.known, id)
	if i < 0 {
		return r.queue.remove(id)
	}
	s := &r.sequences[i]
	w := &r.workers[s.worker]
	w.requests--
	w.prefill -= s.prefill
	r.active.leave(s.worker, s.blocks)
	r.active.sums[s.worker] -= int64(s.own) * int64(s.weight)
	*s = sequence{}
	r.free = append(r.free, i)
	return true
}
