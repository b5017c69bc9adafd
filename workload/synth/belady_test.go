package synth

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"headway/workload"
)

// mostHits tries every set of blocks that a cache of a size may keep after each prompt,
// and gives the most blocks that any choice hits.
func mostHits(paths [][]int32, size int) int {
	best := map[uint32]int{0: 0} // hits so far, by what is kept
	for _, path := range paths {
		after := map[uint32]int{}
		for kept, hits := range best {
			all := kept
			for b, n := range path {
				if kept&(1<<n) != 0 && b == bits.OnesCount32(prefix(kept, path[:b])) {
					hits++
				}
				all |= 1 << n
			}
			for sub := all; ; sub = (sub - 1) & all {
				if bits.OnesCount32(sub) <= size {
					after[sub] = max(after[sub], hits)
				}
				if sub == 0 {
					break
				}
			}
		}
		best = after
	}
	most := 0
	for _, hits := range best {
		most = max(most, hits)
	}
	return most
}

// prefix are those of some blocks that are kept.
func prefix(kept uint32, path []int32) (set uint32) {
	for _, n := range path {
		set |= kept & (1 << n)
	}
	return set
}

// No choice of what to keep hits more than Belady's rule says, and one hits as many.
func TestBestIsBruteForce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	more := 0
	for range 60 {
		rows := randomRows(r, 1+r.IntN(9), 4)
		for i := range rows { // few blocks: all sets of them are tried
			n := min(len(rows[i].HashIDs), 1+r.IntN(3))
			rows[i].HashIDs, rows[i].InputLength = rows[i].HashIDs[:n], 4*n
		}
		a, err := Analyze(rows, 4)
		if err != nil {
			t.Fatal(err)
		}
		if a.Reuse.Distinct > 11 {
			continue
		}
		for size := range a.Reuse.Distinct + 2 {
			best, tokens := a.Reuse.BestAt(size)
			want := float64(mostHits(a.Reuse.paths, size)) / float64(a.Reuse.Blocks)
			if math.Abs(best-want) > 1e-12 || math.Abs(tokens-want) > 1e-12 {
				t.Fatalf("%d blocks: %v of blocks and %v of tokens, want %v: %v", size, best, tokens, want, rows)
			}
			if lru, _ := a.Reuse.At(size); best > lru {
				more++
			} else if best < lru {
				t.Fatalf("%d blocks: LRU hits %v, the best rule %v", size, lru, best)
			}
		}
	}
	if more < 20 {
		t.Errorf("the best rule was better than LRU %d times: nothing was shown", more)
	}
}

// tierLists are caches below each other as plain lists, the latest used last.
func tierLists(rows []workload.Row, tiers []Tier) []int {
	lists, hits := make([][]int64, len(tiers)), make([]int, len(tiers))
	put := func(i int, id int64) (out int64, over bool) {
		lists[i] = append(slices.DeleteFunc(lists[i], func(h int64) bool { return h == id }), id)
		if len(lists[i]) <= tiers[i].Blocks {
			return 0, false
		}
		out, lists[i] = lists[i][0], lists[i][1:]
		return out, true
	}
	for _, row := range rows {
		for _, id := range row.HashIDs {
			i := slices.IndexFunc(lists, func(l []int64) bool { return slices.Contains(l, id) })
			if i < 0 {
				break
			}
			hits[i]++
		}
		for _, id := range slices.Backward(row.HashIDs) {
			if !tiers[len(tiers)-1].Exclusive {
				for i := range lists {
					put(i, id)
				}
				continue
			}
			for i := range lists {
				lists[i] = slices.DeleteFunc(lists[i], func(h int64) bool { return h == id })
			}
			for i, over := 0, true; i < len(lists) && over; i++ {
				id, over = put(i, id)
			}
		}
	}
	return hits
}

// What tiers bring is what a simulation of them counts, block by block.
func TestTiersAreThoseOfASimulation(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 60 {
		rows := randomRows(r, 1+r.IntN(40), 4)
		a, err := Analyze(rows, 4)
		if err != nil {
			t.Fatal(err)
		}
		exclusive := r.IntN(2) == 0
		var tiers []Tier
		for range 1 + r.IntN(3) {
			tiers = append(tiers, Tier{Blocks: 1 + r.IntN(30), Exclusive: exclusive})
		}
		for i, n := range tierLists(rows, tiers) {
			got := a.Reuse.Tiers(tiers)[i]
			if want := float64(n) / float64(a.Reuse.Blocks); math.Abs(got.LRUBlocks-want) > 1e-12 {
				t.Fatalf("tier %d of %+v brings %v, want %v", i, tiers, got.LRUBlocks, want)
			}
		}
	}
}

// BenchmarkBest is Belady's rule at one size.
func BenchmarkBest(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	rows := randomRows(r, 100_000, 4)
	a, err := Analyze(rows, 4)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		a.Reuse.BestAt(a.Reuse.Distinct / 4)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(a.Reuse.Blocks), "ns/block")
}
