package tokenizer

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/valyala/fastjson"
)

const (
	fileName   = "tokenizer.json"
	configName = "tokenizer_config.json"
)

// Load reads a tokenizer.json, or the one in a folder. A tokenizer_config.json
// beside it says which tokens begin and end a text. The truncation, padding and
// post-processor of the file are not applied: nothing is cut off, and no
// special token is put around a text.
//
// Supported are the models BPE (byte-level, or on characters with or without byte
// fallback) and Unigram; the normalizers NFC, NFD, NFKC, NFKD, Lowercase, Strip,
// Replace, Prepend, Precompiled; the pre-tokenizers ByteLevel, Split with a
// string or one of the patterns in patterns.go, Metaspace, Digits, Punctuation,
// Whitespace, WhitespaceSplit; the decoders ByteLevel, Metaspace, Replace,
// ByteFallback, Fuse, Strip; Sequences of these. The error for anything else
// names it and where it stands.
func Load(path string) (*Tokenizer, error) {
	file := path
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		file = filepath.Join(path, fileName)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading tokenizer: %w", err)
	}
	c, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("reading tokenizer %s: %w", file, err)
	}
	config, err := os.ReadFile(filepath.Join(filepath.Dir(file), configName))
	if err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("reading tokenizer configuration: %w", err)
	}
	c.findEnds(config)
	return &Tokenizer{path, c}, nil
}

// parse builds a core from the bytes of a tokenizer.json.
func parse(data []byte) (*core, error) {
	value, err := fastjson.ParseBytes(data)
	if err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	var problem error
	file := node{value, "", &problem}
	if file.get("model").null() {
		return nil, errNoTokenizer
	}
	if v := file.get("version").text("1.0"); v != "1.0" {
		file.get("version").fail("version %q is not supported, only 1.0 is", v)
	}
	c := newCore(fingerprint(data))
	c.normalizers = readNormalizers(nil, file.get("normalizer"))
	splitters := readSplitters(file.get("pre_tokenizer"))
	c.splitters = splitters.list
	model := readModel(c, file.get("model"), splitters.bytes)
	c.decoders = readDecoders(nil, file.get("decoder"), splitters.bytes)
	if problem == nil {
		c.readAdded(file.get("added_tokens"), model)
	}
	if problem != nil {
		return nil, problem
	}
	return c, nil
}

// readAdded gives added tokens their ids, by the rule of Hugging Face's library:
// a token that the model has keeps the model's id, any other gets the next free
// one, whatever id the file states.
func (c *core) readAdded(list node, m modelFacts) {
	ids := make(map[string]int32)
	places := make(map[int32]int) // of an id in tokens: the later of two counts
	var tokens []addedToken
	next := int32(m.count)
	for _, n := range list.items() {
		t, ok := c.readAddedToken(n)
		if !ok {
			continue
		}
		content := n.get("content").text("")
		if id, seen := ids[content]; seen {
			t.id = id
		} else if t.id = m.id(content); t.id < 0 {
			t.id = next
			next++
		}
		ids[content] = t.id
		if at, seen := places[t.id]; seen {
			tokens[at] = t
			continue
		}
		places[t.id] = len(tokens)
		tokens = append(tokens, t)
	}
	var exact, normalized []addedToken
	for _, t := range tokens {
		c.pieces.extra[int(t.id)] = m.decodable(t.content)
		if t.normalized {
			normalized = append(normalized, t)
		} else {
			exact = append(exact, t)
		}
	}
	c.added, c.addedNormal = newAddedTokens(exact), newAddedTokens(normalized)
}

// readAddedToken reads all but the id; ok is false for one without content.
func (c *core) readAddedToken(n node) (t addedToken, ok bool) {
	n.only("id", "content", "single_word", "lstrip", "rstrip", "normalized", "special")
	t = addedToken{
		content:    n.get("content").text(""),
		singleWord: n.get("single_word").flag(false),
		lstrip:     n.get("lstrip").flag(false),
		rstrip:     n.get("rstrip").flag(false),
		normalized: n.get("normalized").flag(true),
	}
	if t.content == "" {
		return t, false
	}
	if t.normalized {
		for _, x := range c.normalizers {
			t.content = x.normalize(t.content)
		}
		if t.content == "" {
			n.fail("the token is empty once normalised")
			return t, false
		}
	}
	return t, true
}

// findEnds sets the tokens that begin and end a text, from a
// tokenizer_config.json where there is one, or else by the names that are usual.
func (c *core) findEnds(config []byte) {
	byText := make(map[string]int, len(c.pieces.extra))
	for id, content := range c.pieces.extra {
		byText[content] = id
	}
	find := func(names ...string) int {
		for _, n := range names {
			if id, ok := byText[n]; ok {
				return id
			}
		}
		return -1
	}
	if v, err := fastjson.ParseBytes(config); err == nil {
		c.bos = find(configured(v.Get("bos_token")))
		c.eos = find(configured(v.Get("eos_token")))
		return
	}
	c.bos = find("<|begin_of_text|>", "<s>", "<bos>", "<｜begin▁of▁sentence｜>", "<|startoftext|>", "[BOS]")
	c.eos = find("<|end_of_text|>", "</s>", "<eos>", "<｜end▁of▁sentence｜>", "<|endoftext|>", "<|return|>", "[EOS]")
}

// configured reads a token that is given as text or as {"content": text}.
func configured(v *fastjson.Value) string {
	if v == nil {
		return ""
	}
	if v.Type() == fastjson.TypeObject {
		return string(v.GetStringBytes("content"))
	}
	return string(v.GetStringBytes())
}
