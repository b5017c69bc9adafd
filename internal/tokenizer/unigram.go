package tokenizer

import "slices"

// unknownPenalty is what a character that no piece covers costs beyond the
// least likely piece (log probability), as in SentencePiece's unigram model.
const unknownPenalty = 10

// unigram cuts a word into the pieces whose log probabilities have the largest
// sum (Kudo, "Subword Regularization", 2018, section 3.2; found by Viterbi's
// algorithm).
type unigram struct {
	trie         *trie
	scores       []float64
	vocab        *vocab // what a run of unknown characters is looked up in
	unk          int32
	unkScore     float64
	byteFallback bool
	bytes        [256]int32 // the ids of <0x00> to <0xFF>, -1: not in the vocabulary
}

// latticeNode is the best way to reach a position of the word.
type latticeNode struct {
	score float64
	start int32 // where the last piece of that way starts, -1: not reached
	id    int32
}

func newUnigram(t *tables, v *vocab, unk int32, byteFallback bool) *unigram {
	u := &unigram{trie: t.trie, scores: t.scores, vocab: v, unk: unk, unkScore: slices.Min(t.scores) - unknownPenalty,
		byteFallback: byteFallback}
	for b := range u.bytes {
		u.bytes[b] = v.id(byteName(byte(b)))
	}
	return u
}

func (u *unigram) tokens(dst []int32, word string, w *walker) []int32 {
	nodes := w.lattice[:0]
	for range len(word) + 1 {
		nodes = append(nodes, latticeNode{start: -1})
	}
	w.lattice = nodes
	for at := 0; at < len(word); {
		n := charLen(word, at)
		u.extend(word, nodes, at, n)
		at += n
	}
	return u.trace(dst, word, nodes)
}

// extend enters the pieces that start at word[at:], whose first character is n
// bytes long. A piece as good as the best known does not replace it.
func (u *unigram) extend(word string, nodes []latticeNode, at, n int) {
	here, single := nodes[at].score, false
	reach := func(end int, score float64, id int32) {
		if node := &nodes[end]; node.start < 0 || score > node.score {
			*node = latticeNode{score, int32(at), id}
		}
	}
	node := uint32(root)
	for i := at; i < len(word); i++ {
		if node = u.trie.step(node, word[i]); node == root {
			break
		}
		if id := u.trie.values[node]; id >= 0 {
			reach(i+1, u.scores[id]+here, id)
			single = single || i+1 == at+n
		}
	}
	if !single {
		reach(at+n, u.unkScore+here, u.unk)
	}
}

// trace follows the best way back from the end of word and appends its ids in
// reading order. Unknown characters side by side are one unknown.
func (u *unigram) trace(dst []int32, word string, nodes []latticeNode) []int32 {
	// The way is turned round in place: every node learns where its piece ends.
	end := int32(-1)
	for at := int32(len(word)); ; {
		start := nodes[at].start
		nodes[at].start, end, at = end, at, start
		if at < 0 {
			break
		}
	}
	for at := int32(0); ; {
		to := nodes[at].start
		if to < 0 {
			return dst
		}
		if id := nodes[to].id; id != u.unk {
			dst = append(dst, id)
			at = to
			continue
		}
		for next := nodes[to].start; next >= 0 && nodes[next].id == u.unk; next = nodes[to].start {
			to = next
		}
		dst = u.unknown(dst, word[at:to])
		at = to
	}
}

// unknown appends what stands for text that the lattice has no piece for.
func (u *unigram) unknown(dst []int32, text string) []int32 {
	if id := u.vocab.id(text); id >= 0 {
		return append(dst, id)
	}
	if u.byteFallback {
		if all, ok := appendBytes(dst, &u.bytes, text); ok {
			return all
		}
	}
	return append(dst, u.unk)
}

// appendBytes appends the ids of the bytes of text; ok is false, and dst as it
// was, when one of them has none.
func appendBytes(dst []int32, ids *[256]int32, text string) (all []int32, ok bool) {
	all = dst
	for i := range len(text) {
		id := ids[text[i]]
		if id < 0 {
			return dst, false
		}
		all = append(all, id)
	}
	return all, true
}

// byteName is the piece that stands for a byte in vocabularies with byte
// fallback.
func byteName(b byte) string {
	const hex = "0123456789ABCDEF"
	return string([]byte{'<', '0', 'x', hex[b>>4], hex[b&15], '>'})
}
