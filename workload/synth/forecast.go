package synth

import (
	"math"

	"headway/workload"
)

// Forecast is what to expect of the rows that a Model draws.
type Forecast struct {
	// Rows is the number of rows that it holds for.
	Rows int
	// MeanInput is in tokens.
	MeanInput float64
	// HitBlocks is the share of blocks, from 0 to 1, that a cache which never
	// forgets finds in so many rows. It rises a little with the number, since a
	// prefix that lasts misses once however often it is drawn. LimitBlocks and
	// LimitTokens are the shares for infinitely many rows. All are NaN without
	// block ids.
	HitBlocks, LimitBlocks, LimitTokens float64
}

// forecastDraws is how many rows are drawn to see what the filters leave.
const forecastDraws = 1 << 17

// Forecast computes what the options give: exactly in the mean, or with a limit on
// the input from rows drawn for this purpose.
func (m *Model) Forecast(o Options) (Forecast, error) {
	if err := o.Validate(); err != nil {
		return Forecast{}, err
	}
	p := m.plan(o)
	f := Forecast{Rows: o.requests(), HitBlocks: math.NaN(), LimitBlocks: math.NaN(), LimitTokens: math.NaN()}
	e := p.expect()
	if o.filters() {
		e = p.sample()
	}
	f.MeanInput = e.tokens
	if !m.Prefixes || math.IsNaN(e.blocks) {
		return f, nil
	}
	shared := 1 - e.leafBlocks/e.blocks
	f.LimitBlocks, f.LimitTokens = shared, 1-e.leafTokens/e.tokens
	missed := 0.0
	if p.ordered() {
		missed = p.missedInPasses(float64(f.Rows)/e.kept, e)
		blocks, tokens := p.missedEachPass(e)
		f.LimitBlocks -= blocks / (float64(m.Rows) * e.kept * e.blocks)
		f.LimitTokens -= tokens / (float64(m.Rows) * e.kept * e.tokens)
	} else {
		missed = p.missed(float64(f.Rows)/e.kept, e)
	}
	f.HitBlocks = shared - missed/(float64(f.Rows)*e.blocks)
	return f, nil
}

// missed is how many shared blocks, on average, some of so many drawn rows have. Of
// the cards that lead through a node each was dealt a whole number of times, and a
// last time with the chance of what is left of the rows; each time it takes one of
// the copies of the tree.
func (p *plan) missed(drawn float64, e expected) float64 {
	nodes, through := p.model.nodes, p.through(e.at)
	cards, roots := float64(p.model.Rows), float64(p.o.roots())
	decks, rest := math.Modf(drawn / cards)
	never := math.Pow(1-1/roots, decks) * (1 - rest/roots)
	if p.model.Rows > deckLimit || p.o.Independent {
		never = math.Exp(-drawn / cards / roots)
	}
	missed := 0.0
	for i := 1; i < len(nodes); i++ {
		length := float64(p.depth[i] - p.depth[nodes[i].parent])
		missed += roots * length * (1 - math.Pow(never, through[i]*cards*e.kept))
	}
	return missed
}

// seen is the chance that some copy of node i is drawn by so many visits, times the
// copies; kept is the share of its visits that the filters leave.
func (p *plan) seen(visits, kept float64) float64 {
	roots := float64(p.o.roots())
	return roots * (1 - math.Pow(1-min(kept, 1)/roots, visits))
}

// missedInPasses is missed for an ordered model: a node that lasts misses once, any
// other once in each pass that comes to it.
func (p *plan) missedInPasses(drawn float64, e expected) float64 {
	nodes, full := p.model.nodes, visits(p.model.nodes)
	passes := int(drawn) / p.model.Rows
	part := p.visitsOf(passes, int(math.Round(drawn))-passes*p.model.Rows)
	missed := 0.0
	for i, kept := range p.keptOf(e, full) {
		times := 0.0
		switch {
		case i == 0:
		case p.lasting[i]:
			times = p.seen(float64(passes*full[i]+part[i]), kept)
		default:
			times = float64(passes)*p.seen(float64(full[i]), kept) + p.seen(float64(part[i]), kept)
		}
		missed += times * float64(p.depth[i]-p.depth[max(nodes[i].parent, 0)])
	}
	return missed
}

// missedEachPass is what a whole pass misses of nodes that do not last.
func (p *plan) missedEachPass(e expected) (blocks, tokens float64) {
	nodes, full := p.model.nodes, visits(p.model.nodes)
	for i, kept := range p.keptOf(e, full) {
		if i == 0 || p.lasting[i] {
			continue
		}
		length := float64(p.depth[i] - p.depth[nodes[i].parent])
		times := p.seen(float64(full[i]), kept)
		blocks += times * length
		tokens += times * length * float64(p.model.BlockSize)
		if n := nodes[i]; n.ends > 0 && length > 0 {
			// The first row to come may end with the block, which is then not full.
			tokens -= times * float64(p.model.BlockSize-n.last) * share(n.ends, full[i])
		}
	}
	return blocks, tokens
}

// keptOf is the share of the visits of each node that the filters leave.
func (p *plan) keptOf(e expected, full []int) []float64 {
	kept := p.through(e.at)
	for i := range kept {
		kept[i] *= float64(p.model.Rows) * e.kept / float64(max(full[i], 1))
	}
	return kept
}

// visitsOf counts how often each node is visited by the first rows of a pass.
func (p *plan) visitsOf(pass, rows int) []int {
	s := sequence{p: p, key: p.o.key("path"), pass: pass}
	count := make([]int, len(p.model.nodes))
	for range rows {
		terminal, _ := s.draw()
		count[p.terminals[terminal].node]++
	}
	for i := len(count) - 1; i > 0; i-- {
		count[p.model.nodes[i].parent] += count[i]
	}
	return count
}

// expected are means per row.
type expected struct {
	at                     []float64 // chance of each terminal
	kept                   float64   // share of rows that the filters keep
	blocks, tokens         float64
	leafBlocks, leafTokens float64 // of its own
}

// expect adds up over all terminals and all that may follow.
func (p *plan) expect() expected {
	e := expected{at: make([]float64, len(p.weights)), kept: 1}
	bs := p.model.BlockSize
	blocks, tokens := p.ownApart()
	for i, t := range p.terminals {
		chance := share(p.weights[i], p.model.Rows)
		e.at[i] = chance
		e.blocks += chance * float64(p.depth[t.node])
		if !t.leaf {
			e.tokens += chance * float64((p.depth[t.node]-1)*bs+p.lastTokens(t.node))
			continue
		}
		if p.o.KeepCorrelation {
			blocks, tokens = p.ownJoint(p.model.nodes[t.node].leafClass)
		}
		e.leafBlocks += chance * blocks
		e.leafTokens += chance * tokens
		e.tokens += chance * float64(p.depth[t.node]*bs)
	}
	e.blocks += e.leafBlocks
	e.tokens += e.leafTokens
	return e
}

// ownApart returns the mean blocks and tokens that a leaf has of its own when they
// are drawn each by itself.
func (p *plan) ownApart() (blocks, tokens float64) {
	n, last := p.leafBlocks.shares(), p.leafLast.shares()
	for i, b := range p.leafBlocks.values {
		for j, l := range p.leafLast.values {
			u := p.scaleUnique((b-1)*p.model.BlockSize + l)
			chance := n[i] * last[j]
			tokens += chance * float64(u)
			blocks += chance * float64(workload.Blocks(u, p.model.BlockSize))
		}
	}
	return blocks, tokens
}

// ownJoint returns the same of a class.
func (p *plan) ownJoint(class int) (blocks, tokens float64) {
	total := 0.0
	for _, s := range p.model.classes[class] {
		u, w := p.scaleUnique(s.unique), float64(s.weight)
		total += w
		tokens += w * float64(u)
		blocks += w * float64(workload.Blocks(u, p.model.BlockSize))
	}
	return blocks / total, tokens / total
}

// sample finds the means of the rows that the filters keep; NaN when there were
// none.
func (p *plan) sample() expected {
	e := expected{at: make([]float64, len(p.weights))}
	s, bs, kept := p.streams("forecast "), p.model.BlockSize, 0.0
	for range forecastDraws {
		x := p.outcome(s)
		if !p.o.keeps(x.input) {
			continue
		}
		kept++
		e.at[x.terminal]++
		e.blocks += float64(workload.Blocks(x.input, bs))
		e.tokens += float64(x.input)
		e.leafBlocks += float64(workload.Blocks(x.unique, bs))
		e.leafTokens += float64(x.unique)
	}
	for i := range e.at {
		e.at[i] /= kept
	}
	e.blocks /= kept
	e.tokens /= kept
	e.leafBlocks /= kept
	e.leafTokens /= kept
	e.kept = kept / forecastDraws
	return e
}

// through returns the chance that a row passes each node.
func (p *plan) through(at []float64) []float64 {
	chance := make([]float64, len(p.model.nodes))
	for i, t := range p.terminals {
		chance[t.node] += at[i]
	}
	for i := len(chance) - 1; i > 0; i-- {
		chance[i] = min(chance[i], 1)
		chance[p.model.nodes[i].parent] += chance[i]
	}
	return chance
}
