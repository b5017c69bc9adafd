package deploy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"headway/internal/model"
)

// Command is a template of an engine's command line: words as a shell would
// split them, with placeholders in braces. No shell reads it, so that a value
// is one word whatever is in it; {mapping} and {caching}, standing alone, are
// as many words as the backend takes.
type Command struct {
	text  string
	words []string
}

// placeholders are what a Command may ask for, with what they stand for.
var placeholders = map[string]string{
	"model":       "the model",
	"served_name": "the name requests ask for",
	"backend":     "vllm, sglang or trtllm",
	"phase":       "prefill, decode or agg",
	"tag":         "the candidate's name",
	"kind":        "tp, tep or dep",
	"size":        "GPUs of that kind",
	"tp":          "over how many GPUs attention is cut",
	"dp":          "attention ranks",
	"ep":          "over how many GPUs experts are dealt",
	"pp":          "pipeline stages",
	"gpus":        "ids of the GPUs, with commas",
	"num_gpus":    "how many they are",
	"host":        "address to listen on",
	"port":        "port to listen on, a free one",
	"log":         "a file for the engine's own log",
	"dir":         "folder of the candidate's logs",
	"kv":          "--max-kv-tokens",
	"max_len":     "longest sequence in tokens",
	"mapping":     "the backend's options for the mapping, several words",
	"caching":     "the backend's options for the prefix cache, several words",
}

var placeholder = regexp.MustCompile(`\{\{[a-z_]+\}\}|\{[a-z_]+\}`)

// ParseCommand reads a template. Single and double quotes and backslashes mean
// what they do in a shell; {{port}} is the text {port}; braces that hold anything
// but a lower-case word are themselves. The error lists every placeholder that is
// unknown.
func ParseCommand(text string) (*Command, error) {
	words, err := splitWords(text)
	if err != nil {
		return nil, fmt.Errorf("reading the command %q: %w", text, err)
	}
	if len(words) == 0 {
		return nil, fmt.Errorf("reading the command %q: it is empty", text)
	}
	var unknown []string
	for _, w := range words {
		for _, p := range placeholder.FindAllString(w, -1) {
			name := strings.Trim(p, "{}")
			switch {
			case strings.HasPrefix(p, "{{"):
			case placeholders[name] == "":
				unknown = append(unknown, p)
			case (name == "mapping" || name == "caching") && w != p:
				return nil, fmt.Errorf("reading the command %q: %s stands for several words and must stand alone, "+
					"not as %q", text, p, w)
			}
		}
	}
	if len(unknown) > 0 {
		return nil, fmt.Errorf("reading the command %q: unknown %s; known are {%s}, and {{name}} is the text {name}",
			text,
			strings.Join(unknown, ", "), strings.Join(slices.Sorted(maps.Keys(placeholders)), "}, {"))
	}
	return &Command{text, words}, nil
}

// Asks says whether the template has the placeholder.
func (c *Command) Asks(name string) bool {
	return slices.ContainsFunc(c.words, func(w string) bool {
		return slices.Contains(placeholder.FindAllString(w, -1), "{"+name+"}")
	})
}

// String is the template as it was given.
func (c *Command) String() string { return c.text }

// fill gives the words of one engine's command.
func (c *Command) fill(values map[string]string, lists map[string][]string) []string {
	var out []string
	for _, w := range c.words {
		if list, ok := lists[strings.Trim(w, "{}")]; ok && strings.HasPrefix(w, "{") && !strings.HasPrefix(w, "{{") {
			out = append(out, list...)
			continue
		}
		out = append(out, placeholder.ReplaceAllStringFunc(w, func(p string) string {
			if strings.HasPrefix(p, "{{") {
				return p[1 : len(p)-1]
			}
			return values[strings.Trim(p, "{}")]
		}))
	}
	return out
}

// splitWords cuts a command line as a shell does, without any expansion.
func splitWords(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	begun, quote := false, rune(0)
	for i, rs := 0, []rune(text); i < len(rs); i++ {
		r := rs[i]
		switch {
		case quote == '\'' && r != '\'', quote == '"' && r != '"' && r != '\\':
			word.WriteRune(r)
		case r == '\\' && quote == '"' && i+1 < len(rs) && !strings.ContainsRune(`"\$`+"`", rs[i+1]):
			word.WriteRune(r)
		case r == '\\':
			if i++; i == len(rs) {
				return nil, fmt.Errorf("a backslash ends it")
			}
			word.WriteRune(rs[i])
			begun = true
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, begun = r, true
		case quote == 0 && strings.ContainsRune(" \t\r\n", r):
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("the quote %c is not closed", quote)
	}
	if begun {
		words = append(words, word.String())
	}
	return words, nil
}

// DefaultCommand is the template for a backend's own server, "" for one that
// is not known.
func DefaultCommand(backend string) string {
	switch backend {
	case "vllm":
		return "vllm serve {model} --served-model-name {served_name} --host {host} --port {port} --max-model-len " +
			"{max_len} {mapping} {caching}"
	case "sglang":
		return "python3 -m sglang.launch_server --model-path {model} --served-model-name {served_name} --host " +
			"{host} --port {port} --context-length {max_len} {mapping} {caching}"
	case "trtllm":
		return "trtllm-serve {model} --host {host} --port {port} --max_seq_len {max_len} {mapping}"
	}
	return ""
}

// mappingWords are a backend's options for a mapping; none where it has no
// such options (attention data parallelism of TensorRT-LLM is set in a file).
func mappingWords(backend string, m model.Mapping) []string {
	n, pp := strconv.Itoa(m.Size), strconv.Itoa(max(m.Pipeline, 1))
	var words []string
	switch backend + " " + string(m.Kind) {
	case "vllm TP":
		words = []string{"--tensor-parallel-size", n}
	case "vllm TEP":
		words = []string{"--tensor-parallel-size", n, "--data-parallel-size", "1", "--enable-expert-parallel"}
	case "vllm DEP":
		words = []string{"--tensor-parallel-size", "1", "--data-parallel-size", n, "--enable-expert-parallel"}
	case "sglang TP":
		words = []string{"--tp", n}
	case "sglang TEP":
		words = []string{"--tp", n, "--ep", n}
	case "sglang DEP":
		words = []string{"--tp", n, "--dp", n, "--ep", n, "--enable-dp-attention"}
	case "trtllm TP":
		words = []string{"--tp_size", n}
	case "trtllm TEP":
		words = []string{"--tp_size", n, "--ep_size", n}
	default:
		return nil
	}
	if m.Pipeline > 1 {
		words = append(words, map[string]string{"vllm": "--pipeline-parallel-size", "sglang": "--pp-size",
			"trtllm": "--pp_size"}[backend], pp)
	}
	return words
}

// cachingWords switch a backend's prefix cache. TensorRT-LLM's is switched in
// a file, which a command of the user's names.
func cachingWords(backend string, on bool) []string {
	switch {
	case backend == "vllm" && on:
		return []string{"--enable-prefix-caching"}
	case backend == "vllm":
		return []string{"--no-enable-prefix-caching"}
	case backend == "sglang" && !on:
		return []string{"--disable-radix-cache"}
	}
	return nil
}
