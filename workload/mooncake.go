package workload

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
)

// mooncakeRow is a line of a Mooncake trace, with the fields that aiperf added.
type mooncakeRow struct {
	Type         string            `json:"type"`
	Timestamp    *json.Number      `json:"timestamp"`
	Delay        *json.Number      `json:"delay"`
	SessionID    json.RawMessage   `json:"session_id"`
	InputLength  *json.Number      `json:"input_length"`
	TextInput    *string           `json:"text_input"`
	Messages     []json.RawMessage `json:"messages"`
	MessageMode  string            `json:"message_mode"`
	Payload      json.RawMessage   `json:"payload"`
	OutputLength *json.Number      `json:"output_length"`
	HashIDs      json.RawMessage   `json:"hash_ids"`
	Tools        json.RawMessage   `json:"tools"`
	Extra        json.RawMessage   `json:"extra"`
}

// readMooncake reads JSON lines with exactly one of input_length, text_input,
// messages and payload. Lines with one session_id are the turns of one session,
// wherever they stand. Rows with hash_ids are refused with [ErrHashIDs]: as
// lengths alone they would be sent without the sharing that they record.
func readMooncake(in *input) iter.Seq2[conversation, error] {
	turns := map[string]int{}
	return eachJSON(in, func(n int, text []byte) (conversation, error) {
		var row mooncakeRow
		if err := json.Unmarshal(text, &row); err != nil {
			return conversation{}, err
		}
		id, err := sessionName(row.SessionID)
		if err != nil {
			return conversation{}, err
		}
		r, err := row.request(turns[id])
		if err != nil {
			return conversation{}, err
		}
		if id != "" {
			turns[id]++
		}
		return conversation{id: id, merge: true, turns: []turn{{n, r}}}, nil
	})
}

// request makes the row one request; earlier is how many turns of its session
// came before it.
func (row *mooncakeRow) request(earlier int) (Request, error) {
	if err := checkType(row.Type, Mooncake); err != nil {
		return Request{}, err
	}
	if !isEmpty(row.HashIDs) {
		return Request{}, ErrHashIDs
	}
	var r Request
	var err error
	if r.Prompt, err = row.prompt(earlier); err != nil {
		return Request{}, err
	}
	if r.At, r.Timed, err = optionalMillis("timestamp", row.Timestamp); err != nil {
		return Request{}, err
	}
	if r.Delay, _, err = optionalMillis("delay", row.Delay); err != nil {
		return Request{}, err
	}
	if r.OutputTokens, err = optionalTokens("output_length", row.OutputLength); err != nil {
		return Request{}, err
	}
	if r.Extra, err = row.extra(); err != nil {
		return Request{}, err
	}
	if r.Extra != nil && r.Prompt.Payload != nil {
		return Request{}, errors.New("extra: a payload is sent as it is, nothing can be added")
	}
	return r, nil
}

func (row *mooncakeRow) prompt(earlier int) (Prompt, error) {
	var given []string
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"input_length", row.InputLength != nil}, {"text_input", row.TextInput != nil},
		{"messages", row.Messages != nil}, {"payload", !isEmpty(row.Payload)},
	} {
		if f.set {
			given = append(given, f.name)
		}
	}
	if len(given) != 1 {
		return Prompt{}, fmt.Errorf("needs exactly one of input_length, text_input, messages and payload; it has %d: %s",
			len(given), strings.Join(given, ", "))
	}
	switch given[0] {
	case "input_length":
		n, err := tokenCount("input_length", row.InputLength.String())
		return Prompt{Tokens: n}, err
	case "text_input":
		if *row.TextInput == "" {
			return Prompt{}, errors.New("text_input is empty")
		}
		return Prompt{Text: *row.TextInput}, nil
	case "payload":
		payload, err := objectField("payload", row.Payload)
		return Prompt{Payload: payload}, err
	}
	if row.MessageMode != "" && row.MessageMode != "delta" && row.MessageMode != "history" {
		return Prompt{}, fmt.Errorf("message_mode %q: must be history or delta", row.MessageMode)
	}
	// The client puts the conversation so far before each turn, which is what
	// delta means. Messages that repeat it would be sent twice.
	if earlier > 0 && row.MessageMode != "delta" {
		return Prompt{}, fmt.Errorf("messages of a later turn that repeat the conversation (message_mode history): %w; use delta", ErrNotBuilt)
	}
	return messagesPrompt(row.Messages)
}

// messagesPrompt keeps messages as they are written.
func messagesPrompt(raws []json.RawMessage) (Prompt, error) {
	if len(raws) == 0 {
		return Prompt{}, errors.New("messages is empty")
	}
	var p Prompt
	for i, raw := range raws {
		var m struct {
			Role string `json:"role"`
		}
		if err := json.Unmarshal(raw, &m); err != nil || m.Role == "" {
			return Prompt{}, fmt.Errorf("message %d: must be an object with a role", i+1)
		}
		p.Messages = append(p.Messages, Message{Role: m.Role, Raw: raw})
	}
	return p, nil
}

// extra merges tools and extra, which wins, into one object.
func (row *mooncakeRow) extra() (json.RawMessage, error) {
	extra, err := objectField("extra", row.Extra)
	if err != nil || isEmpty(row.Tools) {
		return extra, err
	}
	if row.Messages == nil {
		return nil, errors.New("tools: only with messages")
	}
	if row.Tools[0] != '[' {
		return nil, errors.New("tools: must be a list")
	}
	if extra == nil {
		extra = json.RawMessage("{}")
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(extra, &all); err != nil {
		return nil, err
	}
	if _, there := all["tools"]; !there {
		all["tools"] = row.Tools
	}
	return json.Marshal(all)
}
