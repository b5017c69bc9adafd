package workload

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// common is how many leading entries are equal.
func common[T comparable](a, b []T) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

func TestSequenceHashes(t *testing.T) {
	a := SequenceHashes([]int64{0, 1, 2}, 512, 64, 512*2+200)
	if len(a) != 19 { // 8 + 8 + 3 full blocks of 64 in 200 tokens
		t.Fatalf("%d hashes", len(a))
	}
	for _, c := range []struct {
		name   string
		blocks []int64
		tokens int
		want   int // leading hashes that are equal
		all    int
	}{
		{"the same", []int64{0, 1, 2}, 1224, 19, 19},
		{"longer", []int64{0, 1, 2, 3}, 1600, 19, 25},
		{"another last one", []int64{0, 1, 3}, 1224, 16, 19},
		{"the same after another", []int64{9, 1, 2}, 1224, 0, 19},
		{"shorter", []int64{0, 1}, 600, 9, 9},
		{"no full block", []int64{0}, 63, 0, 0},
		{"more tokens than ids", []int64{0}, 5000, 8, 8},
	} {
		b := SequenceHashes(c.blocks, 512, 64, c.tokens)
		if n := common(a, b); n != c.want || len(b) != c.all {
			t.Errorf("%s: %d of %d equal, want %d of %d", c.name, n, len(b), c.want, c.all)
		}
	}
	for _, block := range []int{1, 16, 100, 512, 700, 5000} {
		if n := len(SequenceHashes([]int64{0, 1, 2}, 512, block, 1224)); n != 1224/block {
			t.Errorf("blocks of %d: %d hashes, want %d", block, n, 1224/block)
		}
	}
}

// content writes out what a prompt is made of, one entry a token.
func content(p Prompt) []string {
	var all []string
	add := func(kind string, key Key, n int) {
		for i := range n {
			all = append(all, kind+string(rune(key))+"/"+string(rune(i)))
		}
	}
	add("s", p.SystemKey, p.SystemTokens)
	add("p", p.Prefix.Key, p.Prefix.Tokens)
	rest := p.Tokens
	for _, id := range p.Blocks {
		n := min(rest, p.BlockSize)
		add("b"+string(rune(p.BlockKey))+".", Key(id), n)
		rest -= n
	}
	add("t", p.Key, rest)
	return all
}

// TestPromptHashes compares with an oracle that writes every token out: two
// prompts have the full blocks in common that their tokens have in common.
func TestPromptHashes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		small := rapid.IntRange(1, 3)
		draw := func(label string) Prompt {
			p := Prompt{
				SystemKey: 100, SystemTokens: rapid.SampledFrom([]int{0, 0, 7, 40}).Draw(t, label+" system"),
				Prefix: Prefix{Key: 200 + Key(small.Draw(t, "pool")),
					Tokens: rapid.SampledFrom([]int{0, 20, 33}).Draw(t, label+" prefix")},
				BlockKey: 300, BlockSize: 16, Key: 400 + Key(small.Draw(t, label+" key")),
			}
			for range rapid.IntRange(0, 5).Draw(t, label+" blocks") {
				// An id stands for all before it, so it names its place.
				p.Blocks = append(p.Blocks, int64(1000*len(p.Blocks)+small.Draw(t, label+" id")))
			}
			p.Tokens = max(1, 16*len(p.Blocks)+rapid.IntRange(-15, 40).Draw(t, label+" rest"))
			return p
		}
		a, b := draw("a"), draw("b")
		block := rapid.SampledFrom([]int{1, 4, 8, 16, 24, 64}).Draw(t, "engine block")
		x, y := a.AppendHashes(nil, block), b.AppendHashes(nil, block)
		p, q := content(a), content(b)
		if len(x) != len(p)/block || len(y) != len(q)/block {
			t.Fatalf("%d and %d hashes for %d and %d tokens in blocks of %d", len(x), len(y), len(p), len(q), block)
		}
		if got, want := common(x, y), common(p, q)/block; got != want {
			t.Fatalf("%d blocks in common, want %d: %+v %+v", got, want, a, b)
		}
	})
}

func TestHashTokens(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	ids := make([]int, 1000)
	for i := range ids {
		ids[i] = r.IntN(3)
	}
	for _, block := range []int{1, 2, 3, 16, 64, 999, 2000} {
		all := HashTokens(ids, block)
		if len(all) != len(ids)/block {
			t.Fatalf("blocks of %d: %d hashes", block, len(all))
		}
		if seen := slices.Compact(slices.Sorted(slices.Values(all))); len(seen) != len(all) || slices.Contains(all, 0) {
			t.Errorf("blocks of %d: hashes repeat or are 0", block)
		}
		for _, at := range []int{0, 1, 63, 500, 998} {
			other := slices.Clone(ids)
			other[at]++
			if n, want := common(all, HashTokens(other, block)), min(at/block, len(all)); n != want {
				t.Errorf("blocks of %d, token %d changed: %d equal, want %d", block, at, n, want)
			}
		}
	}
	if n := testing.AllocsPerRun(10, func() { HashTokens(ids, 16) }); n > 1 {
		t.Errorf("%v allocations, want the result alone", n)
	}
	blocks := []int64{1, 2, 3, 4}
	if n := testing.AllocsPerRun(10, func() { SequenceHashes(blocks, 512, 16, 2000) }); n > 1 {
		t.Errorf("%v allocations, want the result alone", n)
	}
}

// BenchmarkSequenceHashes hashes a prompt of the Mooncake trace's mean length.
func BenchmarkSequenceHashes(b *testing.B) {
	blocks := make([]int64, 24)
	for i := range blocks {
		blocks[i] = int64(i)
	}
	b.ReportAllocs()
	for b.Loop() {
		SequenceHashes(blocks, 512, 64, 12_035)
	}
}

func BenchmarkHashTokens(b *testing.B) {
	ids := make([]int, 12_035)
	for i := range ids {
		ids[i] = i * 7
	}
	b.ReportAllocs()
	for b.Loop() {
		HashTokens(ids, 64)
	}
}
