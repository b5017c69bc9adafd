package study

import (
	"context"
	"time"

	"headway/internal/bound"
	"headway/internal/hub"
	"headway/internal/openai"
	"headway/internal/options"
	"headway/internal/tokens"
	"headway/record"
)

// LoadTokens finds the tokenizer that the options name; see [tokens.Load]. A
// simulated model has no tokenizer of its own.
func LoadTokens(ctx context.Context, a Caller, f options.Tokens, model string, simulated bool,
) (tokens.Tokens, *record.Warning, error) {
	name := f.Tokenizer
	if name == "" && simulated {
		name = tokens.Builtin
	}
	from := hub.OptionsFromEnv(a.Getenv)
	from.Revision, from.MaxBytes = f.Revision, options.AmountOf(f.MaxDownload)
	return tokens.Load(ctx, from, name, model)
}

// Counter puts the token counter in front of a sink; stop ends the counting of
// long texts, of which the caller hears how far it is.
func Counter(a Caller, t tokens.Tokens, c openai.Config, stop <-chan struct{}) func(record.Sink) record.Sink {
	return func(next record.Sink) record.Sink {
		return t.Count(next, openai.CounterConfig{Server: c.UseServerTokenCount, Stop: stop, Progress: counting(a)})
	}
}

// counting says now and then how far the counting of a long text is.
func counting(a Caller) func(done, total int) {
	last := time.Now()
	return func(done, total int) {
		if time.Since(last) > 5*time.Second {
			last = time.Now()
			a.Note("counting the tokens of a text of %v: %d %%; an interrupt leaves it uncounted", bound.Bytes(total),
				100*done/total)
		}
	}
}
