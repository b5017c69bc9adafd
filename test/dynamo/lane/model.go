package lane

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Layers, heads and their size decide how large the workers believe a token's
// KV cache to be; the context how long a prompt may be.
const modelConfig = `{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096,
"num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336,
"vocab_size": 2285, "max_position_embeddings": 131072, "torch_dtype": "bfloat16", "bos_token_id": 0,
"eos_token_id": 0}`

// The chat template ends each message with a line; it adds nothing else, so that
// prompts are as long as those of the simulated cluster, but for that token.
const tokenizerConfig = `{"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 131072,
"eos_token": "<|endoftext|>", "chat_template": "{% for m in messages %}{{ m['content'] }}\n{% endfor %}"}`

// WriteModel makes the folder of a model without weights: its configuration, a
// chat template and a tokenizer. Dynamo's mocker answers with token ids between
// 1,000 and 2,000; each of them is text here, so that every token is a chunk with
// content.
func WriteModel(dir string) error {
	tok, err := json.Marshal(newTokenizer())
	if err != nil {
		return err
	}
	for name, data := range map[string]string{"config.json": modelConfig, "tokenizer_config.json": tokenizerConfig,
		"tokenizer.json": string(tok)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			return fmt.Errorf("writing the model: %w", err)
		}
	}
	return nil
}

type object = map[string]any

// newTokenizer is a byte-level BPE: the 256 bytes; every pair of lower-case
// letters; the same behind a space; and a capital with a letter.
func newTokenizer() object {
	vocab, merges := object{}, []string{}
	add := func(token string) { vocab[token] = len(vocab) }
	merge := func(left, right string) {
		add(left + right)
		merges = append(merges, left+" "+right)
	}
	const end = "<|endoftext|>"
	add(end)
	for _, letter := range byteLetters() {
		add(letter)
	}
	pairs(func(a, b string) { merge(a, b) }, 'a')
	pairs(func(a, b string) { merge("Ġ", a+b) }, 'a')
	pairs(merge, 'A')
	level := object{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}
	return object{
		"version": "1.0",
		"added_tokens": []object{{"id": 0, "content": end, "single_word": false, "lstrip": false, "rstrip": false,
			"normalized": false, "special": true}},
		"pre_tokenizer": level,
		"decoder":       level,
		"model":         object{"type": "BPE", "vocab": vocab, "merges": merges},
	}
}

// pairs calls f with every pair of letters, the first counted from first.
func pairs(f func(a, b string), first rune) {
	for a := range 26 {
		for b := range 26 {
			f(string(first+rune(a)), string('a'+rune(b)))
		}
	}
}

// byteLetters are the letters that byte-level tokenizers write for bytes: what
// can be printed stands for itself, the rest for U+0100 and the following.
func byteLetters() []string {
	var letters []string
	hidden := rune(0x100)
	for b := range rune(256) {
		if '!' <= b && b <= '~' || '¡' <= b && b <= '¬' || '®' <= b {
			letters = append(letters, string(b))
			continue
		}
		letters = append(letters, string(hidden))
		hidden++
	}
	return letters
}
