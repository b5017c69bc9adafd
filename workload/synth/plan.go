package synth

import (
	"math"
	"math/rand/v2"

	"headway/workload"
)

// plan is a model made ready to draw with given options.
//
// A random path in the tree that takes every branch in proportion to how often it
// was taken ends at a terminal in proportion to how often rows ended there. So the
// terminal is drawn at once, which gives the same law as walking and is faster. When
// it comes is for sequence, in recency.go.
type plan struct {
	o         Options
	model     *Model
	depth     []int   // of each node with the prefix multiplier, in blocks
	first     []int64 // the id of each node's first block
	shared    int64   // ids of one copy of the tree
	terminals []terminal
	weights   []int // of terminals

	leafBlocks, leafLast, output counts // drawn each by itself

	// Of an ordered model, for each node: when it was visited, its children in
	// groups that change places, and whether it is the same in the next pass.
	visited []visited
	units   [][][]int32
	lasting []bool
}

func (m *Model) plan(o Options) *plan {
	p := &plan{o: o, model: m}
	p.scaleTree()
	for i, n := range m.nodes {
		if n.leaves > 0 {
			p.terminals = append(p.terminals, terminal{i, true})
			p.weights = append(p.weights, n.leaves)
		}
		if n.ends > 0 {
			p.terminals = append(p.terminals, terminal{i, false})
			p.weights = append(p.weights, n.ends)
		}
	}
	if !o.KeepCorrelation {
		p.countParts()
	}
	if p.ordered() {
		p.measureVisits()
	}
	return p
}

// ordered says whether prefixes come again as soon as in the trace.
func (p *plan) ordered() bool {
	return p.model.ordered() && !p.o.Independent && p.model.Rows <= deckLimit
}

// scaleTree multiplies the places where prefixes end, not the length of each node:
// rounding each would lengthen paths of many short nodes (and Dynamo's generator,
// which rounds every factor above 1 up to a whole one, lengthens them all). A node
// may so come to have no block of its own; then its rows leave where the node
// before it ends.
func (p *plan) scaleTree() {
	nodes := p.model.nodes
	p.depth = depths(nodes)
	p.first = make([]int64, len(nodes))
	for i := 1; i < len(nodes); i++ {
		p.depth[i] = max(int(math.Round(float64(p.depth[i])*p.o.prefixLen())), 1)
		p.first[i] = p.shared
		p.shared += int64(p.depth[i] - p.depth[nodes[i].parent])
	}
}

// countParts counts the parts of which rows are put together.
func (p *plan) countParts() {
	blocks, last, output := map[int]int{}, map[int]int{}, map[int]int{}
	for _, class := range p.model.classes {
		for _, s := range class {
			output[s.output] += s.weight
			if s.unique > 0 {
				n := workload.Blocks(s.unique, p.model.BlockSize)
				blocks[n] += s.weight
				last[s.unique-(n-1)*p.model.BlockSize] += s.weight
			}
		}
	}
	p.output = newCounts(output)
	// A trace all of whose rows are repeated has no blocks of its own to draw.
	if len(blocks) > 0 {
		p.leafBlocks, p.leafLast = newCounts(blocks), newCounts(last)
	}
}

// streams are the sources of one sequence of draws, each with its own key. (Where
// all have the same seed, as in one version of Dynamo's generator, long contexts
// meet long prompts.)
type streams struct {
	path                 func() (terminal, pass int)
	blocks, last, output *dealer
	joint                []*dealer // of each class
	root                 *rand.Rand
}

func (p *plan) streams(of string) streams {
	key := func(use string) workload.Key { return p.o.key(of + use) }
	deal := func(weights []int, k workload.Key) *dealer { return newDealer(weights, k, p.o.Independent) }
	s := streams{root: key("root").Rand()}
	if p.ordered() {
		s.path = (&sequence{p: p, key: key("path")}).draw
	} else {
		cards := deal(p.weights, key("path"))
		s.path = func() (int, int) { return cards.draw(), 0 }
	}
	if !p.o.KeepCorrelation {
		s.blocks = deal(p.leafBlocks.weights, key("blocks"))
		s.last = deal(p.leafLast.weights, key("last"))
		s.output = deal(p.output.weights, key("output"))
		return s
	}
	for i, class := range p.model.classes {
		weights := make([]int, len(class))
		for j, like := range class {
			weights[j] = like.weight
		}
		s.joint = append(s.joint, deal(weights, key("joint").Index(i)))
	}
	return s
}

// outcome is a row before it has ids and a time.
type outcome struct {
	terminal int // index
	pass     int // number of the pass through the tree that it is of
	context  int // blocks of the tree
	unique   int // tokens of its own
	input    int // tokens in all
	output   int
}

func (p *plan) outcome(s streams) outcome {
	x := outcome{}
	x.terminal, x.pass = s.path()
	at := p.terminals[x.terminal]
	n := &p.model.nodes[at.node]
	bs := p.model.BlockSize
	x.context = p.depth[at.node]
	if p.o.KeepCorrelation {
		class := n.endClass
		if at.leaf {
			class = n.leafClass
		}
		like := p.model.classes[class][s.joint[class].draw()]
		x.unique, x.output = like.unique, like.output
	} else {
		x.output = p.output.values[s.output.draw()]
		if at.leaf {
			x.unique = (p.leafBlocks.values[s.blocks.draw()]-1)*bs + p.leafLast.values[s.last.draw()]
		}
	}
	x.output = p.o.reply(x.output)
	if at.leaf {
		x.unique = p.scaleUnique(x.unique)
		x.input = x.context*bs + x.unique
		return x
	}
	x.unique = 0
	x.input = (x.context-1)*bs + p.lastTokens(at.node)
	return x
}

func (p *plan) scaleUnique(tokens int) int {
	return max(int(math.Round(float64(tokens)*p.o.promptLen())), 1)
}

// lastTokens is how much of a node's last block is filled in rows that end there.
// Dynamo's generator takes it to be full. One that lost its blocks to the prefix
// multiplier ends with the block of another, which is full.
func (p *plan) lastTokens(i int) int {
	n := p.model.nodes[i]
	if p.depth[i] == p.depth[n.parent] {
		return p.model.BlockSize
	}
	return n.last
}

// path writes the ids of the tree's blocks down to a node: those of nodes that last
// begin at lasting, those of this pass only at fresh.
func (p *plan) path(ids []int64, node int, lasting, fresh int64) {
	for i := node; i > 0; i = p.model.nodes[i].parent {
		offset := fresh
		if p.lasting == nil || p.lasting[i] {
			offset = lasting
		}
		start := p.depth[p.model.nodes[i].parent]
		for b := start; b < p.depth[i]; b++ {
			ids[b] = offset + p.first[i] + int64(b-start)
		}
	}
}
