package tokenizer

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"sync"

	"github.com/pkoukk/tiktoken-go-loader/assets"
)

// builtinFile is the vocabulary of o200k_base, as its publisher distributes it:
// a line for each token, its bytes in base64 and its rank.
const builtinFile = "o200k_base.tiktoken"

// The special tokens of o200k_base are not in the file: they are given with its
// definition in the tiktoken library (tiktoken_ext/openai_public.py).
const (
	builtinEndOfText   = 199999
	builtinEndOfPrompt = 200018
)

var builtin = sync.OnceValues(newBuiltin)

// Builtin returns the o200k_base tokenizer, whose vocabulary is part of the
// program. It is built at the first call and shared after.
func Builtin() (*Tokenizer, error) { return builtin() }

func newBuiltin() (*Tokenizer, error) {
	file, err := assets.Assets.ReadFile(builtinFile)
	if err != nil {
		return nil, fmt.Errorf("reading the built-in vocabulary: %w", err)
	}
	c, err := newRankCore(file,
		scanO200K(classTable(), wordRules{digits: 3, trailing: '/', suffix: true}), []addedToken{
			{content: "<|endoftext|>", id: builtinEndOfText},
			{content: "<|endofprompt|>", id: builtinEndOfPrompt},
		})
	if err != nil {
		return nil, fmt.Errorf("reading the built-in vocabulary %s: %w", builtinFile, err)
	}
	c.eos = builtinEndOfText
	return &Tokenizer{"builtin (o200k_base)", c}, nil
}

// newRankCore builds a tokenizer from a list of ranks: byte-pair merging where
// the rank of a pair is the rank of its bytes joined.
func newRankCore(file []byte, scan scanner, added []addedToken) (*core, error) {
	blob, ends, err := parseRanks(file)
	if err != nil {
		return nil, err
	}
	v, err := newVocab(blob, ends)
	if err != nil {
		return nil, err
	}
	b := &bpe{vocab: v, start: startBytes, byteLevel: true, unk: -1, ignoreMerges: true}
	for i := range b.bytes {
		if b.bytes[i] = v.id(string([]byte{byte(i)})); b.bytes[i] < 0 {
			return nil, fmt.Errorf("no rank for byte %#02x", i)
		}
	}
	pieces := pieceTable{vocab: v, extra: make(map[int]string)}
	for _, t := range added {
		pieces.extra[int(t.id)] = t.content
	}
	c := newCore(fingerprint(file))
	c.added = newAddedTokens(added)
	c.splitters = []splitter{scanSplitter{scan}}
	c.model = b
	c.setPieces(pieces)
	c.decoders = []decoder{byteDecoder{}}
	return c, nil
}

// parseRanks reads lines of "base64 rank" whose ranks count up from 0, and
// returns the tokens one after the other and where each ends.
func parseRanks(file []byte) (blob string, ends []uint32, err error) {
	text := make([]byte, 0, len(file))
	ends = append(make([]uint32, 0, len(file)/16), 0)
	for line := 1; len(file) > 0; line++ {
		row, rest, _ := bytes.Cut(file, []byte{'\n'})
		file = rest
		if len(row) == 0 {
			continue
		}
		token, rank, ok := bytes.Cut(row, []byte{' '})
		if n, err := strconv.Atoi(string(rank)); !ok || err != nil || n != len(ends)-1 {
			return "", nil, fmt.Errorf("line %d: want a token in base64, a space, and rank %d", line, len(ends)-1)
		}
		if text, err = base64.StdEncoding.AppendDecode(text, token); err != nil {
			return "", nil, fmt.Errorf("line %d: %w", line, err)
		}
		ends = append(ends, uint32(len(text)))
	}
	return string(text), ends, nil
}

func fingerprint(file []byte) string {
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:8])
}
