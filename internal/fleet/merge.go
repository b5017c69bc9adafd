package fleet

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"headway/internal/series"
	"headway/metric"
)

// Merged are figures of all parts.
type Merged struct {
	Counts Counts
	// Summaries are those of metrics that have values, in the order of metric.All,
	// without intervals.
	Summaries []metric.Summary
}

// Merge makes the figures of parts of one plan. They are those of metric.Summarise on all
// values, counts and quantiles to the last bit, sums to rounding.
//
// Quantiles are found by external selection: every pass over a column fixes 16 more bits
// of the values at the ranks that are asked for. Memory is a few megabytes and a bit for
// each request, whatever the values. A column of up to sorted values is sorted instead,
// which reads it once.
//
// The error says that a request is in two parts, that parts have other metrics, that a
// part's values are not those of the requests that it counts, or that a file changed while
// it was read.
func Merge(parts []*Part) (*Merged, error) {
	out := &Merged{}
	if len(parts) == 0 {
		return out, nil
	}
	for _, p := range parts {
		if !slices.Equal(p.metrics, parts[0].metrics) {
			return nil, fmt.Errorf("%s and %s have other metrics: run all parts with the same version of headway",
				parts[0].Name, p.Name)
		}
		out.Counts.add(p.Counts)
	}
	if err := once(parts); err != nil {
		return nil, err
	}
	known := map[string]metric.Metric{}
	for _, m := range metric.All() {
		known[m.Tag] = m
	}
	s := &selection{parts: parts, sorted: sorted}
	for i, tag := range parts[0].metrics {
		m, ok := known[tag]
		if !ok {
			return nil, fmt.Errorf("%s has the metric %q, which this headway does not know: use the version that "+
				"wrote it", parts[0].Name, tag)
		}
		sum, err := s.column(1+i, m)
		if err != nil {
			return nil, err
		}
		if sum.Count > 0 {
			out.Summaries = append(out.Summaries, sum)
		}
	}
	return out, nil
}

// maxIndex bounds the index of a request, and with it what once takes: 512 MB.
const maxIndex = 1 << 32

// once checks that every request is in one part.
func once(parts []*Part) error {
	var seen []uint64
	var scratch []float64
	for _, p := range parts {
		var fault, err error
		var n int64
		scratch, err = p.each(0, scratch, func(indexes []float64) {
			n += int64(len(indexes))
			for _, v := range indexes {
				if !(v >= 0 && v < maxIndex) {
					fault = fmt.Errorf("%s: request %v: an index must be from 0 to below %d", p.Name, v, maxIndex)
					return
				}
				word, bit := int(v)/64, uint64(1)<<(int(v)%64)
				if word >= len(seen) {
					seen = append(seen, make([]uint64, word+1-len(seen))...)
				}
				if seen[word]&bit != 0 {
					fault = fmt.Errorf("request %.0f of %s is in two parts, or twice in one: merge each part once",
						v, p.Name)
				}
				seen[word] |= bit
			}
		})
		if err != nil {
			return err
		}
		switch {
		case fault != nil:
			return fault
		case n != p.Counts.Planned():
			return fmt.Errorf("%s has %d requests and counts %d: it was not written by headway", p.Name, n,
				p.Counts.Planned())
		}
	}
	return nil
}

// sorted is how many values of a column are held in memory at most: half a megabyte, at
// which a sort takes about as long as the three passes that it saves.
const sorted = 1 << 16

// selection describes one column after the other.
type selection struct {
	parts   []*Part
	sorted  int // see the constant
	scratch []float64
	held    []float64
}

// each hands out all values of a column.
func (s *selection) each(column int, take func(float64)) (err error) {
	for _, p := range s.parts {
		s.scratch, err = p.each(column, s.scratch, func(values []float64) {
			for _, v := range values {
				take(v)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// digit is how many bits of a value a pass fixes.
const digit = 16

// bucket counts the values that begin with the same bits by their next digit.
type bucket [1 << digit]uint32

// target is a rank whose value is looked for.
type target struct {
	rank   int
	prefix uint64 // the bits that are known
	before int    // values below all with that prefix
}

func (s *selection) column(column int, m metric.Metric) (metric.Summary, error) {
	sum := metric.Summary{Metric: m}
	var total, squares series.Sum
	first := &bucket{}
	s.held = s.held[:0]
	err := s.each(column, func(v float64) {
		sum.Count++
		total.Add(v)
		first[order(v)>>(64-digit)]++
		if sum.Count <= s.sorted {
			s.held = append(s.held, v)
		}
	})
	if err != nil || sum.Count == 0 {
		return sum, err
	}
	sum.Sum = total.Value()
	sum.Mean = sum.Sum / float64(sum.Count)
	if sum.Count <= s.sorted {
		s.sort(&sum)
		return sum, nil
	}
	var targets []target
	for _, rank := range metric.Ranks(sum.Count) {
		targets = append(targets, target{rank: rank})
	}
	buckets := map[uint64]*bucket{0: first}
	narrow(targets, buckets)
	for known := digit; known < 64; known += digit {
		buckets = map[uint64]*bucket{}
		var active bucket // 1 where some bucket begins with that digit
		for _, t := range targets {
			buckets[t.prefix] = &bucket{}
			active[t.prefix>>(known-digit)] = 1
		}
		err := s.each(column, func(v float64) {
			if known == digit {
				squares.Add((v - sum.Mean) * (v - sum.Mean))
			}
			key := order(v)
			if active[key>>(64-digit)] == 0 {
				return
			}
			if b := buckets[key>>(64-known)]; b != nil {
				b[key>>(64-known-digit)&(1<<digit-1)]++
			}
		})
		if err != nil {
			return sum, err
		}
		narrow(targets, buckets)
	}
	sum.Std = math.Sqrt(squares.Value() / float64(sum.Count))
	sum.Rank(func(rank int) float64 {
		i, _ := slices.BinarySearchFunc(targets, rank, func(t target, rank int) int { return t.rank - rank })
		return unorder(targets[i].prefix)
	})
	return sum, nil
}

// sort completes a summary of the values that are held, which are all.
func (s *selection) sort(sum *metric.Summary) {
	var squares series.Sum
	for _, v := range s.held {
		squares.Add((v - sum.Mean) * (v - sum.Mean))
	}
	sum.Std = math.Sqrt(squares.Value() / float64(sum.Count))
	slices.SortFunc(s.held, func(a, b float64) int { return cmp.Compare(order(a), order(b)) })
	sum.Rank(func(rank int) float64 { return s.held[rank] })
}

// narrow adds a digit to what is known of every target.
func narrow(targets []target, buckets map[uint64]*bucket) {
	for i := range targets {
		t := &targets[i]
		for d, n := range buckets[t.prefix] {
			if t.rank < t.before+int(n) {
				t.prefix = t.prefix<<digit | uint64(d)
				break
			}
			t.before += int(n)
		}
	}
}

// order maps a value to a number in whose order values are; see M. Herf, Radix Tricks,
// 2001.
func order(v float64) uint64 {
	b := math.Float64bits(v)
	return b ^ (uint64(int64(b)>>63) | 1<<63)
}

func unorder(key uint64) float64 {
	return math.Float64frombits(key ^ (uint64(int64(^key)>>63) | 1<<63))
}
