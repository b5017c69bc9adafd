package router

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// plain is the load and cost of mode KV as one would write them down: lists
// of running requests, counted again for each question.
type plain struct {
	c       Config
	o       oracle
	running map[uint64]*plainRequest
}

type plainRequest struct {
	Request
	worker, prefill, outputs int
}

// held is the blocks that the requests of a worker hold, and how many more
// are each one request's own. Nothing fades here: that is TestFading's.
func (p *plain) held(worker int) (blocks map[uint64]bool, own int) {
	blocks = map[uint64]bool{}
	for _, q := range p.running {
		if q.worker != worker {
			continue
		}
		if p.c.AssumeKVReuse {
			for _, b := range q.Blocks {
				blocks[b] = true
			}
		} else {
			own += len(q.Blocks)
		}
		if p.c.TrackOutputBlocks {
			own += q.outputs
		}
	}
	return blocks, own
}

func (p *plain) load(worker int) Load {
	blocks, own := p.held(worker)
	l := Load{Blocks: float64(len(blocks) + own), PrefillTokens: p.prefill(worker)}
	for _, q := range p.running {
		if q.worker == worker {
			l.Requests++
		}
	}
	return l
}

func (p *plain) costs(q Request) []Cost {
	least, out := math.MaxInt, make([]Cost, p.c.Workers)
	for w := range out {
		least = min(least, p.prefill(w))
	}
	for w := range out {
		out[w] = p.cost(w, q, least)
	}
	return out
}

func (p *plain) cost(worker int, q Request, least int) Cost {
	l, blocks := p.load(worker), map[uint64]bool{}
	if p.c.AssumeKVReuse {
		blocks, _ = p.held(worker)
	}
	c := Cost{Overlap: p.o.overlap(worker, q.Blocks), Decode: l.Blocks}
	for _, b := range q.Blocks {
		if !blocks[b] {
			c.Decode++
		}
	}
	request := float64(q.Tokens) / float64(p.c.BlockSize)
	excess := float64(l.PrefillTokens-least) / float64(p.c.BlockSize)
	credit := p.c.OverlapScoreCredit * float64(c.Overlap.Device) / (1 + p.c.CreditDecay*excess/request)
	c.Prefill = max(0, float64(l.PrefillTokens)/float64(p.c.BlockSize)+request-credit)
	c.Total = p.c.PrefillLoadScale*c.Prefill + c.Decode + p.c.RequestWeight*float64(l.Requests)
	return c
}

func (p *plain) prefill(worker int) (tokens int) {
	for _, q := range p.running {
		if q.worker == worker {
			tokens += q.prefill
		}
	}
	return tokens
}

func (p *plain) saturated() bool {
	for w := range p.c.Workers {
		if float64(p.prefill(w)) <= p.c.QueueThreshold*float64(p.c.MaxNumBatchedTokens) {
			return false
		}
	}
	return true
}

// drawTree gives prompts that share prefixes at every depth, as ids of nodes
// of a tree.
func drawTree(rng *rand.Rand, n int) [][]uint64 {
	prompts := [][]uint64{nil}
	for id := uint64(1); len(prompts) < n; id++ {
		from := prompts[rng.IntN(len(prompts))]
		if len(from) < 24 {
			prompts = append(prompts, append(slices.Clone(from), id*0x9e3779b97f4a7c15))
		}
	}
	return prompts
}

// TestRouterAgainstPlainModel routes, ends and feeds events at random and
// asks after each decision for every cost, and after each step for the load.
func TestRouterAgainstPlainModel(t *testing.T) {
	for i, test := range []struct {
		name   string
		steps  int
		change func(*Config)
	}{
		{"defaults", 4000, func(*Config) {}},
		{"no reuse", 4000, func(c *Config) { c.AssumeKVReuse, c.TrackOutputBlocks = false, true }},
		{"all weights", 4000, func(c *Config) { c.TrackOutputBlocks, c.CreditDecay, c.RequestWeight = true, 1.5, 2 }},
		{"short queue", 4000, func(c *Config) { c.QueueThreshold, c.QueuePolicy = 0.5, WSPT }},
		{"many workers", 3000, func(c *Config) { c.QueueThreshold, c.Workers, c.PrefillLoadScale = 0.1, 70, 0.5 }},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := mode(KV, 5)
			c.BlockSize, c.MaxNumBatchedTokens = 4, 100
			test.change(&c)
			m := &metamorphosis{
				t: t, r: mustNew(t, c), rng: rand.New(rand.NewPCG(uint64(i), 1)),
				plain:   &plain{c: c, o: newOracle(c.Workers), running: map[uint64]*plainRequest{}},
				waiting: map[uint64]Request{},
			}
			m.prompts = drawTree(m.rng, 300)
			for range test.steps {
				m.step()
			}
			m.drain()
		})
	}
}

type metamorphosis struct {
	t       *testing.T
	r       *Router
	plain   *plain
	rng     *rand.Rand
	prompts [][]uint64
	waiting map[uint64]Request
	now     time.Duration
	next    uint64
}

func (m *metamorphosis) step() {
	m.now += time.Duration(m.rng.IntN(1000))
	if len(m.plain.running) > 40+2*m.plain.c.Workers {
		m.finish() // the plain model is slow
	}
	switch m.rng.IntN(12) {
	case 0, 1, 2:
		m.route()
	case 3, 4:
		m.release()
	case 5, 6, 7:
		m.prefillDone()
	case 8:
		m.outputBlock()
	case 9, 10:
		m.finish()
	case 11:
		m.event()
	}
	w := m.rng.IntN(m.plain.c.Workers)
	if got, want := m.r.Load(w), m.plain.load(w); got != want {
		m.t.Fatalf("load of worker %d is %+v, want %+v", w, got, want)
	}
	if m.r.Waiting() != len(m.waiting) {
		m.t.Fatalf("%d wait, want %d", m.r.Waiting(), len(m.waiting))
	}
}

func (m *metamorphosis) route() {
	blocks := m.prompts[m.rng.IntN(len(m.prompts))]
	q := Request{ID: m.next, Blocks: blocks, Tokens: 4*len(blocks) + 1 + m.rng.IntN(3)}
	m.next++
	queue := m.plain.c.QueueThreshold > 0 && (len(m.waiting) > 0 || m.plain.saturated())
	costs := m.plain.costs(q)
	d, err := m.r.Route(m.now, q)
	if err != nil || d.Queued != queue {
		m.t.Fatalf("%+v, %v; want queued %v", d, err, queue)
	}
	if queue {
		m.waiting[q.ID] = q
		return
	}
	m.decided(q, d, costs)
}

func (m *metamorphosis) release() {
	free := !m.plain.saturated()
	id, d, ok := m.r.Release(m.now)
	if ok != (free && len(m.waiting) > 0) {
		m.t.Fatalf("released: %v, with %d waiting and a free worker: %v", ok, len(m.waiting), free)
	}
	if ok {
		q := m.waiting[id]
		delete(m.waiting, id)
		m.decided(q, d, m.plain.costs(q))
	}
}

func (m *metamorphosis) decided(q Request, d Decision, costs []Cost) {
	lowest := math.Inf(1)
	for w, want := range costs {
		got := d.Costs[w]
		lowest = min(lowest, got.Total)
		if got.Overlap != want.Overlap || got.Decode != want.Decode || math.Abs(got.Total-want.Total) > 1e-9 {
			m.t.Fatalf("request %d on worker %d costs %+v, want %+v", q.ID, w, got, want)
		}
	}
	if d.Costs[d.Worker].Total != lowest || d.Overlap != costs[d.Worker].Overlap {
		m.t.Fatalf("worker %d with %+v is chosen, the lowest cost is %v", d.Worker, d.Costs[d.Worker], lowest)
	}
	m.plain.running[q.ID] = &plainRequest{Request: q, worker: d.Worker,
		prefill: q.Tokens - m.plain.c.BlockSize*d.Overlap.Device}
}

// any is a request that runs, or nil.
func (m *metamorphosis) any() *plainRequest {
	ids := make([]uint64, 0, len(m.plain.running))
	for id := range m.plain.running {
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	return m.plain.running[ids[m.rng.IntN(len(ids))]]
}

func (m *metamorphosis) prefillDone() {
	if q := m.any(); q != nil {
		q.prefill = 0
		if !m.r.PrefillDone(q.ID) {
			m.t.Fatalf("request %d is not known", q.ID)
		}
	}
}

func (m *metamorphosis) outputBlock() {
	if q := m.any(); q != nil {
		q.outputs++
		if !m.r.OutputBlock(q.ID) {
			m.t.Fatalf("request %d is not known", q.ID)
		}
	}
}

func (m *metamorphosis) finish() {
	if m.rng.IntN(4) == 0 && len(m.waiting) > 0 {
		id := m.next
		for w := range m.waiting {
			id = min(id, w)
		}
		delete(m.waiting, id)
		if !m.r.Finished(id) {
			m.t.Fatalf("waiting request %d is not known", id)
		}
		return
	}
	if q := m.any(); q != nil {
		delete(m.plain.running, q.ID)
		if !m.r.Finished(q.ID) || m.r.Finished(q.ID) {
			m.t.Fatalf("request %d does not end once", q.ID)
		}
	}
}

func (m *metamorphosis) event() {
	blocks := m.prompts[m.rng.IntN(len(m.prompts))]
	e := Event{Kind: Stored, Blocks: blocks}
	if m.rng.IntN(3) == 0 && len(blocks) > 0 {
		e = Event{Kind: Removed, Blocks: blocks[m.rng.IntN(len(blocks)):]}
	}
	w := m.rng.IntN(m.plain.c.Workers)
	if err := m.r.Apply(w, e); err != nil {
		m.t.Fatal(err)
	}
	m.plain.o.apply(w, e)
}

// drain ends everything: nothing may be left behind.
func (m *metamorphosis) drain() {
	for q := m.any(); q != nil; q = m.any() {
		delete(m.plain.running, q.ID)
		m.r.Finished(q.ID)
	}
	for {
		id, _, ok := m.r.Release(m.now)
		if !ok {
			break
		}
		m.r.Finished(id)
	}
	a := m.r.active
	if !a.held.empty() || !a.marked.empty() || len(a.more) > 0 || len(a.faded) > 0 || len(m.r.known) > 0 ||
		m.r.Waiting() > 0 {
		m.t.Errorf("left when all have ended: %d blocks, %d marks, %d more, %d faded, %d requests, %d waiting",
			a.held.n, a.marked.n, len(a.more), len(a.faded), len(m.r.known), m.r.Waiting())
	}
	for w := range m.plain.c.Workers {
		if got := m.r.Load(w); got != (Load{}) {
			m.t.Errorf("load of worker %d is %+v when all have ended", w, got)
		}
	}
}

// Blocks of one request fade with its progress; shared ones count in full.
func TestFading(t *testing.T) {
	c := mode(KV, 1)
	c.BlockSize, c.TrackOutputBlocks, c.QueueThreshold = 16, true, 0
	r := mustNew(t, c)
	blocks := chain(1, 8)
	expect := func(step string, want float64) {
		t.Helper()
		if got := r.Load(0).Blocks; got != want {
			t.Errorf("%s: %v blocks, want %v", step, got, want)
		}
	}
	mustRoute(t, r, Request{ID: 1, Blocks: blocks, Tokens: 128, ExpectedOutput: 64})
	expect("prompt", 8)
	r.OutputBlock(1)
	expect("a quarter done", 9*0.75)
	mustRoute(t, r, Request{ID: 2, Blocks: blocks[:6], Tokens: 96})
	expect("6 of the 8 are shared", 6+3*0.75)
	r.OutputBlock(2)
	expect("no expectation, no fading", 6+3*0.75+1)
	r.OutputBlock(1)
	expect("half done", 6+4*0.5+1)
	r.Finished(2)
	expect("they are whole until the next block", 6+4*0.5)
	r.OutputBlock(1)
	expect("three quarters done", 11*0.25)
	for range 3 {
		r.OutputBlock(1)
	}
	expect("longer than expected", 0)
	r.Finished(1)
	expect("finished", 0)
	if len(r.active.faded) > 0 {
		t.Errorf("%d weights left", len(r.active.faded))
	}
	if r.OutputBlock(1) || r.PrefillDone(1) {
		t.Error("a finished request runs")
	}
}
