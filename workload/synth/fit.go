package synth

import (
	"cmp"
	"slices"

	"headway/workload"
)

// Model is what is kept of a trace: how often each shared prefix was taken, how
// long it is, what comes after it, and when rows arrive. Its methods do not change
// it, and it may be drawn from by several goroutines.
type Model struct {
	// BlockSize is that of the trace, in tokens.
	BlockSize int
	// Rows is how many the trace had.
	Rows int
	// Prefixes says whether the trace had block ids. Without them drawn rows have
	// none either.
	Prefixes bool
	Arrivals ArrivalModel

	nodes   []node
	classes [][]sample
	// places is how many places a terminal keeps at the most; 0 when the model
	// knows none.
	places int
}

// sample is what a row is like after it left the tree; weight rows were like it.
type sample struct {
	unique int // tokens of its own, 0 for a row that ends in the tree
	output int // tokens of the reply, 0 when it is not known
	weight int
}

// Limits bound the size of a Model. The zero value keeps everything.
type Limits struct {
	// Nodes is how many shared prefixes are kept; the rarest are taken for
	// unshared text first, which lowers the reuse of what is drawn.
	Nodes int
	// Samples is how many pairs of prompt and reply lengths are kept. Similar
	// pairs after contexts of similar length are replaced by their mean, so that
	// means are kept and spread within a group is lost.
	Samples int
	// Gaps is how many different times between arrivals are kept.
	Gaps int
	// Places is at how many places of the trace rows are kept; the commonest
	// prefixes are then taken to come at equal distances between those.
	Places int
}

// Compact are limits that keep the JSON of any model under 200 KB.
func Compact() Limits { return Limits{Nodes: 4000, Samples: 4000, Gaps: 500, Places: 12000} }

// contextClasses is into how many groups by length of context the rows are divided
// when the samples are limited.
const contextClasses = 32

// Fit makes a model of the rows of a trace with ids of so many tokens. Prefixes come
// again as often as in the trace and as soon; what is drawn has no sessions.
func Fit(rows []workload.Row, blockSize int, l Limits) (*Model, error) {
	if err := checkRows("fitting the trace", rows, blockSize); err != nil {
		return nil, err
	}
	f := newForest(rows)
	m := &Model{BlockSize: blockSize, Rows: len(rows), Prefixes: f.ids > 0, Arrivals: fitArrivals(rows, l.Gaps)}
	nodes, terminals := buildTree(f)
	t := fitted{nodes: nodes, leaves: make([][]sample, len(nodes)), ends: make([][]sample, len(nodes)),
		leafAt: make([][]int, len(nodes)), endAt: make([][]int, len(nodes)), blockSize: blockSize}
	depth := depths(nodes)
	for i, at := range terminals {
		s := sample{output: rows[i].OutputLength, weight: 1}
		n := &t.nodes[at.node]
		if at.leaf {
			s.unique = rows[i].InputLength - depth[at.node]*blockSize
			t.leaves[at.node] = append(t.leaves[at.node], s)
			t.leafAt[at.node] = append(t.leafAt[at.node], i)
			continue
		}
		// Equal ids are equal text, so all rows that end here have the same.
		n.last = rows[i].InputLength - (depth[at.node]-1)*blockSize
		t.ends[at.node] = append(t.ends[at.node], s)
		t.endAt[at.node] = append(t.endAt[at.node], i)
	}
	if l.Nodes > 0 {
		t.prune(max(l.Nodes, 1))
	}
	if m.Prefixes {
		m.places = t.keepPlaces(l.Places)
	}
	t.classify(l.Samples)
	m.nodes, m.classes = t.nodes, t.classes
	return m, nil
}

// fitted is a tree with the samples of each node, on its way to a Model.
type fitted struct {
	blockSize     int
	nodes         []node
	leaves, ends  [][]sample
	leafAt, endAt [][]int // rows of the trace that the samples are of
	classes       [][]sample
}

// prune takes the rarest nodes away until so many are left. A node has no more
// visits than its parent and a higher number, so in this order children go first.
func (t *fitted) prune(keep int) {
	if len(t.nodes) <= keep {
		return
	}
	visits := visits(t.nodes)
	order := make([]int, len(t.nodes)-1)
	for i := range order {
		order[i] = i + 1
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(visits[a]-visits[b], b-a) })
	gone := make([]bool, len(t.nodes))
	for _, i := range order[:len(t.nodes)-keep] {
		n, p := t.nodes[i], t.nodes[i].parent
		gone[i] = true
		for _, s := range t.leaves[i] {
			s.unique += n.length * t.blockSize
			t.leaves[p] = append(t.leaves[p], s)
		}
		for _, s := range t.ends[i] {
			s.unique = (n.length-1)*t.blockSize + n.last
			t.leaves[p] = append(t.leaves[p], s)
		}
		t.nodes[p].leaves += n.leaves + n.ends
		t.leafAt[p] = append(append(t.leafAt[p], t.leafAt[i]...), t.endAt[i]...)
	}
	number := make([]int, len(t.nodes))
	kept := 0
	for i, n := range t.nodes {
		if gone[i] {
			continue
		}
		if n.parent >= 0 {
			n.parent = number[n.parent]
		}
		number[i] = kept
		t.nodes[kept] = n
		t.leaves[kept], t.ends[kept] = t.leaves[i], t.ends[i]
		t.leafAt[kept], t.endAt[kept] = t.leafAt[i], t.endAt[i]
		kept++
	}
	t.nodes, t.leaves, t.ends = t.nodes[:kept], t.leaves[:kept], t.ends[:kept]
}

// classify gives every node its classes: its own samples, or with a limit those of
// all nodes with a context of about its length.
func (t *fitted) classify(limit int) {
	depth := depths(t.nodes)
	order := make([]int, len(t.nodes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return depth[a] - depth[b] })
	total := 0
	for i := range t.nodes {
		total += t.nodes[i].leaves + t.nodes[i].ends
	}
	t.share(limit, total, order, depth, t.leaves, func(n *node) *int { return &n.leafClass })
	t.share(limit, total, order, depth, t.ends, func(n *node) *int { return &n.endClass })
}

func (t *fitted) share(limit, total int, order, depth []int, of [][]sample, class func(*node) *int) {
	atLeast := 0
	if limit > 0 {
		atLeast = (total + contextClasses - 1) / contextClasses
	}
	var open []sample
	var members []int
	flush := func() {
		if len(open) == 0 {
			return
		}
		for _, i := range members {
			*class(&t.nodes[i]) = len(t.classes)
		}
		if limit > 0 {
			open = thin(open, max(limit*len(open)/total, 1))
		}
		t.classes = append(t.classes, merge(open))
		open, members = nil, nil
	}
	before := -1
	for _, i := range order {
		if len(of[i]) == 0 {
			continue
		}
		// Without a limit every node is its own class.
		if len(open) >= atLeast && (limit == 0 || depth[i] != before) {
			flush()
		}
		open = append(open, of[i]...)
		members = append(members, i)
		before = depth[i]
	}
	flush()
}

// thin replaces the samples by the means of at most n groups of similar ones. The
// groups are found by halving: each time along the length that spreads wider, on a
// logarithmic scale.
func thin(all []sample, n int) []sample {
	if n <= 1 || len(all) <= 1 {
		return []sample{mean(all)}
	}
	byUnique := func(a, b sample) int { return cmp.Or(a.unique-b.unique, a.output-b.output) }
	byOutput := func(a, b sample) int { return cmp.Or(a.output-b.output, a.unique-b.unique) }
	order := byOutput
	if ratio(all, func(s sample) int { return s.unique }) >= ratio(all, func(s sample) int { return s.output }) {
		order = byUnique
	}
	slices.SortFunc(all, order)
	if order(all[0], all[len(all)-1]) == 0 {
		return []sample{mean(all)}
	}
	half := len(all) / 2
	low := thin(all[:half], n/2)
	return append(low, thin(all[half:], n-n/2)...)
}

// ratio is the largest length over the smallest, one token added to both.
func ratio(all []sample, of func(sample) int) float64 {
	low, high := of(all[0]), of(all[0])
	for _, s := range all {
		low, high = min(low, of(s)), max(high, of(s))
	}
	return float64(high+1) / float64(low+1)
}

// mean is the rounded mean of samples of weight 1. A reply of unknown length is
// left out of the mean of those that are known.
func mean(all []sample) sample {
	m := sample{weight: len(all)}
	known := 0
	for _, s := range all {
		m.unique += s.unique
		m.output += s.output
		if s.output > 0 {
			known++
		}
	}
	m.unique = (m.unique + len(all)/2) / len(all)
	if known > 0 {
		m.output = (m.output + known/2) / known
	}
	return m
}

// merge sorts samples and joins equal ones.
func merge(all []sample) []sample {
	slices.SortFunc(all, func(a, b sample) int { return cmp.Or(a.unique-b.unique, a.output-b.output) })
	out := all[:0]
	for _, s := range all {
		if n := len(out); n > 0 && out[n-1].unique == s.unique && out[n-1].output == s.output {
			out[n-1].weight += s.weight
			continue
		}
		out = append(out, s)
	}
	return out
}
