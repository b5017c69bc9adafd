package tokenizer

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"github.com/valyala/fastjson"
)

// readUnigram reads pieces with their log probabilities, by id.
func (d *document) readUnigram(c *core, n node, byteLevel bool) modelFacts {
	n.only("type", "unk_id", "vocab", "byte_fallback")
	if byteLevel {
		n.fail("Unigram after a ByteLevel pre-tokenizer is not supported")
	}
	if d.tables == nil {
		d.tables = d.readScores(n.get("vocab"))
	}
	unk := n.get("unk_id")
	if unk.null() {
		unk.fail("a Unigram model without an unknown token is not supported")
	}
	if *n.problem != nil {
		return modelFacts{}
	}
	if len(d.tables.scores) == 0 {
		n.get("vocab").fail("there is no vocabulary")
	}
	id := unk.number(0, len(d.tables.scores)-1)
	if *n.problem != nil {
		return modelFacts{}
	}
	v := c.setTables(d.tables, n.get("vocab"))
	if *n.problem != nil {
		return modelFacts{}
	}
	c.model = newUnigram(d.tables, v, int32(id), n.get("byte_fallback").flag(false))
	return d.tables.facts(v, false)
}

// readScores reads a list of [piece, log probability].
func (d *document) readScores(n node) *tables {
	if !n.null() && n.value.Type() != fastjson.TypeArray {
		n.fail("want a list, found %s", n.value.Type())
		return nil
	}
	t := &tables{ends: []uint32{0}}
	if n.null() {
		return t
	}
	var blob []byte
	var pieces []string
	c := cursor{data: d.large.vocab}
	err := c.array(func() error {
		from := c.at
		piece, score, err := c.scored()
		if err != nil {
			c.at = from
			value, _ := c.skip()
			return scoreFault{len(t.scores), short(value)}
		}
		blob = append(blob, piece...)
		pieces, t.scores = append(pieces, string(piece)), append(t.scores, score)
		t.ends = append(t.ends, uint32(len(blob)))
		return nil
	})
	var fault scoreFault
	switch {
	case errors.As(err, &fault):
		n.at(fault.index).fail("want [piece, log probability], found %s", fault.found)
	case err != nil:
		n.fail("%w", err)
	}
	t.blob, t.count, t.trie = string(blob), len(pieces), newTrie(pieces)
	return t
}

// scoreFault is an entry that is none.
type scoreFault struct {
	index int
	found string
}

func (f scoreFault) Error() string { return fmt.Sprintf("entry %d: found %s", f.index, f.found) }

// scored reads [piece, log probability]. The piece is valid until the next call.
func (c *cursor) scored() (piece []byte, score float64, err error) {
	n := 0
	err = c.array(func() error {
		if n++; n == 1 {
			piece, err = c.text()
			return err
		}
		text, err := c.skip()
		if err == nil && !bytes.ContainsAny(text[:1], "-0123456789") {
			err = errJSONText
		}
		if err == nil {
			score, err = strconv.ParseFloat(string(bytes.TrimSpace(text)), 64)
		}
		return err
	})
	if err == nil && n != 2 {
		err = errJSONText
	}
	return piece, score, err
}
