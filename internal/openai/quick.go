package openai

import "bytes"

// quick reads the usual chunk of a stream without building a tree: one choice
// whose delta has text or nothing, and no usage. It is false for everything
// else, valid or not, so that a parser has the last word.
//
// It is strict, or a chunk would mean one thing here and another there: a
// member it looks at may come once, keys have no escapes, text has only
// escapes that stand for one character each.
func (d *decoder) quick(data []byte) (delta, bool) {
	s := scan{p: data, scratch: d.scratch[:0]}
	var x delta
	ok := s.object(func(key []byte) bool { return s.top(key, &x) })
	s.space()
	d.scratch = s.scratch
	if !ok || s.i != len(s.p) {
		return delta{}, false
	}
	return x, true
}

// scan is a position in JSON text. Its methods move it over what they name and
// are false when something else is there; the position is then lost.
type scan struct {
	p       []byte
	i       int
	seen    field
	scratch []byte
	// nested is the depth of values that are skipped.
	nested int
}

// field is a set of the members that are looked at.
type field uint

const (
	fieldChoices field = 1 << iota
	fieldObject
	fieldDelta
	fieldText
	fieldFinish
	fieldContent
	fieldReasoningContent
	fieldReasoning
	fieldNvext
)

// maxNested is how deep a skipped value may be; deeper goes to the parser.
const maxNested = 16

// once notes that a member came, and is false when it came before.
func (s *scan) once(f field) bool {
	again := s.seen&f != 0
	s.seen |= f
	return !again
}

func (s *scan) top(key []byte, x *delta) bool {
	switch string(key) {
	case "choices":
		return s.once(fieldChoices) && s.choices(x)
	case "object":
		kind, ok := s.plain()
		return ok && s.once(fieldObject) && string(kind) != "error"
	case "error", "error_code", "usage":
		return s.literal("null")
	case "nvext":
		s.space()
		from := s.i
		ok := s.once(fieldNvext) && s.skip()
		if ok {
			x.nvext = s.p[from:s.i]
		}
		return ok
	default:
		return s.skip()
	}
}

func (s *scan) choices(x *delta) bool {
	if !s.next('[') {
		return false
	}
	if s.next(']') {
		return true
	}
	return s.object(func(key []byte) bool { return s.choice(key, x) }) && s.next(']')
}

func (s *scan) choice(key []byte, x *delta) bool {
	switch string(key) {
	case "delta":
		return s.once(fieldDelta) && s.object(func(key []byte) bool { return s.delta(key, x) }) && s.pick(x)
	case "text":
		return s.once(fieldText|fieldContent) && s.text(&x.content)
	case "finish_reason":
		if s.literal("null") {
			return s.once(fieldFinish)
		}
		reason, ok := s.plain()
		x.finish = reason
		return ok && s.once(fieldFinish)
	case "message":
		return s.literal("null")
	default:
		return s.skip()
	}
}

func (s *scan) delta(key []byte, x *delta) bool {
	switch string(key) {
	case "content":
		return s.once(fieldContent) && s.text(&x.content)
	case "reasoning_content":
		return s.once(fieldReasoningContent) && s.text(&x.reasoning)
	case "reasoning":
		// tool is a spare place until pick.
		return s.once(fieldReasoning) && s.text(&x.tool)
	case "tool_calls", "function_call":
		return s.literal("null")
	default:
		return s.skip()
	}
}

// pick decides between the two names of reasoning.
func (s *scan) pick(x *delta) bool {
	if len(x.reasoning) == 0 {
		x.reasoning = x.tool
	}
	x.tool = nil
	return true
}

// object calls member with each key, at the start of its value.
func (s *scan) object(member func(key []byte) bool) bool {
	if !s.next('{') {
		return false
	}
	if s.next('}') {
		return true
	}
	for {
		key, ok := s.plain()
		if !ok || !s.next(':') || !member(key) {
			return false
		}
		if s.next(',') {
			continue
		}
		return s.next('}')
	}
}

func (s *scan) space() {
	for s.i < len(s.p) {
		switch s.p[s.i] {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return
		}
	}
}

// next is true, and moves on, when c comes next.
func (s *scan) next(c byte) bool {
	s.space()
	if s.i < len(s.p) && s.p[s.i] == c {
		s.i++
		return true
	}
	return false
}

// literal is true, and moves on, when word comes next.
func (s *scan) literal(word string) bool {
	s.space()
	if len(s.p)-s.i >= len(word) && string(s.p[s.i:s.i+len(word)]) == word {
		s.i += len(word)
		return true
	}
	return false
}

// plain reads a string without escapes.
func (s *scan) plain() ([]byte, bool) {
	if !s.next('"') {
		return nil, false
	}
	end := bytes.IndexByte(s.p[s.i:], '"')
	if end < 0 {
		return nil, false
	}
	v := s.p[s.i : s.i+end]
	s.i += end + 1
	return v, bytes.IndexByte(v, '\\') < 0
}

// text reads a string or null. A text without escapes stays where it is.
func (s *scan) text(into *[]byte) bool {
	if s.literal("null") {
		return true
	}
	if !s.next('"') {
		return false
	}
	from := s.i
	for ; s.i < len(s.p); s.i++ {
		switch s.p[s.i] {
		case '"':
			*into = s.p[from:s.i]
			s.i++
			return true
		case '\\':
			return s.escaped(from, into)
		}
	}
	return false
}

// escaped reads the string that began at from and has its first escape here.
func (s *scan) escaped(from int, into *[]byte) bool {
	at := len(s.scratch)
	s.scratch = append(s.scratch, s.p[from:s.i]...)
	for s.i < len(s.p) {
		c := s.p[s.i]
		s.i++
		switch c {
		case '"':
			*into = s.scratch[at:]
			return true
		case '\\':
			if !s.escape() {
				return false
			}
		default:
			s.scratch = append(s.scratch, c)
		}
	}
	return false
}

// escape reads what follows a backslash.
func (s *scan) escape() bool {
	if s.i == len(s.p) {
		return false
	}
	c := s.p[s.i]
	s.i++
	switch c {
	case '"', '\\', '/':
	case 'n':
		c = '\n'
	case 't':
		c = '\t'
	case 'r':
		c = '\r'
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'u':
		return s.unicode()
	default:
		return false
	}
	s.scratch = append(s.scratch, c)
	return true
}

// unicode reads four hexadecimal digits; halves of a pair go to the parser.
func (s *scan) unicode() bool {
	if len(s.p)-s.i < 4 {
		return false
	}
	var r rune
	for _, c := range s.p[s.i : s.i+4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return false
		}
		r = r<<4 | rune(c)
	}
	s.i += 4
	if r >= 0xd800 && r < 0xe000 {
		return false
	}
	s.scratch = append(s.scratch, string(r)...)
	return true
}

// skip moves over any value.
func (s *scan) skip() bool {
	s.space()
	if s.i == len(s.p) {
		return false
	}
	switch c := s.p[s.i]; c {
	case '"':
		return s.skipString()
	case '{':
		return s.deeper(func() bool { return s.object(func([]byte) bool { return s.skip() }) })
	case '[':
		return s.deeper(s.skipArray)
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	default:
		return s.skipNumber()
	}
}

func (s *scan) deeper(read func() bool) bool {
	s.nested++
	ok := s.nested <= maxNested && read()
	s.nested--
	return ok
}

func (s *scan) skipArray() bool {
	s.i++
	if s.next(']') {
		return true
	}
	for {
		if !s.skip() {
			return false
		}
		if s.next(',') {
			continue
		}
		return s.next(']')
	}
}

// skipString moves over a string; an escape hides the character after it.
func (s *scan) skipString() bool {
	for s.i++; s.i < len(s.p); s.i++ {
		switch s.p[s.i] {
		case '"':
			s.i++
			return true
		case '\\':
			s.i++
		}
	}
	return false
}

// skipNumber moves over a number as JSON writes it.
func (s *scan) skipNumber() bool {
	if s.p[s.i] == '-' {
		s.i++
	}
	if !s.digits() {
		return false
	}
	if s.i < len(s.p) && s.p[s.i] == '.' {
		s.i++
		if !s.digits() {
			return false
		}
	}
	if s.i < len(s.p) && (s.p[s.i] == 'e' || s.p[s.i] == 'E') {
		s.i++
		if s.i < len(s.p) && (s.p[s.i] == '+' || s.p[s.i] == '-') {
			s.i++
		}
		return s.digits()
	}
	return true
}

func (s *scan) digits() bool {
	from := s.i
	for s.i < len(s.p) && s.p[s.i] >= '0' && s.p[s.i] <= '9' {
		s.i++
	}
	return s.i > from
}
