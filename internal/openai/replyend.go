package openai

import (
	"errors"
	"strconv"
	"strings"

	"headway/internal/wire"
	"headway/record"
	"headway/workload"
)

// settle reads what came of a body as what it turned out to be.
func (x *exchange) settle(events bool) error {
	r := &x.reply
	if !events && r.otherwise == asWhole {
		r.how = asWhole
		return nil
	}
	p := r.data
	r.data = nil
	x.asStream()
	return x.piece(p)
}

// end says what the reply was: err is nil at its proper end, else what ended
// it, errors of head and body among them.
func (x *exchange) end(err error) *record.Failure {
	r := &x.reply
	if r.how == asSeen && r.failure == nil {
		if e := x.settle(false); err == nil {
			err = e
		}
	}
	if r.how != asStream {
		x.keep("", r.data)
	}
	if r.failure != nil {
		return r.failure
	}
	switch r.how {
	case asRefusal:
		return x.refused(err)
	case asWhole:
		return x.whole(err)
	}
	defer x.releaseEvents()
	var large *wire.EventTooLargeError
	if errors.As(err, &large) {
		return tooLarge(err.Error())
	}
	if e, ok := r.events.Tail(); ok {
		// The blank line after the last event is often forgotten. What
		// cannot be read was cut off, and is no bad chunk.
		bad := r.bad
		if err != nil {
			e.Name, e.Data = "", nil
		}
		sc := newScanner()
		sc.x = x
		if sc.emit(e) != nil {
			return r.failure
		}
		r.bad = bad
	}
	if err == nil || r.done {
		return x.judge()
	}
	f := x.gaveUp()
	switch {
	case f != nil:
		return f
	case givenUp([]byte(r.finish)):
		return r.aborted()
	}
	return r.because(x.cut(err))
}

// message is the reply as the next turn repeats it. Reasoning is left out:
// models do not get to see what they thought before.
func (r *reply) message(content []byte) workload.Message {
	calls := r.rare().calls
	if len(calls) == 0 {
		return workload.Message{Role: "assistant", Content: string(content)}
	}
	raw := []byte(`{"role":"assistant","content":`)
	if len(content) == 0 {
		raw = append(raw, "null"...)
	} else {
		raw = appendString(raw, string(content))
	}
	raw = append(raw, `,"tool_calls":[`...)
	for i, c := range calls {
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

// judge says what a stream was that ended by itself.
func (x *exchange) judge() *record.Failure {
	r := &x.reply
	x.tape.Skipped = r.bad
	switch {
	case r.good == 0 && r.bad > 0:
		return r.because(garbage("no chunk of the reply is a JSON object"))
	case givenUp([]byte(r.finish)):
		return r.aborted()
	case !r.done && r.finish == "":
		if r.good == 0 && r.begun >= 0 && strings.IndexByte(":deir\xef\r\n ", byte(r.begun)) < 0 {
			return r.because(garbage("the reply is not an event stream"))
		}
		return r.because(truncated("the stream ended without [DONE] and without a finish_reason"))
	case !x.tape.HasText():
		return r.because(empty())
	}
	return nil
}

// whole says what a reply was that is one JSON document.
func (x *exchange) whole(err error) *record.Failure {
	if err != nil {
		return x.cut(err)
	}
	if len(x.reply.data) > freeBytes {
		x.t.reading.Lock()
		defer x.t.reading.Unlock()
	}
	var dec decoder
	d, err := dec.parse(x.reply.data, x.most.values)
	switch {
	case errors.Is(err, errDense):
		return tooManyValues()
	case err != nil && len(x.reply.data) == 0:
		return garbage("the reply is not a JSON object: it is empty")
	case err != nil:
		return garbage("the reply is not a JSON object: " + x.t.words.excerpt(x.reply.data))
	case d.failure != nil:
		d.failure.Type = "ServerError"
		return d.failure
	}
	x.take(record.Arrival{At: x.at, UserspaceStamp: x.user}, d)
	switch {
	case givenUp([]byte(x.reply.finish)):
		return x.reply.aborted()
	case !x.tape.HasText():
		return empty()
	}
	return nil
}
