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
	said    []uint64 // blocks and those of the reply; nil where replies are not kept
	hints   hints
	adapter uint64 // that the request asks for, 0 is none
	tokens  int    // tokens of the reply
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
	p.said = s.said(r.Chat, ids, p)
	return p, nil
}

// said names the blocks of the prompt and of the reply as a later prompt has them
// that repeats both: in a chat after one space, as the texts of messages are joined,
// else without. A word of a reply is one token wherever it stands. Nil says that
// replies are not kept, or fill no block.
func (s *Server) said(chat bool, ids []int, p plan) []uint64 {
	block := s.cfg.Cluster.BlockSize()
	computed := len(ids) + p.tokens - 1
	if s.wordIDs == nil || computed/block == len(p.blocks) || !s.cfg.Cluster.CachesReplies() {
		return nil
	}
	all := make([]int, 0, computed+4)
	all = append(all, ids...)
	if chat && len(ids) > 0 {
		all = append(all, s.joint...)
	}
	for i := 0; len(all) < computed; i++ {
		all = append(all, s.wordIDs[s.wordAt(p, i)])
	}
	return workload.HashTokens(all[:computed], block)
}

// word is the text of the reply's token i.
func (s *Server) word(p plan, i int) string {
	return s.words[s.wordAt(p, i)]
}

// wordAt is which of the words that is.
func (s *Server) wordAt(p plan, i int) int {
	return int(uint64(p.content.Index(i)) % uint64(len(s.words)))
}

// manyReplyWords is from how many words replies are made: looking for more would
// make a server start later, and nobody reads them.
const manyReplyWords = 4096

// useWords sets the texts of tokens as the inside of JSON strings. Words that
// stay one token each wherever they stand let a client with the same tokenizer
// count exactly the tokens that were generated. A vocabulary without such
// words gets some text, and only usage tells the truth.
func (s *Server) useWords(t *tokenizer.Tokenizer) {
	words := t.FewWords(manyReplyWords)
	known := len(words) > 0
	if !known {
		words = []string{" token"}
	}
	for _, w := range words {
		s.words = append(s.words, openai.ServerText(w))
		if known {
			s.wordIDs = append(s.wordIDs, t.Encode(w)...)
		}
	}
	if known {
		// What stands between a message and the first word of the next.
		s.joint = t.Encode(" " + words[0])
		s.joint = s.joint[:len(s.joint)-1]
	}
}
