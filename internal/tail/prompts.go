package tail

import (
	"cmp"
	"slices"
)

// item is a prompt that the worker computes: of a request, or the context of one that
// lost its place.
type item struct {
	req    *request
	again  bool // computed before
	done   int  // the step that completed it
	came   float64
	tokens float64
	left   float64
}

// items are in the order in which they were completed, which is the order in which
// an engine that serves first come, first served begins them.
func (w *worker) items() []*item {
	var all []*item
	for _, q := range w.prompts {
		all = append(all, &item{req: q, done: q.steps[0], came: q.sent, tokens: q.need(), left: q.need()})
	}
	for _, m := range w.moments {
		if m.nth > 0 && w.lostPlace(m.req, m.nth) {
			n := float64(m.req.in + m.nth)
			all = append(all, &item{req: m.req, again: true, done: m.req.steps[m.nth], came: m.req.at[m.nth-1],
				tokens: n, left: n})
		}
	}
	slices.SortStableFunc(all, func(a, b *item) int {
		return cmp.Or(cmp.Compare(a.done, b.done), cmp.Compare(a.came, b.came))
	})
	return all
}

// lostPlace says that a reply stood still before a chunk while others of the worker
// went on.
func (w *worker) lostPlace(q *request, nth int) bool {
	if nth == 0 || q.isLate(nth) || nth == 1 && q.prefill != q.decode {
		return false
	}
	from, to := q.steps[nth-1], q.steps[nth]
	if to-from < 2 || q.at[nth]-q.at[nth-1] < 2.5*w.steps[to].base {
		return false
	}
	// What was read late says nothing of when it came.
	return !slices.ContainsFunc(w.steps[from:to+1], func(s step) bool { return s.stalled })
}

// sharePrompts gives the time that each step took beyond decoding to the prompts that
// it can have been spent on: those that it completed, and then the next in order.
func (w *worker) sharePrompts() {
	items := w.items()
	next := 0 // of the items, the first that is not completed
	for j := range w.steps {
		s := &w.steps[j]
		end := next
		for ; end < len(items) && items[end].done == j; end++ {
			w.give(items[end], j, items[end].left)
		}
		w.shareRest(items[end:], j, w.model.promptTokens(s.end-s.start-s.base)-s.tokens)
		next = end
	}
}

// mostAhead is how many prompts one step begins with at most, beside those that it
// completes.
const mostAhead = 64

// shareRest gives what a step computed beside the prompts that it completed.
func (w *worker) shareRest(items []*item, j int, tokens float64) {
	s := &w.steps[j]
	more := w.model.promptTime(s.tokens+tokens) - w.model.promptTime(s.tokens)
	if s.stalled || tokens <= 0 || more < max(0.15*s.base, 0.05*(s.end-s.start), w.noise) {
		return
	}
	for _, x := range items[:min(len(items), mostAhead)] {
		if x.came > s.start || tokens <= 0 {
			continue
		}
		take := min(tokens, 0.98*x.left) // some is left for the step that completes it
		w.give(x, j, take)
		tokens -= take
	}
}

func (w *worker) give(x *item, j int, tokens float64) {
	x.left -= tokens
	w.steps[j].tokens += tokens
	if !x.again {
		x.req.parts = append(x.req.parts, part{j, tokens})
	}
}
