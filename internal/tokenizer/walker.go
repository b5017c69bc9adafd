package tokenizer

import (
	"sync"
	"unicode/utf8"
)

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

	// Of a text that is watched: how much of it was counted, and when to tell.
	watch   func(done int) (goOn bool)
	done    int
	tell    int
	stopped bool
}

// longWord is the longest word that is encoded as one, in bytes. A longer one,
// which no language has, is cut: memory and time of merging grow faster than the
// word does, and a server can send one of megabytes. A cut costs a token or two.
const longWord = 64 << 10

// told is how many bytes are counted between two calls of watch.
const told = 256 << 10

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
			w.symbols = nil
			w.queue = nil
			w.lattice = nil
			w.ids = nil
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
	if len(word) > longWord {
		w.long(word)
		return
	}
	if w.watch != nil && !w.advance(len(word)) {
		return
	}
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
	ids, hash := w.core.cache.find(word)
	if ids != nil {
		w.tokens(ids)
		return
	}
	w.ids = w.core.model.tokens(w.ids[:0], word, w)
	if piece >= 0 && len(w.ids) == 1 && w.ids[0] == piece {
		w.core.alone.set(piece)
	} else {
		w.core.cache.put(hash, word, w.ids)
	}
	w.tokens(w.ids)
}

// long encodes a word in pieces of whole characters.
func (w *walker) long(word string) {
	for len(word) > 0 && !w.stopped {
		n := min(longWord, len(word))
		for n < len(word) && n > longWord-utf8.UTFMax && !utf8.RuneStart(word[n]) {
			n--
		}
		w.ids = w.core.model.tokens(w.ids[:0], word[:n], w)
		w.tokens(w.ids)
		word = word[n:]
		if w.watch != nil {
			w.advance(n)
		}
	}
}

// advance notes that so much of a watched text is being counted, and reports
// whether to go on.
func (w *walker) advance(n int) bool {
	if w.stopped {
		return false
	}
	if w.done += n; w.done >= w.tell {
		w.tell = w.done + told
		w.stopped = !w.watch(w.done)
	}
	return !w.stopped
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
