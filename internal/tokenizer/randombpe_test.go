package tokenizer

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// randomBPE is a vocabulary of bytes whose merges a random walk found, in the order
// in which it found them or in any. Few vocabularies of models join parts of
// characters; most of these do.
type randomBPE struct {
	*bpe
	pieces []string
	merges [][2]int32 // by rank; nil where the rank of a pair is the id of the piece
}

// randomChars have one to four bytes, and share their first bytes or their last.
var randomChars = []string{"a", "b", "é", "ê", "中", "丁", "下", "国", "、", "😀", "😁"}

func randomWord(rng *rand.Rand, chars int) string {
	var word strings.Builder
	for range 1 + rng.IntN(chars) {
		word.WriteString(randomChars[rng.IntN(len(randomChars))])
	}
	return word.String()
}

func newRandomBPE(t *testing.T, rng *rand.Rand, ranks bool) *randomBPE {
	x := &randomBPE{}
	for i := range 256 {
		x.pieces = append(x.pieces, string([]byte{byte(i)}))
	}
	for len(x.pieces) < 256+20+rng.IntN(60) {
		x.grow(rng, randomWord(rng, 8))
	}
	if rng.IntN(2) == 0 {
		rng.Shuffle(len(x.merges), func(i, j int) { x.merges[i], x.merges[j] = x.merges[j], x.merges[i] })
		if ranks {
			added := x.pieces[256:]
			rng.Shuffle(len(added), func(i, j int) { added[i], added[j] = added[j], added[i] })
		}
	}
	if ranks {
		x.merges = nil
	}
	ends := []uint32{0}
	for _, piece := range x.pieces {
		ends = append(ends, ends[len(ends)-1]+uint32(len(piece)))
	}
	v, err := newVocab(strings.Join(x.pieces, ""), ends)
	if err != nil {
		t.Fatal(err)
	}
	x.bpe = &bpe{vocab: v, start: startBytes, byteLevel: true, unk: -1}
	for i := range x.bytes {
		x.bytes[i] = int32(i)
	}
	if !ranks {
		x.bpe.merges = newPairTable(len(x.merges))
		for rank, m := range x.merges {
			x.bpe.merges.put(m[0], m[1], int32(rank), x.id(x.pieces[m[0]]+x.pieces[m[1]]))
		}
	}
	return x
}

func (x *randomBPE) id(piece string) int32 { return int32(slices.Index(x.pieces, piece)) }

// grow adds a merge of two neighbours of word as the merges so far leave it.
func (x *randomBPE) grow(rng *rand.Rand, word string) {
	ids := x.naive(word)
	if len(ids) < 2 {
		return
	}
	at := rng.IntN(len(ids) - 1)
	piece := x.pieces[ids[at]] + x.pieces[ids[at+1]]
	if len(piece) > 10 || x.id(piece) >= 0 {
		return
	}
	x.pieces = append(x.pieces, piece)
	x.merges = append(x.merges, [2]int32{ids[at], ids[at+1]})
}

// naive merges as byte-pair encoding is defined, and shares nothing with bpe: the
// pair of least rank, the leftmost of several, until none has a rank.
func (x *randomBPE) naive(word string) []int32 {
	var ids []int32
	for i := range len(word) {
		ids = append(ids, int32(word[i]))
	}
	for {
		best, at := math.MaxInt, -1
		for i := range len(ids) - 1 {
			if rank := x.rank(ids[i], ids[i+1]); rank >= 0 && rank < best {
				best, at = rank, i
			}
		}
		if at < 0 {
			return ids
		}
		ids[at] = x.id(x.pieces[ids[at]] + x.pieces[ids[at+1]])
		ids = slices.Delete(ids, at+1, at+2)
	}
}

func (x *randomBPE) rank(left, right int32) int {
	if x.merges == nil {
		return int(x.id(x.pieces[left] + x.pieces[right]))
	}
	return slices.Index(x.merges, [2]int32{left, right})
}

// TestRandomVocabularies compares the ids of words with those of the definition, for
// vocabularies of every kind that merging from characters has to tell apart.
func TestRandomVocabularies(t *testing.T) {
	var fromChars, fromBytes, cut int
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 3))
		x := newRandomBPE(t, rng, seed%2 == 0)
		w := newCore("").walker()
		for range 60 {
			word := randomWord(rng, 14)
			if rng.IntN(8) == 0 {
				at := rng.IntN(len(word))
				word = word[:at] + word[at+1:] // most often not UTF-8 any more
			}
			got := x.tokens(nil, word, w)
			if want := x.naive(word); !slices.Equal(got, want) {
				t.Fatalf("seed %d, %q: got %q, want %q", seed, word, x.spelled(got), x.spelled(want))
			}
			if isASCII(word) {
				continue
			}
			_, end, ok := x.whole.stretch(x.bpe, word, nil)
			fromChars += indicator(ok)
			fromBytes += indicator(!ok)
			cut += indicator(end < len(word))
		}
	}
	t.Logf("%d words begin with characters, %d with bytes; %d are cut", fromChars, fromBytes, cut)
	if fromChars < 5000 || fromBytes < 5000 || cut < 5000 {
		t.Error("a kind of words is rare")
	}
}

func indicator(is bool) int {
	if is {
		return 1
	}
	return 0
}

func (x *randomBPE) spelled(ids []int32) string {
	var parts []string
	for _, id := range ids {
		parts = append(parts, fmt.Sprintf("%q", x.pieces[id]))
	}
	return strings.Join(parts, " ")
}
