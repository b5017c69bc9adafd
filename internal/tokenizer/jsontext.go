package tokenizer

import (
	"bytes"
	"errors"

	"github.com/valyala/fastjson"
)

// cursor walks through the text of a JSON document. A vocabulary has hundreds of
// thousands of entries: a tree of them would take thirty times the memory of the
// tables that are made of them, and most of the time.
type cursor struct {
	data   []byte
	at     int
	parser fastjson.Parser // of strings with escapes
}

var errJSONText = errors.New("not JSON")

// next is the next byte that is not white space, which is not passed; 0 at the end.
func (c *cursor) next() byte {
	for ; c.at < len(c.data); c.at++ {
		switch b := c.data[c.at]; b {
		case ' ', '\t', '\n', '\r':
		default:
			return b
		}
	}
	return 0
}

// take passes a byte, where it is the next.
func (c *cursor) take(b byte) bool {
	if c.next() != b {
		return false
	}
	c.at++
	return true
}

// text is a string, valid until the next call.
func (c *cursor) text() ([]byte, error) {
	from := c.at
	if !c.pass() {
		return nil, errJSONText
	}
	raw := c.data[from:c.at]
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], nil
	}
	v, err := c.parser.ParseBytes(raw)
	if err != nil {
		return nil, err
	}
	return v.StringBytes()
}

// pass passes a string, with its quotes.
func (c *cursor) pass() bool {
	if c.at >= len(c.data) || c.data[c.at] != '"' {
		return false
	}
	for i := c.at + 1; i < len(c.data); i++ {
		switch c.data[i] {
		case '\\':
			i++
		case '"':
			c.at = i + 1
			return true
		}
	}
	return false
}

// skip passes a value and gives its text, which need not be valid.
func (c *cursor) skip() ([]byte, error) {
	c.next()
	from, depth := c.at, 0
	for c.at < len(c.data) {
		switch b := c.data[c.at]; b {
		case '"':
			if !c.pass() {
				return nil, errJSONText
			}
			c.at--
		case '{', '[':
			depth++
		case '}', ']', ',':
			if depth == 0 {
				return c.data[from:c.at], nil // the end of a number or a word
			}
			if b != ',' {
				depth--
			}
		}
		if c.at++; depth == 0 && closes(c.data[c.at-1]) {
			return c.data[from:c.at], nil
		}
	}
	if depth > 0 || from == c.at {
		return nil, errJSONText
	}
	return c.data[from:], nil
}

func closes(b byte) bool { return b == '"' || b == '}' || b == ']' }

// object calls each behind the name of each member, which has to pass its value.
func (c *cursor) object(each func(name []byte) error) error {
	return c.list('{', '}', func() error {
		c.next()
		name, err := c.text()
		if err != nil {
			return err
		}
		if !c.take(':') {
			return errJSONText
		}
		c.next()
		return each(name)
	})
}

// array calls each before each element, which it has to pass.
func (c *cursor) array(each func() error) error {
	return c.list('[', ']', func() error { c.next(); return each() })
}

func (c *cursor) list(begin, end byte, each func() error) error {
	if !c.take(begin) {
		return errJSONText
	}
	if c.take(end) {
		return nil
	}
	for {
		if err := each(); err != nil {
			return err
		}
		if c.take(end) {
			return nil
		}
		if !c.take(',') {
			return errJSONText
		}
	}
}

// number is a whole number from 0 on.
func (c *cursor) number() (n int, ok bool) {
	from := c.at
	for ; c.at < len(c.data) && c.at-from < 10 && c.data[c.at] >= '0' && c.data[c.at] <= '9'; c.at++ {
		n = 10*n + int(c.data[c.at]-'0')
	}
	if c.at == from || c.at-from > 1 && c.data[from] == '0' {
		return 0, false
	}
	b := c.next()
	return n, b == ',' || b == '}' || b == ']'
}

// large are the lists of a tokenizer.json that are read as text: members of its
// model, nil where they are no list.
type large struct{ vocab, merges []byte }

// cut takes the large lists out of a tokenizer.json. What is left has empty ones in
// their place.
func cut(data []byte) (rest []byte, l large, err error) {
	c := cursor{data: data}
	kept := 0
	take := func(to *[]byte) error {
		value, err := c.skip()
		if err != nil || len(value) < 2 || value[0] != '{' && value[0] != '[' {
			return err
		}
		if *to != nil {
			return errTwice
		}
		*to = value
		from := c.at - len(value)
		rest = append(append(rest, data[kept:from]...), value[0], value[len(value)-1])
		kept = c.at
		return nil
	}
	member := func(name []byte) error {
		switch string(name) {
		case "vocab":
			return take(&l.vocab)
		case "merges":
			return take(&l.merges)
		}
		_, err := c.skip()
		return err
	}
	err = c.object(func(name []byte) error {
		if string(name) == "model" && c.next() == '{' {
			return c.object(member)
		}
		_, err := c.skip()
		return err
	})
	return append(rest, data[kept:]...), l, err
}

var errTwice = errors.New("a member of the model stands in it twice")
