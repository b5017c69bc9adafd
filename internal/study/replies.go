package study

import (
	"fmt"

	"headway/record"
)

// Replies finds how much of the prompts of conversations is replies that a
// simulated worker computes anew where it keeps prompts in its cache and no replies,
// as Dynamo's mocker and --no-enable-reply-caching have it; a real engine keeps the
// full blocks of both.
type Replies struct {
	block  int // tokens
	before map[string]said
	prompt int64 // tokens of all prompts
	anew   int64 // of those, tokens in blocks of the reply before
}

// said is a session's last turn, in tokens.
type said struct{ prompt, reply int }

// NewReplies is a sink for the Records of workers whose KV blocks have so many tokens.
func NewReplies(block int) *Replies { return &Replies{block: block, before: map[string]said{}} }

// Take is a record.Sink's. The Records of a session come in the order of its
// turns.
func (p *Replies) Take(r *record.Record) error {
	if r.Outcome != record.OK {
		delete(p.before, r.Session)
		return nil
	}
	p.prompt += int64(r.TokensIn)
	if b, ok := p.before[r.Session]; ok && r.Turn > 0 && r.TokensIn >= b.prompt+b.reply {
		// Nothing was computed for the last token of a reply, which nothing
		// followed. What is said next is at least a token long, or that one
		// token is computed in any case.
		kept := min(b.prompt+b.reply-1, r.TokensIn-1) / p.block
		p.anew += int64(max(kept-b.prompt/p.block, 0) * p.block)
	}
	p.before[r.Session] = said{r.TokensIn, r.TokensOut}
	return nil
}

// Note says it in a sentence; empty where no reply came up again.
func (p *Replies) Note() string {
	if p.anew == 0 {
		return ""
	}
	return fmt.Sprintf("simulated workers keep prompts in their caches and no replies: %.1f %% of the prompt tokens "+
		"are replies to earlier turns, "+
		"which are computed anew as asked for, and which a real engine could find; Hit %% and Ideal %% are "+
		"lower by up to that", 100*float64(p.anew)/float64(p.prompt))
}
