package workload

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
)

// jsonStream decodes one JSON value of any size piece by piece and knows the
// line that it stands on.
type jsonStream struct {
	dec   *json.Decoder
	first byte // of the value, not yet decoded
	in    *input
	count *lineCounter
	rest  *bufio.Reader // what dec reads
	base  int64         // offset in the file at which dec began
}

// stream opens in for decoding; io.EOF says that there is nothing but space.
func (in *input) stream() (*jsonStream, error) {
	s := &jsonStream{in: in, count: &lineCounter{r: in.r}}
	s.rest = bufio.NewReaderSize(s.count, 1<<16)
	skipBOM(s.rest)
	var err error
	if s.first, err = skipSpace(s.rest); err != nil {
		return nil, err
	}
	s.base = s.count.offset - int64(s.rest.Buffered())
	s.dec = json.NewDecoder(s.rest)
	return s, nil
}

// line is the line that the decoder has come to.
func (s *jsonStream) line() int { return s.count.line(s.base + s.dec.InputOffset()) }

// elements yields what parse makes of each element of the array in which the
// decoder stands. Faults name the line on which the element ends. One that cannot
// be decoded names where it begins, or where a file that is cut off ends; nothing
// is read after that.
// It returns whether the array was read to its end.
func (s *jsonStream) elements(parse func(number int, value []byte) (conversation, error),
	yield func(conversation, error) bool) bool {
	fail := func(err error) bool {
		at := s.line()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			at = s.count.line(s.count.offset)
			err = fmt.Errorf("the file is cut off (half-written?): %w", io.ErrUnexpectedEOF)
		}
		yield(conversation{}, s.in.at(at, err))
		return false
	}
	for s.dec.More() {
		var value json.RawMessage
		if err := s.dec.Decode(&value); err != nil {
			return fail(err)
		}
		number := s.line()
		talk, err := parse(number, value)
		if err != nil {
			err = s.in.at(number, err)
		}
		if !yield(talk, err) {
			return false
		}
	}
	if _, err := s.dec.Token(); err != nil {
		return fail(err)
	}
	return true
}

// lineCounter passes bytes on and finds the line of an offset in them.
type lineCounter struct {
	r      io.Reader
	offset int64
	passed int     // line ends forgotten
	ends   []int64 // offsets of line ends, rising
}

func (c *lineCounter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	for i, b := range p[:n] {
		if b == '\n' {
			c.ends = append(c.ends, c.offset+int64(i))
		}
	}
	c.offset += int64(n)
	return n, err
}

// line returns the line of an offset, which must not be less than that of the
// call before: what lies behind is forgotten, so that memory stays small.
func (c *lineCounter) line(offset int64) int {
	n := sort.Search(len(c.ends), func(i int) bool { return c.ends[i] >= offset })
	c.passed += n
	c.ends = append(c.ends[:0], c.ends[n:]...)
	return c.passed + 1
}
