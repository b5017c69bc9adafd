package tokenizer

import (
	"bytes"
	"strings"

	"github.com/valyala/fastjson"
)

// modelFacts is what added tokens need to know about the model they go with.
type modelFacts struct {
	count     int // pieces of the model: where the ids of added tokens go on
	ids       map[string]int32
	byteLevel bool
}

func (m modelFacts) id(piece string) int32 {
	if id, ok := m.ids[piece]; ok {
		return id
	}
	return -1
}

// decodable returns what a piece is in the table for decoding: the bytes it
// stands for, or itself where it is not written in the byte alphabet.
func (m modelFacts) decodable(piece string) string {
	if m.byteLevel {
		if b, ok := pieceBytes(nil, piece); ok {
			return string(b)
		}
	}
	return piece
}

func readModel(c *core, n node, byteLevel bool) modelFacts {
	kind := n.kind()
	switch {
	case kind == "BPE", kind == "" && !n.get("merges").null():
		return readBPE(c, n, byteLevel)
	case kind == "Unigram", kind == "" && !n.get("unk_id").null():
		return readUnigram(c, n, byteLevel)
	}
	n.fail("type %q is not supported: only BPE and Unigram are", kind)
	return modelFacts{}
}

func readBPE(c *core, n node, byteLevel bool) modelFacts {
	n.only("type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix",
		"fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges")
	for _, key := range []string{"continuing_subword_prefix", "end_of_word_suffix"} {
		if v := n.get(key); v.text("") != "" {
			v.fail("%q is not supported", v.text(""))
		}
	}
	if v := n.get("dropout"); !v.null() && v.value.GetFloat64() != 0 {
		v.fail("dropout makes the ids random: it is not supported")
	}
	b := &bpe{
		start:        startChars,
		unk:          -1,
		fuseUnk:      n.get("fuse_unk").flag(false),
		byteFallback: n.get("byte_fallback").flag(false),
		ignoreMerges: n.get("ignore_merges").flag(false),
	}
	ids := readVocab(n.get("vocab"))
	facts := modelFacts{len(ids), ids, byteLevel}
	if unk := n.get("unk_token"); !unk.null() {
		if b.unk = facts.id(unk.text("")); b.unk < 0 {
			unk.fail("%q is not in the vocabulary", unk.text(""))
		}
	}
	if *n.problem != nil {
		return facts
	}
	table := layOut(n.get("vocab"), facts)
	if *n.problem != nil {
		return facts
	}
	c.setPieces(table)
	b.vocab, c.model = table.vocab, b
	name := byteName
	if byteLevel {
		b.start = startBytes
		name = func(b byte) string { return string(byteChar(b)) }
	}
	for i := range b.bytes {
		b.bytes[i] = facts.id(name(byte(i)))
		if byteLevel && b.byteFallback && b.bytes[i] < 0 {
			n.fail("byte_fallback in a byte-level vocabulary without byte %#02x is not supported", i)
		}
	}
	b.merges = readMerges(n.get("merges"), facts)
	return facts
}

// readVocab reads an object of pieces and ids.
func readVocab(n node) map[string]int32 {
	if n.null() {
		n.fail("there is no vocabulary")
		return nil
	}
	o, err := n.value.Object()
	if err != nil {
		n.fail("want an object, found %s", n.value.Type())
		return nil
	}
	ids := make(map[string]int32, o.Len())
	o.Visit(func(key []byte, v *fastjson.Value) {
		id, err := v.Int()
		if err != nil || id < 0 || id >= largestID {
			n.fail("piece %q: want an id from 0 to %d, found %s", key, largestID-1, shortened(v))
			return
		}
		ids[string(key)] = int32(id)
	})
	return ids
}

// layOut puts the pieces of a vocabulary in the order of their ids. In a
// byte-level vocabulary they become the bytes they stand for. One that is not
// written in the byte alphabet can be no word of the model (it is an added
// token that the vocabulary lists) and is kept for decoding only.
func layOut(n node, facts modelFacts) pieceTable {
	size := 0
	for _, id := range facts.ids {
		size = max(size, int(id)+1)
	}
	pieces := make([]string, size)
	for piece, id := range facts.ids {
		if pieces[id] != "" {
			n.fail("pieces %q and %q have the same id %d", pieces[id], piece, id)
			return pieceTable{}
		}
		pieces[id] = piece
	}
	table := pieceTable{extra: make(map[int]string)}
	var blob []byte
	ends := make([]uint32, 1, size+1)
	for id, piece := range pieces {
		ok := true
		if !facts.byteLevel {
			blob = append(blob, piece...)
		} else if blob, ok = pieceBytes(blob, piece); !ok {
			table.extra[id] = piece
		}
		ends = append(ends, uint32(len(blob)))
	}
	v, err := newVocab(string(blob), ends)
	if err != nil {
		n.fail("%w", err)
	}
	table.vocab = v
	return table
}

// readMerges reads a list of "left right" or ["left", "right"], best first.
func readMerges(n node, facts modelFacts) *pairTable {
	if n.null() {
		n.fail("there are no merges")
		return nil
	}
	list, err := n.value.Array()
	if err != nil {
		n.fail("want a list, found %s", n.value.Type())
		return nil
	}
	table := newPairTable(len(list))
	var joined []byte
	for rank, v := range list {
		left, right, ok := readPair(v)
		if !ok {
			n.fail("merge %d: want \"left right\" or [\"left\", \"right\"], found %s", rank, shortened(v))
			return table
		}
		joined = append(append(joined[:0], left...), right...)
		l, r, j := facts.ids, facts.ids, facts.ids
		leftID, ok1 := l[string(left)]
		rightID, ok2 := r[string(right)]
		joinedID, ok3 := j[string(joined)]
		if !ok1 || !ok2 || !ok3 {
			n.fail("merge %d: %q, %q or both joined are not in the vocabulary", rank, left, right)
			return table
		}
		table.put(leftID, rightID, int32(rank), joinedID)
	}
	return table
}

func readPair(v *fastjson.Value) (left, right []byte, ok bool) {
	if v.Type() == fastjson.TypeArray {
		if pair := v.GetArray(); len(pair) == 2 {
			left, err1 := pair[0].StringBytes()
			right, err2 := pair[1].StringBytes()
			return left, right, err1 == nil && err2 == nil
		}
		return nil, nil, false
	}
	s, err := v.StringBytes()
	if err != nil {
		return nil, nil, false
	}
	left, right, ok = bytes.Cut(s, []byte{' '})
	return left, right, ok && bytes.IndexByte(right, ' ') < 0
}

func readUnigram(c *core, n node, byteLevel bool) modelFacts {
	n.only("type", "unk_id", "vocab", "byte_fallback")
	if byteLevel {
		n.fail("Unigram after a ByteLevel pre-tokenizer is not supported")
	}
	var pieces []string
	var scores []float64
	var blob strings.Builder
	ends := []uint32{0}
	ids := make(map[string]int32)
	for i, entry := range n.get("vocab").items() {
		pair := entry.items()
		if len(pair) != 2 || pair[1].value.Type() != fastjson.TypeNumber {
			entry.fail("want [piece, log probability], found %s", shortened(entry.value))
			break
		}
		piece := pair[0].text("")
		ids[piece] = int32(i)
		pieces, scores = append(pieces, piece), append(scores, pair[1].value.GetFloat64())
		blob.WriteString(piece)
		ends = append(ends, uint32(blob.Len()))
	}
	facts := modelFacts{count: len(pieces), ids: ids}
	unk := n.get("unk_id")
	if unk.null() {
		unk.fail("a Unigram model without an unknown token is not supported")
	}
	if len(pieces) == 0 {
		n.get("vocab").fail("there is no vocabulary")
	}
	id := unk.number(0, len(pieces)-1)
	if *n.problem != nil {
		return facts
	}
	v, err := newVocab(blob.String(), ends)
	if err != nil {
		n.get("vocab").fail("%w", err)
		return facts
	}
	c.setPieces(pieceTable{vocab: v, extra: make(map[int]string)})
	c.model = newUnigram(pieces, scores, int32(id), n.get("byte_fallback").flag(false))
	return facts
}
