package router

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// oracle is the index as one would define it: a set of blocks for each worker
// and tier.
type oracle []map[Tier]map[uint64]bool

func newOracle(workers int) oracle {
	o := make(oracle, workers)
	for w := range o {
		o[w] = map[Tier]map[uint64]bool{Device: {}, Host: {}, Disk: {}}
	}
	return o
}

func (o oracle) apply(worker int, e Event) {
	switch e.Kind {
	case Stored:
		for _, b := range e.Blocks {
			o[worker][e.Tier][b] = true
		}
	case Removed:
		for _, b := range e.Blocks {
			delete(o[worker][e.Tier], b)
		}
	case Cleared:
		for _, set := range o[worker] {
			clear(set)
		}
	}
}

func (o oracle) overlap(worker int, blocks []uint64) Overlap {
	var counts [tiers]int
	i := 0
	for tier := Device; tier <= Disk; tier++ {
		for i < len(blocks) && o[worker][tier][blocks[i]] {
			i++
			counts[tier]++
		}
	}
	return Overlap{Device: counts[Device], Host: counts[Host], Disk: counts[Disk]}
}

func checkOverlaps(t rapid.TB, x *index, o oracle, blocks []uint64) {
	t.Helper()
	out := make([]Overlap, x.workers)
	x.overlaps(blocks, out)
	for w, got := range out {
		if want := o.overlap(w, blocks); got != want || x.overlap(w, blocks) != want {
			t.Fatalf("worker %d, blocks %v: overlap %+v (alone %+v), want %+v", w, blocks, got,
				x.overlap(w, blocks), want)
		}
	}
}

// Few blocks of numbers near 0 and near the end make collisions, block 0 and
// wrapped probes likely.
func drawBlock(t *rapid.T) uint64 {
	b := rapid.Uint64Range(0, 60).Draw(t, "block")
	if rapid.Bool().Draw(t, "from the end") {
		return -b
	}
	return b
}

func TestIndexAgainstSets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		workers := rapid.SampledFrom([]int{1, 3, 64, 65, 200}).Draw(t, "workers")
		x, o := newIndex(workers), newOracle(workers)
		blocks := rapid.SliceOfN(rapid.Custom(drawBlock), 0, 40)
		t.Repeat(map[string]func(*rapid.T){
			"event": func(t *rapid.T) {
				e := Event{
					Kind: rapid.SampledFrom([]EventKind{Stored, Stored, Stored, Removed, Removed,
						Cleared}).Draw(t, "kind"),
					Tier:   rapid.SampledFrom([]Tier{Device, Device, Host, Disk}).Draw(t, "tier"),
					Blocks: blocks.Draw(t, "blocks"),
				}
				w := rapid.IntRange(0, workers-1).Draw(t, "worker")
				x.apply(w, e)
				o.apply(w, e)
			},
			"overlap": func(t *rapid.T) { checkOverlaps(t, x, o, blocks.Draw(t, "prompt")) },
		})
		var prompt []uint64
		for b := range uint64(61) {
			prompt = append(prompt, b, -b)
		}
		for i := range prompt {
			checkOverlaps(t, x, o, prompt[i:])
		}
	})
}

// A million random events on a table that grows, shrinks and is cleared.
func TestIndexMillionEvents(t *testing.T) {
	const workers, distinct = 6, 4000
	rng := rand.New(rand.NewPCG(3, 4))
	x, o := newIndex(workers), newOracle(workers)
	block := func() uint64 { return uint64(rng.IntN(distinct)) * 0x9e3779b97f4a7c15 }
	// Prompts are fixed chains, so that long runs occur.
	var prompts [200][]uint64
	for i := range prompts {
		for range 1 + rng.IntN(20) {
			prompts[i] = append(prompts[i], block())
		}
	}
	for i := range 1_000_000 {
		w, prompt := rng.IntN(workers), prompts[rng.IntN(len(prompts))]
		e := Event{Kind: Stored, Blocks: []uint64{block()}}
		switch rng.IntN(20) {
		case 0:
			e.Blocks = prompt
		case 1:
			e = Event{Kind: Removed, Blocks: prompt[rng.IntN(len(prompt)):]}
		case 2:
			checkOverlaps(t, x, o, prompt)
			continue
		case 3, 4, 5, 6, 7, 8, 9, 10, 11:
			e.Kind = Removed
		}
		if i%50_000 == 0 {
			e = Event{Kind: Cleared}
		}
		x.apply(w, e)
		o.apply(w, e)
		if i%50_000 == 0 {
			checkTable(t, x.tables[Device], o)
		}
	}
	checkTable(t, x.tables[Device], o)
}

// checkTable finds entries that nobody has, wrong counts and lost blocks.
func checkTable(t *testing.T, table *table, o oracle) {
	t.Helper()
	union := map[uint64]bool{}
	for w := range o {
		for b := range o[w][Device] {
			union[b] = true
			if !table.has(w, b) {
				t.Errorf("worker %d: block %d is lost", w, b)
			}
		}
	}
	used := 0
	for at := 0; at < len(table.entries)-1-table.words; at += 1 + table.words {
		if b := table.entries[at]; b != 0 {
			used++
			if !union[b] || table.nobody(at+1) {
				t.Errorf("block %d is kept for nobody", b)
			}
		} else if !table.nobody(at + 1) {
			t.Errorf("the free entry at %d has workers", at)
		}
	}
	delete(union, 0)
	if used != len(union) || table.n != used {
		t.Errorf("%d entries in use, counted as %d, want %d", used, table.n, len(union))
	}
}

// The order of events that do not touch the same block and worker does not
// matter, nor how often they come.
func TestEventsRepeatedAndOutOfOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const workers = 4
		var events []Event
		var on []int
		for w := range workers {
			// Every block once: stored, or stored and removed in one go.
			for _, b := range rapid.SliceOfNDistinct(rapid.Uint64Range(0, 30), 0, 20,
				rapid.ID[uint64]).Draw(t, "blocks") {
				events = append(events, Event{Kind: Stored, Blocks: []uint64{b}})
				on = append(on, w)
			}
		}
		apply := func(order []int) *index {
			x := newIndex(workers)
			for _, i := range order {
				x.apply(on[i], events[i])
			}
			return x
		}
		order := make([]int, len(events))
		for i := range order {
			order[i] = i
		}
		shuffled := rapid.Permutation(order).Draw(t, "order")
		a, b := apply(order), apply(append(slices.Clone(shuffled), shuffled...))
		prompt := rapid.SliceOfN(rapid.Uint64Range(0, 30), 0, 10).Draw(t, "prompt")
		outA, outB := make([]Overlap, workers), make([]Overlap, workers)
		a.overlaps(prompt, outA)
		b.overlaps(prompt, outB)
		if !slices.Equal(outA, outB) {
			t.Fatalf("in order %v, shuffled and doubled %v", outA, outB)
		}
	})
}

func TestApply(t *testing.T) {
	c := Defaults()
	c.Workers = 2
	r := mustNew(t, c)
	apply := func(worker int, e Event) error { return r.Apply(worker, e) }
	for _, e := range []Event{
		{Kind: Stored, Blocks: []uint64{1, 2}},
		{Kind: Stored, Blocks: []uint64{3}, Parent: 2, HasParent: true},
		{Kind: Stored, Blocks: []uint64{5}, Parent: 4, HasParent: true},
		{Kind: Removed, Blocks: []uint64{9}},
	} {
		if err := apply(1, e); err != nil {
			t.Fatal(err)
		}
	}
	if r.AppliedEvents() != 4 || r.Orphans() != 1 {
		t.Errorf("%d events applied and %d orphans, want 4 and 1", r.AppliedEvents(), r.Orphans())
	}
	if got := r.index.overlap(1, []uint64{1, 2, 3, 4, 5}); got.Device != 3 {
		t.Errorf("overlap %+v, want 3 on the device", got)
	}
	for name, err := range map[string]error{
		"no such worker": apply(2, Event{}), "below 0": apply(-1, Event{}),
		"no such tier": apply(0, Event{Tier: 3}), "no such kind": apply(0, Event{Kind: 3}),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if r.AppliedEvents() != 4 {
		t.Errorf("refused events are counted: %d", r.AppliedEvents())
	}
	c.UseKVEvents = false
	if err := mustNew(t, c).Apply(0, Event{}); err == nil {
		t.Error("a router without KV events takes one")
	}
}

func mustNew(t rapid.TB, c Config) *Router {
	t.Helper()
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func mustRoute(t rapid.TB, r *Router, q Request) Decision {
	t.Helper()
	d, err := r.Route(0, q)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
