package cluster

import (
	"encoding/json"
	"fmt"
	"strings"

	"headway/internal/openai"
	"headway/internal/tokenizer"
	"headway/workload"
)

// conversation is what a session's workers have seen of it: the tokens so far,
// replies included, and the names of the full blocks of the last prompt. A
// session of one turn keeps nothing.
type conversation struct {
	key    workload.Key
	tokens int
	blocks []uint64
}

// reader turns planned prompts into lengths and names of blocks.
type reader struct {
	block     int
	tokenizer *tokenizer.Tokenizer // loaded when the first text comes
	spare     [][]uint64           // slices to be used again
}

// read gives the length of a request's prompt in tokens and the hashes of its
// full blocks.
//
// A first turn, and one that holds its history itself, is named by its parts
// or, where it was given as text, by its tokens. A later turn begins with all
// that was said before. Its new blocks are named by session and place: up to
// the end of the prompt before, they are those of that prompt, and what
// follows (the rest of that prompt, the reply, the new question) no other
// session has in the same place after the same beginning.
func (r *reader) read(req *workload.Request, c *conversation) (tokens int, blocks []uint64, err error) {
	blocks = r.take()
	p := &req.Prompt
	if req.Turn == 0 || p.Whole || p.Payload != nil {
		tokens, blocks, err = r.first(p, blocks)
	} else {
		var added int
		if added, err = r.count(p, false); err == nil {
			tokens = c.tokens + added
			blocks = append(blocks, c.blocks...)
			for i := len(blocks); i < tokens/r.block; i++ {
				blocks = append(blocks, uint64(c.key.Index(i)))
			}
		}
	}
	if err != nil {
		return 0, nil, fmt.Errorf("reading the prompt of request %d: %w", req.Index, err)
	}
	return max(tokens, 1), blocks, nil
}

// reply adds to the blocks of a prompt those that its reply completes, so many
// tokens together, under the names that the next turn has for them.
func (r *reader) reply(req *workload.Request, blocks []uint64, tokens int) []uint64 {
	key := talkKey(req)
	for i := len(blocks); i < tokens/r.block; i++ {
		blocks = append(blocks, uint64(key.Index(i)))
	}
	return blocks
}

// talkKey names what is said in a session after its first prompt.
func talkKey(req *workload.Request) workload.Key { return workload.Seed(0).Named(req.Session) }

// remember notes a turn that was answered, for the turns after it.
func (c *conversation) remember(req *workload.Request, tokens, output int, blocks []uint64) {
	if req.Turn+1 >= req.Turns {
		return
	}
	c.key = talkKey(req)
	c.tokens = tokens + output
	c.blocks = append(c.blocks[:0], blocks...)
}

// first names a prompt that nothing was said before.
func (r *reader) first(p *workload.Prompt, dst []uint64) (int, []uint64, error) {
	if p.Text == "" && p.Messages == nil && p.Payload == nil && p.System == "" {
		return p.Tokens + p.Prefix.Tokens + p.SystemTokens, p.AppendHashes(dst, r.block), nil
	}
	text, made, err := textOf(p, true)
	if err != nil {
		return 0, nil, err
	}
	if err := r.load(); err != nil {
		return 0, nil, err
	}
	ids := r.tokenizer.Encode(text)
	dst = workload.AppendTokenHashes(dst, ids, r.block)
	if made > 0 {
		// A given system message before a text that is still to be made: the
		// blocks that the text reaches are its own.
		for i := len(dst); i < (len(ids)+made)/r.block; i++ {
			dst = append(dst, uint64(p.Key.Index(i)))
		}
	}
	return len(ids) + made, dst, nil
}

// count is the length of what a turn adds.
func (r *reader) count(p *workload.Prompt, system bool) (int, error) {
	text, made, err := textOf(p, system)
	if err != nil || text == "" {
		return made, err
	}
	if err := r.load(); err != nil {
		return 0, err
	}
	return r.tokenizer.Count(text) + made, nil
}

// countText is the length of a recorded answer.
func (r *reader) countText(text string) (int, error) {
	if err := r.load(); err != nil {
		return 0, err
	}
	return r.tokenizer.Count(text), nil
}

func (r *reader) load() (err error) {
	if r.tokenizer == nil {
		r.tokenizer, err = tokenizer.Builtin()
	}
	return err
}

// textOf is the text that a prompt was given as, all of it joined by one space
// as servers count it, and how many tokens are still to be made.
func textOf(p *workload.Prompt, system bool) (text string, made int, err error) {
	if p.Payload != nil {
		return openai.Texts(p.Payload), 0, nil
	}
	made = p.Tokens + p.Prefix.Tokens
	var parts []string
	if system {
		made += p.SystemTokens
		parts = appendText(parts, p.System)
	}
	parts = appendText(parts, p.Text)
	for _, m := range p.Messages {
		if m.Raw == nil {
			parts = appendText(parts, m.Content)
			continue
		}
		body, err := json.Marshal(map[string][]json.RawMessage{"messages": {m.Raw}})
		if err != nil {
			return "", 0, fmt.Errorf("a message that is not JSON: %w", err)
		}
		parts = appendText(parts, openai.Texts(body))
	}
	return strings.Join(parts, " "), made, nil
}

func appendText(parts []string, s string) []string {
	if s == "" {
		return parts
	}
	return append(parts, s)
}

// take is an empty slice for names.
func (r *reader) take() []uint64 {
	if n := len(r.spare); n > 0 {
		s := r.spare[n-1]
		r.spare = r.spare[:n-1]
		return s[:0]
	}
	return nil
}

// give takes a slice back that nobody reads any more.
func (r *reader) give(blocks []uint64) {
	if cap(blocks) > 0 && len(r.spare) < 1024 {
		r.spare = append(r.spare, blocks)
	}
}
