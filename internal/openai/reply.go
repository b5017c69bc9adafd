package openai

import (
	"errors"
	"strings"

	"headway/internal/wire"
	"headway/record"
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
	done       bool           // [DONE] came
	failure    *record.Failure
	usage      *usage   // nil until there is one
	told       *telling // nil until it tells of itself
	firstUsage int
	seenUsage  bool // firstUsage is decided
	last       int64
	odd        *oddities // nil while there is none
}

// oddities are what few replies have: of ten thousand in flight all would keep
// room for them.
type oddities struct {
	why     string // what stood beside the finish_reason
	unknown int    // lines that are no field of a stream
	stray   string // the beginning of the first of them
	calls   []call
	parts   int // bytes of calls
}

// rare is what a reply has of them.
func (r *reply) rare() oddities {
	if r.odd == nil {
		return oddities{}
	}
	return *r.odd
}

// oddly is where they are kept.
func (r *reply) oddly() *oddities {
	if r.odd == nil {
		r.odd = &oddities{}
	}
	return r.odd
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
		r.failure = garbage("the reply is compressed (" + x.t.words.excerpt([]byte(h.coding)) +
			"), which was not asked for")
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
	if h.length > x.most.bytes {
		r.failure = tooManyBytes()
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
	x.got.bytes += int64(len(p))
	over := x.got.bytes - x.most.bytes
	if over > 0 && x.reply.how != asRefusal {
		// What is below the bound counts, so that it does not matter how reads
		// cut the body.
		p = p[:max(0, int64(len(p))-over)]
	}
	err := x.piece(p)
	if err == nil && over > 0 && x.reply.how != asRefusal {
		x.reply.failure = tooManyBytes()
		return errStop
	}
	if err == nil && !x.hold() {
		x.reply.failure = x.t.noMemory()
		return errStop
	}
	return err
}

func (x *exchange) piece(p []byte) error {
	r := &x.reply
	switch r.how {
	case asWhole:
		r.data = append(r.data, p...)
		return nil
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
	sc.decoder.trim()
	x.t.scanners.Put(sc)
	return err
}

// collect keeps p, up to a limit and one byte more.
func (r *reply) collect(p []byte, limit int) error {
	r.data = append(r.data, p[:min(len(p), limit+1-len(r.data))]...)
	if len(r.data) > limit {
		return errFull
	}
	return nil
}
