package router

import "math"

// Cost is what a request would cost on a worker, in blocks. With the prompt's
// tokens, those still to be prefilled on the worker and its credits,
//
//	credit  = OverlapScoreCredit·decay·device + HostCredit·host + DiskCredit·disk
//	decay   = 1 / (1 + CreditDecay·excess)
//	Prefill = max(0, (active prefill tokens + prompt tokens)/block size − credit)
//	Decode  = blocks of the running requests, this one among them
//	Total   = PrefillLoadScale·Prefill + Decode + RequestWeight·running requests
//
// where excess is the worker's active prefill over that of the worker with
// the least, divided by the prompt. It is the cost of Dynamo's selector
// (lib/kv-router, selector.rs at 01690d4) without a shared cache. The cost of
// its first releases, overlap_score_weight·prefill blocks + decode blocks, is
// this one with PrefillLoadScale as the weight and the other defaults.
type Cost struct {
	Overlap                Overlap
	Prefill, Decode, Total float64
}

// price sets r.costs for a request.
func (r *Router) price(q *Request) {
	r.index.overlaps(q.Blocks, r.overlaps)
	r.active.found(q.Blocks, r.found)
	least := math.MaxInt
	for i := range r.workers {
		least = min(least, r.workers[i].prefill)
	}
	size, tokens := float64(r.cfg.BlockSize), float64(q.Tokens)
	for i := range r.costs {
		c, o, w := &r.costs[i], r.overlaps[i], &r.workers[i]
		decay := 1 / (1 + r.cfg.CreditDecay*float64(w.prefill-least)/tokens)
		credit := r.cfg.OverlapScoreCredit*decay*float64(o.Device) + r.cfg.HostCredit*float64(o.Host) +
			r.cfg.DiskCredit*float64(o.Disk)
		c.Overlap = o
		c.Prefill = max(0, (float64(w.prefill)+tokens)/size-credit)
		c.Decode = 0
		if r.cfg.TrackActiveBlocks {
			c.Decode = r.active.blocks(i) + float64(len(q.Blocks)-r.found[i])
		}
		c.Total = r.cfg.PrefillLoadScale*c.Prefill + c.Decode + r.cfg.RequestWeight*float64(w.requests)
	}
}

// cheapest is the worker of the lowest cost. Of several, one is drawn, all
// equally likely: the first would take every burst that meets an idle
// cluster.
func (r *Router) cheapest(id uint64) int {
	return r.lowest(id, func(w int) float64 { return r.costs[w].Total })
}

// sampled is a worker drawn by a softmax over −cost/(range·Temperature),
// where the range is the highest cost less the lowest. Equal costs make all
// workers equally likely.
func (r *Router) sampled(id uint64) int {
	low, high := math.Inf(1), math.Inf(-1)
	for i := range r.costs {
		low, high = min(low, r.costs[i].Total), max(high, r.costs[i].Total)
	}
	scale := (high - low) * r.cfg.Temperature
	if scale == 0 && high > low {
		return r.cheapest(id) // a temperature too small for a float
	}
	var sum float64
	for i := range r.costs {
		r.weights[i] = 1
		if high > low {
			// Less the lowest cost, so that the largest exponent is 0.
			r.weights[i] = math.Exp((low - r.costs[i].Total) / scale)
		}
		sum += r.weights[i]
	}
	at := r.fraction(id) * sum
	for i, w := range r.weights {
		if at -= w; at < 0 {
			return i
		}
	}
	// Rounding left a rest: the last worker that can be drawn takes it.
	last := len(r.weights) - 1
	for r.weights[last] == 0 {
		last--
	}
	return last
}
