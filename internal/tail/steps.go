package tail

import (
	"cmp"
	"slices"

	"headway/internal/series"
)

// moment is a chunk of a reply at its worker.
type moment struct {
	at  float64
	req *request
	nth int
}

// step is what a worker did up to one end of a step, as far as chunks tell it: where
// nobody decodes, several steps can be one.
type step struct {
	start, end float64
	firsts     []*request // whose prompt it completed
	decoding   int        // sequences that got another token than the first
	context    float64    // of those, in tokens
	stalled    bool       // chunks of several steps were read together
	base       float64    // seconds without prompts
	tokens     float64    // of prompts, as far as its time tells
}

// worker is one engine's steps.
type worker struct {
	name    string
	moments []moment
	prompts []*request // that it computes, in the order of their first tokens
	steps   []step
	model   model
	noise   float64 // seconds by which steps differ for no reason that can be told
	pace    float64 // seconds between chunks, typically
	apart   bool    // its replies do not go in step with each other
}

// workersOf gathers the chunks by who produced them.
func workersOf(all []*request) []*worker {
	named := map[string]*worker{}
	var list []*worker
	of := func(name string) *worker {
		w := named[name]
		if w == nil {
			w = &worker{name: name}
			named[name], list = w, append(list, w)
		}
		return w
	}
	for _, q := range all {
		q.steps = make([]int, len(q.at))
		w := of(q.prefill)
		w.prompts = append(w.prompts, q)
		w.moments = append(w.moments, moment{q.at[0], q, 0})
		w = of(q.decode)
		for n, at := range q.at[1:] {
			w.moments = append(w.moments, moment{at, q, n + 1})
		}
	}
	for _, w := range list {
		slices.SortFunc(w.moments, func(a, b moment) int {
			return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.req.index, b.req.index), cmp.Compare(a.nth, b.nth))
		})
		slices.SortStableFunc(w.prompts, func(a, b *request) int { return cmp.Compare(a.first(), b.first()) })
	}
	return list
}

// typicalGap is the middle gap between chunks that the worker produced one by one.
func (w *worker) typicalGap() float64 {
	var gaps []float64
	for _, m := range w.moments {
		if m.nth > 1 && !m.req.isLate(m.nth) {
			gaps = append(gaps, m.req.at[m.nth]-m.req.at[m.nth-1])
		}
	}
	return middleOf(gaps)
}

// middleOf is the median, 0 of none.
func middleOf(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return series.Percentile(values, 50)
}

// findSteps puts the chunks together that came at the end of one step.
func (w *worker) findSteps() {
	w.steps = make([]step, w.align())
	for _, m := range w.moments {
		w.steps[m.req.steps[m.nth]].holds(m, m.req.isLate(m.nth))
	}
	w.findStarts()
}

func (s *step) holds(m moment, late bool) {
	s.stalled = s.stalled || late
	if s.end == 0 || m.at < s.end {
		s.end = m.at
	}
	if m.nth == 0 {
		s.firsts = append(s.firsts, m.req)
		return
	}
	s.decoding++
	s.context += float64(m.req.in + m.nth)
}

// findStarts gives each step the end of the one before, or where the worker had
// nothing to do then, the time at which the next request came.
func (w *worker) findStarts() {
	came := slices.Clone(w.prompts)
	slices.SortStableFunc(came, func(a, b *request) int { return cmp.Compare(a.sent, b.sent) })
	next, waits := 0, 0 // requests that came, and of those how many have no first token
	for j := range w.steps {
		s := &w.steps[j]
		if j > 0 {
			s.start = w.steps[j-1].end
		}
		for next < len(came) && came[next].sent <= s.start {
			next, waits = next+1, waits+1
		}
		if s.decoding == 0 && waits == 0 && next < len(came) {
			s.start = max(s.start, min(came[next].sent, s.end))
		}
		for next < len(came) && came[next].sent <= s.end {
			next, waits = next+1, waits+1
		}
		waits -= len(s.firsts)
	}
}

// inStep says whether replies advance together: only then do steps mean anything.
func (w *worker) inStep() bool {
	near, off := 0, 0
	for _, m := range w.moments {
		if m.nth < 2 || m.req.isLate(m.nth) {
			continue
		}
		if m.at-w.steps[m.req.steps[m.nth]].end > 0.4*w.pace {
			off++
		} else {
			near++
		}
	}
	return off*4 <= near+off
}
