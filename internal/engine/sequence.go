package engine

import (
	"math/rand/v2"
	"time"
)

// sequence is a request on its way through the engine.
type sequence struct {
	req   Request
	order uint64 // of submission; breaks ties
	came  time.Duration
	phase phase
	dying bool // a cancellation is queued
	again bool // it was admitted before
	quiet bool // its next token is not the first since its admission

	// generated counts the tokens produced, and private the blocks held that
	// have no name. While decoding in step with others neither is kept up to
	// date: see [decoding].
	generated int
	private   int
	held      []int32 // named blocks: the first of the prompt, in order
	brought   int     // how many of those it had when tiers were asked for more

	computed int // tokens whose keys and values are in the cache, while prefilling
	chunk    int // tokens that the step in flight computes, while prefilling

	// foreseen is how many tokens an outlook expects to find in the prefix
	// cache; -1 before the first one.
	foreseen int

	// While running.
	admitted   uint64 // counts admissions
	prev, next *sequence

	base     int   // while decoding: generated is base + ticks
	lastTick int64 // while decoding: the tick that brings the last token

	// due is when the transfer ends, or when the next token comes where every
	// sequence has its own pace; then rng gives the jitter.
	due       time.Duration
	heapIndex int
	rng       *rand.Rand
}

// phase is where a sequence stands.
type phase uint8

const (
	inQueue phase = iota
	prefilling
	fetching // waits for its keys and values from another worker, or from a tier
	decodes
)

// context is how many tokens must be in the cache before the next one can be
// produced: the prompt and everything produced so far.
func (s *sequence) context() int { return s.req.PromptTokens + s.generated }

// roster is the running sequences in order of admission, linked so that anyone
// can leave at no cost.
type roster struct {
	first, last *sequence
	n           int
}

func (l *roster) push(s *sequence) {
	s.prev, s.next = l.last, nil
	if l.last == nil {
		l.first = s
	} else {
		l.last.next = s
	}
	l.last = s
	l.n++
}

func (l *roster) remove(s *sequence) {
	if s.prev == nil {
		l.first = s.next
	} else {
		s.prev.next = s.next
	}
	if s.next == nil {
		l.last = s.prev
	} else {
		s.next.prev = s.prev
	}
	s.prev, s.next = nil, nil
	l.n--
}

// queue is the waiting sequences: those of higher priority first, and first
// come, first served among equals.
type queue struct {
	levels []level // from the highest priority
	n      int
}

type level struct {
	priority int
	fifo[*sequence]
}

func (q *queue) len() int { return q.n }

// at is the level of a priority, made if need be. There are as many as there
// are different priorities: few.
func (q *queue) at(priority int) *level {
	i := 0
	for i < len(q.levels) && q.levels[i].priority > priority {
		i++
	}
	if i == len(q.levels) || q.levels[i].priority != priority {
		q.levels = append(q.levels, level{})
		copy(q.levels[i+1:], q.levels[i:])
		q.levels[i] = level{priority: priority}
	}
	return &q.levels[i]
}

func (q *queue) push(s *sequence) {
	q.at(s.req.Priority).push(s)
	q.n++
}

// pushFront puts s before all others of its priority.
func (q *queue) pushFront(s *sequence) {
	q.at(s.req.Priority).pushFront(s)
	q.n++
}

// first is the head, or nil.
func (q *queue) first() *sequence {
	for i := range q.levels {
		if q.levels[i].len() > 0 {
			return q.levels[i].first()
		}
	}
	return nil
}

// remove takes s out and reports whether it was there.
func (q *queue) remove(s *sequence) bool {
	l := q.at(s.req.Priority)
	if l.len() == 0 {
		return false
	}
	if l.first() == s {
		l.pop()
	} else if !l.fifo.remove(s) {
		return false
	}
	q.n--
	return true
}

// each calls f with everyone from the head to the tail.
func (q *queue) each(f func(*sequence)) {
	for i := range q.levels {
		for _, s := range q.levels[i].all() {
			f(s)
		}
	}
}
