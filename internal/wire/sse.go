package wire

import (
	"bytes"
	"fmt"
)

// DefaultEventLimit is the size in bytes that an event may have when a
// Splitter's Limit is 0: 16 MiB.
const DefaultEventLimit = 16 << 20

// Event is one server-sent event. Its slices are valid until emit returns, or
// for an Event from Tail until the Splitter is used again; they are not to be
// written to.
type Event struct {
	// Name is the last event: field, "" when there was none.
	Name string
	// Data is the data: fields joined by newlines; nil when there was none,
	// which happens only in an event with a Name.
	Data []byte
	// Comment is the last comment line of the event, without the colon and
	// the space after it; nil when there was none. Servers put the text of an
	// error beside "event: error" there.
	Comment []byte
	// Unknown is the lines that are no field of the standard, joined by
	// newlines and cut after 64 KiB; UnknownLines is how many there were. The
	// standard ignores them. Servers and proxies that fail in mid-stream write
	// the cause there: "error: {…}", a bare JSON object, text after a NUL.
	Unknown      []byte
	UnknownLines int
}

// maxUnknown is how much text of unknown lines an event keeps, in bytes.
const maxUnknown = 64 << 10

// EventTooLargeError is returned when an event, or a single line, exceeds the
// limit.
type EventTooLargeError struct {
	Limit int // bytes
}

func (e *EventTooLargeError) Error() string {
	return fmt.Sprintf("server-sent event larger than %d bytes: the reply is not an event stream, or the "+
		"limit is too low", e.Limit)
}

// Splitter cuts a stream of server-sent events (HTML standard, section 9.2.6)
// into events as its bytes arrive. It is pushed, not pulled: whoever reads
// feeds it what came, and thereby knows which read completed which event. The
// zero value is ready to use. It is not safe for use by several goroutines.
//
// It differs from the standard on purpose in three points. An event with a name
// and no data is emitted, since inference servers report errors and
// annotations that way. So is one that has nothing but unknown lines. And id:
// and retry: are ignored, since a measurement never reconnects. Data is handed
// on as it came: it may be invalid UTF-8.
type Splitter struct {
	// Limit is the largest data of one event, and the longest line, in bytes;
	// 0 means DefaultEventLimit. It is not to be changed between Feed calls.
	Limit int

	err    error
	begun  bool   // a line has ended, so a byte order mark can come no more
	skipLF bool   // the last line ended in \r: a \n now belongs to it
	line   []byte // the beginning of a line whose end has not arrived

	name    string // of the event being collected
	named   bool
	last    string // name used last, kept so that a repeated one allocates nothing
	data    field
	comment field
	unknown field
	strange int // lines of unknown, those that it does not keep included
}

// Reset makes the Splitter ready for another stream. Limit and the memory it
// has are kept.
func (s *Splitter) Reset() {
	s.err, s.begun, s.skipLF = nil, false, false
	s.line = s.line[:0]
	s.clear()
}

// Buffered is how many bytes the Splitter holds of an event whose end has not
// come.
func (s *Splitter) Buffered() int {
	return cap(s.line) + cap(s.data.buf) + cap(s.comment.buf) + cap(s.unknown.buf)
}

// Feed takes the next bytes of the stream, in pieces of any size, and calls
// emit for each event whose blank line is among them. The events are the same
// however the stream is cut. p is not kept.
//
// The error is that of emit, or an *EventTooLargeError. After one, the rest of
// p is lost and Feed returns the same error until Reset.
func (s *Splitter) Feed(p []byte, emit func(Event) error) error {
	if s.err != nil {
		return s.err
	}
	if s.skipLF && len(p) > 0 {
		s.skipLF = false
		if p[0] == '\n' {
			p = p[1:]
		}
	}
	s.err = s.feed(p, emit)
	// p belongs to the caller again.
	s.detach()
	return s.err
}

func (s *Splitter) feed(p []byte, emit func(Event) error) error {
	ends := lineEnds{p: p, lf: -1, cr: -1}
	pos := 0
	for {
		end := ends.next(pos)
		line := p[pos:end]
		if len(s.line)+len(line) > s.limit() {
			return &EventTooLargeError{Limit: s.limit()}
		}
		if end == len(p) {
			if len(line) > 0 {
				// A field that lies in s.line must move before it grows.
				s.detach()
				s.line = append(s.line, line...)
			}
			return nil
		}
		if len(s.line) > 0 {
			s.line = append(s.line, line...)
			line, s.line = s.line, s.line[:0]
		}
		pos = end + 1
		if p[end] == '\r' {
			if pos == len(p) {
				s.skipLF = true
			} else if p[pos] == '\n' {
				pos++
			}
		}
		if err := s.take(line, emit); err != nil {
			return err
		}
	}
}

// Tail ends the stream and returns what it ended in the middle of: an event
// whose blank line never came, perhaps with an unfinished last line. The
// standard discards it; whether a cut stream's last words count is for the
// caller to say. It is false when there was nothing, or after an error.
func (s *Splitter) Tail() (Event, bool) {
	if s.err != nil {
		return Event{}, false
	}
	if len(s.line) > 0 {
		line := s.strip(s.line)
		s.line = s.line[:0]
		if beginsField(line) {
			line = nil // cut off before its colon
		}
		if s.err = s.parse(line); s.err != nil {
			return Event{}, false
		}
	}
	return s.finish()
}

// take deals with one whole line.
func (s *Splitter) take(line []byte, emit func(Event) error) error {
	line = s.strip(line)
	if len(line) > 0 {
		return s.parse(line)
	}
	if e, ok := s.finish(); ok {
		return emit(e)
	}
	return nil
}

// strip takes the byte order mark off the first line of the stream.
func (s *Splitter) strip(line []byte) []byte {
	if s.begun {
		return line
	}
	s.begun = true
	return bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
}

// finish returns the event collected so far, if it is one, and begins another.
func (s *Splitter) finish() (Event, bool) {
	e := Event{
		Name:    s.name,
		Data:    s.data.value(),
		Comment: s.comment.value(),
		Unknown: s.unknown.value(), UnknownLines: s.strange,
	}
	ok := s.data.set || s.named || s.strange > 0
	s.clear()
	return e, ok
}

func (s *Splitter) clear() {
	s.name, s.named = "", false
	s.data.clear()
	s.comment.clear()
	s.unknown.clear()
	s.strange = 0
}

func (s *Splitter) detach() {
	s.data.detach()
	s.comment.detach()
	s.unknown.detach()
}

// parse reads one line; a blank one says nothing here.
func (s *Splitter) parse(line []byte) error {
	key, value, colon := bytes.Cut(line, []byte{':'})
	if len(value) > 0 && value[0] == ' ' {
		value = value[1:]
	}
	switch string(key) {
	case "data":
		if s.data.set && len(s.data.v)+1+len(value) > s.limit() {
			return &EventTooLargeError{Limit: s.limit()}
		}
		s.data.add(value)
	case "":
		if !colon {
			return nil
		}
		// Only the last: comments keep a connection alive for hours and must
		// not pile up.
		s.comment.clear()
		s.comment.add(value)
	case "event":
		if s.last != string(value) {
			s.last = string(value)
		}
		s.name, s.named = s.last, len(value) > 0
	case "id", "retry":
	default:
		s.strange++
		if len(s.unknown.v)+len(line) < maxUnknown {
			s.unknown.add(line)
		}
	}
	return nil
}

func (s *Splitter) limit() int {
	if s.Limit > 0 {
		return s.Limit
	}
	return DefaultEventLimit
}

// field collects a value. A single piece stays where it is, in the bytes being
// fed, so that the usual event is never copied; v moves into buf when a second
// piece comes, or when those bytes are about to go (detach).
type field struct {
	v     []byte
	set   bool
	owned bool // v lies in buf
	buf   []byte
}

func (f *field) add(piece []byte) {
	if !f.set {
		f.v, f.set = piece, true
		return
	}
	f.detach()
	f.buf = append(append(f.buf, '\n'), piece...)
	f.v = f.buf
}

func (f *field) detach() {
	if !f.set || f.owned {
		return
	}
	f.buf = append(f.buf[:0], f.v...)
	f.v, f.owned = f.buf, true
}

func (f *field) clear() { f.v, f.set, f.owned = nil, false, false }

// value is the collected value, its capacity cut so that an append by the
// receiver cannot reach what follows; not nil when there is one.
func (f *field) value() []byte {
	if !f.set {
		return nil
	}
	if f.v == nil {
		return []byte{}
	}
	return f.v[:len(f.v):len(f.v)]
}

// lineEnds finds the ends of lines. It remembers the next \n and the next \r
// separately: looking for both anew at each line would read the rest of p
// again and again in a stream that uses only one of them.
type lineEnds struct {
	p      []byte
	lf, cr int
}

// next returns the position of the first \n or \r at or after pos, or len(p).
func (e *lineEnds) next(pos int) int {
	if e.lf < pos {
		e.lf = e.find('\n', pos)
	}
	if e.cr < pos {
		e.cr = e.find('\r', pos)
	}
	return min(e.lf, e.cr)
}

func (e *lineEnds) find(c byte, pos int) int {
	if i := bytes.IndexByte(e.p[pos:], c); i >= 0 {
		return pos + i
	}
	return len(e.p)
}
