package profile

import (
	"slices"
	"sync"
)

// board is what is known while a phase is searched. Candidates that are being
// measured read it while others end.
type board struct {
	phase      Phase
	target     float64 // seconds
	candidates []Candidate
	rejected   []Rejected

	mu      sync.Mutex
	running []Candidate
	known   map[Candidate]Outcome
}

func newBoard(s Search, p Phase, list []Candidate, rejected []Rejected) *board {
	return &board{phase: p, target: s.SLO.Of(p), candidates: list, rejected: rejected, known: map[Candidate]Outcome{}}
}

// start notes that a job runs, on the boards of all phases that it measures.
func (all boards) start(j job) {
	for _, p := range j.measure {
		b := all[p]
		b.mu.Lock()
		b.running = append(b.running, Candidate{Phase: p, Mapping: j.open.Mapping})
		b.mu.Unlock()
	}
}

// stop notes that it has ended.
func (all boards) stop(j job) {
	for _, p := range j.measure {
		b, c := all[p], Candidate{Phase: p, Mapping: j.open.Mapping}
		b.mu.Lock()
		b.running = slices.DeleteFunc(b.running, func(r Candidate) bool { return r == c })
		b.mu.Unlock()
	}
}

func (b *board) settle(c Candidate, o Outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.known[c] = o
}

// left are the candidates that are neither measured nor running.
func (b *board) left() []Candidate {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []Candidate
	for _, c := range b.candidates {
		if _, done := b.known[c]; !done && !slices.Contains(b.running, c) {
			list = append(list, c)
		}
	}
	return list
}

// outcomes are those so far, in the order of the candidates.
func (b *board) outcomes() []Outcome {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []Outcome
	for _, c := range b.candidates {
		if o, done := b.known[c]; done {
			list = append(list, o)
		}
	}
	return list
}

func (b *board) best() (Pick, bool) { return SelectPhase(b.phase, b.outcomes(), b.target) }

// result sums a phase up. What was never started is pruned.
func (b *board) result(notes []string) PhaseResult {
	r := PhaseResult{Phase: b.phase, Rejected: b.rejected, Notes: notes}
	b.mu.Lock()
	for _, c := range b.candidates {
		o, done := b.known[c]
		if !done {
			o = newOutcome(c)
			o.Status, o.Problem = Pruned, "not started"
		}
		r.Outcomes = append(r.Outcomes, o)
		r.GPUMinutes += o.GPUMinutes
	}
	b.mu.Unlock()
	if pick, ok := b.best(); ok {
		r.Pick = &pick
	}
	return r
}
