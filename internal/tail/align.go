package tail

import (
	"cmp"
	"math"
	"slices"
	"sort"
)

// Chunks of one step come apart on their way, some by as much as a step takes, so
// that the time of a chunk does not tell its step. But a reply that runs has exactly
// one chunk of each step: how its chunks go with those of the others is one number,
// and all of them together decide it, as those that are late on their way cannot.

// piece is a stretch of a reply in which it went on without a break, so that each of
// its reads is of the step after the one before.
type piece struct {
	req   *request
	reads []int   // the chunks that were read by themselves or as the first of several
	late  [][]int // of each read, those that were read with it
	first int     // the step of its first read
}

// stoodStill is how many times the usual time between two chunks has to pass for a
// reply to have stood still: what made it so is another question.
const stoodStill = 2.5

// pieces are those of all replies, in the order in which they are put into a grid.
func (w *worker) pieces() []*piece {
	var all []*piece
	open := map[*request]*piece{}
	for _, m := range w.moments {
		p := open[m.req]
		switch {
		case p != nil && m.req.isLate(m.nth):
			p.late[len(p.late)-1] = append(p.late[len(p.late)-1], m.nth)
			continue
		case p == nil || m.req.isLate(m.nth+1) || m.at-m.req.at[m.nth-1] > stoodStill*w.pace:
			p = &piece{req: m.req}
			open[m.req], all = p, append(all, p)
		}
		p.reads, p.late = append(p.reads, m.nth), append(p.late, nil)
	}
	// One that begins tells nothing of the steps at that time, which those that go on
	// do: it comes behind them, and still before its reply goes on after a break.
	due := func(p *piece) float64 {
		if p.begins() {
			return p.at(0) + 2*w.pace
		}
		return p.at(0)
	}
	slices.SortStableFunc(all, func(a, b *piece) int { return cmp.Compare(due(a), due(b)) })
	return all
}

// at is when the i-th of its reads came.
func (p *piece) at(i int) float64 { return p.req.at[p.reads[i]] }

// begins says that it is the begin of what its worker computed of the reply.
func (p *piece) begins() bool {
	n := p.reads[0]
	return n == 0 || n == 1 && p.req.prefill != p.req.decode
}

// grid is the ends of a worker's steps, as far as they are known: of each the first
// chunk.
type grid struct {
	ends []float64
	pace float64
}

// mostCompared is how many reads of a piece are held against the grid: more do not
// decide it better.
const mostCompared = 32

// cost is how far the reads of a piece are from the ends of the steps that follow each
// other from first on. One that is far off counts no more than two steps: it may have
// been late on its way. Beyond the last known end only the first read says something: it
// is too early where no step can have been between. The others follow from it.
func (g *grid) cost(p *piece, first int) (sum float64) {
	last := len(g.ends) - 1
	for i := range p.reads[:min(len(p.reads), mostCompared)] {
		at, j := p.at(i), first+i
		off := 0.0
		if j <= last {
			off = math.Abs(at - g.ends[j])
		} else if j == last+1 && last >= 0 {
			off = max(0, g.ends[last]+g.pace*3/4-at)
		}
		sum += min(off, 2*g.pace)
	}
	return sum
}

// place finds the step of the first read of a piece, which is none before least.
// next says that least is the step behind the last one of its reply, from which it
// moves only for a good reason.
func (g *grid) place(p *piece, least int, next bool) int {
	at := p.at(0)
	near := sort.Search(len(g.ends), func(j int) bool { return g.ends[j] > at })
	best, lowest := min(least, len(g.ends)), math.Inf(1)
	if next {
		lowest = g.cost(p, best) - g.pace
	}
	for first := max(least, near-4); first <= min(near+2, len(g.ends)); first++ {
		if c := g.cost(p, first); c < lowest {
			best, lowest = first, c
		}
	}
	return best
}

// take puts a piece into the grid.
func (g *grid) take(p *piece) {
	for i := range p.reads {
		switch j, at := p.first+i, p.at(i); {
		case j == len(g.ends):
			g.ends = append(g.ends, at)
		case at < g.ends[j]:
			g.ends[j] = at
		}
	}
}

// align says of each chunk in which step it came.
func (w *worker) align() (steps int) {
	g := &grid{pace: w.pace}
	last := map[*request]int{}
	for _, p := range w.pieces() {
		before, next := last[p.req]
		if next {
			before++
		}
		p.first = g.place(p, before, next)
		g.take(p)
		last[p.req] = p.first + len(p.reads) - 1
		for i, n := range p.reads {
			p.req.steps[n] = p.first + i
			for _, k := range p.late[i] {
				p.req.steps[k] = p.first + i
			}
		}
	}
	w.merge(g)
	return w.setApart(g)
}

// merge makes one step of two that no reply had both of, though little time lies
// between them: whoever runs has a chunk of each, so that the second is made of chunks
// that were late on their way.
func (w *worker) merge(g *grid) {
	linked := make([]bool, len(g.ends)) // with the next one
	for _, m := range w.moments {
		if j := m.req.steps[m.nth]; m.nth > 0 && m.req.steps[m.nth-1] == j-1 {
			linked[j-1] = true
		}
	}
	moved := make([]int, len(g.ends))
	var ends []float64
	for j, at := range g.ends {
		// Of three in a row a reply may have the first and the last.
		alone := j == 0 || linked[j-1] || j > 1 && moved[j-1] == moved[j-2] || at-g.ends[j-1] >= g.pace
		if alone {
			ends = append(ends, at)
		}
		moved[j] = len(ends) - 1
		ends[len(ends)-1] = min(ends[len(ends)-1], at)
	}
	g.ends = ends
	for _, m := range w.moments {
		m.req.steps[m.nth] = moved[m.req.steps[m.nth]]
	}
}

// setApart gives first chunks that came between the ends of two steps one of their
// own: some engines compute prompts in steps in which nobody decodes. It returns how
// many steps there are.
func (w *worker) setApart(g *grid) int {
	own := make([][]float64, len(g.ends)) // behind each step, the ends of such
	at := map[*request]int{}
	for _, m := range w.moments { // in the order of their times
		j := m.req.steps[m.nth]
		if m.nth > 0 || m.at-g.ends[j] <= g.pace || j+1 < len(g.ends) && g.ends[j+1]-m.at < g.pace/3 {
			continue
		}
		if n := len(own[j]); n == 0 || m.at-own[j][n-1] > g.pace/3 {
			own[j] = append(own[j], m.at)
		}
		at[m.req] = len(own[j])
	}
	moved, sum := make([]int, len(g.ends)), 0
	for j := range g.ends {
		moved[j] = j + sum
		sum += len(own[j])
	}
	for _, m := range w.moments {
		j := m.req.steps[m.nth]
		m.req.steps[m.nth] = moved[j]
		if n, apart := at[m.req]; apart && m.nth == 0 {
			m.req.steps[0] += n
		}
	}
	return len(g.ends) + sum
}
