package tokenizer

import (
	"os"
	"strings"
	"testing"
)

// smallFile is a tokenizer.json with one part that a test replaces.
func smallFile(key, value string) string {
	parts := map[string]string{
		"version": `"1.0"`, "added_tokens": `[]`, "normalizer": `null`, "pre_tokenizer": `null`, "decoder": `null`,
		"model": `{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}`,
	}
	parts[key] = value
	var fields []string
	for _, k := range []string{"version", "added_tokens", "normalizer", "pre_tokenizer", "decoder", "model"} {
		fields = append(fields, `"`+k+`":`+parts[k])
	}
	return "{" + strings.Join(fields, ",") + "}"
}

// unknownPartsAreNamedCases are the cases of TestUnknownPartsAreNamed.
var unknownPartsAreNamedCases = []struct{ key, value, want string }{
	{"version", `"2.0"`, `version: version "2.0"`},
	{"model", `{"type":"WordPiece","vocab":{}}`, `model: type "WordPiece"`},
	{"model", `{"type":"BPE","vocab":{"a":0},"merges":[],"dropout":0.1}`, `model.dropout`},
	{"model", `{"type":"BPE","vocab":{"a":0},"merges":[],"end_of_word_suffix":"</w>"}`,
		`model.end_of_word_suffix: "</w>"`},
	{"model", `{"type":"BPE","vocab":{"a":0},"merges":[],"novelty":1}`, `option "novelty"`},
	{"model", `{"type":"BPE","vocab":{"a":0},"merges":["a b"]}`, `model.merges: merge 0`},
	{"model", `{"type":"BPE","vocab":{"a":0},"merges":["ab"]}`, `model.merges: merge 0`},
	{"model", `{"type":"BPE","vocab":{"a":0},"merges":[["a"]]}`, `model.merges: merge 0`},
	{"model", `{"type":"BPE","vocab":{"a":0,"b":0},"merges":[]}`, `same id 0`},
	{"model", `{"type":"BPE","vocab":{"a":-1},"merges":[]}`, `piece "a"`},
	{"model", `{"type":"BPE","vocab":{"a":4000000000},"merges":[]}`, `piece "a"`},
	{"model", `{"type":"BPE","merges":[]}`, `there is no vocabulary`},
	{"model", `{"type":"BPE","vocab":{"a":0}}`, `there are no merges`},
	{"model", `{"type":"BPE","vocab":{"a":0},"merges":[],"unk_token":"?"}`, `model.unk_token: "?"`},
	{"model", `{"type":"Unigram","vocab":[["a",-1]]}`, `model.unk_id`},
	{"model", `{"type":"Unigram","vocab":[["a",-1]],"unk_id":7}`, `model.unk_id`},
	{"model", `{"type":"Unigram","vocab":[["a"]],"unk_id":0}`, `model.vocab[0]`},
	{"model", `{"type":"Unigram","vocab":[["a",-1],["a",-2]],"unk_id":0}`, `"a" twice`},
	{"model", `null`, `this is not a tokenizer.json`},
	{"normalizer", `{"type":"BertNormalizer"}`, `normalizer: normalizer "BertNormalizer"`},
	{"normalizer", `{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Nmt"}]}`,
		`normalizer.normalizers[1]: normalizer "Nmt"`},
	{"normalizer", `{"type":"Replace","pattern":{"Regex":"x+"},"content":""}`, `"x+"`},
	{"normalizer", `{"type":"Replace","pattern":{"String":""},"content":""}`, `empty pattern`},
	{"normalizer", `{"type":"Precompiled","precompiled_charsmap":"AAAA"}`, `damaged`},
	{"normalizer", `{"type":"Precompiled","precompiled_charsmap":"*"}`, `damaged`},
	{"pre_tokenizer", `{"type":"BertPreTokenizer"}`, `pre_tokenizer: pre-tokenizer "BertPreTokenizer"`},
	{"pre_tokenizer", `{"type":"Split","pattern":{"Regex":"[a-z]+(?=x)"},"behavior":"Isolated","invert":false}`,
		`[a-z]+(?=x)`},
	{"pre_tokenizer", `{"type":"Split","pattern":{"String":"a"},"behavior":"Sideways"}`, `behavior "Sideways"`},
	{"pre_tokenizer", `{"type":"Split","behavior":"Isolated"}`, `pre_tokenizer.pattern: is missing`},
	{"pre_tokenizer", `{"type":"Sequence","pretokenizers":[{"type":"ByteLevel"},{"type":"Digits"}]}`,
		`pretokenizers[1]: a pre-tokenizer after ByteLevel`},
	{"pre_tokenizer", `{"type":"Metaspace","replacement":"__"}`, `one character`},
	{"pre_tokenizer", `{"type":"Metaspace","replacement":"_","prepend_scheme":"sometimes"}`, `"sometimes"`},
	{"pre_tokenizer", `{"type":"Metaspace","replacement":"_","prepend_scheme":"first","add_prefix_space":false}`,
		`contradicts`},
	{"pre_tokenizer", `{"type":"Digits","individual_digits":"yes"}`, `want true or false`},
	{"decoder", `{"type":"WordPiece"}`, `decoder: decoder "WordPiece"`},
	{"decoder", `{"type":"ByteLevel"}`, `ByteLevel decoder`},
	{"added_tokens", `[{"id":3,"content":"x","novelty":true}]`, `added_tokens[0]: option "novelty"`},
	{"added_tokens", `{}`, `added_tokens: want a list`},
}

func TestUnknownPartsAreNamed(t *testing.T) {
	for _, c := range unknownPartsAreNamedCases {
		_, err := parse([]byte(smallFile(c.key, c.value)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s:\n got  %v\n want an error with %q", c.key, c.value, err, c.want)
		}
	}
	if c, err := parse([]byte(smallFile("", ""))); err != nil || (&Tokenizer{core: c}).Count("abba") != 3 {
		t.Errorf("the file that the others are made of: %v", err)
	}
	if _, err := parse([]byte("{")); err == nil {
		t.Error("half a file is no error")
	}
}

// Merges are written as "a b" by older versions of the library and as ["a","b"]
// by newer ones.
func TestMergesEitherWay(t *testing.T) {
	data, err := os.ReadFile("testdata/gpt2.tokenizer.json")
	if err != nil {
		t.Fatal(err)
	}
	before, merges, ok := strings.Cut(string(data), `"merges":[[`)
	if !ok {
		t.Fatal("the fixture has no pairs")
	}
	merges = strings.NewReplacer(`","`, ` `, `"],["`, `","`, `"]]`, `"]`).Replace(merges)
	c, err := parse([]byte(before + `"merges":[` + merges))
	if err != nil {
		t.Fatal(err)
	}
	checkGolden(t, &Tokenizer{"", c}, "testdata/gpt2.golden.json")
}
