// Package fleet brings together what processes measured that drove parts of one
// plan; see [workload.Share].
//
// A part writes [Columns] as its Records end; [Open] reads them, also of a part that was
// killed, and [Merge] makes the figures of the whole. The merge holds neither Records nor
// a column in memory, so that its size does not grow with that of the run. Figures that
// need more than the values of requests (intervals, timelines, gaps between chunks) are
// made of the Records, by metric.Collector.
package fleet

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"

	"headway/internal/packed"
	"headway/metric"
	"headway/record"
)

// frameRecords is the number of Records in a frame. A part that is killed loses those of
// the frame under way.
const frameRecords = 4096

// version is that of the format: a line of JSON, then frames, little-endian. A frame is
// its length, the CRC-32C of what follows, the four counts of [Counts], the length of
// each block and the blocks: first the indexes of the Records, then a metric each. After
// the last frame comes a frame of length 0 whose second number is 0, too.
const version = 1

// header is the first line.
type header struct {
	Version int      `json:"headway_columns"`
	Metrics []string `json:"metrics"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Counts are what became of the planned requests of a part; see metric.Result.
type Counts struct{ OK, Failed, Cancelled, Dropped int64 }

// Planned is how many there are.
func (c Counts) Planned() int64 { return c.OK + c.Failed + c.Cancelled + c.Dropped }

func (c *Counts) add(d Counts) {
	c.OK += d.OK
	c.Failed += d.Failed
	c.Cancelled += d.Cancelled
	c.Dropped += d.Dropped
}

// Columns is a record.Sink that writes the values of every metric that has one a
// request. Warm-up requests are left out. Close ends the file.
type Columns struct {
	w       *bufio.Writer
	options metric.Options
	place   map[string]int // of a metric's column
	columns [][]float64    // of the frame under way, the indexes first
	counts  Counts         // of the frame under way
	frame   []byte
	err     error
}

// NewColumns writes the header. The options must be those of the run in every part.
func NewColumns(w io.Writer, o metric.Options) (*Columns, error) {
	c := &Columns{w: bufio.NewWriterSize(w, 64<<10), options: o, place: map[string]int{}}
	h := header{Version: version}
	for _, m := range metric.All() {
		if m.Kind == metric.PerRecord {
			c.place[m.Tag] = 1 + len(h.Metrics)
			h.Metrics = append(h.Metrics, m.Tag)
		}
	}
	c.columns = make([][]float64, 1+len(h.Metrics))
	if err := json.NewEncoder(c.w).Encode(h); err != nil {
		return nil, fmt.Errorf("writing columns: %w", err)
	}
	return c, c.flush()
}

// Take adds a Record. After an error every later call gives the same.
func (c *Columns) Take(r *record.Record) error {
	if r.Warmup || c.err != nil {
		return c.err
	}
	c.count(r)
	c.columns[0] = append(c.columns[0], float64(r.Index))
	for _, v := range c.options.Values(r) {
		if at, ok := c.place[v.Tag]; ok && v.List == nil {
			c.columns[at] = append(c.columns[at], v.Base)
		}
	}
	if len(c.columns[0]) == frameRecords {
		c.end()
	}
	return c.err
}

func (c *Columns) count(r *record.Record) {
	switch {
	case r.Outcome == record.Dropped:
		c.counts.Dropped++
	case metric.Valid(r):
		c.counts.OK++
	case r.Outcome == record.Cancelled:
		c.counts.Cancelled++
	default:
		c.counts.Failed++
	}
}

// end writes the frame under way.
func (c *Columns) end() {
	put := binary.LittleEndian.AppendUint32
	b := append(c.frame[:0], make([]byte, 8)...)
	for _, n := range []int64{c.counts.OK, c.counts.Failed, c.counts.Cancelled, c.counts.Dropped} {
		b = put(b, uint32(n))
	}
	lengths := len(b)
	b = append(b, make([]byte, 4*len(c.columns))...)
	for i, values := range c.columns {
		from := len(b)
		block := packed.Pack(values)
		b = block.Append(b)
		binary.LittleEndian.PutUint32(b[lengths+4*i:], uint32(len(b)-from))
		c.columns[i] = values[:0]
	}
	binary.LittleEndian.PutUint32(b, uint32(len(b)-8))
	binary.LittleEndian.PutUint32(b[4:], crc32.Checksum(b[8:], castagnoli))
	c.frame, c.counts = b, Counts{}
	if _, err := c.w.Write(b); err != nil {
		c.err = fmt.Errorf("writing columns: %w", err)
		return
	}
	c.err = c.flush()
}

func (c *Columns) flush() error {
	if err := c.w.Flush(); err != nil {
		return fmt.Errorf("writing columns: %w", err)
	}
	return nil
}

// Close writes what is left and the end. The file itself stays the caller's.
func (c *Columns) Close() error {
	if c.err == nil && len(c.columns[0]) > 0 {
		c.end()
	}
	if c.err != nil {
		return c.err
	}
	if _, err := c.w.Write(make([]byte, 8)); err != nil {
		return fmt.Errorf("writing columns: %w", err)
	}
	return c.flush()
}
