package metric

import (
	"encoding/binary"
	"math"
)

// column keeps the values of one metric, exact to the last bit, in as few
// bytes as they allow. A run of a million requests has some forty columns; as
// slices of float64 they take 320 MB, and as much again while they grow.
//
// Values are packed in blocks. Nearly all are a whole number of nanoseconds
// over 10⁹, or a whole number: a block of such values is kept as whole numbers
// above the least of them, in as many bytes as the greatest needs; none at all
// where all are the same. A block with any other value is kept as it is.
//
// A request that has no value of the metric leaves a hole, so that a value can
// be brought together with its request: batches are of requests in the order
// of their starts, whatever the order in which they ended.
type column struct {
	full  []block
	tail  []float64
	next  int // the place after that of the last value
	holes []hole
}

// hole is n places in a row without a value.
type hole struct{ at, n uint32 }

// blockLen is the number of values in a block.
const blockLen = 4096

// block is packed values: (base + number) / scale, the numbers width bytes
// each in data; raw where that would not give the very same values.
type block struct {
	scale float64
	base  int64
	width int
	data  []byte
	raw   []float64
}

// add puts a value at a place, above those of all values before.
func (c *column) add(at int, v float64) {
	if at > c.next {
		c.holes = append(c.holes, hole{uint32(c.next), uint32(at - c.next)})
	}
	c.next = at + 1
	if c.tail == nil {
		c.tail = make([]float64, 0, blockLen)
	}
	c.tail = append(c.tail, v)
	if len(c.tail) == blockLen {
		c.full = append(c.full, pack(c.tail))
		c.tail = c.tail[:0]
	}
}

func (c *column) len() int { return len(c.full)*blockLen + len(c.tail) }

// values appends all values to dst.
func (c *column) values(dst []float64) []float64 {
	for i := range c.full {
		dst = c.full[i].unpack(dst)
	}
	return append(dst, c.tail...)
}

// spread moves the column's values, as [column.values] gives them, to their
// places in dst. The places of holes are left as they are.
func (c *column) spread(values, dst []float64) {
	at := 0
	for _, h := range c.holes {
		values = values[copy(dst[at:h.at], values):]
		at = int(h.at) + int(h.n)
	}
	copy(dst[at:], values)
}

func pack(values []float64) block {
	for _, scale := range [...]float64{1, 1e9} {
		if b, ok := packWhole(values, scale); ok {
			return b
		}
	}
	return block{raw: append([]float64(nil), values...)}
}

// packWhole packs values that are whole numbers over scale.
func packWhole(values []float64, scale float64) (block, bool) {
	least, most := int64(math.MaxInt64), int64(math.MinInt64)
	for _, v := range values {
		n, ok := whole(v, scale)
		if !ok {
			return block{}, false
		}
		least, most = min(least, n), max(most, n)
	}
	b := block{scale: scale, base: least}
	for rest := uint64(most - least); rest > 0; rest >>= 8 {
		b.width++
	}
	b.data = make([]byte, 0, b.width*len(values)+8)
	for _, v := range values {
		n, _ := whole(v, scale)
		end := len(b.data) + b.width
		b.data = binary.LittleEndian.AppendUint64(b.data, uint64(n-least))[:end]
	}
	return b, true
}

// whole is the number that gives v when it is divided by scale.
func whole(v, scale float64) (int64, bool) {
	n := math.Round(v * scale)
	if math.Abs(n) >= 1<<53 || n/scale != v || math.Signbit(n) != math.Signbit(v) || n == 0 && math.Signbit(v) {
		return 0, false
	}
	return int64(n), true
}

func (b *block) unpack(dst []float64) []float64 {
	if b.raw != nil {
		return append(dst, b.raw...)
	}
	for i := range blockLen {
		var number [8]byte
		copy(number[:], b.data[i*b.width:(i+1)*b.width])
		dst = append(dst, float64(b.base+int64(binary.LittleEndian.Uint64(number[:])))/b.scale)
	}
	return dst
}

// pages is a list that grows without copying what it holds.
type pages[T any] struct{ list [][]T }

const pageLen = 4096

func (p *pages[T]) add(v T) {
	if n := len(p.list); n == 0 || len(p.list[n-1]) == pageLen {
		p.list = append(p.list, make([]T, 0, pageLen))
	}
	last := &p.list[len(p.list)-1]
	*last = append(*last, v)
}

// each gives a pointer to every element, in the order in which they were added.
func (p *pages[T]) each(yield func(*T) bool) {
	for _, page := range p.list {
		for i := range page {
			if !yield(&page[i]) {
				return
			}
		}
	}
}

func (p *pages[T]) len() int {
	if len(p.list) == 0 {
		return 0
	}
	return (len(p.list)-1)*pageLen + len(p.list[len(p.list)-1])
}
