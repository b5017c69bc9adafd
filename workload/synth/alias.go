package synth

import (
	"math/bits"
	"math/rand/v2"
)

// alias draws an index in proportion to weights with one random word and one look
// into a table (A. J. Walker, 1977; the table is filled by M. D. Vose's method,
// IEEE Transactions on Software Engineering 17, 1991).
type alias struct {
	keep  []uint64 // 2^64 times the share of a column that is its own
	other []int32
}

// newAlias makes the table. The weights must not be negative and not all be 0.
func newAlias(weights []float64) alias {
	n := len(weights)
	a := alias{make([]uint64, n), make([]int32, n)}
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	scaled := make([]float64, n)
	var small, large []int32
	for i, w := range weights {
		scaled[i] = w * float64(n) / sum
		a.other[i] = int32(i)
		if scaled[i] < 1 {
			small = append(small, int32(i))
		} else {
			large = append(large, int32(i))
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		a.keep[s] = uint64(scaled[s] * (1 << 63) * 2)
		a.other[s] = l
		scaled[l] -= 1 - scaled[s]
		if scaled[l] < 1 {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	return a
}

// draw returns an index. What rounding leaves over has itself as the other, so it
// is drawn whatever its share says.
func (a alias) draw(r *rand.Rand) int {
	i, fraction := bits.Mul64(r.Uint64(), uint64(len(a.keep)))
	if fraction < a.keep[i] {
		return int(i)
	}
	return int(a.other[i])
}
