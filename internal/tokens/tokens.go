// Package tokens makes and counts text for one model: it finds the tokenizer by name,
// makes the prompts of planned requests with it, and counts what was sent and what came
// back. The command line and the library (package endpoint) load tokenizers here, so
// that both count the same.
//
// Names come in, text and counts go out. The package measures nothing and prints
// nothing: that another tokenizer than the model's counts is a warning for the result.
package tokens

import (
	"context"
	"fmt"
	"strings"

	"headway/internal/hub"
	"headway/internal/openai"
	"headway/internal/prompt"
	"headway/internal/tokenizer"
	"headway/record"
	"headway/workload"
)

// Builtin is the name of the tokenizer that needs no file (o200k_base).
const Builtin = "builtin"

// Tokens makes and counts text. It is safe for concurrent use.
type Tokens struct {
	Tokenizer *tokenizer.Tokenizer
	// Info is what results say of the tokenizer.
	Info  record.Tokenizer
	maker *prompt.Maker
}

// Load finds the tokenizer: the one that is named, a model, a folder, a file or
// [Builtin]; without a name the model's own, else the built-in one with a warning. Only
// a tokenizer that was named and is not available is an error.
func Load(ctx context.Context, from hub.Options, name, model string) (Tokens, *record.Warning, error) {
	t, err := find(ctx, from, name, model)
	var warning *record.Warning
	if err != nil && name == "" {
		line, _, _ := strings.Cut(err.Error(), "\n")
		warning = &record.Warning{Code: "tokenizer_fallback", Text: fmt.Sprintf(
			"tokens are counted with the built-in tokenizer (o200k_base), not with that of %s: %s", model, line)}
		t, err = tokenizer.Builtin()
	}
	if err != nil {
		return Tokens{}, nil, fmt.Errorf("loading the tokenizer: %w", err)
	}
	info := record.Tokenizer{Name: t.Name(), Fingerprint: t.Fingerprint(), Fallback: warning != nil}
	return Tokens{Tokenizer: t, Info: info, maker: prompt.New(t)}, warning, nil
}

func find(ctx context.Context, from hub.Options, name, model string) (*tokenizer.Tokenizer, error) {
	switch name {
	case Builtin:
		return tokenizer.Builtin()
	case "":
		name = model
	}
	path, err := hub.File(ctx, from, name, "tokenizer.json")
	if err != nil {
		return nil, err
	}
	t, err := tokenizer.LoadKept(path, from.Kept)
	if err != nil {
		return nil, err
	}
	return t.Named(name), nil
}

// Render makes prompts ahead of need; see [prompt.Rendered].
func (t Tokens) Render(ctx context.Context, src workload.Source) workload.Source {
	return prompt.Rendered(ctx, src, t.maker)
}

// Count puts the token counter in front of a sink.
func (t Tokens) Count(next record.Sink, c openai.CounterConfig) record.Sink {
	return openai.NewCounter(next, t.Tokenizer, c)
}
