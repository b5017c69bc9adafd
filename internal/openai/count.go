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
	// Stop ends the counting of long texts: what is not counted yet stays unknown.
	// Nil does not.
	Stop <-chan struct{}
	// Progress is told how many bytes of a long text of so many are counted. It is
	// called on the goroutine that counts; nil is not.
	Progress func(done, total int)
}

// longText is the length in bytes from which a text is counted in steps, so that
// counting can be stopped and tells how far it is: a megabyte takes up to a
// second.
const longText = 1 << 20

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
		if n, ok := c.tokensOf(t.Prompt); ok {
			r.TokensIn = n
		}
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
	out, ok := c.tokensOf(string(output))
	thought, also := c.tokensOf(string(t.Reasoning))
	if !ok || !also {
		return
	}
	r.TokensOut, r.TokensReasoning = out, thought
	if len(t.Pieces) == 1 {
		r.Arrivals[t.Pieces[0].Arrival].Tokens += out + thought
		return
	}
	each(t, func(p record.Piece, text []byte) {
		if n, ok := c.tokensOf(string(text)); ok {
			r.Arrivals[p.Arrival].Tokens += n
		}
	})
}

// tokensOf counts a text; ok is false where it was long and counting was to stop.
func (c *Counter) tokensOf(text string) (n int, ok bool) {
	if len(text) < longText {
		return c.tokens.Count(text), true
	}
	return c.tokens.CountWatched(text, func(done int) bool {
		if c.c.Progress != nil {
			c.c.Progress(min(done, len(text)), len(text))
		}
		select {
		case <-c.c.Stop:
			return false
		default:
			return true
		}
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
