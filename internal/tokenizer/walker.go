package tokenizer

import "sync"

// walker takes one text through the chain of a core. It holds what one call
// needs, and is reused by later calls.
type walker struct {
	core     *core
	counting bool
	count    int   // tokens so far, when counting
	dst      []int // ids so far, when not
	ids      []int32
	symbols  []symbol
	queue    pairQueue
	lattice  []latticeNode
}

// keepSymbols bounds what a walker keeps for later calls: one text of a
// megabyte without a space must not hold its symbols for ever.
const keepSymbols = 1 << 14

func newCore(fingerprint string) *core {
	c := &core{fingerprint: fingerprint, cache: newWordCache(), bos: -1, eos: -1}
	c.words = sync.OnceValue(func() []string { return c.findWords(allWords, spacedWord) })
	c.bareWords = sync.OnceValue(func() []string { return c.findWords(allWords, bareWord) })
	return c
}

// setPieces sets the table of pieces and what follows from its size.
func (c *core) setPieces(p pieceTable) {
	c.pieces = p
	c.alone = newIDSet(p.vocab.size())
}

func (c *core) walker() *walker {
	if w, ok := c.walkers.Get().(*walker); ok {
		if cap(w.symbols) > keepSymbols || cap(w.lattice) > keepSymbols {
			w.symbols, w.queue, w.lattice, w.ids = nil, nil, nil, nil
		}
		return w
	}
	return &walker{core: c}
}

// text cuts out the added tokens that stand in the text as it is.
func (w *walker) text(text string) {
	done := 0
	for m := range w.core.added.matches(text) {
		if done < m.start {
			w.between(text[done:m.start], done == 0)
		}
		w.token(m.id)
		done = m.end
	}
	if done < len(text) {
		w.between(text[done:], done == 0)
	}
}

// between normalises a text without such tokens, and cuts out the added tokens
// that stand in the result.
func (w *walker) between(text string, first bool) {
	for _, n := range w.core.normalizers {
		text = n.normalize(text)
	}
	done := 0
	for m := range w.core.addedNormal.matches(text) {
		if done < m.start {
			w.split(piece{text[done:m.start], first && done == 0}, 0)
		}
		w.token(m.id)
		done = m.end
	}
	if done < len(text) {
		w.split(piece{text[done:], first && done == 0}, 0)
	}
}

// split hands p to the splitter of a stage, and to the model after the last.
func (w *walker) split(p piece, stage int) {
	if stage < len(w.core.splitters) {
		w.core.splitters[stage].split(p, w, stage+1)
		return
	}
	w.word(p.text)
}

// word encodes one word. A word that is a piece of the vocabulary is nearly
// always that one token; once that is known of it, it needs no place in the
// cache, which so holds the others.
func (w *walker) word(word string) {
	piece := w.core.pieces.vocab.id(word)
	if piece >= 0 && w.core.alone.is(piece) {
		w.token(piece)
		return
	}
	if len(word) > cacheWord {
		w.ids = w.core.model.tokens(w.ids[:0], word, w)
		w.tokens(w.ids)
		return
	}
	slot := w.core.cache.slot(word)
	if known := slot.Load(); known != nil && known.word == word {
		w.tokens(known.ids)
		return
	}
	w.ids = w.core.model.tokens(w.ids[:0], word, w)
	if piece >= 0 && len(w.ids) == 1 && w.ids[0] == piece {
		w.core.alone.set(piece)
	} else {
		w.core.cache.put(slot, word, w.ids)
	}
	w.tokens(w.ids)
}

func (w *walker) tokens(ids []int32) {
	if w.counting {
		w.count += len(ids)
		return
	}
	for _, id := range ids {
		w.dst = append(w.dst, int(id))
	}
}

func (w *walker) token(id int32) {
	if w.counting {
		w.count++
		return
	}
	w.dst = append(w.dst, int(id))
}
