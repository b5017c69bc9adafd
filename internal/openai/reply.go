package openai

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"headway/internal/wire"
	"headway/record"
	"headway/workload"
)

// reader is the memory that reading one reply needs.
type reader struct {
	buf     []byte
	events  wire.Splitter
	decoder decoder
}

// newReader makes a reader. net/http reads 4 KiB at a time unless the buffer
// it is given is larger than that and its own is empty, so that 8 KiB takes
// what a busy stream has ready.
func newReader() *reader { return &reader{buf: make([]byte, 8<<10)} }

// reply is what is known of a reply while it comes.
type reply struct {
	good, bad  int  // chunks that were JSON objects, and that were not
	finished   bool // a finish_reason came
	done       bool // [DONE] came
	failure    *record.Failure
	usage      usage
	firstUsage int
	seenUsage  bool // firstUsage is decided
	last       int64
	calls      []call
}

// call is a tool call put together from its parts.
type call struct {
	index                     int
	id, kind, name, arguments string
}

var errStop = errors.New("the reply reported an error")

// stream reads an event stream to its end.
func (x *exchange) stream(body io.Reader) *record.Failure {
	rd := x.t.readers.Get().(*reader)
	defer x.t.readers.Put(rd)
	rd.events.Reset()
	x.reply.last = -1
	emit := func(e wire.Event) error { return x.event(rd, e) }
	begun := -1 // the first byte of the body
	for {
		n, err := x.next(body, rd.buf)
		if n > 0 && begun < 0 {
			begun = int(rd.buf[0])
		}
		if e := rd.events.Feed(rd.buf[:n], emit); e != nil {
			return x.unreadable(e)
		}
		if err == nil {
			continue
		}
		if e, ok := rd.events.Tail(); ok && errors.Is(err, io.EOF) {
			// The blank line after the last event is often forgotten. What
			// cannot be read was cut off, and is no bad chunk.
			bad := x.reply.bad
			if e := emit(e); e != nil {
				return x.unreadable(e)
			}
			x.reply.bad = bad
		}
		if !errors.Is(err, io.EOF) && !x.reply.done {
			return x.cut(err)
		}
		return x.judge(begun)
	}
}

// unreadable is the failure behind an error of the splitter.
func (x *exchange) unreadable(err error) *record.Failure {
	if x.reply.failure != nil {
		return x.reply.failure
	}
	return garbage(err.Error())
}

// event takes one event of a stream.
func (x *exchange) event(rd *reader, e wire.Event) error {
	r := &x.reply
	if r.done {
		return nil
	}
	a := record.Arrival{At: x.at, User: x.user, Together: x.read >= 0 && x.read == r.last}
	switch {
	case e.Name == "error":
		r.last = x.read
		r.failure = errorEvent(rd, e)
		return errStop
	case len(e.Data) == 0:
		// A comment that keeps the connection open, or an annotation.
		return nil
	case string(bytes.TrimSpace(e.Data)) == "[DONE]":
		r.done, r.last = true, x.read
		x.tape.Arrive(a, nil, nil, nil)
		// A moment to end the stream properly, so that the connection can be
		// used again, and no longer.
		x.drain = time.AfterFunc(drain, func() { x.cancel(errDrained) })
		return nil
	}
	d, err := rd.decoder.decode(e.Data)
	r.last = x.read
	if err != nil {
		r.bad++
		return nil
	}
	if d.failure != nil {
		r.failure = d.failure
		return errStop
	}
	x.take(a, d)
	return nil
}

// take puts a good chunk onto the tape.
func (x *exchange) take(a record.Arrival, d delta) {
	r := &x.reply
	r.good++
	r.finished = r.finished || d.finished
	if d.usage.has != 0 {
		r.usage = d.usage
		a.Kind |= record.Usage
	}
	if text := len(d.content)+len(d.reasoning)+len(d.tool) > 0; text && d.usage.has != 0 && !r.seenUsage {
		r.seenUsage, r.firstUsage = true, d.usage.n[completionTokens]
	}
	if x.r.Turn < x.r.Turns-1 {
		r.merge(d.calls)
	}
	x.tape.Arrive(a, d.reasoning, d.tool, d.content)
}

// merge adds parts of tool calls to the calls they belong to.
func (r *reply) merge(parts []callPart) {
	for _, p := range parts {
		var c *call
		for i := range r.calls {
			if r.calls[i].index == p.index {
				c = &r.calls[i]
			}
		}
		if c == nil {
			r.calls = append(r.calls, call{index: p.index})
			c = &r.calls[len(r.calls)-1]
		}
		if p.id != "" {
			c.id = p.id
		}
		if p.kind != "" {
			c.kind = p.kind
		}
		c.name += p.name
		c.arguments += p.arguments
	}
}

// message is the reply as the next turn repeats it. Reasoning is left out:
// models do not get to see what they thought before.
func (r *reply) message(content []byte) workload.Message {
	if len(r.calls) == 0 {
		return workload.Message{Role: "assistant", Content: string(content)}
	}
	raw := []byte(`{"role":"assistant","content":`)
	if len(content) == 0 {
		raw = append(raw, "null"...)
	} else {
		raw = appendString(raw, string(content))
	}
	raw = append(raw, `,"tool_calls":[`...)
	for i, c := range r.calls {
		if i > 0 {
			raw = append(raw, ',')
		}
		kind := c.kind
		if kind == "" {
			kind = "function"
		}
		id := c.id
		if id == "" {
			id = "call_" + strconv.Itoa(c.index)
		}
		raw = appendString(append(raw, `{"id":`...), id)
		raw = appendString(append(raw, `,"type":`...), kind)
		raw = appendString(append(raw, `,"function":{"name":`...), c.name)
		raw = appendString(append(raw, `,"arguments":`...), c.arguments)
		raw = append(raw, "}}"...)
	}
	return workload.Message{Role: "assistant", Raw: append(raw, "]}"...)}
}

// judge says what a stream was that ended by itself. begun is its first byte,
// -1 when it has none.
func (x *exchange) judge(begun int) *record.Failure {
	r := &x.reply
	switch {
	case r.good == 0 && r.bad > 0:
		return garbage("no chunk of the reply is a JSON object")
	case !r.done && !r.finished:
		if r.good == 0 && begun >= 0 && strings.IndexByte(":deir\xef\r\n ", byte(begun)) < 0 {
			return garbage("the reply is not an event stream")
		}
		return truncated("the stream ended without [DONE] and without a finish_reason")
	case !x.tape.HasText():
		return empty()
	}
	return nil
}

const tooLarge = "the reply is larger than 256 MiB"

// whole reads a reply that is one JSON document.
func (x *exchange) whole(body io.Reader, length int64) *record.Failure {
	if length > maxReply {
		return garbage(tooLarge)
	}
	data, err := x.readAll(body, maxReply, length)
	if err != nil {
		return x.cut(err)
	}
	if len(data) > maxReply {
		return garbage(tooLarge)
	}
	var dec decoder
	d, err := dec.parse(data)
	switch {
	case err != nil:
		return garbage("the reply is not a JSON object: " + excerpt(data))
	case d.failure != nil:
		d.failure.Type = "ServerError"
		return d.failure
	}
	x.take(record.Arrival{At: x.at, User: x.user}, d)
	if !x.tape.HasText() {
		return empty()
	}
	return nil
}

// readAll reads a body, at most limit+1 bytes of it; length is what the head
// said, or -1.
func (x *exchange) readAll(body io.Reader, limit, length int64) ([]byte, error) {
	room := int64(4 << 10)
	if length > 0 {
		room = min(length+1, limit+1, 1<<20)
	}
	data := make([]byte, 0, room)
	for int64(len(data)) <= limit {
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := x.next(body, data[len(data):min(int64(cap(data)), limit+1)])
		data = data[:len(data)+n]
		if errors.Is(err, io.EOF) {
			return data, nil
		}
		if err != nil {
			return data, err
		}
	}
	return data, nil
}
