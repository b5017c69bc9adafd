package prompt

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"headway/internal/tokenizer"
	"headway/workload"
)

// blockPrompts draws prompts of blocks that share beginnings: each continues what
// another has up to some block. Ids stand for all before them, so a tree of them
// is made.
func blockPrompts(r *rand.Rand, size, n int) []workload.Prompt {
	next := int64(0)
	var all []workload.Prompt
	for range n {
		p := workload.Prompt{BlockSize: size, BlockKey: 77, Key: workload.Key(r.Uint64())}
		if len(all) > 0 {
			from := all[r.IntN(len(all))]
			full := from.Tokens / size
			p.Blocks = slices.Clone(from.Blocks[:r.IntN(min(full, len(from.Blocks))+1)])
		}
		for range r.IntN(4) + 1 {
			p.Blocks = append(p.Blocks, next)
			next++
		}
		p.Tokens = len(p.Blocks)*size - r.IntN(size)
		if r.IntN(4) == 0 { // the ids name only a prefix
			p.Tokens = len(p.Blocks)*size + r.IntN(3*size)
		}
		all = append(all, p)
	}
	return all
}

// shares is how many tokens two prompts must have in common: their common blocks,
// as far as both reach.
func shares(a, b workload.Prompt) int {
	return min(sharedBlocks(a, b)*a.BlockSize, a.Tokens, b.Tokens)
}

func sharedBlocks(a, b workload.Prompt) int {
	n := 0
	for n < min(len(a.Blocks), len(b.Blocks)) && a.Blocks[n] == b.Blocks[n] {
		n++
	}
	return n
}

// endsInSpaces are fixtures whose words end in a space, so that the last token of
// a text is one that stands nowhere else.
var endsInSpaces = []string{"split_removed.tokenizer.json", "split_merged_with_previous_invert.tokenizer.json",
	"split_merged_with_next.tokenizer.json"}

// checkBlocks makes the prompts and compares the tokens of each two.
func checkBlocks(t rapid.TB, tok *tokenizer.Tokenizer, m *Maker, all []workload.Prompt) {
	t.Helper()
	ids := make([][]int, len(all))
	for i, p := range all {
		text, err := m.Blocks(p)
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(text) != text {
			t.Errorf("%+v begins or ends with white space: %.100q", p, text)
		}
		ids[i] = tok.Encode(text)
		if len(ids[i]) != p.Tokens {
			t.Fatalf("%+v has %d tokens, want %d", p, len(ids[i]), p.Tokens)
		}
		for j := range i {
			want := shares(p, all[j])
			got := common(ids[i], ids[j])
			if want == min(p.Tokens, all[j].Tokens) && got == want-1 && slices.Contains(endsInSpaces, tok.Name()) {
				continue
			}
			// A few tokens may be equal by chance after they part; never a
			// whole block, and none in vocabularies of thousands of words.
			if got < want || got >= want+chance(p.BlockSize) && got < min(p.Tokens, all[j].Tokens) {
				t.Fatalf("%+v and %+v have %d tokens in common, want %d", p, all[j], got, want)
			}
		}
	}
}

func chance(size int) int { return min(size, 8) }

// TestBlocks checks lengths and sharing with every tokenizer.
func TestBlocks(t *testing.T) {
	for _, tok := range tokenizers(t) {
		t.Run(tok.Name(), func(t *testing.T) {
			t.Parallel()
			m := New(tok)
			for _, size := range []int{16, 64} {
				checkBlocks(t, tok, m, blockPrompts(rand.New(rand.NewPCG(1, uint64(size))), size, 12))
			}
		})
	}
}

// TestBlocksProperty draws many sets of prompts for the built-in tokenizer.
func TestBlocksProperty(t *testing.T) {
	tok := builtin(t)
	m := New(tok)
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom([]int{1, 2, 7, 16, 128, 512}).Draw(t, "block size")
		seed := rapid.Uint64().Draw(t, "seed")
		all := blockPrompts(rand.New(rand.NewPCG(seed, 1)), size, 6)
		if size < 6 {
			// Blocks of less than six words cannot tell 2^64 ids apart.
			for i := range all {
				if text, err := m.Blocks(all[i]); err != nil || tok.Count(text) != all[i].Tokens {
					t.Fatalf("%+v: %d tokens, %v", all[i], tok.Count(text), err)
				}
			}
			return
		}
		checkBlocks(t, tok, m, all)
	})
}

// TestBlocksApart checks that every id has tokens of its own, that worlds are kept
// apart, and that another Maker makes the same.
func TestBlocksApart(t *testing.T) {
	tok := builtin(t)
	m, other := New(tok), New(tok)
	seen := map[string]int64{}
	for id := range int64(20_000) {
		p := workload.Prompt{Blocks: []int64{id % 10_000}, BlockSize: 16, Tokens: 6,
			BlockKey: workload.Key(id / 10_000)}
		text, err := m.Blocks(p)
		if err != nil {
			t.Fatal(err)
		}
		if by, there := seen[text]; there {
			t.Fatalf("ids %d and %d have the text %q", by, id, text)
		}
		seen[text] = id
	}
	p := workload.Prompt{Blocks: []int64{5, 6, 7}, BlockSize: 512, Tokens: 1500, BlockKey: 9}
	a, err1 := m.Blocks(p)
	b, err2 := other.Blocks(p)
	if a != b || err1 != nil || err2 != nil {
		t.Errorf("two makers differ: %v, %v", err1, err2)
	}
}

// TestGrown makes blocks by the way for odd vocabularies with one that does not
// need it: the same text comes out, so prompts made by both share their blocks.
func TestGrown(t *testing.T) {
	tok := builtin(t)
	m := New(tok)
	for _, p := range blockPrompts(rand.New(rand.NewPCG(3, 3)), 32, 6) {
		plain, ok := m.plain(parts(p), p.Tokens)
		grown, err := m.grown(parts(p))
		if !ok || err != nil || plain != grown {
			t.Fatalf("%+v: %v, %v\n%s\n%s", p, ok, err, plain, grown)
		}
	}
}

func TestBlocksFaults(t *testing.T) {
	m := New(builtin(t))
	for want, p := range map[string]workload.Prompt{
		"both must be at least 1":        {Blocks: []int64{1}, Tokens: 5},
		"0 tokens in blocks":             {Blocks: []int64{1}, BlockSize: 4},
		"2 ids of 4 tokens each are too": {Blocks: []int64{1, 2}, BlockSize: 4, Tokens: 4},
		"a prefix of 3 tokens would move": {Blocks: []int64{1}, BlockSize: 4, Tokens: 4,
			Prefix: workload.Prefix{Tokens: 3}},
	} {
		if _, err := m.Blocks(p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", p, err, want)
		}
	}
	_, err := New(vocabulary(t, "Ġ", ".")).Blocks(workload.Prompt{Blocks: []int64{1}, BlockSize: 4, Tokens: 4})
	if err == nil || !strings.Contains(err.Error(), "tokenizer small") {
		t.Errorf("a vocabulary without letters: %v", err)
	}
}

func FuzzBlocks(f *testing.F) {
	tok := builtin(f)
	m := New(tok)
	f.Add(uint64(1), uint16(512), uint8(4))
	f.Add(uint64(9), uint16(6), uint8(1))
	f.Fuzz(func(t *testing.T, seed uint64, size uint16, n uint8) {
		checkBlocks(t, tok, m, blockPrompts(rand.New(rand.NewPCG(seed, 5)), int(size%600)+8, int(n%6)+1))
	})
}

// BenchmarkBlocks makes prompts of the mean length of the Mooncake trace.
func BenchmarkBlocks(b *testing.B) {
	m := New(builtin(b))
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		p := workload.Prompt{BlockSize: 512, Tokens: 12_035}
		for n := range int64(24) {
			p.Blocks = append(p.Blocks, 1000*i+n)
		}
		if _, err := m.Blocks(p); err != nil {
			b.Fatal(err)
		}
	}
}
