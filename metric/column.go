package metric

import "headway/internal/packed"

// column keeps the values of one metric, exact to the last bit, in as few
// bytes as they allow. A run of a million requests has some forty columns; as
// slices of float64 they take 320 MB, and as much again while they grow.
//
// Values are packed in blocks, see [packed.Block].
//
// A request that has no value of the metric leaves a hole, so that a value can
// be brought together with its request: batches are of requests in the order
// of their starts, whatever the order in which they ended.
type column struct {
	full  []packed.Block
	tail  []float64
	next  int // the place after that of the last value
	holes []hole
}

// hole is n places in a row without a value.
type hole struct{ at, n uint32 }

// blockLen is the number of values in a block.
const blockLen = 4096

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
		c.full = append(c.full, packed.Pack(c.tail))
		c.tail = c.tail[:0]
	}
}

func (c *column) len() int { return len(c.full)*blockLen + len(c.tail) }

// values appends all values to dst.
func (c *column) values(dst []float64) []float64 {
	for i := range c.full {
		dst = c.full[i].Unpack(dst)
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
