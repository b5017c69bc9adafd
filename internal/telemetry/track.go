package telemetry

import (
	"maps"
	"math"
	"time"

	"headway/record"
)

// Bounds of what is kept of a quantity.
const (
	mostCells = 2048
	// gapIntervals is after how many intervals without a sample its time is not known.
	gapIntervals = 5
	// mostGone is how many series are remembered that are no longer on a page, beside
	// as many again as are: a page whose labels change all the time has ever new ones.
	mostGone = 1000
)

// cell is the time from the sample before to one: its value at the end and, of gauges,
// what they were on the way.
type cell struct {
	at    record.Time
	value float64       // of a counter all that it rose by
	known time.Duration // 0 over a gap
	area  float64       // value times seconds
	above time.Duration
	most  float64
}

// track is a quantity of one subject over time. Cells become longer as they become
// many, so that its memory is bounded however long a run is.
type track struct {
	trait
	gap    time.Duration
	cells  []cell
	each   int                // samples to a cell
	filled int                // samples in the last cell
	last   map[string]float64 // of a counter, by series
	total  float64
	resets int
	prior  float64
}

func newTrack(q Quantity, every time.Duration) *track {
	return &track{trait: traits[q], gap: gapIntervals * every, each: 1, last: map[string]float64{}}
}

// take takes all series of a sample. A counter's series that is new began at 0,
// unless it is the first that is seen of the counter; one that went back began anew.
func (k *track) take(at record.Time, series map[string]float64) {
	value := 0.0
	for name, v := range series {
		if k.form == counter {
			k.rise(name, v)
		} else {
			value += v
		}
	}
	if len(k.last) > mostGone+2*len(series) {
		maps.DeleteFunc(k.last, func(name string, _ float64) bool { _, there := series[name]; return !there })
	}
	switch {
	case k.form == counter:
		value = k.total
	case k.mean && len(series) > 0:
		value /= float64(len(series))
	}
	k.put(at, value)
}

// rise takes one series of a counter.
func (k *track) rise(name string, v float64) {
	switch was, seen := k.last[name]; {
	case !seen && len(k.cells) > 0:
		k.total += v
	case seen && v < was:
		k.resets++
		k.total += v
	case seen:
		k.total += v - was
	}
	k.last[name] = v
}

// put adds a value.
func (k *track) put(at record.Time, value float64) {
	next := cell{at: at, value: value, most: value}
	if n := len(k.cells); n > 0 {
		if d := time.Duration(at - k.cells[n-1].at); d > 0 && (d <= k.gap || k.gap == 0) {
			next.known = d
			next.area = d.Seconds() * (k.prior + value) / 2
			next.most = max(k.prior, value)
			if k.prior > k.bound {
				next.above = d
			}
		}
	}
	k.prior = value
	if n := len(k.cells); n > 1 && k.filled < k.each {
		k.cells[n-1] = joined(k.cells[n-1], next)
		k.filled++
		return
	}
	k.cells = append(k.cells, next)
	k.filled = 1
	if len(k.cells) >= mostCells {
		k.halve()
	}
}

// halve joins cells by twos.
func (k *track) halve() {
	kept := k.cells[:1]
	for i := 1; i+1 < len(k.cells); i += 2 {
		kept = append(kept, joined(k.cells[i], k.cells[i+1]))
	}
	if len(k.cells)%2 == 0 {
		kept = append(kept, k.cells[len(k.cells)-1])
		k.filled = k.each
	} else {
		k.filled = 2 * k.each
	}
	k.cells, k.each = kept, 2*k.each
}

func joined(a, b cell) cell {
	b.known += a.known
	b.area += a.area
	b.above += a.above
	b.most = max(a.most, b.most)
	return b
}

// within is what lies between two times: of cells that do so in part, that part.
func (k *track) within(begin, end record.Time) (c cell) {
	c.most = math.Inf(-1)
	for i, x := range k.cells {
		if i == 0 {
			if x.at >= begin && x.at <= end {
				c.most = x.value
			}
			continue
		}
		from, to := max(begin, k.cells[i-1].at), min(end, x.at)
		if x.known == 0 || from >= to {
			continue
		}
		part := float64(to-from) / float64(x.at-k.cells[i-1].at)
		c.known += time.Duration(part * float64(x.known))
		c.area += part * x.area
		c.above += time.Duration(part * float64(x.above))
		c.most = max(c.most, x.most)
	}
	return c
}

// rose is by how much a counter rose between two times, and in how many of the
// seconds between them that is known. Between samples it rises evenly.
func (k *track) rose(begin, end record.Time) (by, seconds float64) {
	for i := 1; i < len(k.cells); i++ {
		a, b := k.cells[i-1], k.cells[i]
		from, to := max(begin, a.at), min(end, b.at)
		if from < to {
			by += (b.value - a.value) * float64(to-from) / float64(b.at-a.at)
			seconds += time.Duration(to - from).Seconds()
		}
	}
	return by, seconds
}

// steps is a counter at the samples that found it changed: one that is renewed less
// often than it is read stands still between, which says nothing of its rate.
func (k *track) steps() *track {
	s := &track{trait: k.trait}
	for i, c := range k.cells {
		if i > 0 && c.value != k.cells[i-1].value {
			s.cells = append(s.cells, c)
		}
	}
	if n := len(s.cells); n == len(k.cells)-1 {
		s.cells = k.cells
	}
	return s
}
