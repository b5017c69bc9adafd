package tail

import "math"

// split says where the time of a request went. before computes its prompt, after its
// reply; mostly both are one.
func (a *analysis) split(q *request, before, after *worker) Request {
	r := Request{Index: q.index}
	r.First[Client] = q.sent - q.planned
	shift := a.readLate(q, 0, before)
	r.First[Client] += shift
	if before.apart {
		a.blind(q, &r)
	} else {
		a.firstChunk(q, before, q.first()-shift, &r.First)
	}
	r.Whole = r.First
	for n := 1; n < len(q.at); n++ {
		if after.apart {
			r.Whole[Unknown] += q.at[n] - q.at[n-1]
			continue
		}
		a.gap(q, n, before, after, &r.Whole)
	}
	if n := len(q.at) - 1; n > 0 {
		late := min(a.readLate(q, n, after), r.Whole[Decoding])
		r.Whole[Client] += late
		r.Whole[Decoding] -= late
	}
	return r
}

// blind splits the time to the first chunk where steps say nothing: by the server's
// word of when it began with the prompt.
func (a *analysis) blind(q *request, r *Request) {
	to := q.first()
	if !math.IsNaN(q.began) {
		r.First[Queueing] += q.began - q.sent
		r.First[Unknown] += to - q.began // its own prompt and those of others
		return
	}
	r.First[Unknown] += to - q.sent
}

// firstChunk splits the time from the request's last byte to its first chunk.
func (a *analysis) firstChunk(q *request, w *worker, to float64, s *Split) {
	began, own, others := to, 0.0, 0.0
	given := map[int]float64{}
	for _, p := range q.parts {
		given[p.step] += p.tokens
	}
	if len(q.parts) > 0 {
		for j := q.parts[0].step; j <= q.steps[0]; j++ {
			x := &w.steps[j]
			from, until := max(x.start, q.sent), min(x.end, to)
			if j == q.steps[0] {
				until = to
			}
			if until <= from {
				continue
			}
			began = min(began, from)
			alone := w.alone(x, given[j]) * (until - from)
			own, others = own+alone, others+until-from-alone
		}
	}
	if len(q.parts) == 0 && !math.IsNaN(q.began) {
		began = min(q.began, to)
		own = to - began
	}
	s[Queueing] += began - q.sent
	s[OthersPrefills] += others
	missing := own * float64(q.missed) / q.need()
	s[MissingCache] += missing
	s[OwnPrefill] += own - missing
}

// alone is the share of a step's time that it would have taken without the prompts of
// others; nothing of a step that computed only theirs is a request's own.
func (w *worker) alone(s *step, tokens float64) float64 {
	if tokens <= 0 {
		return 0
	}
	all := s.base + w.model.promptTime(s.tokens)
	if all <= 0 {
		return 1
	}
	return min(1, (s.base+w.model.promptTime(tokens))/all)
}

// gap splits the time between two chunks.
func (a *analysis) gap(q *request, n int, before, after *worker, s *Split) {
	took := q.at[n] - q.at[n-1]
	x := &after.steps[q.steps[n]]
	if n == 1 && before != after {
		decoding := min(took, x.base)
		s[Decoding] += decoding
		moved := min(took-decoding, a.transfer*float64(q.in))
		s[Transfer] += moved
		s[Queueing] += took - decoding - moved
		return
	}
	if after.lostPlace(q, n) {
		if p := a.server.Preemptions; p != nil && *p == 0 {
			s[Unknown] += took
			return
		}
		s[Preemption] += took
		return
	}
	others := after.othersIn(q.steps[n-1]+1, q.steps[n], took)
	s[OthersPrefills] += others
	s[Decoding] += took - others
}

// othersIn is how much of the time of steps with prompts in them is beyond decoding.
func (w *worker) othersIn(from, to int, took float64) float64 {
	base, prompts := 0.0, false
	for j := from; j <= to; j++ {
		base += w.steps[j].base
		prompts = prompts || w.steps[j].tokens > 0 && !w.steps[j].stalled
	}
	if !prompts {
		return 0
	}
	return max(0, took-base)
}

// readLate is by how much a chunk was read late for this client, as far as the pace of
// its reply tells: of several that were read together, the last should have come so
// many steps after the one before them, or, where that is the first chunk, the first so
// many before it was read.
func (a *analysis) readLate(q *request, nth int, w *worker) float64 {
	if q.late == nil || len(w.steps) == 0 || !w.steps[q.steps[nth]].stalled {
		return 0
	}
	pace := w.pace
	from, to := nth, nth
	for from > 0 && q.isLate(from) {
		from--
	}
	for to+1 < len(q.at) && q.isLate(to+1) {
		to++
	}
	if from == 0 {
		// Nothing came before: the first one is as late as those behind it say.
		return min(max(0, (float64(to)-float64(nth)+0.5)*pace), q.at[nth]-q.sent)
	}
	due := q.at[from-1] + float64(nth-from+1)*pace
	return max(0, q.at[nth]-due)
}
