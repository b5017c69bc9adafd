// Package tokenizer turns text into the token ids that a model would see, and
// back: it counts the tokens of prompts and replies, and knows the words from
// which a prompt of exact length can be built.
//
// Text flows one way through an immutable chain: added tokens are cut out, the
// rest is normalised, split into words, and each word is encoded by the model
// (byte-pair merges or a unigram lattice). The chain is read from a
// tokenizer.json as Hugging Face's library writes it, or is the built-in
// o200k_base; either gives exactly the ids of the library it stands for.
//
// What it refuses: a component, an option or a splitting pattern that it does
// not know is an error of Load that names it. A token count that is nearly
// right makes every figure per token nearly right, and nobody notices. It
// downloads nothing and knows no model by name.
package tokenizer

import "sync"

// Tokenizer encodes and decodes. It is immutable and safe for concurrent use.
type Tokenizer struct {
	name string
	core *core
}

// core is what tokenizers that differ only in name share.
type core struct {
	fingerprint string
	added       *addedTokens // matched in the text as it is
	addedNormal *addedTokens // matched in the normalised text
	normalizers []normalizer
	splitters   []splitter
	model       model
	cache       *wordCache
	alone       idSet // pieces known to be one token as a word
	walkers     sync.Pool
	decoders    []decoder // none: pieces are joined by spaces
	pieces      pieceTable
	bos, eos    int             // -1: none
	words       func() []string // of Words, made once
	bareWords   func() []string
}

// A normalizer rewrites text before it is split.
type normalizer interface {
	normalize(text string) string
}

// A splitter cuts a piece of text, and hands every part that is not empty to
// w.split with stage next.
type splitter interface {
	split(p piece, w *walker, next int)
}

// A model appends the ids of one word to dst.
type model interface {
	tokens(dst []int32, word string, w *walker) []int32
}

// piece is a part of the normalised text between added tokens.
type piece struct {
	text  string
	first bool // it starts where the text starts
}

// Name says where the vocabulary came from: "builtin (o200k_base)", the path
// given to Load, or what Named was given.
func (t *Tokenizer) Name() string { return t.name }

// Named returns the same tokenizer under another name.
func (t *Tokenizer) Named(name string) *Tokenizer { return &Tokenizer{name, t.core} }

// Fingerprint identifies the vocabulary: the first 16 hexadecimal digits of the
// SHA-256 of the file that it was read from. Two runs whose fingerprints differ
// counted different tokens.
func (t *Tokenizer) Fingerprint() string { return t.core.fingerprint }

// Encode returns the ids of text, without the beginning- and end-of-text
// tokens that a model may want around it (add_special_tokens=False). Added
// tokens that are written out in the text become their own ids, special ones
// too, as Hugging Face's library does. Bytes that are not UTF-8 are encoded as
// bytes where the vocabulary has bytes.
func (t *Tokenizer) Encode(text string) []int { return t.AppendEncode(nil, text) }

// AppendEncode appends the ids of text to dst.
func (t *Tokenizer) AppendEncode(dst []int, text string) []int {
	w := t.core.walker()
	w.dst, w.counting = dst, false
	w.text(text)
	dst, w.dst = w.dst, nil
	t.core.walkers.Put(w)
	return dst
}

// Count is len(Encode(text)) without keeping the ids. Words seen before cost
// one look-up and no allocation.
func (t *Tokenizer) Count(text string) int {
	w := t.core.walker()
	w.counting, w.count = true, 0
	w.text(text)
	n := w.count
	t.core.walkers.Put(w)
	return n
}

// CountWatched is Count of a text that may take seconds. watch is called about
// every 256 KiB with the number of bytes counted, after normalising, and says
// whether to go on; whole is false where it did not.
func (t *Tokenizer) CountWatched(text string, watch func(done int) (goOn bool)) (n int, whole bool) {
	w := t.core.walker()
	w.counting, w.count = true, 0
	w.watch = watch
	w.done = 0
	w.tell = told
	w.stopped = false
	w.text(text)
	n, whole = w.count, !w.stopped
	w.watch, w.stopped = nil, false
	t.core.walkers.Put(w)
	return n, whole
}

// Decode returns the text of ids, special tokens included. Bytes that do not
// make up UTF-8 become U+FFFD, once for each maximal part of a character; an id
// that is not in the vocabulary is left out.
func (t *Tokenizer) Decode(ids []int) string { return t.core.decode(ids) }

// VocabSize is the largest id plus one; not every id below it need be in use.
func (t *Tokenizer) VocabSize() int { return t.core.pieces.size() }

// BOS returns the id of the token that begins a text, where there is one.
func (t *Tokenizer) BOS() (id int, ok bool) { return t.core.bos, t.core.bos >= 0 }

// EOS returns the id of the token that ends a text, where there is one.
func (t *Tokenizer) EOS() (id int, ok bool) { return t.core.eos, t.core.eos >= 0 }
