package openai

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"

	"headway/internal/fault"
	"headway/workload"
)

// Body is the exact request body for r in a conversation that history began;
// history is nil for a request on its own and never holds a system message
// that r.Prompt.System repeats. The same arguments give the same bytes.
//
// Keys stand in aiperf's order: messages (or prompt), model, stream, the token
// limit, then the extras of Config and of the request where they are new,
// then stream_options.
func Body(c Config, r workload.Request, history []workload.Message) ([]byte, error) {
	c.Defaults()
	w, err := newWriter(c)
	if err != nil {
		return nil, err
	}
	b, err := w.body(&r, history)
	return b.data, err
}

// body is a request body and what must be known about it.
type body struct {
	data []byte
	// stream is what the body says in the end, whoever put it there.
	stream bool
	// texts are all texts of the body joined by one space.
	texts string
	// asked is how many tokens the reply may have, all choices together, by what
	// the body says in the end; 0 where it says nothing.
	asked int
}

// writer makes bodies. The extras that all of them share are parsed once.
type writer struct {
	Config
	extra object
}

func newWriter(c Config) (writer, error) {
	if len(c.Models) == 0 {
		return writer{}, errors.New("making a request body: no model named")
	}
	extra, err := parseObject(c.Extra)
	if err != nil {
		return writer{}, fault.New("making a request body: %s: %w", fault.Field("extra-inputs"), err)
	}
	return writer{Config: c, extra: extra}, nil
}

func (w *writer) body(r *workload.Request, history []workload.Message) (body, error) {
	if r.Prompt.Payload != nil {
		return payload(r)
	}
	own, err := parseObject(r.Extra)
	if err != nil {
		return body{}, fmt.Errorf("making the body of request %d: extra: %w", r.Index, err)
	}
	if p := r.Prompt; p.Tokens > 0 && p.Text == "" && len(p.Messages) == 0 {
		return body{}, fmt.Errorf("making the body of request %d: its prompt is a length, and no text "+
			"was made of it", r.Index)
	}
	messages := conversation(&r.Prompt, history)

	o := make(object, 0, 6+len(w.extra)+len(own))
	input := "messages"
	if w.Type == TypeCompletions {
		input = "prompt"
		o.set(input, appendString(nil, joined(messages, "\n")))
	} else {
		o.set(input, appendMessages(make([]byte, 0, sizeOf(messages)), messages))
	}
	o.set("model", appendString(nil, w.model(r.Index)))
	o.set("stream", strconv.AppendBool(nil, w.Streaming))
	if r.OutputTokens > 0 {
		o.set(w.limitKey(), strconv.AppendInt(nil, int64(r.OutputTokens), 10))
	}
	for _, extra := range []object{w.extra, own} {
		for _, m := range extra {
			o.extend(m)
		}
	}
	if w.Tell {
		if err := o.tell(); err != nil {
			return body{}, fmt.Errorf("making the body of request %d: %w", r.Index, err)
		}
	}
	stream := string(o.get("stream")) == "true"
	if stream {
		if err := w.streamOptions(&o); err != nil {
			return body{}, fmt.Errorf("making the body of request %d: %w", r.Index, err)
		}
	}

	b := body{data: o.append(make([]byte, 0, o.size())), stream: stream, asked: o.asked()}
	if w.extra.index(input) >= 0 || own.index(input) >= 0 || hasRaw(messages) {
		b.texts = Texts(b.data)
	} else if w.Type == TypeCompletions {
		b.texts = joined(messages, "\n")
	} else {
		b.texts = joined(messages, " ")
	}
	return b, nil
}

// payload is a body given whole, for example from a log. Not even the model is
// put in.
func payload(r *workload.Request) (body, error) {
	var p fastjson.Parser
	v, err := p.ParseBytes(r.Prompt.Payload)
	if err != nil || v.Type() != fastjson.TypeObject {
		return body{}, fmt.Errorf("sending the payload of request %d: it is not a JSON object", r.Index)
	}
	asked := max(v.GetInt("max_completion_tokens"), v.GetInt("max_tokens"))
	asked = product(asked, max(v.GetInt("n"), v.GetInt("best_of"), len(v.GetArray("prompt"))))
	return body{data: r.Prompt.Payload, stream: v.GetBool("stream"), texts: textsOf(v), asked: asked}, nil
}

// asked is the product of the token limit and the number of choices. A list of
// prompts, which extras may put in, has one for each, and then nothing is known.
func (o object) asked() int {
	number := func(key string) int {
		n, _ := strconv.Atoi(string(o.get(key)))
		return max(0, n)
	}
	if p := o.get("prompt"); len(p) > 0 && p[0] == '[' {
		return 0
	}
	return product(max(number("max_completion_tokens"), number("max_tokens")), max(number("n"), number("best_of")))
}

// product is tokens for each of several choices, at least one.
func product(tokens, choices int) int { return tokens * min(max(1, choices), 1<<16) }

// conversation is all that is said, in order: the system message, what was
// said before, and this turn.
func conversation(p *workload.Prompt, history []workload.Message) []workload.Message {
	all := make([]workload.Message, 0, 2+len(history)+len(p.Messages))
	if p.System != "" {
		all = append(all, workload.Message{Role: "system", Content: p.System})
	}
	// A prompt that is the whole conversation already brings its own history.
	if !p.Whole {
		all = append(all, history...)
	}
	return append(all, turn(p)...)
}

// turn is what one turn of the user adds.
func turn(p *workload.Prompt) []workload.Message {
	if len(p.Messages) > 0 {
		return p.Messages
	}
	return []workload.Message{{Role: "user", Content: p.Text}}
}

func appendMessages(dst []byte, messages []workload.Message) []byte {
	dst = append(dst, '[')
	for i, m := range messages {
		if i > 0 {
			dst = append(dst, ',')
		}
		if m.Raw != nil {
			dst = append(dst, m.Raw...)
			continue
		}
		dst = appendString(append(dst, `{"role":`...), m.Role)
		dst = appendString(append(dst, `,"content":`...), m.Content)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// sizeOf is what messages take as JSON where little of them must be escaped.
func sizeOf(messages []workload.Message) int {
	n := 2
	for _, m := range messages {
		n += len(`{"role":"","content":""},`) + len(m.Role) + len(m.Content) + len(m.Content)/64 + len(m.Raw)
	}
	return n
}

// joined is the texts of messages. The completions API knows no roles; a
// conversation is sent to it as its texts, one a line, since an array would
// mean several prompts.
func joined(messages []workload.Message, between string) string {
	parts := make([]string, 0, len(messages))
	for _, m := range messages {
		text := m.Content
		if m.Raw != nil {
			text = Texts(append(appendMessages([]byte(`{"messages":`), []workload.Message{m}), '}'))
		}
		if text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, between)
}

func hasRaw(messages []workload.Message) bool {
	for _, m := range messages {
		if m.Raw != nil {
			return true
		}
	}
	return false
}

// model is the name that request i asks for.
func (w writer) model(i int) string {
	n := uint64(len(w.Models))
	if w.ModelStrategy == Random {
		return w.Models[mix(w.Seed^mix(uint64(i)))%n]
	}
	return w.Models[uint64(i)%n]
}

// mix spreads the bits of x over the whole word (the finalizer of splitmix64,
// Steele, Lea and Flood, OOPSLA 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (w writer) limitKey() string {
	if w.Type == TypeCompletions || w.LegacyMaxTokens {
		return "max_tokens"
	}
	return "max_completion_tokens"
}

// streamOptions asks for usage unless the user decided that. A null counts as
// not said.
func (w writer) streamOptions(o *object) error {
	if o.get("stream_options") == nil {
		// The usual case, told at once.
		usual := `{"include_usage":true}`
		if w.PerChunkUsage {
			usual = `{"include_usage":true,"continuous_usage_stats":true}`
		}
		o.set("stream_options", []byte(usual))
		return nil
	}
	options, err := parseObject(json.RawMessage(o.get("stream_options")))
	if err != nil {
		return fmt.Errorf("stream_options: %w", err)
	}
	if options.get("include_usage") == nil {
		options.set("include_usage", []byte("true"))
	}
	if w.PerChunkUsage && options.get("continuous_usage_stats") == nil {
		options.set("continuous_usage_stats", []byte("true"))
	}
	o.set("stream_options", options.append(nil))
	return nil
}

func (o object) size() int {
	n := 2
	for _, m := range o {
		n += len(m.key) + len(m.value) + 4
	}
	return n
}
