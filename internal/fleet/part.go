package fleet

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"headway/internal/packed"
)

// Part is what one process wrote.
type Part struct {
	// Name is used in errors; Counts are of the frames that are there.
	Name   string
	Counts Counts
	// Whole says that the process ended the file. Otherwise it was killed, or what it
	// wrote has not all come: the last Records are missing.
	Whole bool

	r       io.ReaderAt
	metrics []string
	frames  [][]span // the blocks of each frame
	buffer  []byte
}

// span is where a block lies.
type span struct {
	at int64
	n  uint32
}

// Bounds of what is read: a header, and a frame of frameRecords values of 9 bytes in each
// of a few hundred columns.
const maxHeader, maxFrame = 1 << 20, 16 << 20

// Open reads a file of [Columns] once, checks all of it, and remembers where columns lie.
// What comes after the last frame that is whole and intact is left out, see Part.Whole.
func Open(name string, r io.ReaderAt, size int64) (*Part, error) {
	p := &Part{Name: name, r: r}
	in := bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 256<<10)
	at, err := p.header(in)
	if err != nil {
		return nil, fmt.Errorf("reading columns %s: %w", name, err)
	}
	for {
		n, err := p.frame(in, at)
		switch {
		case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errFrame):
			return p, nil
		case err != nil:
			return nil, fmt.Errorf("reading columns %s: %w", name, err)
		case n == 0:
			p.Whole = true
			return p, nil
		}
		at += n
	}
}

func (p *Part) header(in *bufio.Reader) (int64, error) {
	var line []byte
	for {
		b, err := in.ReadByte()
		if err != nil || len(line) > maxHeader {
			return 0, errors.New("not a file of columns: the first line has no end")
		}
		line = append(line, b)
		if b == '\n' {
			break
		}
	}
	var h header
	if err := json.Unmarshal(line, &h); err != nil || h.Version == 0 {
		return 0, errors.New("not a file of columns: the first line has no \"headway_columns\"")
	}
	if h.Version != version {
		return 0, fmt.Errorf("version %d of the format is unknown; this headway reads %d", h.Version, version)
	}
	p.metrics = h.Metrics
	return int64(len(line)), nil
}

var errFrame = errors.New("a frame is damaged")

// frame reads the frame at a place and returns its length, 0 at the end of the file.
func (p *Part) frame(in io.Reader, at int64) (int64, error) {
	var head [8]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return 0, err
	}
	n, sum := binary.LittleEndian.Uint32(head[:]), binary.LittleEndian.Uint32(head[4:])
	if n == 0 && sum == 0 {
		return 0, nil
	}
	columns := 1 + len(p.metrics)
	first := 16 + 4*columns
	if n > maxFrame || int(n) < first {
		return 0, errFrame
	}
	body := p.room(int(n))
	if _, err := io.ReadFull(in, body); err != nil {
		return 0, err
	}
	if crc32.Checksum(body, castagnoli) != sum {
		return 0, errFrame
	}
	spans, from := make([]span, columns), first
	for i := range spans {
		length := binary.LittleEndian.Uint32(body[16+4*i:])
		spans[i] = span{at + 8 + int64(from), length}
		if from += int(length); from > len(body) {
			return 0, errFrame
		}
	}
	number := func(i int) int64 { return int64(binary.LittleEndian.Uint32(body[4*i:])) }
	p.Counts.add(Counts{OK: number(0), Failed: number(1), Cancelled: number(2), Dropped: number(3)})
	p.frames = append(p.frames, spans)
	return int64(8 + n), nil
}

func (p *Part) room(n int) []byte {
	if cap(p.buffer) < n {
		p.buffer = make([]byte, n)
	}
	return p.buffer[:n]
}

// each hands out the values of a column, frame by frame; the list is good until the next.
func (p *Part) each(column int, scratch []float64, take func([]float64)) ([]float64, error) {
	for _, spans := range p.frames {
		s := spans[column]
		b := p.room(int(s.n))
		_, err := p.r.ReadAt(b, s.at)
		if err == nil || err == io.EOF {
			scratch, err = packed.Read(b, scratch[:0])
		}
		if err != nil {
			return scratch, fmt.Errorf("reading columns %s: %w", p.Name, err)
		}
		take(scratch)
	}
	return scratch, nil
}
