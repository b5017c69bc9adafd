package tokenizer

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"

	"github.com/valyala/fastjson"

	"headway/internal/bound"
)

const (
	fileName   = "tokenizer.json"
	configName = "tokenizer_config.json"

	// largestFile is more than any model's: Gemma's has 33 MB.
	largestFile = 256 * bound.MiB
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
func Load(path string) (*Tokenizer, error) { return LoadKept(path, "") }

// LoadKept is [Load] with a folder in which the tables of large files are kept, so
// that they are made once and shared by all processes; "" keeps none. A folder that
// cannot be read or written costs time and nothing else.
func LoadKept(path, dir string) (*Tokenizer, error) {
	file := path
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		file = filepath.Join(path, fileName)
	}
	c, err := kept(file, dir)
	if err != nil {
		return nil, err
	}
	config, err := bound.ReadFile(filepath.Join(filepath.Dir(file), configName), largestFile, "the configuration")
	if err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("reading tokenizer configuration: %w", err)
	}
	c.findEnds(config)
	return &Tokenizer{path, c}, nil
}

// kept reads a tokenizer.json, or what is kept of it.
func kept(file, dir string) (*core, error) {
	if dir != "" {
		if d := findCompact(file, dir); d != nil {
			return d.build()
		}
	}
	data, err := bound.ReadFile(file, largestFile, "the tokenizer")
	if err != nil {
		return nil, fmt.Errorf("reading tokenizer: %w", err)
	}
	d, err := open(data)
	if err != nil {
		return nil, fmt.Errorf("reading tokenizer %s: %w", file, err)
	}
	c, err := d.build()
	if err != nil {
		return nil, fmt.Errorf("reading tokenizer %s: %w", file, err)
	}
	if dir != "" && len(data) >= int(leastCompact) {
		_ = d.keep(dir, sha256.Sum256(data)) // the next start takes as long as this one
	}
	return c, nil
}

// document is a tokenizer.json, the large lists of its model apart.
type document struct {
	rest        []byte // without them
	large       large
	tables      *tables // what they say, or nil where that is not known yet
	fingerprint string
}

// parse builds a core from the bytes of a tokenizer.json.
func parse(data []byte) (*core, error) {
	d, err := open(data)
	if err != nil {
		return nil, err
	}
	return d.build()
}

func open(data []byte) (*document, error) {
	rest, l, err := cut(data)
	if err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	return &document{rest: rest, large: l, fingerprint: fingerprint(data)}, nil
}

// build makes the core, and the tables where there are none.
func (d *document) build() (*core, error) {
	value, err := fastjson.ParseBytes(d.rest)
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
	c := newCore(d.fingerprint)
	c.normalizers = readNormalizers(nil, file.get("normalizer"))
	checkGrowth(c.normalizers, file.get("normalizer"))
	splitters := readSplitters(file.get("pre_tokenizer"))
	c.splitters = splitters.list
	model := d.readModel(c, file.get("model"), splitters.bytes)
	c.decoders = readDecoders(nil, file.get("decoder"), splitters.bytes)
	checkDecoders(c.decoders, file.get("decoder"))
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
