package record

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// FormatVersion is the version of records.jsonl that this package writes and
// the newest that it reads; docs/format-records.md describes it.
const FormatVersion = 1

// maxLine bounds one line of records.jsonl. A reply of a million chunks takes
// about 20 MB; what is longer is not a record of ours.
const maxLine = 64 << 20

// maxFaults is how many faults of lines a Reader keeps in words. All are
// counted.
const maxFaults = 20

// Writer writes records.jsonl: a header line, one line a Record, a trailer
// line. It loses nothing of a Record but its Text. It is a Sink and buffered,
// and the caller must not use it from two goroutines at once.
//
// What was taken is in the file half a second later, whether other Records
// follow or not: a process that is killed leaves all Records but those of less
// than its last second. A timer sees to that, since requests may take minutes,
// and the Record before them would stay in memory for as long.
type Writer struct {
	mu     sync.Mutex // the timer's goroutine against the caller's
	w      *bufio.Writer
	enc    *json.Encoder // to w
	timer  *time.Timer   // flushes what is buffered; nil where nothing is to be
	line   []byte        // the line of the last Record
	part   bytes.Buffer  // a piece of it
	partly *json.Encoder // to part
	err    error
}

// flushAfter is how long a Record may stay in memory once it was taken.
const flushAfter = 500 * time.Millisecond

// NewWriter writes the header of a run to w and flushes it, so that an
// unwritable file is found before load starts.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	buf := bufio.NewWriterSize(w, 64<<10)
	out := &Writer{w: buf, enc: json.NewEncoder(buf)}
	out.partly = json.NewEncoder(&out.part)
	out.enc.SetEscapeHTML(false)
	out.partly.SetEscapeHTML(false)
	line := struct {
		Version int    `json:"headway_records"`
		Run     Header `json:"run"`
	}{FormatVersion, h}
	if err := out.put(line); err != nil {
		return nil, err
	}
	return out, out.Flush()
}

// Take writes one Record. After an error every later call gives the same.
func (w *Writer) Take(r *Record) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	line, err := w.encodeLine(r)
	if err == nil {
		_, err = w.w.Write(line)
	}
	if err != nil {
		w.err = fmt.Errorf("writing records: %w", err)
		return w.err
	}
	if w.timer == nil {
		w.timer = time.AfterFunc(flushAfter, w.late)
	}
	return nil
}

// late flushes when the time of the oldest Record that is buffered is up. An
// error is that of the next call.
func (w *Writer) late() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil { // else it was flushed in the meantime
		w.flush()
	}
}

// Flush hands what is buffered to the file.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flush()
	return w.err
}

func (w *Writer) flush() {
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
	if w.err == nil {
		if err := w.w.Flush(); err != nil {
			w.err = fmt.Errorf("writing records: %w", err)
		}
	}
}

// Leave stops writing, for a file that gets no end: nothing is written to it
// any more.
func (w *Writer) Leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flush()
	w.err = cmp.Or(w.err, errLeft)
}

var errLeft = errors.New("writing records: the file was left")

// Close writes the trailer and flushes. The file itself stays the caller's.
func (w *Writer) Close(t Trailer) error {
	line := struct {
		Trailer Trailer `json:"trailer"`
	}{t}
	err := w.put(line)
	return cmp.Or(err, w.Flush())
}

func (w *Writer) put(v any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	if err := w.enc.Encode(v); err != nil {
		w.err = fmt.Errorf("writing records: %w", err)
	}
	return w.err
}

// Reader reads records.jsonl. A line that cannot be read is skipped, counted
// and named; a file of which no line can be read is an error.
type Reader struct {
	r       *bufio.Reader
	name    string
	n       int // lines read
	header  Header
	trailer *Trailer
	read    int
	skipped int
	faults  []error
}

// ErrEmpty says that a file has not even a header.
var ErrEmpty = errors.New("the file is empty")

// NewReader reads the header line. The name is used in errors only.
func NewReader(r io.Reader, name string) (*Reader, error) {
	in := &Reader{r: bufio.NewReaderSize(r, 64<<10), name: name}
	line, err := in.next()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading records %s: %w", name, ErrEmpty)
	}
	if err != nil {
		return nil, err
	}
	var head struct {
		Version int     `json:"headway_records"`
		Run     *Header `json:"run"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return nil, fmt.Errorf("reading records %s:1: %w", name, err)
	}
	switch {
	case head.Version == 0 || head.Run == nil:
		return nil, fmt.Errorf("reading records %s:1: not a records.jsonl: the first line has no "+
			"\"headway_records\" and \"run\"", name)
	case head.Version < 0 || head.Version > FormatVersion:
		return nil, fmt.Errorf("reading records %s:1: version %d of the format is unknown; this headway reads up to %d",
			name, head.Version, FormatVersion)
	}
	in.header = *head.Run
	return in, nil
}

// Header is what was asked for in the run.
func (r *Reader) Header() Header { return r.header }

// Trailer is what was found when the run ended. It is missing, and false is
// returned, until Next has given io.EOF and where the run was killed before it
// could write it.
func (r *Reader) Trailer() (Trailer, bool) {
	if r.trailer == nil {
		return Trailer{}, false
	}
	return *r.trailer, true
}

// Skipped is the number of lines that could not be read so far, and the first
// twenty faults, each with file and line.
func (r *Reader) Skipped() (int, []error) { return r.skipped, r.faults }

// Next is the next Record, or io.EOF after the last. It skips lines that it
// cannot read; when there were lines and none was readable the end is an error
// that wraps the first fault.
func (r *Reader) Next() (*Record, error) {
	for {
		line, err := r.next()
		if errors.Is(err, io.EOF) {
			return nil, r.end()
		}
		if err != nil && !errors.Is(err, errLong) {
			return nil, err
		}
		if err == nil {
			var rec *Record
			if rec, err = r.line(line); rec != nil {
				r.read++
				return rec, nil
			}
		}
		if err != nil {
			r.fault(err)
		}
	}
}

// line reads one line after the header: a Record, or nil where it is the
// trailer.
func (r *Reader) line(b []byte) (*Record, error) {
	if r.trailer != nil {
		return nil, errors.New("a line after the trailer")
	}
	var l struct {
		recordLine
		Trailer *Trailer `json:"trailer"`
	}
	if err := json.Unmarshal(b, &l); err != nil {
		return nil, err
	}
	if l.Trailer != nil {
		r.trailer = l.Trailer
		return nil, nil
	}
	return l.record()
}

func (r *Reader) end() error {
	if r.read == 0 && r.skipped > 0 {
		return fmt.Errorf("reading records %s: none of %d lines is readable, the first: %w", r.name,
			r.skipped, r.faults[0])
	}
	return io.EOF
}

func (r *Reader) fault(err error) {
	r.skipped++
	if len(r.faults) < maxFaults {
		r.faults = append(r.faults, fmt.Errorf("reading records %s:%d: %w", r.name, r.n, err))
	}
}

var errLong = fmt.Errorf("the line is longer than %d MiB", maxLine>>20)

// next reads a line that is not blank. A line without its end is given too:
// whether it is whole is seen by whether it parses.
func (r *Reader) next() ([]byte, error) {
	var line []byte
	for {
		part, err := r.r.ReadSlice('\n')
		if len(line) <= maxLine {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return nil, fmt.Errorf("reading records %s:%d: %w", r.name, r.n+1, err)
		case err != nil && len(line) == 0:
			return nil, io.EOF
		}
		r.n++
		if len(line) > maxLine {
			return nil, errLong
		}
		if !blank(line) {
			return line, nil
		}
		line = line[:0]
	}
}

func blank(line []byte) bool {
	for _, c := range line {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return false
		}
	}
	return true
}
