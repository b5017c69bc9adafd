package metric

import (
	"math"
	"math/big"
	"math/bits"

	"github.com/HdrHistogram/hdrhistogram-go"

	"headway/record"
)

// GapLimit is how many gaps between chunks a run keeps exactly: four million,
// which take some 20 MB. Beyond it they are counted in a histogram, see
// [GapError].
const GapLimit = 4 << 20

// GapError bounds the relative error of the quantiles of inter_chunk_latency
// of a run with more gaps than [GapLimit]. The histogram (HDR, four
// significant digits) has 16,384 cells to each power of two above 2¹⁵ ns and one for each
// nanosecond below, and the middle of a cell stands for it. Its mean, deviation, sum, least and greatest stay exact.
const GapError = 1. / 32768

// maxGap is the longest gap that the histogram tells from others, in
// nanoseconds: a day.
const maxGap = 24 * 3600 * 1e9

// gapHistogram counts gaps in nanoseconds. Whatever the order of gaps, it is
// the same to the last bit: its sums are whole numbers.
type gapHistogram struct {
	cells       *hdrhistogram.Histogram
	n           int64
	least, most int64
	sum         int64
	squares     [2]uint64 // the sum of squares, 128 bits, the high half first
}

func newGapHistogram() *gapHistogram {
	return &gapHistogram{cells: hdrhistogram.New(1, maxGap, 4), least: math.MaxInt64}
}

func (h *gapHistogram) add(gap record.Time) {
	v := int64(gap)
	// What is above the range counts in its last cell: RecordValue cannot fail.
	_ = h.cells.RecordValue(min(v, maxGap))
	h.n++
	h.least, h.most = min(h.least, v), max(h.most, v)
	h.sum += v
	high, low := bits.Mul64(uint64(v), uint64(v))
	var carry uint64
	h.squares[1], carry = bits.Add64(h.squares[1], low, 0)
	h.squares[0], _ = bits.Add64(h.squares[0], high, carry)
}

// summary describes the gaps in seconds, without intervals: which gap was of
// which reply is not kept. A quantile is that of [Summarise]
// with the middle of its cell for each value, and so within [GapError] of it.
func (h *gapHistogram) summary(m Metric) Summary {
	n := float64(h.n)
	s := Summary{
		Metric: m, Count: int(h.n), Min: seconds(record.Time(h.least)), Max: seconds(record.Time(h.most)),
		Sum: float64(h.sum) / 1e9, Mean: float64(h.sum) / n / 1e9, MeanLow: math.NaN(), MeanHigh: math.NaN(),
	}
	s.Std = h.deviation()
	at := h.ranks()
	for _, p := range percents {
		i, part := math.Modf(float64(p) / 100 * (n - 1))
		a, b := at(int64(i)), at(min(int64(i)+1, h.n-1))
		s.Quantiles = append(s.Quantiles, quantile(int(h.n), p, a+(b-a)*part))
	}
	return s
}

// deviation is the population standard deviation in seconds, of exact sums:
// their difference is what a deviation far below the mean hangs on.
func (h *gapHistogram) deviation() float64 {
	squares := new(big.Int).SetUint64(h.squares[0])
	squares.Lsh(squares, 64).Add(squares, new(big.Int).SetUint64(h.squares[1]))
	squares.Mul(squares, big.NewInt(h.n))
	sum := big.NewInt(h.sum)
	squares.Sub(squares, sum.Mul(sum, sum))
	v, _ := new(big.Float).SetInt(squares).Float64()
	return math.Sqrt(v) / float64(h.n) / 1e9
}

// ranks gives a function from a rank, 0 for the least gap, to its value in
// seconds.
func (h *gapHistogram) ranks() func(rank int64) float64 {
	type cell struct {
		upto  int64 // gaps up to and with this cell
		value float64
	}
	var cells []cell
	var n int64
	for _, bar := range h.cells.Distribution() {
		if bar.Count == 0 {
			continue
		}
		n += bar.Count
		middle := (float64(max(bar.From, h.least)) + float64(min(bar.To, h.most))) / 2
		cells = append(cells, cell{n, middle / 1e9})
	}
	return func(rank int64) float64 {
		low, high := 0, len(cells)-1
		for low < high {
			if mid := (low + high) / 2; cells[mid].upto > rank {
				high = mid
			} else {
				low = mid + 1
			}
		}
		return cells[low].value
	}
}
