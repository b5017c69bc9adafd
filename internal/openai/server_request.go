package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// ServerRequest is a chat or text completion as a server sees it: what decides
// the length and the form of the reply. Sampling parameters are read by nobody
// here, since a simulated model has nothing to sample.
type ServerRequest struct {
	Chat  bool
	Model string
	// Text is every text of the request joined by one space: the contents and
	// text parts of the messages, or the prompt. It is empty when the prompt
	// came as token ids, which are then in PromptIDs.
	Text      string
	PromptIDs []int

	// MaxTokens is max_completion_tokens or else max_tokens, 0 when neither
	// is given. MinTokens and IgnoreEOS are vLLM's extensions.
	MaxTokens, MinTokens int
	IgnoreEOS            bool

	// Stream asks for events, IncludeUsage for a last one with the usage.
	Stream, IncludeUsage bool
}

// serverBody is the JSON of both kinds of request. Pointers tell null and
// absent, which mean the same, from zero.
type serverBody struct {
	Model               *string              `json:"model"`
	Messages            []servedMessage      `json:"messages"`
	Prompt              json.RawMessage      `json:"prompt"`
	N                   *int                 `json:"n"`
	Stream              *bool                `json:"stream"`
	StreamOptions       *serverStreamOptions `json:"stream_options"`
	MaxTokens           *int                 `json:"max_tokens"`
	MaxCompletionTokens *int                 `json:"max_completion_tokens"`
	MinTokens           *int                 `json:"min_tokens"`
	IgnoreEOS           *bool                `json:"ignore_eos"`
}

type serverStreamOptions struct {
	IncludeUsage *bool `json:"include_usage"`
}

type servedMessage struct {
	Role    *string         `json:"role"`
	Content json.RawMessage `json:"content"`
}

// ParseServerRequest reads the body of a chat completion, or of a text
// completion when chat is false. A refusal is a 400 that names the field.
func ParseServerRequest(chat bool, body []byte) (ServerRequest, *ServerError) {
	var b serverBody
	if err := json.Unmarshal(body, &b); err != nil {
		return ServerRequest{}, badJSON(err)
	}
	r := ServerRequest{Chat: chat}
	if b.Model == nil || *b.Model == "" {
		return r, badRequest("model", "the field model is missing: name the model that should answer")
	}
	r.Model = *b.Model
	if b.N != nil && *b.N != 1 {
		return r, badRequest("n", "n is %d: only 1 reply per request is served", *b.N)
	}
	var refusal *ServerError
	if chat {
		r.Text, refusal = messagesText(b.Messages)
	} else {
		r.Text, r.PromptIDs, refusal = promptText(b.Prompt)
	}
	if refusal == nil {
		refusal = b.lengths(&r)
	}
	if refusal == nil {
		refusal = b.streaming(&r)
	}
	return r, refusal
}

// badJSON says where the body is wrong.
func badJSON(err error) *ServerError {
	var typ *json.UnmarshalTypeError
	if errors.As(err, &typ) {
		return badRequest(typ.Field, "the field %s is a JSON %s: it must be %s", typ.Field, typ.Value,
			jsonKind(typ.Type.String()))
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return badRequest("", "the body is not JSON: %v at byte %d", syntax, syntax.Offset)
	}
	return badRequest("", "the body is not JSON: %v", err)
}

// jsonKind says what a Go type is called in JSON.
func jsonKind(goType string) string {
	switch goType {
	case "int":
		return "an integer"
	case "bool":
		return "true or false"
	case "string":
		return "a string"
	case "[]openai.servedMessage":
		return "an array"
	}
	return "an object"
}

func (b *serverBody) lengths(r *ServerRequest) *ServerError {
	for _, f := range []struct {
		name  string
		value *int
		least int
		to    *int
	}{
		// Later ones win: max_tokens is the older name.
		{"max_tokens", b.MaxTokens, 1, &r.MaxTokens},
		{"max_completion_tokens", b.MaxCompletionTokens, 1, &r.MaxTokens},
		{"min_tokens", b.MinTokens, 0, &r.MinTokens},
	} {
		if f.value == nil {
			continue
		}
		if *f.value < f.least {
			return badRequest(f.name, "%s is %d: it must be at least %d", f.name, *f.value, f.least)
		}
		*f.to = *f.value
	}
	if r.MaxTokens > 0 && r.MinTokens > r.MaxTokens {
		return badRequest("min_tokens", "min_tokens is %d and above the limit of %d tokens", r.MinTokens, r.MaxTokens)
	}
	r.IgnoreEOS = b.IgnoreEOS != nil && *b.IgnoreEOS
	return nil
}

func (b *serverBody) streaming(r *ServerRequest) *ServerError {
	r.Stream = b.Stream != nil && *b.Stream
	if b.StreamOptions == nil {
		return nil
	}
	if !r.Stream {
		return badRequest("stream_options", "stream_options is given and stream is not true")
	}
	r.IncludeUsage = b.StreamOptions.IncludeUsage != nil && *b.StreamOptions.IncludeUsage
	return nil
}

// messagesText joins the texts of a chat.
func messagesText(messages []servedMessage) (string, *ServerError) {
	if len(messages) == 0 {
		return "", badRequest("messages", "the field messages is missing or empty: at least one message is needed")
	}
	var texts []string
	for i, m := range messages {
		if m.Role == nil || *m.Role == "" {
			return "", badRequest("messages", "message %d has no role", i)
		}
		found, ok := contentTexts(m.Content)
		if !ok {
			return "", badRequest("messages", "the content of message %d is neither a string, null nor an "+
				"array of parts", i)
		}
		texts = append(texts, found...)
	}
	return strings.Join(texts, " "), nil
}

// contentTexts reads a message's content: a string, null, or parts of which
// those with text count. Pictures and sound have no tokens here.
func contentTexts(raw json.RawMessage) (texts []string, ok bool) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return nil, true
	}
	if raw[0] == '"' {
		var s string
		err := json.Unmarshal(raw, &s)
		return []string{s}, err == nil
	}
	var parts []struct {
		Text *string `json:"text"`
	}
	if json.Unmarshal(raw, &parts) != nil {
		return nil, false
	}
	for _, p := range parts {
		if p.Text != nil {
			texts = append(texts, *p.Text)
		}
	}
	return texts, true
}

// promptText reads the prompt of a text completion: a string, token ids, or an
// array that holds one of these. Several prompts would need several replies.
func promptText(raw json.RawMessage) (text string, ids []int, refusal *ServerError) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return "", nil, badRequest("prompt", "the field prompt is missing")
	}
	var list []json.RawMessage
	switch {
	case raw[0] == '"':
		if json.Unmarshal(raw, &text) != nil {
			break
		}
		return text, nil, nil
	case json.Unmarshal(raw, &list) != nil:
	case tokenIDs(raw) != nil:
		return "", tokenIDs(raw), nil
	case len(list) != 1:
		return "", nil, badRequest("prompt", "prompt holds %d prompts: only 1 per request is served", len(list))
	case json.Unmarshal(list[0], &text) == nil && list[0][0] == '"':
		return text, nil, nil
	case tokenIDs(list[0]) != nil:
		return "", tokenIDs(list[0]), nil
	}
	return "", nil, badRequest("prompt", "prompt is neither a string, an array of token ids nor an array with "+
		"one of these")
}

// tokenIDs reads an array of at least one token id; anything else is nil.
// Pointers, since null would pass for token 0.
func tokenIDs(raw json.RawMessage) []int {
	var given []*uint32
	if json.Unmarshal(raw, &given) != nil || len(given) == 0 || slices.Contains(given, nil) {
		return nil
	}
	ids := make([]int, len(given))
	for i, id := range given {
		ids[i] = int(*id)
	}
	return ids
}
