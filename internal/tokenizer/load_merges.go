package tokenizer

import (
	"bytes"
	"fmt"

	"github.com/valyala/fastjson"
)

// readMerges reads the list of merges by rank.
func (d *document) readMerges(n node, facts modelFacts) *pairTable {
	if n.null() {
		n.fail("there are no merges")
		return nil
	}
	if n.value.Type() != fastjson.TypeArray {
		n.fail("want a list, found %s", n.value.Type())
		return nil
	}
	m := mergeReader{cursor: cursor{data: d.large.merges}, facts: facts}
	ranks := make([]pairSlot, 0, facts.count)
	err := m.array(func() error {
		s, err := m.merge(len(ranks))
		ranks = append(ranks, s)
		return err
	})
	if err != nil {
		n.fail("%w", err)
		return nil
	}
	table := newPairTable(len(ranks))
	for rank, s := range ranks {
		table.put(int32(s.key>>32), int32(uint32(s.key)), int32(rank), s.joined)
	}
	return table
}

// mergeReader reads one merge after the other.
type mergeReader struct {
	cursor
	facts  modelFacts
	joined []byte // the pieces of both, one after the other
	room   []byte
}

// merge reads "left right" or ["left", "right"]. The key of what it returns is the
// pair of ids.
func (m *mergeReader) merge(rank int) (pairSlot, error) {
	from := m.at
	split, ok := m.pair()
	if !ok {
		m.at = from
		value, err := m.skip()
		if err != nil {
			return pairSlot{}, err
		}
		return pairSlot{}, fmt.Errorf("merge %d: want \"left right\" or [\"left\", \"right\"], found %s", rank,
			short(value))
	}
	l, r, j := m.id(m.joined[:split]), m.id(m.joined[split:]), m.id(m.joined)
	if l < 0 || r < 0 || j < 0 {
		return pairSlot{}, fmt.Errorf("merge %d: %q, %q or both joined are not in the vocabulary", rank,
			m.joined[:split], m.joined[split:])
	}
	return pairSlot{key: uint64(uint32(l))<<32 | uint64(uint32(r)), joined: j}, nil
}

func (m *mergeReader) pair() (split int, ok bool) {
	m.joined = m.joined[:0]
	if m.next() == '"' {
		text, err := m.text()
		if err != nil {
			return 0, false
		}
		left, right, ok := bytes.Cut(text, []byte{' '})
		m.joined = append(append(m.joined, left...), right...)
		return len(left), ok && bytes.IndexByte(right, ' ') < 0
	}
	n := 0
	err := m.array(func() error {
		text, err := m.text()
		if n++; n == 1 {
			split = len(text)
		}
		m.joined = append(m.joined, text...)
		return err
	})
	return split, err == nil && n == 2
}

func (m *mergeReader) id(piece []byte) int32 {
	id, room := m.facts.find(m.room, piece)
	m.room = room
	return id
}
