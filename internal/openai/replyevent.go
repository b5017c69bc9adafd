package openai

import (
	"bytes"
	"errors"
	"time"

	"headway/internal/wire"
	"headway/record"
)

func (x *exchange) releaseEvents() {
	if x.reply.events.Buffered() <= freeBytes {
		x.reply.events.Reset()
		x.t.splitters.Put(x.reply.events)
	}
	x.reply.events = nil
}

// event takes one event of a stream.
func (x *exchange) event(sc *scanner, e wire.Event) error {
	r := &x.reply
	if x.got.events++; x.got.events > x.most.events {
		r.failure = tooManyEvents()
		return errStop
	}
	x.keep(e.Name, e.Data)
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
	a := record.Arrival{At: x.at, UserspaceStamp: x.user, Coalesced: x.read >= 0 && x.read == r.last}
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
	return x.chunk(sc, e, a)
}

// keep keeps a part of a reply as it came, where that is asked for.
func (x *exchange) keep(name string, data []byte) {
	if x.tape.Raw == nil || name == "" && len(data) == 0 {
		return
	}
	x.tape.Raw.Parts = append(x.tape.Raw.Parts, record.RawPart{At: x.at, Name: name, Data: bytes.Clone(data)})
	x.raw += len(data) + 56
}

// chunk reads the JSON of an event, which came as a says.
func (x *exchange) chunk(sc *scanner, e wire.Event, a record.Arrival) error {
	r := &x.reply
	d, err := sc.decoder.decode(e.Data)
	r.last = x.read
	if errors.Is(err, errDense) {
		r.failure = tooManyValues()
		return errStop
	}
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
		r.finish = x.t.words.finishName(d.finish)
		if len(d.why) > 0 || r.odd != nil {
			r.oddly().why = x.t.words.excerpt(d.why)
		}
	}
	x.hear(d.nvext)
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
	if e.UnknownLines > 0 {
		x.reply.oddly().unknown += e.UnknownLines
	}
	if d, err := sc.decoder.decode(e.Data); err == nil {
		x.reply.count(d.usage)
		x.hear(d.nvext)
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
	if len(parts) == 0 {
		return
	}
	o := r.oddly()
	for _, p := range parts {
		o.parts += len(p.id) + len(p.kind) + len(p.name) + len(p.arguments)
		var c *call
		for i := range o.calls {
			if o.calls[i].index == p.index {
				c = &o.calls[i]
			}
		}
		if c == nil {
			o.calls = append(o.calls, call{index: p.index})
			c = &o.calls[len(o.calls)-1]
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
