package tokenizer

import (
	"fmt"

	"github.com/valyala/fastjson"
)

func (d *document) readBPE(c *core, n node, byteLevel bool) modelFacts {
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
	if d.tables == nil {
		d.tables = d.readVocab(n.get("vocab"), byteLevel)
	}
	if *n.problem != nil {
		return modelFacts{}
	}
	v := c.setTables(d.tables, n.get("vocab"))
	if *n.problem != nil {
		return modelFacts{}
	}
	facts := d.tables.facts(v, byteLevel)
	if unk := n.get("unk_token"); !unk.null() {
		if b.unk = facts.id(unk.text("")); b.unk < 0 {
			unk.fail("%q is not in the vocabulary", unk.text(""))
		}
	}
	b.vocab, c.model = v, b
	b.setBytes(n, facts)
	if d.tables.merges == nil {
		d.tables.merges = d.readMerges(n.get("merges"), facts)
	}
	b.merges = d.tables.merges
	return facts
}

// setBytes finds the ids of single bytes.
func (b *bpe) setBytes(n node, facts modelFacts) {
	name := byteName
	if facts.byteLevel {
		b.start, b.byteLevel = startBytes, true
		name = func(b byte) string { return string(byteChar(b)) }
	}
	for i := range b.bytes {
		b.bytes[i] = facts.id(name(byte(i)))
		if facts.byteLevel && b.byteFallback && b.bytes[i] < 0 {
			n.fail("byte_fallback in a byte-level vocabulary without byte %#02x is not supported", i)
		}
	}
}

// span is where a piece stands in the text of pieces.
type span struct{ at, length uint32 }

// readVocab reads an object of pieces and ids, and lays the pieces out by id.
func (d *document) readVocab(n node, byteLevel bool) *tables {
	if n.null() {
		n.fail("there is no vocabulary")
		return nil
	}
	if n.value.Type() != fastjson.TypeObject {
		n.fail("want an object, found %s", n.value.Type())
		return nil
	}
	var text []byte
	var byID []span // a length of 0: not in use
	t := &tables{}
	c := cursor{data: d.large.vocab}
	err := c.object(func(piece []byte) error {
		at := len(text)
		text = append(text, piece...)
		id, ok := c.number()
		if !ok || id >= largestID {
			return fmt.Errorf("piece %q: want an id from 0 to %d", text[at:], largestID-1)
		}
		for len(byID) <= id {
			byID = append(byID, span{})
		}
		if s := byID[id]; s.length > 0 {
			return fmt.Errorf("pieces %q and %q have the same id %d", text[s.at:s.at+s.length], text[at:], id)
		}
		byID[id] = span{uint32(at), uint32(len(text) - at)}
		t.count++
		return nil
	})
	if err != nil {
		n.fail("%w", err)
		return nil
	}
	t.layOut(text, byID, byteLevel)
	return t
}

// layOut puts the pieces one after the other by id; those of a byte-level
// vocabulary become the bytes that they stand for.
func (t *tables) layOut(text []byte, byID []span, byteLevel bool) {
	blob := make([]byte, 0, len(text))
	t.ends = append(make([]uint32, 0, len(byID)+1), 0)
	t.odd = make(map[int]string)
	for id, s := range byID {
		piece := text[s.at : s.at+s.length]
		ok := true
		if !byteLevel {
			blob = append(blob, piece...)
		} else if blob, ok = pieceBytes(blob, view(piece)); !ok {
			// Not a sequence of byte symbols: no word can contain it.
			t.odd[id] = string(piece)
		}
		t.ends = append(t.ends, uint32(len(blob)))
	}
	t.blob = string(blob)
}
