package openai

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"time"

	"headway/internal/wire"
	"headway/record"
	"headway/workload"
)

// scanner is the memory that taking events needs. One serves all replies that
// a goroutine reads, one after the other; what must last from piece to piece
// is in the reply.
type scanner struct {
	decoder decoder
	x       *exchange              // whose events these are
	emit    func(wire.Event) error // event, bound once
}

func newScanner() *scanner {
	sc := &scanner{}
	sc.emit = func(e wire.Event) error { return sc.x.event(sc, e) }
	return sc
}

// manner is how the body of a reply is read.
type manner uint8

const (
	asStream  manner = iota
	asWhole          // one JSON document
	asRefusal        // the body of a status that is not a success
	asSeen           // by what the body begins with, which has not come yet
)

// reply is what is known of a reply while it comes.
type reply struct {
	how        manner
	otherwise  manner         // where the body does not begin like a stream
	head       *replyHead     // of a refusal
	events     *wire.Splitter // of a stream
	begun      int            // the first byte of a stream, -1 before
	data       []byte         // of a whole reply and of a refusal
	good, bad  int            // chunks that were JSON objects, and that were not
	finish     string         // the finish_reason
	why        string         // what stood beside it
	unknown    int            // lines that are no field of a stream
	stray      string         // the beginning of the first of them
	done       bool           // [DONE] came
	failure    *record.Failure
	usage      *usage // nil until there is one
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

var (
	errStop = errors.New("the reply reported an error")
	errFull = errors.New("the reply is larger than what is read of it")
)

// head decides how the reply is read. An error ends it; end then knows why.
func (x *exchange) head(h replyHead, at record.Time, stream bool) error {
	r := &x.reply
	x.got.status = h.status
	if h.status < 200 || h.status > 299 {
		refusal := h // a copy, so that only a refusal's head goes to the heap
		r.how, r.head = asRefusal, &refusal
		return nil
	}
	x.tape.Ack, x.tape.Worker = at, h.worker
	if h.coding != "" && !strings.EqualFold(h.coding, "identity") {
		r.failure = garbage("the reply is compressed (" + excerpt([]byte(h.coding)) + "), which was not asked for")
		return errStop
	}
	// Some servers send a stream under another type, or under none.
	sure, asked := streamed(h.kind, stream)
	if sure {
		x.asStream()
		return nil
	}
	r.how, r.otherwise = asSeen, asWhole
	if asked {
		r.otherwise = asStream
		return nil
	}
	if h.length > maxReply {
		r.failure = garbage(tooLarge)
		return errStop
	}
	if h.length > 0 {
		r.data = make([]byte, 0, min(h.length, 1<<20))
	}
	return nil
}

func (x *exchange) asStream() {
	x.tape.Streamed = true
	x.reply.how, x.reply.begun, x.reply.last = asStream, -1, -1
	x.reply.events = x.t.splitters.Get().(*wire.Splitter)
}

// body takes a piece of the body, which it does not keep. After an error
// nothing more is to come but end.
func (x *exchange) body(p []byte) error {
	r := &x.reply
	switch r.how {
	case asWhole:
		return r.collect(p, maxReply)
	case asRefusal:
		return r.collect(p, maxErrorBody)
	case asSeen:
		r.data = append(r.data, p...)
		if events, sure := wire.LooksLikeEvents(r.data); sure || len(r.data) > maxLead {
			return x.settle(events)
		}
		return nil
	}
	if r.begun < 0 && len(p) > 0 {
		r.begun = int(p[0])
	}
	sc := x.t.scanners.Get().(*scanner)
	sc.x = x
	err := r.events.Feed(p, sc.emit)
	sc.x = nil
	x.t.scanners.Put(sc)
	return err
}

// settle reads what came of a body as what it turned out to be.
func (x *exchange) settle(events bool) error {
	r := &x.reply
	if !events && r.otherwise == asWhole {
		r.how = asWhole
		return r.collect(nil, maxReply)
	}
	p := r.data
	r.data = nil
	x.asStream()
	return x.body(p)
}

// collect keeps p, up to a limit and one byte more.
func (r *reply) collect(p []byte, limit int) error {
	r.data = append(r.data, p[:min(len(p), limit+1-len(r.data))]...)
	if len(r.data) > limit {
		return errFull
	}
	return nil
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
		return garbage(err.Error())
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

func (x *exchange) releaseEvents() {
	x.reply.events.Reset()
	x.t.splitters.Put(x.reply.events)
	x.reply.events = nil
}

// event takes one event of a stream.
func (x *exchange) event(sc *scanner, e wire.Event) error {
	r := &x.reply
	if r.done {
		x.late(sc, e)
		return nil
	}
	if e.UnknownLines > 0 {
		r.last = x.read
		if r.failure = r.strays(sc, e); r.failure != nil {
			return errStop
		}
	}
	a := record.Arrival{At: x.at, User: x.user, Together: x.read >= 0 && x.read == r.last}
	switch {
	case e.Name == "error":
		r.last = x.read
		r.failure = errorEvent(sc, e)
		return errStop
	case len(e.Data) == 0:
		// A comment that keeps the connection open, or an annotation.
		return nil
	case string(bytes.TrimSpace(e.Data)) == "[DONE]":
		r.done, r.last = true, x.read
		x.tape.Arrive(a, nil, nil, nil)
		// A moment to end the stream properly, so that the connection can be
		// used again, and no longer.
		x.drain = time.AfterFunc(drain, func() { x.via.giveUp(errDrained) })
		return nil
	}
	d, err := sc.decoder.decode(e.Data)
	r.last = x.read
	if err != nil {
		if before, after, found := bytes.Cut(e.Data, []byte{0}); found {
			return x.event(sc, wire.Event{Name: e.Name, Data: before, Unknown: after, UnknownLines: 1})
		}
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
	if len(d.finish) > 0 && (r.finish == "" || givenUp(d.finish)) {
		r.finish, r.why = finishName(d.finish), excerpt(d.why)
	}
	if r.count(d.usage) {
		a.Kind |= record.Usage
	}
	if text := len(d.content)+len(d.reasoning)+len(d.tool) > 0; text && d.usage.has != 0 && !r.seenUsage {
		r.seenUsage, r.firstUsage = true, d.usage.n[completionTokens]
	}
	if x.turn != nil {
		r.merge(d.calls)
	}
	if text := len(d.content)+len(d.reasoning)+len(d.tool) > 0; text && !x.tape.HasText() {
		x.got.text = x.at + record.Time(x.lag)
	}
	x.tape.Arrive(a, d.reasoning, d.tool, d.content)
}

// late takes what comes after [DONE]: some servers send the usage there.
func (x *exchange) late(sc *scanner, e wire.Event) {
	x.reply.unknown += e.UnknownLines
	if d, err := sc.decoder.decode(e.Data); err == nil {
		x.reply.count(d.usage)
	}
}

// count keeps the counts of a chunk; those that a later chunk leaves out stay.
func (r *reply) count(u usage) bool {
	if u.has == 0 {
		return false
	}
	if r.usage == nil {
		r.usage = new(usage)
	}
	r.usage.merge(u)
	return true
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

const tooLarge = "the reply is larger than 256 MiB"

// whole says what a reply was that is one JSON document.
func (x *exchange) whole(err error) *record.Failure {
	if errors.Is(err, errFull) {
		return garbage(tooLarge)
	}
	if err != nil {
		return x.cut(err)
	}
	var dec decoder
	d, err := dec.parse(x.reply.data)
	switch {
	case err != nil:
		return garbage("the reply is not a JSON object: " + excerpt(x.reply.data))
	case d.failure != nil:
		d.failure.Type = "ServerError"
		return d.failure
	}
	x.take(record.Arrival{At: x.at, User: x.user}, d)
	switch {
	case givenUp([]byte(x.reply.finish)):
		return x.reply.aborted()
	case !x.tape.HasText():
		return empty()
	}
	return nil
}
