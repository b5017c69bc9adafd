package workload

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Spread says what is done with requests that share a timestamp. Traces whose
// times were rounded have many of them; replayed as they stand they arrive in
// bursts that the service never saw.
type Spread uint8

const (
	// AsRecorded sends them at once.
	AsRecorded Spread = iota
	// Evenly spaces them evenly up to the next timestamp, the first at its own.
	Evenly
	// Uniformly draws their times at random up to the next timestamp.
	Uniformly
)

var spreadNames = [...]string{"none", "even", "uniform"}

// String is the name that --spread-timestamps takes.
func (s Spread) String() string { return spreadNames[s] }

// ParseSpread reads a name that [Spread.String] gives.
func ParseSpread(s string) (Spread, error) {
	for i, name := range spreadNames {
		if s == name {
			return Spread(i), nil
		}
	}
	return AsRecorded, fmt.Errorf("spread of timestamps %q: must be one of %s", s, strings.Join(spreadNames[:], ", "))
}

// Times moves each time of a rising sequence into the gap up to the next distinct
// one; the order stays. The last ones get the usual gap, the median. One that
// stands alone is moved only by Uniformly: it was rounded too. Random draws follow
// from the key.
func (s Spread) Times(times []time.Duration, key Key) {
	gap := medianGap(times)
	if s == AsRecorded || gap == 0 {
		return
	}
	for from, group := 0, 0; from < len(times); group++ {
		start, end := times[from], from
		for end < len(times) && times[end] == start {
			end++
		}
		width := gap
		if end < len(times) {
			width = times[end] - start
		}
		s.place(times[from:end], start, width, key.Index(group))
		from = end
	}
}

// place writes rising times from start to less than start + width.
func (s Spread) place(times []time.Duration, start, width time.Duration, key Key) {
	r := key.Rand()
	for i := range times {
		if s == Evenly {
			times[i] = start + time.Duration(float64(width)*float64(i)/float64(len(times)))
		} else {
			times[i] = start + time.Duration(r.Int64N(int64(width)))
		}
	}
	slices.Sort(times)
}

// medianGap is the upper median of the gaps between distinct times; 0 where there
// is none. It is no figure of a report: the step of a clock is a gap that occurs,
// and the mean of two gaps need not be one.
func medianGap(times []time.Duration) time.Duration {
	var gaps []time.Duration
	for i := 1; i < len(times); i++ {
		if times[i] != times[i-1] {
			gaps = append(gaps, times[i]-times[i-1])
		}
	}
	if len(gaps) == 0 {
		return 0
	}
	slices.Sort(gaps)
	return gaps[len(gaps)/2]
}

// Spread moves the requests that share a timestamp. Do it before anything else is
// made of the data set: the windows of [Dataset.Fixed] look at the new times.
func (d *Dataset) Spread(s Spread, key Key) {
	order := d.byTime()
	times := d.timesOf(order)
	s.Times(times, key)
	for i, n := range order {
		d.Requests[n].At = times[i]
	}
}

// Rounded says how the times of the file look.
func (d *Dataset) Rounded() Rounding { return Rounded(d.timesOf(d.byTime())) }

// byTime returns the places of the requests that have a time, by time and then by
// line.
func (d *Dataset) byTime() []int {
	var order []int
	for i, r := range d.Requests {
		if r.Timed {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(d.Requests[a].At, d.Requests[b].At), cmp.Compare(d.lines[a], d.lines[b]))
	})
	return order
}

func (d *Dataset) timesOf(order []int) []time.Duration {
	times := make([]time.Duration, len(order))
	for i, n := range order {
		times[i] = d.Requests[n].At
	}
	return times
}

// Rounding describes how times repeat.
type Rounding struct {
	// Times is how many there are, Distinct how many different ones.
	Times, Distinct int
	// Shared is how many are not alone on their value, Largest the most on one.
	Shared, Largest int
	// Gap is the median distance between neighbouring values.
	Gap time.Duration
}

// Rounded measures a rising sequence of times.
func Rounded(times []time.Duration) Rounding {
	r := Rounding{Times: len(times), Gap: medianGap(times)}
	for from := 0; from < len(times); {
		end := from
		for end < len(times) && times[end] == times[from] {
			end++
		}
		if n := end - from; n > 1 {
			r.Shared += n
		}
		r.Distinct++
		r.Largest = max(r.Largest, end-from)
		from = end
	}
	return r
}

// leastGap is the distance below which it does not matter that times were
// rounded: a burst of 10 ms is shorter than a step of an inference server.
const leastGap = 10 * time.Millisecond

// Bursts says that the times were rounded so coarsely that a literal replay would
// be another load: most of them share their value, and the values are far apart.
func (r Rounding) Bursts() bool { return 2*r.Shared > r.Times && r.Gap >= leastGap }

// Warning is what to say of a file that is replayed as it was recorded; "" where
// there is nothing to say.
func (r Rounding) Warning() string {
	if !r.Bursts() {
		return ""
	}
	return fmt.Sprintf("the timestamps were rounded: %d requests have %d distinct ones, about %s ms apart, with up "+
		"to %d requests on one; "+
		"replayed as they stand they arrive in bursts that were not there; spread them with --spread-timestamps even",
		r.Times, r.Distinct, formatMillis(r.Gap.Round(time.Millisecond)), r.Largest)
}
