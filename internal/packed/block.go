// Package packed keeps float64 values in few bytes, exact to the last bit, in memory
// and in files.
package packed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Block is packed values.
//
// Nearly all values of metrics are a whole number of nanoseconds over 10⁹, or a whole
// number: a block of such values is kept as whole numbers above the least of them, in as
// many bytes as the greatest needs; none at all where all are the same. A block with any
// other value is kept as it is.
type Block struct {
	n     int
	scale float64 // value = (base + number) / scale; 0 where they are kept raw
	base  int64
	width int // bytes of a number
	data  []byte
	raw   []float64
}

// Len is the number of values.
func (b *Block) Len() int { return b.n }

// Width is how many bytes a value takes.
func (b *Block) Width() int {
	if b.scale == 0 {
		return 8
	}
	return b.width
}

// Pack makes a block of values; it keeps nothing of the list.
func Pack(values []float64) Block {
	for _, scale := range [...]float64{1, 1e9} {
		if b, ok := packWhole(values, scale); ok {
			return b
		}
	}
	return Block{n: len(values), raw: append([]float64(nil), values...)}
}

// packWhole packs values that are whole numbers over scale.
func packWhole(values []float64, scale float64) (Block, bool) {
	least, most := int64(math.MaxInt64), int64(math.MinInt64)
	for _, v := range values {
		n, ok := whole(v, scale)
		if !ok {
			return Block{}, false
		}
		least, most = min(least, n), max(most, n)
	}
	b := Block{n: len(values), scale: scale, base: least}
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

// Unpack appends the values to dst.
func (b *Block) Unpack(dst []float64) []float64 {
	if b.scale == 0 {
		return append(dst, b.raw...)
	}
	for i := range b.n {
		var number [8]byte
		copy(number[:], b.data[i*b.width:(i+1)*b.width])
		dst = append(dst, float64(b.base+int64(binary.LittleEndian.Uint64(number[:])))/b.scale)
	}
	return dst
}

// headLen is the length of what stands before the numbers of a block in a file: a byte
// of the scale (0 raw, 1 whole, 2 nanoseconds), one of the width, the number of values
// and the base.
const headLen = 14

// Append writes the block to dst; it is little-endian and says its own length.
func (b *Block) Append(dst []byte) []byte {
	kind := byte(0)
	switch b.scale {
	case 1:
		kind = 1
	case 1e9:
		kind = 2
	}
	dst = append(dst, kind, byte(b.width))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(b.n))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(b.base))
	if kind == 0 {
		for _, v := range b.raw {
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
		}
		return dst
	}
	return append(dst, b.data[:b.n*b.width]...)
}

var errBlock = errors.New("a block of values is damaged")

// Read appends the values of a block that [Block.Append] wrote to dst. The bytes must be
// those of one block.
func Read(from []byte, dst []float64) ([]float64, error) {
	if len(from) < headLen {
		return dst, fmt.Errorf("%w: %d bytes", errBlock, len(from))
	}
	kind, width := from[0], int(from[1])
	n := int(binary.LittleEndian.Uint32(from[2:]))
	base := int64(binary.LittleEndian.Uint64(from[6:]))
	data := from[headLen:]
	if kind == 0 {
		width = 8
	}
	if kind > 2 || width > 8 || len(data) != n*width || n > MaxLen {
		return dst, fmt.Errorf("%w: kind %d, width %d, %d values in %d bytes", errBlock, kind, width, n, len(data))
	}
	if kind == 0 {
		for i := range n {
			dst = append(dst, math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:])))
		}
		return dst, nil
	}
	b := Block{n: n, scale: [...]float64{0, 1, 1e9}[kind], base: base, width: width, data: data}
	return b.Unpack(dst), nil
}

// MaxLen is how many values a block in a file may have.
const MaxLen = 1 << 20
