package tokenizer

import (
	"unsafe"

	"github.com/valyala/fastjson"
)

// tables are what of a model is large. They are made of the lists of a
// tokenizer.json, or lie in a compact file. Nothing in them changes.
type tables struct {
	// blob are the pieces one after the other: piece i, of id i, is
	// blob[ends[i]:ends[i+1]]. Of a byte-level vocabulary they are bytes.
	blob string
	ends []uint32
	// odd are pieces of a byte-level vocabulary that stand for no bytes.
	odd map[int]string
	// count is how many ids are in use.
	count int
	// merges are those of byte-pair merging.
	merges *pairTable
	// scores and trie are those of a Unigram model.
	scores []float64
	trie   *trie
}

// modelFacts is what added tokens need to know about the model they go with.
type modelFacts struct {
	count     int // pieces of the model: where the ids of added tokens go on
	vocab     *vocab
	odd       map[string]int32
	byteLevel bool
}

// id of a piece as it is written in the file.
func (m modelFacts) id(piece string) int32 {
	id, _ := m.find(nil, []byte(piece))
	return id
}

// find is id with room for the bytes of the piece, which it gives back.
func (m modelFacts) find(room, piece []byte) (id int32, used []byte) {
	if !m.byteLevel {
		return m.vocab.id(view(piece)), room
	}
	b, ok := pieceBytes(room[:0], view(piece))
	if ok {
		return m.vocab.id(view(b)), b
	}
	if id, there := m.odd[string(piece)]; there {
		return id, b
	}
	return -1, b
}

// view is a string of bytes that do not change while it is looked at.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// decodable returns the content of an added token as what decoding makes of it.
// An added token is a piece like any other there: its characters stand for bytes
// in a byte-level vocabulary.
func (m modelFacts) decodable(piece string) string {
	if m.byteLevel {
		if b, ok := pieceBytes(nil, piece); ok {
			return string(b)
		}
	}
	return piece
}

func (t *tables) facts(v *vocab, byteLevel bool) modelFacts {
	m := modelFacts{count: t.count, vocab: v, byteLevel: byteLevel}
	if len(t.odd) > 0 {
		m.odd = make(map[string]int32, len(t.odd))
		for id, piece := range t.odd {
			m.odd[piece] = int32(id)
		}
	}
	return m
}

// readModel reads the "model" of a tokenizer.json. Before it had a type, merges
// told a BPE model and an unknown id a Unigram model.
func (d *document) readModel(c *core, n node, byteLevel bool) modelFacts {
	kind := n.kind()
	switch {
	case kind == "BPE", kind == "" && !n.get("merges").null():
		return d.readBPE(c, n, byteLevel)
	case kind == "Unigram", kind == "" && !n.get("unk_id").null():
		return d.readUnigram(c, n, byteLevel)
	}
	n.fail("type %q is not supported: only BPE and Unigram are", kind)
	return modelFacts{}
}

// setTables indexes the pieces.
func (c *core) setTables(t *tables, n node) *vocab {
	v, err := newVocab(t.blob, t.ends)
	if err != nil {
		n.fail("%w", err)
		return nil
	}
	extra := make(map[int]string, len(t.odd))
	for id, piece := range t.odd {
		extra[id] = piece
	}
	c.setPieces(pieceTable{vocab: v, extra: extra})
	return v
}

// short is the text of a value as a message shows it.
func short(value []byte) string {
	v, err := fastjson.ParseBytes(value)
	if err != nil {
		return "no JSON"
	}
	return shortened(v)
}
