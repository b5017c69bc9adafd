package synth

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"headway/workload"
)

// A prefix comes again soon after it was used: the turns of a session, the tools of
// an agent. Cards that are dealt in random order lose that, and with it the hits of
// every cache that is smaller than the trace. So a model keeps the places at which
// rows left the tree, counted in rows from the start of the trace, and what is drawn
// is a pass through the tree in which each prefix keeps the distances between its
// visits while the prefixes change places with each other.
//
// At each node the children are units: their first visit may be anywhere that
// another child of about the same span had its first, and everything below moves
// along. The set of first visits, and so how often and how far apart the node itself
// is visited, is that of the trace, whether it is a system prompt that everybody
// has, a document that was in demand for an hour, or one session.
//
// The alternative, to draw the distance of every row from a common distribution,
// needs no places. It gives each prefix the average distance, while in real traces
// those of long sessions and of popular prompts differ by orders of magnitude.

// Units change places when their spans differ by up to spanRatio (plus spanSlack
// rows), since rows crowd where long units took over from short ones, and within
// 1/stretches of the trace, so that what is busier or longer later stays so.
const (
	spanRatio = 1.25
	spanSlack = 4
	stretches = 8
)

// ordered says whether the model knows when its prefixes were visited.
func (m *Model) ordered() bool { return m.places > 0 }

// sequence deals the terminals of one pass after another.
type sequence struct {
	p     *plan
	key   workload.Key
	cards []card
	at    int
	pass  int // number of the pass that cards are of, plus 1
}

// card is one row of a pass.
type card struct {
	place    float64
	terminal int32
}

func (s *sequence) draw() (terminal, pass int) {
	if s.at == len(s.cards) {
		s.cards = s.p.shuffled(s.cards[:0], s.key.Index(s.pass).Rand())
		s.at = 0
		s.pass++
	}
	s.at++
	return int(s.cards[s.at-1].terminal), s.pass - 1
}

// shuffled appends the cards of one pass in their order.
func (p *plan) shuffled(cards []card, r *rand.Rand) []card {
	moved := p.moves(r)
	for i, t := range p.terminals {
		n := &p.model.nodes[t.node]
		at, rows := n.endAt, n.ends
		if t.leaf {
			at, rows = n.leafAt, n.leaves
		}
		for k := range rows {
			// Less than a row, so that of two rows at one place either may be first.
			cards = append(cards, card{moved[t.node] + between(at, k, rows) + r.Float64(), int32(i)})
		}
	}
	slices.SortFunc(cards, func(a, b card) int {
		return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.terminal, b.terminal))
	})
	return cards
}

// moves says by how many rows each node is moved in a pass.
func (p *plan) moves(r *rand.Rand) []float64 {
	moved := make([]float64, len(p.model.nodes))
	stretch := float64(p.model.Rows) / stretches
	for parent, alike := range p.units {
		for _, units := range alike {
			// The stretches begin anywhere, so that none is a border in every pass.
			end := float64(p.visited[units[0]].first) + stretch*r.Float64()
			for len(units) > 0 {
				n := 0
				for n < len(units) && float64(p.visited[units[n]].first) <= end {
					n++
				}
				for i, j := range r.Perm(n) {
					moved[units[i]] = moved[parent] + float64(p.visited[units[j]].first-p.visited[units[i]].first)
				}
				units = units[n:]
				end += stretch
			}
		}
	}
	return moved
}

// visited is when a node was visited, in rows from the start of the trace.
type visited struct{ first, last int }

func (v visited) span() int { return v.last - v.first }

// measureVisits finds when each node was visited, and lists the children of each:
// those of about the same span together, by their first visit.
func (p *plan) measureVisits() {
	nodes := p.model.nodes
	p.visited, p.units = make([]visited, len(nodes)), make([][][]int32, len(nodes))
	children := make([][]int32, len(nodes))
	for i := range nodes {
		p.visited[i] = visited{p.model.Rows, -1}
	}
	for i := len(nodes) - 1; i >= 0; i-- {
		v := &p.visited[i]
		for _, at := range [][]int{nodes[i].leafAt, nodes[i].endAt} {
			if len(at) > 0 {
				*v = visited{min(v.first, at[0]), max(v.last, at[len(at)-1])}
			}
		}
		if parent := nodes[i].parent; parent >= 0 {
			u := &p.visited[parent]
			*u = visited{min(u.first, v.first), max(u.last, v.last)}
			children[parent] = append(children[parent], int32(i))
		}
	}
	for parent, units := range children {
		p.units[parent] = p.alike(units)
	}
	p.lasting = lasting(p.model, p.visited)
}

// alike divides units by their span.
func (p *plan) alike(units []int32) (groups [][]int32) {
	slices.SortFunc(units, func(a, b int32) int {
		return cmp.Or(p.visited[a].span()-p.visited[b].span(), int(a-b))
	})
	for len(units) > 0 {
		limit := spanRatio * float64(p.visited[units[0]].span()+spanSlack)
		n := 1
		for n < len(units) && float64(p.visited[units[n]].span()+spanSlack) <= limit {
			n++
		}
		slices.SortFunc(units[:n], func(a, b int32) int {
			return cmp.Or(p.visited[a].first-p.visited[b].first, int(a-b))
		})
		groups = append(groups, units[:n:n])
		units = units[n:]
	}
	return groups
}

// lasting says of each node whether it is the same in the next pass through the
// trace. A session is over and another one comes; a system prompt stays. A node
// lasts when from its last visit to its first in the next pass is no longer than it
// was between two visits before, and so does what is before it.
func lasting(m *Model, seen []visited) []bool {
	out := make([]bool, len(m.nodes))
	at := make([][]int, len(m.nodes)) // visits of each node
	for i := len(m.nodes) - 1; i >= 0; i-- {
		n := &m.nodes[i]
		at[i] = append(append(at[i], n.leafAt...), n.endAt...)
		slices.Sort(at[i])
		gap := 0
		for k := 1; k < len(at[i]); k++ {
			gap = max(gap, at[i][k]-at[i][k-1])
		}
		out[i] = i == 0 || m.Rows-seen[i].span() <= gap
		if n.parent >= 0 {
			at[n.parent] = append(at[n.parent], at[i]...)
			at[i] = nil
		}
	}
	for i := 1; i < len(out); i++ {
		out[i] = out[i] && out[m.nodes[i].parent]
	}
	return out
}

// between is the place of row k of so many, of which only some places are known:
// those of the first, the last, and rows at equal steps between them.
func between(known []int, k, rows int) float64 {
	if len(known) == rows {
		return float64(known[k])
	}
	x := float64(k) * float64(len(known)-1) / float64(rows-1)
	i := min(int(x), len(known)-2)
	return float64(known[i]) + (x-float64(i))*float64(known[i+1]-known[i])
}

// thinPlaces keeps at most so many of sorted places, as between expects them.
func thinPlaces(at []int, most int) []int {
	if len(at) <= most {
		return at
	}
	kept, last := make([]int, most), len(at)-1
	for i := range kept {
		kept[i] = at[i*last/(most-1)]
	}
	return kept
}

// leastPlaces is how many places each terminal keeps at the least: the distance of
// two visits must stay.
const leastPlaces = 2

// keepPlaces hands the places to the nodes, and thins the longest lists until there
// are no more than limit in all, 0 without one. It returns the most of a list.
func (t *fitted) keepPlaces(limit int) int {
	lists := make([]int, 0, 2*len(t.nodes))
	longest := leastPlaces
	for i := range t.nodes {
		for _, at := range [][]int{t.leafAt[i], t.endAt[i]} {
			slices.Sort(at)
			lists = append(lists, len(at))
			longest = max(longest, len(at))
		}
	}
	most := longest
	if limit > 0 {
		low := leastPlaces
		for low < most {
			try := (low + most + 1) / 2
			sum := 0
			for _, n := range lists {
				sum += min(n, try)
			}
			if sum <= limit {
				low = try
			} else {
				most = try - 1
			}
		}
	}
	for i := range t.nodes {
		t.nodes[i].leafAt, t.nodes[i].endAt = thinPlaces(t.leafAt[i], most), thinPlaces(t.endAt[i], most)
	}
	return most
}
