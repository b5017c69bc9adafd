package tokenizer

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// wholeText is a text without spaces of characters of one to three bytes, with
// pieces of the vocabulary and any character now and then. Half of the texts are
// wild: parts of characters and characters beyond the table among them.
func wholeText(rng *rand.Rand, pieces []string) string {
	const common = "今天的气很好我们一起去公园散步吧服务器每秒处多请求東京夜明カタナひらがな混날씨가ишия éñß，。、（"
	runes := []rune(common)
	wild := rng.IntN(2) == 0
	var text strings.Builder
	for range 1 + rng.IntN(60) {
		switch kind := rng.IntN(8); {
		case kind == 0:
			text.WriteRune(rune(0x80 + rng.IntN(0xD800-0x80)))
		case kind == 1:
			if piece := pieces[rng.IntN(len(pieces))]; wild || utf8.ValidString(piece) {
				text.WriteString(piece)
			}
		case kind == 2 && wild:
			text.WriteByte(byte(rng.IntN(256)))
		case kind == 3 && wild:
			text.WriteRune(rune(0x1F300 + rng.IntN(0x100)))
		default:
			text.WriteRune(runes[rng.IntN(len(runes))])
		}
	}
	return text.String()
}

// TestWholeChars compares merging from characters with merging from bytes, which
// the goldens of reference libraries hold, for every vocabulary of bytes, and
// checks that the fast way is taken.
func TestWholeChars(t *testing.T) {
	files, err := filepath.Glob("testdata/*.tokenizer.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	toks := []*Tokenizer{mustBuiltin(t)}
	for _, file := range files {
		tok, err := Load(file)
		if err != nil {
			t.Fatal(err)
		}
		toks = append(toks, tok)
	}
	compared := 0
	for _, tok := range toks {
		if b, ok := tok.core.model.(*bpe); ok && b.byteLevel {
			compared++
			t.Run(filepath.Base(tok.Name()), func(t *testing.T) { compareWhole(t, tok.core, b) })
		}
	}
	if compared < 10 {
		t.Errorf("only %d vocabularies of bytes", compared)
	}
}

// compareWhole compares the ids of random texts.
func compareWhole(t *testing.T, c *core, b *bpe) {
	slow := &bpe{vocab: b.vocab, merges: b.merges, start: b.start, bytes: b.bytes, unk: b.unk,
		fuseUnk: b.fuseUnk, byteFallback: b.byteFallback, ignoreMerges: b.ignoreMerges}
	pieces := make([]string, 0, b.vocab.size())
	for id := range b.vocab.size() {
		pieces = append(pieces, b.vocab.piece(id))
	}
	table := newWholeChars(b)
	if table == nil {
		t.Skip("the vocabulary lacks bytes")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	const texts = 2000
	fast := 0
	for range texts {
		text := wholeText(rng, pieces)
		got := b.tokens(nil, text, c.walker())
		if want := slow.tokens(nil, text, c.walker()); !slices.Equal(got, want) {
			t.Fatalf("%q: from characters %v, from bytes %v", text, got, want)
		}
		if _, _, ok := table.stretch(b, text, nil); ok {
			fast++
		}
	}
	if fast == 0 {
		t.Error("no text was merged from characters")
	}
	t.Logf("%d of %d texts merged from characters", fast, texts)
}
