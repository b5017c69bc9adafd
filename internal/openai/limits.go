package openai

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/valyala/fastjson"

	"headway/internal/bound"
	"headway/internal/fault"
	"headway/record"
)

// The bounds of one reply. A reply may be so much longer than what was asked
// for because servers count tokens otherwise, put one into several events, or
// send what they say about each (log probabilities); a server that does not stop
// passes the bound in a second.
const (
	spareEvents = 8192    // beside those of the tokens asked for
	tokenEvents = 8       // events for each token asked for
	spareBytes  = 4 << 20 // beside those of the tokens asked for
	tokenBytes  = 8 << 10 // bytes for each token asked for

	mostEvents = 1 << 20   // of any reply, unless Config says otherwise
	mostBytes  = 256 << 20 // of any reply, unless Config says otherwise
	// mostValues is how many JSON values an event, a refusal or a line beside
	// the events may have: each takes over a hundred bytes once it is read.
	mostValues = 1 << 15
	// A whole reply may have that many beside those of the tokens asked for, each
	// of which may come with twenty log probabilities. One is read at a time.
	spareValues     = 1 << 16
	tokenValues     = 256
	mostWholeValues = 1 << 21
	valueBytes      = 512 // of memory for a value, as the parser's memory grows
	// freeBytes may be held by any reply, whatever the others hold.
	freeBytes = 1 << 20
)

// limits are the bounds of one reply.
type limits struct {
	events int
	bytes  int64
	values int // of JSON, where the reply is one document
}

// limits are those of a reply of so many tokens, all choices together; 0 is not
// known. What Config says counts instead of what was asked for.
func (c Config) limits(asked int) limits {
	l := limits{events: mostEvents, bytes: int64(min(mostBytes, c.ReplyMemory/2)),
		values: int(min(mostWholeValues, c.ReplyMemory/valueBytes))}
	if tokens := int64(min(asked, 1<<32)); tokens > 0 {
		l.events = int(min(int64(l.events), spareEvents+tokenEvents*tokens))
		l.bytes = min(l.bytes, spareBytes+tokenBytes*tokens)
		l.values = int(min(int64(l.values), spareValues+tokenValues*tokens))
	}
	if c.MaxReplyEvents > 0 {
		l.events = c.MaxReplyEvents
	}
	if c.MaxReplyBytes > 0 {
		l.bytes = int64(c.MaxReplyBytes)
	}
	return l
}

// boundDefaults fills in the memory of replies where it is not set.
func (c *Config) boundDefaults() {
	if c.ReplyMemory == 0 {
		c.ReplyMemory = min(max(bound.Memory()/4, 64*bound.MiB), 8*bound.GiB)
	}
}

// checkBounds finds bounds that no reply could keep.
func (c Config) checkBounds() (bad fault.List) {
	if c.MaxReplyEvents < 0 {
		bad.Add("%s %d: must be above 0", fault.Field("max-reply-events"), c.MaxReplyEvents)
	}
	if c.MaxReplyBytes != 0 && c.MaxReplyBytes < bound.KiB {
		bad.Add("%s %v: must be at least 1 KiB", fault.Field("max-reply-bytes"), c.MaxReplyBytes)
	}
	if c.ReplyMemory != 0 && c.ReplyMemory < 2*freeBytes {
		bad.Add("%s: half of it is for replies, and %v is less than 2 MiB", fault.Field("memory-budget"), c.ReplyMemory)
	}
	return bad
}

// tooLarge is the failure of a reply above a bound. Its message is the same for
// every reply, so that they are counted together.
func tooLarge(message string) *record.Failure {
	return &record.Failure{Class: record.ClassTooLarge, Type: "InvalidInferenceResultError", Message: message}
}

func tooManyEvents() *record.Failure {
	return tooLarge(fmt.Sprintf("the reply has more events than the tokens asked for can need (%d and %d for each, "+
		"or --max-reply-events): "+
		"the server does not stop at the output length", spareEvents, tokenEvents))
}

func tooManyBytes() *record.Failure {
	return tooLarge(fmt.Sprintf("the reply is larger than the tokens asked for can need (%d MiB and %d KiB for "+
		"each, or --max-reply-bytes)",
		spareBytes>>20, tokenBytes>>10))
}

func tooManyValues() *record.Failure {
	return tooLarge("the reply has a JSON text with more values than any reply needs")
}

func (t *Target) noMemory() *record.Failure {
	return tooLarge(fmt.Sprintf("the replies in flight hold all of their memory (%v): raise --memory-budget or "+
		"lower the concurrency", t.memory.Limit))
}

// errDense is the error of JSON with too many values.
var errDense = errors.New("the JSON has too many values")

// parseJSON reads a server's JSON, unless it has more than so many values: a
// text of 16 MiB would become a gigabyte.
func parseJSON(p *fastjson.Parser, data []byte, most int) (*fastjson.Value, error) {
	if len(data)/2 > most && values(data) > most {
		return nil, errDense
	}
	return p.ParseBytes(data)
}

// values is about how many values JSON has: one stands behind each comma, colon and
// bracket outside of strings, keys counted with them.
func values(data []byte) int {
	n, from := 1, 0
	for from < len(data) {
		quote := bytes.IndexByte(data[from:], '"')
		end := len(data)
		if quote >= 0 {
			end = from + quote
		}
		for _, c := range data[from:end] {
			switch c {
			case ',', ':', '[', '{':
				n++
			}
		}
		from = end + 1
		for from < len(data) && data[from] != '"' {
			if data[from] == '\\' {
				from++
			}
			from++
		}
		from++
	}
	return n
}

// hold brings the account of a reply's memory up to what it holds now, and is
// false where all replies together hold too much. A small reply is let through:
// that many of them fit is for the concurrency to say.
func (x *exchange) hold() bool {
	now := x.weight()
	more := now - x.held
	x.held = now
	if more > 0 && now > freeBytes {
		if !x.t.memory.Take(more) {
			x.held -= more
			return false
		}
		return true
	}
	x.t.memory.Add(more)
	return true
}

// release ends the account of a reply.
func (x *exchange) release() {
	x.t.memory.Add(-x.held)
	x.held = 0
}

// weight is about how many bytes a reply holds.
func (x *exchange) weight() int64 {
	t := x.tape.Text
	n := cap(x.reply.data) + 40*cap(x.tape.Arrivals) + 24*cap(t.Pieces) + cap(t.Content) + cap(t.Reasoning) +
		cap(t.ToolCalls) + x.reply.rare().parts + x.raw
	if e := x.reply.events; e != nil {
		n += e.Buffered()
	}
	return int64(n)
}
