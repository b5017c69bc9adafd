package workload

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
)

// maxLine bounds a line, so that a file without line ends does not fill the
// memory: a million tokens are about 5 MB of text.
const maxLine = 256 << 20

// line is one line of a file, without its end.
type line struct {
	number int
	text   []byte
	// last says that no line end came after it.
	last bool
}

// lines yields the lines that are not blank, without their ends and a byte order
// mark. A text holds until the next line. An error ends it.
func (in *input) lines() iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		b := bufio.NewReaderSize(in.r, 1<<16)
		skipBOM(b)
		var buf []byte
		for n := in.before + 1; ; n++ {
			var err error
			buf, err = readLine(b, buf[:0])
			if err != nil && !errors.Is(err, io.EOF) {
				yield(line{}, in.broken(n, err))
				return
			}
			text := bytes.TrimSpace(buf)
			if len(text) > 0 && !yield(line{n, text, err != nil}, nil) || err != nil {
				return
			}
		}
	}
}

func readLine(b *bufio.Reader, buf []byte) ([]byte, error) {
	for {
		part, err := b.ReadSlice('\n')
		buf = append(buf, part...)
		if len(buf) > maxLine {
			return buf, fmt.Errorf("the line is longer than %d MiB", maxLine>>20)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return buf, err
		}
	}
}

func skipBOM(b *bufio.Reader) {
	if mark, _ := b.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		b.Discard(3)
	}
}

// eachJSON yields what parse makes of each line of JSON.
func eachJSON(in *input, parse func(number int, text []byte) (conversation, error)) iter.Seq2[conversation, error] {
	return func(yield func(conversation, error) bool) {
		for l, err := range in.lines() {
			if err != nil {
				yield(conversation{}, err)
				return
			}
			talk, err := parse(l.number, l.text)
			if err != nil {
				err = in.at(l.number, cutOff(err, l.last))
			}
			if !yield(talk, err) {
				return
			}
		}
	}
}

// cutOff says of a line of JSON that ends too early what it likely is.
func cutOff(err error, last bool) error {
	var syntax *json.SyntaxError
	if last && errors.As(err, &syntax) && syntax.Error() == "unexpected end of JSON input" {
		return fmt.Errorf("the last line is cut off (half-written file?): %w", err)
	}
	return err
}
