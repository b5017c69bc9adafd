package chart

import (
	"math"
	"slices"
)

// scale maps the values of one axis to the share of its length.
type scale struct {
	lo, hi float64
	log    bool
	step   float64 // between the ticks of a linear axis; 0 when not chosen yet
	ticks  []tick
}

// text is the label; a logarithmic axis says that it is one.
func (a Axis) text() string {
	label := oneLine(a.Label)
	if a.Log && label != "" {
		label += " (log scale)"
	}
	return label
}

// tick is a mark on an axis; a minor one has no text.
type tick struct {
	value float64
	text  string
}

// at is the place of v: 0 at the axis's start, 1 at its end, beyond for values
// outside. On a logarithmic axis a value not above 0 lies infinitely far below.
func (s scale) at(v float64) float64 {
	if !s.log {
		return (v - s.lo) / (s.hi - s.lo)
	}
	if v <= 0 {
		return math.Inf(-1)
	}
	return (math.Log10(v) - math.Log10(s.lo)) / (math.Log10(s.hi) - math.Log10(s.lo))
}

// value is what lies at a share of the axis: the inverse of at.
func (s scale) value(at float64) float64 {
	if !s.log {
		return s.lo + at*(s.hi-s.lo)
	}
	return s.lo * math.Pow(s.hi/s.lo, at)
}

// holds reports whether v lies on the axis, both ends included.
func (s scale) holds(v float64) bool {
	const rounding = 1e-9 // of the axis's length
	at := s.at(v)
	return at >= -rounding && at <= 1+rounding
}

// extent is the range of some values; the zero value is that of none.
type extent struct {
	lo, hi float64
	some   bool
}

func (e extent) with(values ...float64) extent {
	for _, v := range values {
		if !e.some {
			e = extent{lo: v, hi: v, some: true}
			continue
		}
		e.lo, e.hi = min(e.lo, v), max(e.hi, v)
	}
	return e
}

// zeroRule says when a linear axis starts at zero although it need not.
type zeroRule func(e extent) bool

// always is the rule for Y: heights must compare as their values do.
func always(extent) bool { return true }

// whenNear is the rule for X: zero is shown when the points still fill more
// than 40 % of the axis, and for a single value.
func whenNear(e extent) bool {
	reach := max(math.Abs(e.lo), math.Abs(e.hi))
	return e.lo == e.hi || e.hi-e.lo >= 0.4*reach
}

// scale chooses range and ticks for the data and the reference lines on an
// axis, with about want numbered ticks.
func (a Axis) scale(data extent, lines []float64, zero zeroRule, want int) scale {
	e := data.with(a.Values...)
	fixedLo, fixedHi := a.fixed()
	known := e.some || len(lines) > 0 || !math.IsNaN(fixedLo) && !math.IsNaN(fixedHi)
	if !known {
		// Figures on an axis without any value would be invented.
		return scale{lo: 1, hi: 10, log: a.Log}
	}
	if !e.some {
		e = e.with(lines...)
	}
	s := scale{log: a.Log}
	if a.Log {
		s.lo, s.hi = logRange(e, lines)
	} else {
		s.lo, s.hi = linearRange(e, lines, zero)
	}
	s.fix(fixedLo, fixedHi)
	if !a.Log && len(a.Values) == 0 {
		s.round(want, math.IsNaN(fixedLo), math.IsNaN(fixedHi))
	}
	switch {
	case len(a.Values) > 0:
		s.ticks = s.given(a.Values)
	case a.Log:
		s.ticks = s.logTicks(want)
	default:
		s.ticks = s.linearTicks(want)
	}
	return s
}

// fix puts fixed ends in place of automatic ones, and moves an automatic end
// that has come to lie on the wrong side of a fixed one.
func (s *scale) fix(lo, hi float64) {
	if !math.IsNaN(lo) {
		s.lo = lo
	}
	if !math.IsNaN(hi) {
		s.hi = hi
	}
	if s.lo < s.hi {
		return
	}
	switch {
	case s.log && math.IsNaN(hi):
		s.hi = s.lo * 10
	case s.log:
		s.lo = s.hi / 10
	case math.IsNaN(hi):
		s.hi = s.lo + max(math.Abs(s.lo), 1)
	default:
		s.lo = s.hi - max(math.Abs(s.hi), 1)
	}
}

// Values that differ by less than this share agree, and are then shown on an
// axis that reaches at least so far, as a share, to both sides of their middle.
const (
	agree      = 0.02
	leastReach = 0.1
)

// linearRange is the range of an automatic linear axis: zero where the rule
// says so, then every reference line that does not squeeze the data below a
// quarter of the axis, then room for markers.
func linearRange(e extent, lines []float64, zero zeroRule) (lo, hi float64) {
	if (e.lo >= 0 || e.hi <= 0) && zero(e) {
		e = e.with(0)
	}
	if e.lo == 0 && e.hi == 0 {
		e.hi = 1
	}
	// Below this the ticks could not be told apart in float64.
	if least := 1e-9 * max(math.Abs(e.lo), math.Abs(e.hi)); e.hi-e.lo < least {
		e.lo, e.hi = e.lo-least, e.hi+least
	}
	// Values that agree fill an axis of their own with noise.
	if reach := max(math.Abs(e.lo), math.Abs(e.hi)); e.hi-e.lo < agree*reach {
		middle := e.lo/2 + e.hi/2
		e = e.with(middle-leastReach*reach, middle+leastReach*reach)
	}
	span := e.hi - e.lo
	for _, v := range lines {
		if w := e.with(v); w.hi-w.lo <= 4*span {
			e = w
		}
	}
	pad := 0.04 * (e.hi - e.lo)
	lo, hi = e.lo-pad, e.hi+pad
	if e.lo == 0 {
		lo = 0
	}
	if e.hi == 0 {
		hi = 0
	}
	return lo, hi
}

// round moves those ends of a linear axis that are automatic out to multiples of
// a nice step, so that it ends with a tick. The step is kept, since one computed
// again from the wider range could be larger and miss the ends.
func (s *scale) round(want int, lo, hi bool) {
	s.step = niceStep((s.hi - s.lo) / float64(want))
	if lo {
		s.lo = math.Floor(s.lo/s.step) * s.step
	}
	if hi {
		s.hi = math.Ceil(s.hi/s.step) * s.step
	}
}

// logRange is the range of an automatic logarithmic axis, with the same rule
// for reference lines in decades, and a margin of 5 % of the axis.
func logRange(e extent, lines []float64) (lo, hi float64) {
	decades := max(1, math.Log10(e.hi/e.lo))
	for _, v := range lines {
		if w := e.with(v); math.Log10(w.hi/w.lo) <= 4*decades {
			e = w
		}
	}
	pad := math.Pow(10, max(0.05*math.Log10(e.hi/e.lo), 0.08))
	return e.lo / pad, e.hi * pad
}

// niceStep is the smallest of 1, 2, 2.5 and 5 times a power of ten that is not
// below raw.
func niceStep(raw float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 2.5, 5} {
		if m*unit >= raw*(1-1e-9) {
			return m * unit
		}
	}
	return 10 * unit
}

// linearTicks are the multiples of a nice step on the axis.
func (s scale) linearTicks(want int) []tick {
	step := s.step
	if step == 0 {
		step = niceStep((s.hi - s.lo) / float64(want))
	}
	decimals := decimalsOf(step)
	var out []tick
	first := math.Ceil(s.lo/step - 1e-9)
	for k := first; k*step <= s.hi+1e-9*step && len(out) <= 4*want; k++ {
		out = append(out, tick{value: k * step, text: number(k*step, decimals)})
	}
	return out
}

// logTicks are 1, 2 and 5 times the powers of ten where three decades or less
// are shown, powers of ten above that, every n-th where even those are many;
// what is left out stays as a minor tick. A range so short that it holds fewer
// than three of them gets the ticks of a linear axis.
func (s scale) logTicks(want int) []tick {
	decades := math.Log10(s.hi / s.lo)
	every := max(1, int(math.Ceil(decades/11)))
	var out []tick
	numbered := 0
	for k := int(math.Floor(math.Log10(s.lo))); k <= int(math.Ceil(math.Log10(s.hi))); k++ {
		for m := 1; m <= 9; m++ {
			v := float64(m) * math.Pow(10, float64(k))
			if !s.holds(v) || m > 1 && decades > 5 {
				continue
			}
			t := tick{value: v}
			if (m == 1 && k%every == 0) || ((m == 2 || m == 5) && decades <= 3.2) {
				t.text = shortest(v)
				numbered++
			}
			out = append(out, t)
		}
	}
	if numbered < 3 {
		return s.linearTicks(want)
	}
	return out
}

// given are the ticks that the caller asked for, as far as they are on the
// axis, sorted and each once.
func (s scale) given(values []float64) []tick {
	values = slices.Clone(values)
	slices.Sort(values)
	var out []tick
	for _, v := range slices.Compact(values) {
		if s.holds(v) {
			out = append(out, tick{value: v, text: shortest(v)})
		}
	}
	return out
}

// thin takes the text off ticks whose texts would come closer than gap. Sizes
// are the texts' lengths along the axis, places their centres, both in points
// and rising. The last tick keeps its text at the cost of those before it,
// since it says how far the axis goes.
func thin(ticks []tick, places, sizes []float64, gap float64) []tick {
	ticks = slices.Clone(ticks)
	collide := func(i, j int) bool {
		return math.Abs(places[i]-places[j]) < (sizes[i]+sizes[j])/2+gap
	}
	last := len(ticks) - 1
	for last > 0 && ticks[last].text == "" {
		last--
	}
	kept := -1
	for i := range last {
		if ticks[i].text == "" {
			continue
		}
		if kept >= 0 && collide(kept, i) || collide(i, last) {
			ticks[i].text = ""
			continue
		}
		kept = i
	}
	return ticks
}
