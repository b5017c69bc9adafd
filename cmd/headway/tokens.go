package main

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

// tokens makes and counts text.
type tokens struct {
	tokenizer *tokenizer.Tokenizer
	info      record.Tokenizer
	maker     *prompt.Maker
}

// loadTokens finds the tokenizer: the one that was named, else the model's
// own, else the built-in one with a warning. Only a tokenizer that was named
// and cannot be had is an error.
func (a app) loadTokens(ctx context.Context, f tokenizerFlags, model string, simulated bool) (tokens, *record.Warning, error) {
	name := f.Tokenizer
	if name == "" && simulated {
		name = "builtin"
	}
	var warning *record.Warning
	t, err := a.findTokenizer(ctx, f, name, model)
	fallback := false
	if err != nil && name == "" {
		fallback = true
		warning = &record.Warning{Code: "tokenizer_fallback", Text: fmt.Sprintf(
			"tokens are counted with the built-in tokenizer (o200k_base), not with that of %s: %s", model, firstLine(err))}
		t, err = tokenizer.Builtin()
	}
	if err != nil {
		return tokens{}, nil, fmt.Errorf("loading the tokenizer: %w", err)
	}
	return tokens{t, record.Tokenizer{Name: t.Name(), Fingerprint: t.Fingerprint(), Fallback: fallback}, prompt.New(t)}, warning, nil
}

func (a app) findTokenizer(ctx context.Context, f tokenizerFlags, name, model string) (*tokenizer.Tokenizer, error) {
	switch name {
	case "builtin":
		return tokenizer.Builtin()
	case "":
		name = model
	}
	o := hub.OptionsFromEnv(a.getenv)
	o.Revision = f.Revision
	path, err := hub.File(ctx, o, name, "tokenizer.json")
	if err != nil {
		return nil, err
	}
	t, err := tokenizer.Load(path)
	if err != nil {
		return nil, err
	}
	return t.Named(name), nil
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// render makes prompts ahead of need.
func (t tokens) render(ctx context.Context, src workload.Source) workload.Source {
	return prompt.Rendered(ctx, src, t.maker)
}

// count puts the token counter in front of a sink.
func (t tokens) count(c openai.Config) func(record.Sink) record.Sink {
	return func(next record.Sink) record.Sink {
		return openai.NewCounter(next, t.tokenizer, openai.CounterConfig{Server: c.UseServerTokenCount})
	}
}
