package engine

import (
	"cmp"
	"container/heap"
	"slices"
	"sort"
	"time"
)

// Outlook is when the first token of r would come if r were submitted now, at
// the earliest time that Step may still be asked for, and nothing came after
// it. It changes nothing.
//
// It plays the steps to come: the one in flight to its end, what is left of the
// prompts begun, those that wait, and the decoding in the same steps, each
// prompt less what the prefix cache has of it now or will have from those
// before it. Preemption, evictions on the way, the time of transfers from tiers and of
// loading adapters, waits for a slot of an adapter, and the jitter of fixed times are left
// out; drafts are accepted as on average, and blocks that several sequences hold are given
// back by each.
func (e *Engine) Outlook(now time.Duration, r Request) time.Duration {
	if e.cfg.NoPrefixCaching {
		r.Blocks = nil
	}
	return e.pace.outlook(e, max(now, e.cfg.StartupTime), &sequence{req: r, foreseen: -1})
}

// prospect is a request on its way to its first token in an outlook.
type prospect struct {
	seq      *sequence
	computed int // tokens whose keys and values are in the cache
	context  int // tokens to be computed for the next token
	own      bool
}

// prospects are those that wait, in the order in which they would be admitted,
// with s among them. The slice is valid until the next call.
func (e *Engine) prospects(s *sequence, running []prospect) []prospect {
	q := e.ahead[:0]
	add := func(w *sequence, own bool) {
		if !w.dying {
			q = append(q, prospect{seq: w, context: w.context(), own: own})
		}
	}
	e.waiting.each(func(w *sequence) { add(w, false) })
	for _, in := range e.inputs.all() {
		if !in.cancel {
			add(in.seq, false)
		}
	}
	add(s, true)
	byPriority := func(a, b prospect) int { return cmp.Compare(b.seq.req.Priority, a.seq.req.Priority) }
	if !slices.IsSortedFunc(q, byPriority) {
		slices.SortStableFunc(q, byPriority)
	}
	for i := range q {
		w := q[i].seq
		if w.foreseen < 0 {
			w.foreseen = e.foresee(w, running, q[:i])
		}
		q[i].computed = min(w.foreseen, (q[i].context-1)/e.cfg.BlockSize*e.cfg.BlockSize)
	}
	if e.cfg.SGLang.Policy == "lpm" && e.rules.phased && len(q) <= longestSorted {
		slices.SortStableFunc(q, func(a, b prospect) int {
			return cmp.Or(byPriority(a, b), cmp.Compare(b.computed, a.computed))
		})
	}
	e.ahead = q
	return q
}

// foresee is how many tokens of s will be in the prefix cache when it is
// admitted: what is there, and what the prompts before it bring.
func (e *Engine) foresee(s *sequence, before ...[]prospect) int {
	blocks := s.req.Blocks
	if e.rules.whole {
		cached, _ := e.match(s)
		return cached * e.cfg.BlockSize
	}
	// Nobody holds a block without those before it, and they are evicted after
	// it: what is cached is a prefix.
	n := sort.Search(len(blocks), func(i int) bool { return e.pool.find(blocks[i]) == none })
	if e.hasTiers() {
		_, more := e.inTiers(s, n, e.latest)
		n += more
	}
	for _, list := range before {
		for i := range list {
			n = max(n, commonBlocks(blocks, list[i].seq.req.Blocks))
		}
	}
	return n * e.cfg.BlockSize
}

// commonBlocks is how many blocks two prompts begin with alike. A hash stands
// for all before it too, so equal hashes are a prefix.
func commonBlocks(a, b []uint64) int {
	n := min(len(a), len(b))
	if n == 0 || a[0] != b[0] {
		return 0
	}
	return sort.Search(n, func(i int) bool { return a[i] != b[i] })
}

// outlook of fixed times is a wait for a place, and then the time itself.
func (p *solo) outlook(e *Engine, now time.Duration, s *sequence) time.Duration {
	first, gap := sped(p.fixed.TTFT, p.speedup), sped(p.fixed.ITL, p.speedup)
	var ends ticks
	for r := e.running.first; r != nil; r = r.next {
		left := max(r.req.MaxTokens-r.generated-1, 0)
		if e.cfg.Role == PrefillOnly {
			left = 0
		}
		ends = append(ends, tickEnd{at: int64(r.due + time.Duration(left)*gap)})
	}
	heap.Init(&ends)
	for _, w := range e.prospects(s, nil) {
		at := now
		if len(ends) >= e.cfg.MaxNumSeqs {
			at = max(now, time.Duration(heap.Pop(&ends).(tickEnd).at))
		}
		if w.own {
			return at + first
		}
		left := max(w.seq.req.MaxTokens-w.seq.generated-1, 0)
		heap.Push(&ends, tickEnd{at: int64(at + first + time.Duration(left)*gap)})
	}
	return now + first
}

// tickEnd is when a sequence ends, as a tick or as a time, the tokens that it
// has then, and the remainder of the ticks at which it needs a block.
type tickEnd struct {
	at                int64
	tokens, remainder int
}

// ticks is a heap of ends.
type ticks []tickEnd

func (t ticks) Len() int           { return len(t) }
func (t ticks) Less(i, j int) bool { return t[i].at < t[j].at }
func (t ticks) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }

// Push is heap.Interface's.
func (t *ticks) Push(x any) { *t = append(*t, x.(tickEnd)) }

// Pop is heap.Interface's.
func (t *ticks) Pop() any {
	last := len(*t) - 1
	x := (*t)[last]
	*t = (*t)[:last]
	return x
}
