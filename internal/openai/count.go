package openai

import (
	"headway/internal/tokenizer"
	"headway/record"
)

// CounterConfig says how a Counter counts. The zero value counts on this side
// and lets the texts go.
type CounterConfig struct {
	// Server takes the counts from the server's usage: nothing is encoded, and
	// what the server did not say stays unknown.
	Server bool
	// Keep leaves the texts on the Record, for a Sink that writes them.
	Keep bool
}

// Counter is a record.Sink before another: it counts the tokens of finished
// Records, lets their texts go and passes them on. It belongs behind the queue
// of finished requests, where its work delays no stamp.
//
// TokensIn is the count of all texts of the request joined by one space, as
// they were sent. TokensOut is that of the reply's tool calls and content in
// the order they came, encoded once over the whole; TokensReasoning that of
// the reply's separate reasoning field. A reply with text but without
// reasoning has TokensReasoning 0; one without any text has -1 for both. Each
// Arrival's Tokens are those of its own text alone, so their sum can exceed
// the whole's count, and Arrivals are left at 0 when the server counts.
//
// aiperf leaves out the prose of a chunk that also has a tool call; here it is
// counted, since the server generated it.
type Counter struct {
	next   record.Sink
	tokens *tokenizer.Tokenizer
	c      CounterConfig
	whole  []byte
}

// NewCounter makes a Counter before next. tokens may be nil when c.Server is
// set; without it and without a tokenizer every count stays unknown.
func NewCounter(next record.Sink, tokens *tokenizer.Tokenizer, c CounterConfig) *Counter {
	return &Counter{next: next, tokens: tokens, c: c}
}

// Take counts r and passes it on; the error is that of the next Sink.
func (c *Counter) Take(r *record.Record) error {
	switch {
	case c.c.Server:
		fromUsage(r)
	case c.tokens != nil && r.Text != nil:
		c.count(r)
	}
	if !c.c.Keep {
		r.Text = nil
	}
	return c.next.Take(r)
}

// fromUsage takes the server's counts (aiperf's --use-server-token-count):
// output is completion without reasoning, and what is absent stays absent.
func fromUsage(r *record.Record) {
	r.TokensIn, r.TokensOut, r.TokensReasoning = r.ServerTokens()
}

// count encodes the texts of r.
func (c *Counter) count(r *record.Record) {
	t := r.Text
	if t.Prompt != "" {
		r.TokensIn = c.tokens.Count(t.Prompt)
	}
	if len(t.Pieces) == 0 {
		return
	}
	output := t.Content
	if len(t.ToolCalls) > 0 {
		c.whole = c.whole[:0]
		each(t, func(p record.Piece, text []byte) {
			if p.Kind != record.Reasoning {
				c.whole = append(c.whole, text...)
			}
		})
		output = c.whole
	}
	r.TokensOut = c.tokens.Count(string(output))
	r.TokensReasoning = c.tokens.Count(string(t.Reasoning))
	each(t, func(p record.Piece, text []byte) {
		r.Arrivals[p.Arrival].Tokens += c.tokens.Count(string(text))
	})
}

// each calls f with the pieces of a reply and their texts, in order.
func each(t *record.Text, f func(p record.Piece, text []byte)) {
	content, reasoning, tools := t.Content, t.Reasoning, t.ToolCalls
	for _, p := range t.Pieces {
		from := &content
		switch p.Kind {
		case record.Reasoning:
			from = &reasoning
		case record.ToolCall:
			from = &tools
		}
		f(p, (*from)[:p.Len])
		*from = (*from)[p.Len:]
	}
}
