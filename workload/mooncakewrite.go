package workload

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// WriteMooncake writes the requests of a Source with an end as a Mooncake trace,
// in the order of their times, and returns how many there were. [Read] gives
// requests back that are sent with the same bytes at the same times; rows of
// lengths and ids have the very bytes of the public traces. All are held in memory
// first, since the turns of a session stand together in a Source and apart in a
// trace.
//
// What a trace cannot hold is an error: cancellations, pools of prefixes, system
// messages of a length, and recorded answers that nobody counted.
func WriteMooncake(w io.Writer, src Source) (int, error) {
	all, err := inTraceOrder(src)
	if err != nil {
		return 0, fmt.Errorf("writing a trace: %w", err)
	}
	buf := bufio.NewWriterSize(w, 1<<16)
	var line []byte
	for _, t := range all {
		if line, err = appendMooncake(line[:0], t); err != nil {
			return 0, fmt.Errorf("writing a trace: request %d (session %s, turn %d): %w", t.Index,
				t.Session, t.Turn, err)
		}
		// What cannot be written is noticed by Flush.
		buf.Write(append(line, '\n'))
	}
	if err := buf.Flush(); err != nil {
		return 0, fmt.Errorf("writing a trace: %w", err)
	}
	return len(all), nil
}

// traced is a request on its way into a trace.
type traced struct {
	Request
	// key is its own time, or that of the request that it follows.
	key time.Duration
	// named says that its session must be named: it has several turns, or
	// would get another name when it is read.
	named bool
}

// inTraceOrder sorts requests by time. Those without a time stay behind what they
// follow: a first turn behind the session before it, another behind its session.
func inTraceOrder(src Source) ([]traced, error) {
	var all []traced
	var key, begun time.Duration
	for r, err := range src {
		if err != nil {
			return nil, err
		}
		if r.Turn == 0 {
			key = begun
		}
		if r.Timed {
			key = r.At
		}
		if r.Turn == 0 {
			begun = key
		}
		all = append(all, traced{r, key, r.Turns > 1})
	}
	slices.SortStableFunc(all, func(a, b traced) int { return cmp.Compare(a.key, b.key) })
	sessions := 0
	for i := range all {
		if t := &all[i]; t.Turn == 0 {
			sessions++
			t.named = t.named || t.Session != unnamed(sessions)
		}
	}
	return all, nil
}

// unnamed is what the n-th session of a file is called where the file has no name
// for it.
func unnamed(n int) string { return "session_" + strconv.Itoa(n) }

// appendMooncake appends the request as a line of a trace.
func appendMooncake(b []byte, t traced) ([]byte, error) {
	p := t.Prompt
	switch {
	case t.Cancel:
		return nil, errors.New("a trace cannot say that a request is cancelled")
	case p.Prefix.Tokens > 0:
		return nil, errors.New("a prefix of a pool has no place in a trace")
	case p.SystemTokens > 0:
		return nil, errors.New("a system message that is only a length has no place in a trace")
	case p.Reference != "" && t.OutputTokens == 0:
		return nil, errors.New("the recorded answer must be counted first, for output_length; that needs a tokenizer")
	}
	o := traceLine{b: append(b, '{')}
	if t.Timed {
		o.b = appendExactMillis(o.name("timestamp"), t.At)
	}
	if t.named {
		o.b = appendString(o.name("session_id"), t.Session)
	}
	if t.Delay > 0 {
		o.b = appendExactMillis(o.name("delay"), t.Delay)
	}
	if err := o.prompt(t.Request); err != nil {
		return nil, err
	}
	if t.OutputTokens > 0 {
		o.b = strconv.AppendInt(o.name("output_length"), int64(t.OutputTokens), 10)
	}
	if len(p.Blocks) > 0 {
		o.b = appendIDs(o.name("hash_ids"), p.Blocks)
	}
	if t.Turn > 0 && !p.Whole && (len(p.Blocks) > 0 || o.messages) {
		o.b = append(o.name("message_mode"), `"delta"`...)
	}
	if t.Extra != nil {
		o.b = append(o.name("extra"), oneLine(t.Extra)...)
	}
	return append(o.b, '}'), nil
}

// traceLine is a JSON object under way, spaced as the public traces are.
type traceLine struct {
	b        []byte
	messages bool
	begun    bool
}

// name appends the name of the next field.
func (o *traceLine) name(field string) []byte {
	if o.begun {
		o.b = append(o.b, ", "...)
	}
	o.begun = true
	o.b = append(append(append(o.b, '"'), field...), `": `...)
	return o.b
}

// prompt appends the field that the prompt was given in. A system message that
// begins a session makes its text a list of messages; later turns are sent with
// what was said, the system message included.
func (o *traceLine) prompt(r Request) error {
	p := r.Prompt
	system := p.System != "" && (r.Turn == 0 || p.Whole)
	switch {
	case p.Payload != nil:
		o.b = append(o.name("payload"), oneLine(p.Payload)...)
	case p.Tokens > 0 && p.System != "":
		return errors.New("a prompt of a length has no place for its system message in a trace")
	case p.Tokens > 0:
		o.b = strconv.AppendInt(o.name("input_length"), int64(p.Tokens), 10)
	case p.Messages == nil && p.Text == "":
		return errors.New("it has no prompt")
	case p.Messages == nil && !system && !p.Whole:
		o.b = appendString(o.name("text_input"), p.Text)
	default:
		all := p.Messages
		if p.Text != "" {
			all = []Message{{Role: "user", Content: p.Text}}
		}
		if system {
			all = append([]Message{{Role: "system", Content: p.System}}, all...)
		}
		o.messages = true
		o.b = appendMessages(o.name("messages"), all)
	}
	return nil
}

func appendMessages(b []byte, all []Message) []byte {
	b = append(b, '[')
	for i, m := range all {
		if i > 0 {
			b = append(b, ", "...)
		}
		if m.Raw != nil {
			b = append(b, oneLine(m.Raw)...)
			continue
		}
		b = appendString(append(b, `{"role": `...), m.Role)
		b = appendString(append(b, `, "content": `...), m.Content)
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendIDs(b []byte, ids []int64) []byte {
	b = append(b, '[')
	for i, id := range ids {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = strconv.AppendInt(b, id, 10)
	}
	return append(b, ']')
}

// appendExactMillis writes a time in milliseconds to the nanosecond.
func appendExactMillis(b []byte, d time.Duration) []byte {
	b = strconv.AppendInt(b, int64(d/time.Millisecond), 10)
	if ns := d % time.Millisecond; ns > 0 {
		fraction := strconv.FormatInt(int64(time.Millisecond+ns), 10)
		b = append(append(b, '.'), strings.TrimRight(fraction[1:], "0")...)
	}
	return b
}

// oneLine returns JSON that stands on several lines as one.
func oneLine(raw json.RawMessage) json.RawMessage {
	if !bytes.ContainsAny(raw, "\r\n") {
		return raw
	}
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return raw // not JSON; whoever reads it says so
	}
	return b.Bytes()
}
