package doctor

import (
	"context"
	"fmt"

	"headway/internal/openai"
	"headway/internal/plain"
)

// The two names of a reply's longest length.
const (
	maxTokens           = "max_tokens"
	maxCompletionTokens = "max_completion_tokens"
)

const shorter = "Replies end when the model likes, so that their lengths differ from the one that is asked for and " +
	"from run to run: measure with prompts whose answers are long, and read the output lengths in the results."

// ignoreEOS asks which fields are taken first, since a server that knows neither
// refuses the request.
func (e *endpoint) ignoreEOS(ctx context.Context) Finding {
	e.agreed = openai.Accepted(ctx, e.client, openai.ExactLength())
	return e.goesOn(ctx, "ignore_eos", true)
}

func (e *endpoint) minTokens(ctx context.Context) Finding {
	return e.goesOn(ctx, "min_tokens", longTokens)
}

// goesOn asks for a reply of a length with one field that makes the server go on.
func (e *endpoint) goesOn(ctx context.Context, field string, value any) Finding {
	if !e.agreed.Sent(field) {
		return warn("the server refuses the field, and headway leaves it out", shorter)
	}
	r := e.ask(ctx, shortAnswer, longTokens, map[string]any{field: value})
	if r.Failure != nil && !cutOff(r) {
		return e.refused(r.Failure)
	}
	without, _ := output(e.streams[0])
	n, exact := output(r)
	return lengthKept(n, without, exact)
}

// lengthKept judges a reply that was to have longTokens. without is what it has when
// nothing makes the server go on.
func lengthKept(n, without int, exact bool) Finding {
	seen := fmt.Sprintf("%d of %d tokens with it", n, longTokens)
	switch {
	case n >= longTokens && without >= longTokens:
		return ok(seen + ", as many as without: replies have the length that is asked for")
	case n >= longTokens:
		return ok(fmt.Sprintf("%s, %d without", seen, without))
	case !exact:
		return skipped("at least " + seen + "; without usage nobody can tell how many there were")
	}
	return warn(fmt.Sprintf("%s, %d without: it is ignored", seen, without), shorter)
}

func (e *endpoint) maxTokens(ctx context.Context) Finding { return e.limit(ctx, maxTokens) }

func (e *endpoint) maxCompletionTokens(ctx context.Context) Finding {
	if e.client.Type == openai.TypeCompletions {
		return skipped("text completions have max_tokens alone")
	}
	return e.limit(ctx, maxCompletionTokens)
}

// sends is the limit that measurements send.
func (e *endpoint) sends() string {
	if e.client.Type == openai.TypeCompletions || e.client.LegacyMaxTokens {
		return maxTokens
	}
	return maxCompletionTokens
}

// limit asks for a short reply with one of the limits alone.
func (e *endpoint) limit(ctx context.Context, field string) Finding {
	r := e.ask(ctx, longAnswer, 0, map[string]any{field: shortTokens})
	n, exact := output(r)
	f := r.Failure
	seen := fmt.Sprintf("%s where %d were asked for", plain.HowMany(n, "token", "tokens"), shortTokens)
	switch {
	case n > shortTokens && f != nil:
		return e.unlimited(field, "at least "+seen+", and no end")
	case n > shortTokens:
		return e.unlimited(field, seen)
	case f != nil && (f.Code == 400 || f.Code == 422):
		return e.unlimited(field, "the server refuses the field: "+f.Described())
	case f != nil:
		return e.refused(f)
	case !exact && r.Finish != "length":
		return skipped("without usage nobody can tell how many tokens there were")
	}
	e.honoured[field] = true
	return ok(seen)
}

// unlimited is the finding of a limit that is not kept. One that measurements do not
// send is none of their business.
func (e *endpoint) unlimited(field, seen string) Finding {
	if field != e.sends() {
		return warn(seen, "Measurements send "+e.sends()+"; what else uses this server must not rely on "+field+".")
	}
	do := "Output lengths are the server's, whatever is asked for."
	switch {
	case field == maxCompletionTokens && e.honoured[maxTokens]:
		do += " It keeps max_tokens: measure with --use-legacy-max-tokens."
	case field == maxTokens && e.client.LegacyMaxTokens:
		do += " Leave --use-legacy-max-tokens out."
	default:
		do += " Look for the limit that it knows, and send it with --extra-inputs NAME:TOKENS; --max-reply-events " +
			"ends " +
			"replies that do not stop."
	}
	return failed(seen, do)
}
