package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
)

// Limits on what a server may send beside the body.
const (
	// MaxHead is the size in bytes that the heads of one reply (those with
	// status 1xx before it, too) may have.
	MaxHead = 1 << 20
	// maxChunkLine is that of the line with a chunk's size and extensions.
	maxChunkLine = 4096
)

// place is where in a reply a framer is.
type place uint8

const (
	inHead place = iota
	inFixed
	inSize
	inChunk
	inChunkEnd
	inTrailer
	inOpen // a body that ends with the connection
	ended
)

// framer finds heads and bodies in the bytes of a connection (RFC 9112). It is
// pushed, like a Splitter: whoever reads feeds it what came, in pieces of any
// size. Bodies are handed on where they lie and never copied; only a head, or
// the line before a chunk, that a read cut in two is put together in memory.
// The zero value is ready for the first reply.
type framer struct {
	place  place
	close  bool  // no further reply can come over this connection
	left   int64 // bytes of the body or chunk still to come
	excess int64 // bytes about chunks beyond what data excuses
	line   []byte
	begun  int // in line or the bytes at hand: where the present line begins
	seen   int // up to where the end of that line has been looked for
	heads  int // bytes of heads before the present one
	status Head
}

// reset makes the framer ready for the next reply of the connection.
func (f *framer) reset() { *f = framer{line: f.line[:0]} }

// framed is who hears what a framer finds.
type framed interface {
	head(Head) error
	body([]byte) error
}

// feed takes the next bytes and returns how many of them belong to this reply:
// fewer than all only when it has ended. Errors about the bytes match
// ErrMalformed; others are those of to.
func (f *framer) feed(p []byte, to framed) (n int, err error) {
	for n < len(p) && f.place != ended && err == nil {
		var used int
		switch f.place {
		case inHead:
			used, err = f.readHead(p[n:], to)
		case inFixed, inChunk, inOpen:
			used, err = f.readBody(p[n:], to)
		case inSize:
			used, err = f.readSize(p[n:])
		case inChunkEnd:
			used, err = f.readChunkEnd(p[n:])
		case inTrailer:
			used, err = f.readTrailer(p[n:])
		}
		n += used
	}
	return n, err
}

// eof ends the connection: nil when the reply is whole by that, else io.EOF
// before its first byte and io.ErrUnexpectedEOF in its middle.
func (f *framer) eof() error {
	f.close = true
	switch {
	case f.place == inOpen:
		f.place = ended
		return nil
	case f.place == ended:
		return nil
	case f.place == inHead && len(f.line) == 0 && f.heads == 0:
		return io.EOF
	case f.place == inTrailer && len(f.line) < 2:
		return errTrailerEOF
	case f.place == inTrailer:
		return errTrailer
	}
	return io.ErrUnexpectedEOF
}

// gather puts p behind what is there of the present line or head; old is how
// much that was.
func (f *framer) gather(p []byte) (block []byte, old int) {
	if len(f.line) == 0 {
		return p, 0
	}
	old = len(f.line)
	f.line = append(f.line, p...)
	return f.line, old
}

// keep remembers block, which has no end yet.
func (f *framer) keep(block []byte, old int) {
	if old == 0 {
		f.line = append(f.line[:0], block...)
	}
}

// forget ends a line or head. The room of a large one is given up: a server
// with heads of a megabyte would keep as much on every connection.
func (f *framer) forget() {
	f.line, f.begun, f.seen = f.line[:0], 0, 0
	if cap(f.line) > maxChunkLine {
		f.line = nil
	}
}

var (
	// ErrNotHTTP is the error of a reply that is of another protocol.
	ErrNotHTTP error = malformed{errors.New("malformed HTTP response: it does not begin with HTTP/")}
	// ErrLargeHead is the error of a head above MaxHead.
	ErrLargeHead error = malformed{fmt.Errorf("the reply's head is larger than %d bytes", MaxHead)}
)

// readHead looks for the end of a head. The status line is judged as soon as
// it is there, and its first bytes before: another protocol may wait for us to
// speak and would never send a blank line.
func (f *framer) readHead(p []byte, to framed) (int, error) {
	block, old := f.gather(p)
	if f.begun == 0 && !bytes.HasPrefix(block, []byte("HTTP/")[:min(5, len(block))]) {
		return 0, ErrNotHTTP
	}
	for {
		i := bytes.IndexByte(block[f.seen:], '\n')
		if i < 0 {
			f.seen = len(block)
			break
		}
		begun, end := f.begun, f.seen+i+1
		f.begun, f.seen = end, end
		if f.heads+end > MaxHead {
			return 0, ErrLargeHead
		}
		line, _ := cutLine(block[begun:end])
		if begun == 0 {
			h, err := parseStatus(line)
			if err != nil {
				return 0, malformed{err}
			}
			f.status = h
			f.status.Reason = nil // it lies in bytes that may go
		} else if len(line) == 0 {
			return end - old, f.takeHead(block[:end], begun, to)
		}
	}
	if f.heads+len(block) > MaxHead {
		return 0, ErrLargeHead
	}
	f.keep(block, old)
	return len(p), nil
}

// takeHead reads a whole head, whose fields end at end, and goes on to its
// body.
func (f *framer) takeHead(block []byte, end int, to framed) error {
	first := bytes.IndexByte(block, '\n') + 1
	h := f.status
	line, _ := cutLine(block[:first])
	_, status, _ := bytes.Cut(line, []byte{' '})
	_, h.Reason, _ = bytes.Cut(bytes.TrimLeft(status, " "), []byte{' '})
	h.fields = block[first:max(first, end)]
	if err := checkFields(h.fields); err != nil {
		return malformed{err}
	}
	how, err := h.framing()
	if err != nil {
		return malformed{err}
	}
	if h.Status/100 == 1 && h.Status != 101 {
		// An interim reply: the real one follows.
		f.heads += len(block)
		f.forget()
		return nil
	}
	f.heads, f.close = 0, how.close
	switch {
	case h.Status == 101:
		// Nobody asked for another protocol.
		f.place, f.close = ended, true
	case h.Status == 204 || h.Status == 304:
		f.place = ended
	case how.chunked:
		f.place = inSize
	case h.Length == 0:
		f.place = ended
	case h.Length > 0:
		f.place, f.left = inFixed, h.Length
	default:
		f.place, f.close = inOpen, true
	}
	err = to.head(h)
	f.forget()
	return err
}

func (f *framer) readBody(p []byte, to framed) (int, error) {
	n := len(p)
	if f.place != inOpen {
		n = int(min(int64(n), f.left))
		f.left -= int64(n)
	}
	switch {
	case f.place == inFixed && f.left == 0:
		f.place = ended
	case f.place == inChunk && f.left == 0:
		f.place = inChunkEnd
	}
	return n, to.body(p[:n])
}

// readSize reads the line before a chunk: its size and extensions, which are
// not looked at.
func (f *framer) readSize(p []byte) (int, error) {
	block, old := f.gather(p)
	i := bytes.IndexByte(block[f.seen:], '\n')
	if i < 0 {
		f.seen = len(block)
		if len(block) >= maxChunkLine {
			return 0, errChunkLine
		}
		f.keep(block, old)
		return len(p), nil
	}
	end := f.seen + i + 1
	if end > maxChunkLine {
		return 0, errChunkLine
	}
	size, err := parseSize(block[:end])
	if err != nil {
		return 0, malformed{err}
	}
	if f.tooMuchAbout(end, size) {
		return 0, malformed{errors.New("chunked encoding contains too much non-data")}
	}
	f.forget()
	f.left, f.place = int64(min(size, math.MaxInt64)), inChunk
	if size == 0 {
		f.place = inTrailer
	}
	return end - old, nil
}

var errChunkLine = malformed{errors.New("header line too long")}

// tooMuchAbout counts what is about chunks and not in them: sizes, extensions and
// line ends. A chunk excuses 16 bytes and two for each of its own, as in net/http,
// whose arithmetic this is to the last bit: what overflows there does so here, or
// the two transports would not take the same replies.
func (f *framer) tooMuchAbout(line int, size uint64) bool {
	f.excess = max(0, f.excess+int64(line)-16-2*int64(size))
	return f.excess > 16*1024 && size > 0
}

// parseSize reads a chunk's line with its end, which must be \r\n: a reader
// that takes \n alone can be made to see other chunks than one that does not.
func parseSize(line []byte) (uint64, error) {
	switch i := bytes.IndexByte(line, '\r'); {
	case i < 0:
		return 0, errors.New("chunked line ends with bare LF")
	case i != len(line)-2:
		return 0, errors.New("invalid CR in chunked line")
	}
	digits, _, _ := bytes.Cut(bytes.TrimRight(line, " \t\r\n"), []byte{';'})
	if len(digits) == 0 {
		return 0, errors.New("empty hex number for chunk length")
	}
	var n uint64
	for i, c := range digits {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, errors.New("invalid byte in chunk length")
		}
		if i == 16 {
			return 0, errors.New("http chunk length too large")
		}
		n = n<<4 | uint64(c)
	}
	return n, nil
}

// readChunkEnd takes the \r\n after a chunk's data. A chunk that goes on there
// was longer than it said.
func (f *framer) readChunkEnd(p []byte) (int, error) {
	if p[0] != "\r\n"[f.seen] {
		return 0, malformed{errors.New("malformed chunked encoding")}
	}
	f.seen++
	if f.seen == 2 {
		f.seen, f.place = 0, inSize
	}
	return 1, nil
}

// maxTrailer is what may come after the last chunk, in bytes. It is what net/http
// takes, which looks for the end in its buffer.
const maxTrailer = 4096

var (
	errTrailer    = malformed{errors.New("http: suspiciously long trailer after chunked body")}
	errTrailerEOF = malformed{errors.New("http: unexpected EOF reading trailer")}
)

// readTrailer passes over the lines after the last chunk up to the blank one.
func (f *framer) readTrailer(p []byte) (int, error) {
	block, old := f.gather(p)
	if len(block) < 2 {
		f.keep(block, old)
		return len(p), nil
	}
	end := len("\r\n")
	if !bytes.HasPrefix(block, []byte("\r\n")) {
		i := bytes.Index(block[:min(len(block), maxTrailer)], []byte("\r\n\r\n"))
		if i < 0 && len(block) >= maxTrailer {
			return 0, errTrailer
		}
		if i < 0 {
			f.keep(block, old)
			return len(p), nil
		}
		end = i + len("\r\n\r\n")
		if err := checkTrailer(block[:end]); err != nil {
			return 0, malformed{err}
		}
	}
	f.forget()
	f.place = ended
	return end - old, nil
}

// checkTrailer finds what makes a trailer unreadable. It may end at an earlier
// blank line than the one that was looked for.
func checkTrailer(block []byte) error {
	fields := block
	for end := 0; end < len(block); {
		line, rest := cutLine(block[end:])
		if len(line) == 0 {
			fields = block[:end]
			break
		}
		end = len(block) - len(rest)
	}
	return checkFields(fields)
}
