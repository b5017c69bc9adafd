package cluster

import (
	"headway/internal/openai"
	"headway/internal/tokenizer"
	"headway/workload"
)

// plan is the reply that a request will get.
type plan struct {
	prompt  int      // tokens of the prompt, by the tokenizer
	blocks  []uint64 // names of its full blocks
	hints   hints
	tokens  int // tokens of the reply
	reason  string
	content workload.Key // names the reply's text
}

// planReply decides how long the reply will be. A limit is used up exactly,
// with ignore_eos and without: a simulated model has no reason of its own to
// stop, and a load of known lengths is what a benchmark asks for. Without a
// limit the rule is that of aiperf's mock server: 0.8 to 1.2 times the prompt,
// at least 16, drawn from the request's content, so that the same request
// always gets the same reply. min_tokens raises that.
func (s *Server) planReply(r openai.ServerRequest) (plan, *openai.ServerError) {
	ids := r.PromptIDs
	if r.Text != "" {
		ids = s.cfg.Tokenizer.Encode(r.Text)
	}
	p := plan{prompt: len(ids), tokens: r.MaxTokens, reason: "length"}
	p.blocks = workload.HashTokens(ids, s.cfg.Cluster.BlockSize())
	p.content = s.key.Named(r.Text).Index(p.prompt)
	room := s.cfg.MaxModelLen - p.prompt
	if room < 1 || r.MaxTokens > room || r.MinTokens > room {
		return p, tooLong(s.cfg.MaxModelLen, p.prompt, max(r.MaxTokens, r.MinTokens, 1))
	}
	if r.MaxTokens == 0 {
		p.tokens = max(unlimitedOutput(p.content, p.prompt), r.MinTokens)
		p.reason = "stop"
		if p.tokens > room {
			p.tokens, p.reason = room, "length"
		}
	}
	return p, nil
}

// word is the text of the reply's token i.
func (s *Server) word(p plan, i int) string {
	return s.words[uint64(p.content.Index(i))%uint64(len(s.words))]
}

// replyWords are the texts of tokens as the inside of JSON strings. Words that
// stay one token each wherever they stand let a client with the same tokenizer
// count exactly the tokens that were generated. A vocabulary without such
// words gets some text, and only usage tells the truth.
func replyWords(t *tokenizer.Tokenizer) []string {
	words := t.Words()
	if len(words) == 0 {
		words = []string{" token"}
	}
	encoded := make([]string, len(words))
	for i, w := range words {
		encoded[i] = openai.ServerText(w)
	}
	return encoded
}
