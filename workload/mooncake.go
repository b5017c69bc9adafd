package workload

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"strconv"
	"strings"
	"time"
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
	NVExt        json.RawMessage   `json:"nvext"`
}

// mooncakeFields are those that a line may have: beside what is read the lengths
// that synthesised traces carry, which follow from the ids.
var mooncakeFields = append(fieldsOf(mooncakeRow{}), "context_len", "unique_user_prompt_len")

// readMooncake reads JSON lines with exactly one of input_length, text_input,
// messages and payload. Lines with one session_id are the turns of one session,
// wherever they stand.
//
// hash_ids name the blocks of a prompt from its start, each with all that stands
// before it. So a later turn with ids is the whole conversation, unless its
// message_mode says delta: a live reply put before it would make every id wrong.
func readMooncake(in *input) iter.Seq2[conversation, error] {
	turns := map[string]int{}
	p := rowReader{in: in, block: in.options.BlockSize, partial: in.options.PartialIDs}
	return eachJSON(in, func(n int, text []byte) (conversation, error) {
		id, r, err := p.read(text, turns)
		if err != nil {
			return conversation{}, err
		}
		if id != "" {
			turns[id]++
		}
		return conversation{id: id, merge: true, turns: []turn{{n, r}}}, nil
	})
}

// rowReader makes requests of lines.
type rowReader struct {
	in      *input
	block   int
	partial bool
	ids     []int64 // what is left of the current piece of memory for ids
}

// read makes a request of a line; turns counts those that each session has.
// Lines of the public traces are scanned by hand, all others and all faults are
// left to encoding/json.
func (p *rowReader) read(text []byte, turns map[string]int) (id string, r Request, err error) {
	s := rowScan{text: text, ids: p.ids[:0]}
	if s.object() && s.row.InputLength > 0 && isExact(s.row.Timestamp) && isExact(s.row.Delay) {
		p.ids = s.ids[len(s.ids):]
		r = s.row.request()
		ids := s.ids[:len(s.ids):len(s.ids)]
		return s.row.Session, r, p.setBlocks(&r.Prompt, ids, "", turns[s.row.Session])
	}
	var row mooncakeRow
	if err := p.in.decode(text, &row, mooncakeFields); err != nil {
		return "", Request{}, err
	}
	if id, err = sessionName(row.SessionID); err != nil {
		return "", Request{}, err
	}
	r, err = p.request(&row, turns[id])
	return id, r, err
}

// isExact says that a float64 of milliseconds is exact to the nanosecond.
func isExact(ms float64) bool { return ms == math.Trunc(ms) || ms < 1e9 }

// request makes the row one request, its ids apart.
func (r *Row) request() Request {
	return Request{
		At: fromMillis(r.Timestamp), Timed: r.Timed, Delay: fromMillis(r.Delay),
		Prompt: Prompt{Tokens: r.InputLength}, OutputTokens: r.OutputLength,
	}
}

// fromMillis rounds milliseconds to a Duration; whole ones stay exact.
func fromMillis(ms float64) time.Duration {
	whole := math.Trunc(ms)
	return time.Duration(whole)*time.Millisecond + time.Duration(math.Round((ms-whole)*1e6))
}

// request makes the row one request; earlier is how many turns of its session
// came before it.
func (p *rowReader) request(row *mooncakeRow, earlier int) (Request, error) {
	if err := checkType(row.Type, Mooncake); err != nil {
		return Request{}, err
	}
	var r Request
	var err error
	if r.Prompt, err = row.prompt(earlier); err != nil {
		return Request{}, err
	}
	ids, err := row.ids()
	if err != nil {
		return Request{}, err
	}
	if err := p.setBlocks(&r.Prompt, ids, row.MessageMode, earlier); err != nil {
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
		return Request{}, errors.New("extra and nvext: a payload is sent as it is, nothing can be added")
	}
	if err := CheckHints(r.Prompt.Payload); err != nil {
		return Request{}, fmt.Errorf("payload: %w", err)
	}
	return r, CheckHints(r.Extra)
}

// setBlocks checks ids against the length of the prompt and gives them to it.
func (p *rowReader) setBlocks(to *Prompt, ids []int64, mode string, earlier int) error {
	if len(ids) == 0 {
		return nil
	}
	if to.Tokens == 0 {
		return errors.New("hash_ids: only with input_length")
	}
	switch n, want := len(ids), Blocks(to.Tokens, p.block); {
	case n > want, n < want && !p.partial:
		return fmt.Errorf("hash_ids: %d ids do not match input_length %d: with blocks of %d tokens there must be "+
			"%d; is the block size right?",
			n, to.Tokens, p.block, want)
	}
	for _, id := range ids {
		if id < 0 {
			return fmt.Errorf("hash_ids: %d is negative", id)
		}
	}
	to.Blocks, to.BlockSize = ids, p.block
	to.Whole = earlier > 0 && mode != "delta"
	return nil
}

// ids reads hash_ids.
func (row *mooncakeRow) ids() ([]int64, error) {
	if isEmpty(row.HashIDs) {
		return nil, nil
	}
	var numbers []json.Number
	if err := json.Unmarshal(row.HashIDs, &numbers); err != nil {
		return nil, fmt.Errorf("hash_ids: must be a list of whole numbers: %w", err)
	}
	ids := make([]int64, len(numbers))
	for i, n := range numbers {
		id, err := strconv.ParseInt(n.String(), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("hash_ids: entry %d, %q: must be a whole number", i+1, n.String())
		}
		ids[i] = id
	}
	return ids, nil
}

func (row *mooncakeRow) prompt(earlier int) (Prompt, error) {
	switch row.MessageMode {
	case "", "delta", "history":
	default:
		return Prompt{}, fmt.Errorf("message_mode %q: must be history or delta", row.MessageMode)
	}
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
		return Prompt{}, fmt.Errorf("needs exactly one of input_length, text_input, messages and payload; "+
			"it has %d: %s",
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
	// In the mode history, which is the default, messages repeat the
	// conversation as it was recorded; in delta they are what is new, and the
	// client puts before them what was said.
	p, err := messagesPrompt(row.Messages)
	p.Whole = earlier > 0 && row.MessageMode != "delta"
	return p, err
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

// extra merges tools, nvext and extra, which wins over tools, into one object.
func (row *mooncakeRow) extra() (json.RawMessage, error) {
	extra, err := extraFields(row.Extra, row.NVExt)
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
