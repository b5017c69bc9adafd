package report

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// object is a JSON object whose keys keep their order, which encoding/json's
// maps do not: aiperf's files have one, and people compare them with diff.
type object []field

type field struct {
	key   string
	value any
}

// add appends a key. A value that is nil, an empty string or a number that is
// not finite is left out, as aiperf leaves out what is None or NaN.
func (o *object) add(key string, value any) {
	switch v := value.(type) {
	case nil:
		return
	case string:
		if v == "" {
			return
		}
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return
		}
	case json.RawMessage:
		if len(v) == 0 {
			return
		}
	}
	*o = append(*o, field{key, value})
}

// encoder writes JSON as aiperf's serialiser does: two spaces of indent or
// none, non-ASCII text as it is, floats in their shortest form.
type encoder struct {
	b      []byte
	indent bool
	depth  int
	text   func(string) string // applied to every string value
}

func (e *encoder) value(v any) {
	switch v := v.(type) {
	case nil:
		e.b = append(e.b, "null"...)
	case bool:
		e.b = strconv.AppendBool(e.b, v)
	case int:
		e.b = strconv.AppendInt(e.b, int64(v), 10)
	case int64:
		e.b = strconv.AppendInt(e.b, v, 10)
	case uint64:
		e.b = strconv.AppendUint(e.b, v, 10)
	case float64:
		e.b = appendFloat(e.b, v)
	case json.Number:
		e.b = append(e.b, v...)
	case string:
		if e.text != nil {
			v = e.text(v)
		}
		e.b = appendString(e.b, v)
	case json.RawMessage: // without line ends and indents of its own
		e.b = append(e.b, v...)
	case object:
		e.object(v)
	case []object:
		e.list(len(v), func(i int) { e.object(v[i]) })
	case []string:
		e.list(len(v), func(i int) { e.value(v[i]) })
	case []float64:
		e.list(len(v), func(i int) { e.value(v[i]) })
	case []any:
		e.list(len(v), func(i int) { e.value(v[i]) })
	default:
		panic("report: no encoding for this type") // a fault of this package, seen by its tests
	}
}

func (e *encoder) object(o object) {
	if len(o) == 0 {
		e.b = append(e.b, "{}"...)
		return
	}
	e.open('{')
	for i, f := range o {
		e.next(i)
		e.b = appendString(e.b, f.key)
		e.b = append(e.b, ':')
		if e.indent {
			e.b = append(e.b, ' ')
		}
		e.value(f.value)
	}
	e.close('}')
}

func (e *encoder) list(n int, item func(int)) {
	if n == 0 {
		e.b = append(e.b, "[]"...)
		return
	}
	e.open('[')
	for i := range n {
		e.next(i)
		item(i)
	}
	e.close(']')
}

func (e *encoder) open(c byte) {
	e.b = append(e.b, c)
	e.depth++
}

func (e *encoder) next(i int) {
	if i > 0 {
		e.b = append(e.b, ',')
	}
	e.line()
}

func (e *encoder) close(c byte) {
	e.depth--
	e.line()
	e.b = append(e.b, c)
}

func (e *encoder) line() {
	if e.indent {
		e.b = append(e.b, '\n')
		e.b = append(e.b, strings.Repeat("  ", e.depth)...)
	}
}

// appendFloat writes the shortest digits that read back as the same number. A
// whole number keeps its ".0", so that readers with two types of number see a
// float; decimals are used from 1e-5 up to below 1e16.
func appendFloat(b []byte, f float64) []byte {
	switch a := math.Abs(f); {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return append(b, "null"...)
	case a != 0 && (a < 1e-5 || a >= 1e16):
		s := strconv.FormatFloat(f, 'e', -1, 64)
		return append(b, strings.Replace(s, "e-0", "e-", 1)...)
	}
	n := len(b)
	b = strconv.AppendFloat(b, f, 'f', -1, 64)
	if !strings.Contains(string(b[n:]), ".") {
		b = append(b, '.', '0')
	}
	return b
}

// appendString quotes as little as JSON allows. Bytes that are not UTF-8 become
// U+FFFD.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			b = utf8.AppendRune(b, r)
			i += n
			continue
		}
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c == '\t':
			b = append(b, '\\', 't')
		case c == '\b':
			b = append(b, '\\', 'b')
		case c == '\f':
			b = append(b, '\\', 'f')
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
		i++
	}
	return append(b, '"')
}
