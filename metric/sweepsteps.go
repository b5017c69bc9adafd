package metric

import (
	"cmp"
	"math"
	"slices"

	"headway/internal/series"
	"headway/record"
)

// step is a value that held for so many nanoseconds. The value is not negative,
// so that its bits are in the order of values, and are compared in half the
// time.
type step struct {
	bits uint64
	held int64
}

func (s step) value() float64 { return math.Float64frombits(s.bits) }

// The values of a curve, of the rate and the number of requests.
func number(_ float64, n int) float64 { return float64(n) }

func wholeRate(rate float64, _ int) float64 { return rate }

func perHead(rate float64, n int) float64 {
	if n == 0 {
		return 0
	}
	return rate / float64(n)
}

// over describes a curve over the whole run, and under the tag active, where
// that is not empty, over the time in which a request was there; scale turns
// its rates per nanosecond into those per second.
func (s *sweep) over(tag, active string, scale float64, value func(rate float64, n int) float64) {
	s.steps = s.steps[:0]
	events, begins, ends := s.events, s.begins, s.ends
	var idle int64
	var rate running
	n, since := 0, s.begin
	hold := func(until record.Time) {
		if n > 0 && until > since {
			s.steps = append(s.steps, step{math.Float64bits(scale * value(rate.value(), n)), int64(until - since)})
		} else if until > since {
			idle += int64(until - since)
			rate = running{} // what began has ended
		}
		since = until
	}
	for len(ends) > 0 {
		now := ends[0] // no later than the last event
		if len(begins) > 0 {
			now = min(now, begins[0])
		}
		if len(events) > 0 {
			now = min(now, events[0].at)
		}
		hold(now)
		for ; len(begins) > 0 && begins[0] == now; begins = begins[1:] {
			n++
		}
		for ; len(ends) > 0 && ends[0] == now; ends = ends[1:] {
			n--
		}
		for ; len(events) > 0 && events[0].at == now; events = events[1:] {
			rate.add(events[0].by)
		}
	}
	hold(s.end)
	s.conclude(tag, active, idle)
}

// conclude weighs the steps of a curve, which have to be there, and the time in
// which it was 0.
func (s *sweep) conclude(tag, active string, idle int64) {
	slices.SortFunc(s.steps, func(a, b step) int {
		if a.bits != b.bits {
			return cmp.Compare(a.bits, b.bits)
		}
		return cmp.Compare(a.held, b.held)
	})
	if active != "" && len(s.steps) > 0 {
		s.done[active] = weigh(s.steps)
	}
	if idle > 0 {
		s.steps = slices.Insert(s.steps, 0, step{0, idle})
	}
	if len(s.steps) > 0 {
		s.done[tag] = weigh(s.steps)
	}
}

// running is a sum of what comes and goes. What is left by rounding when all has gone is
// nothing.
type running struct {
	series.Sum
	peak float64
}

func (r *running) add(v float64) {
	r.Add(v)
	r.peak = max(r.peak, r.Value())
}

func (r *running) value() float64 {
	v := r.Value()
	if v < 1e-12*r.peak {
		return 0
	}
	return v
}

// heldPercents are the quantiles of a curve.
var heldPercents = [...]int{50, 90, 95, 99}

// weigh describes steps, in the order of their values, by their time: a quantile is the first value, from the
// least up, whose time and that of all below is at least its share of the
// whole, without interpolation. Count, sum and intervals do not exist: how many
// independent values a curve has is not known.
func weigh(steps []step) Summary {
	var all int64
	var sum float64
	for _, s := range steps {
		all += s.held
		sum += s.value() * float64(s.held)
	}
	nan := math.NaN()
	m := Summary{Min: steps[0].value(), Max: steps[len(steps)-1].value(), Mean: sum / float64(all), Sum: nan,
		MeanLow: nan, MeanHigh: nan}
	var squares float64
	for _, s := range steps {
		squares += float64(s.held) * (s.value() - m.Mean) * (s.value() - m.Mean)
	}
	m.Std = math.Sqrt(squares / float64(all))
	var held int64
	next := 0
	for _, s := range steps {
		held += s.held
		for next < len(heldPercents) && 100*float64(held) >= float64(heldPercents[next])*float64(all) {
			m.Quantiles = append(m.Quantiles,
				Quantile{Q: float64(heldPercents[next]) / 100, Value: s.value(), Low: nan, High: nan})
			next++
		}
	}
	return m
}
