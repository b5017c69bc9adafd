package prompt

import (
	"errors"
	"fmt"

	"headway/workload"
)

// Fill makes what a request only names: its text from Tokens and Prefix, or from
// Tokens and Blocks, its system message from SystemTokens, its OutputTokens from Reference. What it
// made stands in Text, System and OutputTokens, and the length that was asked
// for in Planned; the fields that named it are then empty. A request with nothing to make is returned as it is.
//
// The text is exactly Prefix.Tokens + Tokens tokens, and its beginning up to
// the seam is the same for all requests with that Prefix.
func (m *Maker) Fill(r workload.Request) (workload.Request, error) {
	if err := m.fill(&r); err != nil {
		return r, fmt.Errorf("request %d (session %s, turn %d): %w", r.Index, r.Session, r.Turn, err)
	}
	return r, nil
}

func (m *Maker) fill(r *workload.Request) error {
	p := &r.Prompt
	planned := p.Length()
	if p.SystemTokens > 0 && p.System == "" {
		text, err := m.Shared(p.SystemKey, p.SystemTokens)
		if err != nil {
			return fmt.Errorf("system message: %w", err)
		}
		p.System = text
	}
	p.SystemTokens, p.SystemKey = 0, 0
	if p.Text == "" && p.Messages == nil && p.Payload == nil {
		text, err := m.text(*p)
		if err != nil {
			return err
		}
		p.Text = text
		p.Tokens = 0
		p.Prefix = workload.Prefix{}
		p.Planned = planned
		p.Blocks, p.BlockSize, p.BlockKey = nil, 0, 0
	}
	if p.Reference != "" {
		if r.OutputTokens == 0 {
			r.OutputTokens = max(1, m.tok.Count(p.Reference))
		}
		p.Reference = ""
	}
	return nil
}

func (m *Maker) text(p workload.Prompt) (string, error) {
	if len(p.Blocks) > 0 {
		return m.Blocks(p)
	}
	return m.joined(p)
}

// joined makes prefix and text as one string.
func (m *Maker) joined(p workload.Prompt) (string, error) {
	prefix, err := m.Shared(p.Prefix.Key, p.Prefix.Tokens)
	if err != nil {
		return "", fmt.Errorf("prefix: %w", err)
	}
	text, err := m.after(prefix, p.Prefix.Tokens, p.Key, p.Tokens)
	if err != nil {
		return "", err
	}
	if prefix+text == "" {
		return "", errors.New("the prompt has neither text nor a length")
	}
	return prefix + text, nil
}
