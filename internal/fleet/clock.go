package fleet

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"headway/record"
)

// Ping is one exchange of a coordinator with a worker. Sent and Back are by the
// coordinator's clock, Heard and Answered by the worker's; Back is 0 where no answer came.
type Ping struct{ Sent, Heard, Answered, Back record.Time }

// Drift bounds how the clocks of two hosts part. The worker's clock gains or loses a
// share of at most Rate against the coordinator's, and that share is at no moment further
// than Wander from one value, which is not known: drift is linear but for Wander.
type Drift struct{ Rate, Wander float64 }

// Quartz is the Drift of hosts whose clocks are not set while they are compared: an
// oscillator may be wrong by 100 ppm, Linux corrects it by at most 500 ppm
// (adjtimex(2)), and both go for either host. A correction under way changes slowly.
var Quartz = Drift{Rate: 1.2e-3, Wander: 5e-6}

// maxRate bounds Drift.Rate. A clock that is wrong by more is broken.
const maxRate = 0.1

func (d Drift) validate() error {
	if !(d.Rate >= 0 && d.Rate <= maxRate && d.Wander >= 0 && d.Wander <= d.Rate) {
		return fmt.Errorf("drift of clocks %+v: the rate must be from 0 to %v, the wander from 0 to the rate", d,
			maxRate)
	}
	return nil
}

// Moment is a time on the common timeline, which is the coordinator's clock: the true
// time is within Error of At.
type Moment struct {
	At    record.Time
	Error time.Duration
}

// Clock turns a worker's times into those of the common timeline.
//
// An answer was given after its question was sent, and before it came back. Each Ping
// therefore bounds the worker's clock from both sides, whatever the delays of either way
// were (F. Cristian, Probabilistic clock synchronization, Distributed Computing 3, 1989).
// Bounds of other moments hold as well, but for the drift since then. What a time may be
// is all that agrees with every bound and with [Drift]; so a rate that the pings before
// and after a run tell apart makes the bound between them narrow.
type Clock struct {
	pings []Ping
	drift Drift
	base  record.Time // what is added to a worker's time before small numbers are
}

// keptPings is how many are kept. Of more, those with the shortest round trips are, one
// in each of as many stretches of equal length.
const keptPings = 64

// NewClock compares clocks by pings, in any order. Those before, during and after a run
// make the bound good for all of it; outside of them it grows with Drift.Rate.
//
// The error says that nothing bounds the clock: no ping was answered, or what they say
// cannot all be true, as when a clock was set during the run.
func NewClock(pings []Ping, d Drift) (*Clock, error) {
	if err := d.validate(); err != nil {
		return nil, err
	}
	c := &Clock{drift: d}
	for i, p := range pings {
		switch {
		case !p.Back.Known():
			continue
		case !p.Sent.Known() || !p.Heard.Known() || !p.Answered.Known():
			return nil, fmt.Errorf("ping %d of %d came back without a time (%+v): run all parts with the same version "+
				"of headway", i+1, len(pings), p)
		case p.Back < p.Sent || p.Answered < p.Heard:
			return nil, fmt.Errorf("ping %d of %d ends before it begins (%+v): a clock went backwards", i+1,
				len(pings), p)
		}
		c.pings = append(c.pings, p)
	}
	if len(c.pings) == 0 {
		return nil, fmt.Errorf("none of %d pings was answered: the clocks cannot be compared", len(pings))
	}
	slices.SortStableFunc(c.pings, func(a, b Ping) int { return cmp.Compare(a.Heard, b.Heard) })
	first := c.pings[0]
	c.base = first.Sent - first.Heard
	if _, err := c.Common(first.Heard); err != nil {
		return nil, err
	}
	c.pings = shortest(c.pings, keptPings)
	for _, p := range c.pings { // wander hides less of what is near
		if _, err := c.Common(p.Heard); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// shortest keeps at most n of the pings, which are sorted.
func shortest(pings []Ping, n int) []Ping {
	if len(pings) <= n {
		return pings
	}
	from, to := pings[0].Heard, pings[len(pings)-1].Heard
	stretch := func(p Ping) int {
		return min(n-1, int(float64(n)*float64(p.Heard-from)/float64(max(1, to-from))))
	}
	var kept []Ping
	for _, p := range pings {
		last := len(kept) - 1
		switch {
		case last < 0 || stretch(kept[last]) != stretch(p):
			kept = append(kept, p)
		case p.roundTrip() < kept[last].roundTrip():
			kept[last] = p
		}
	}
	return kept
}

// roundTrip is the time on the way.
func (p Ping) roundTrip() record.Time { return p.Back - p.Sent - (p.Answered - p.Heard) }

// resolution is how far a time in nanoseconds may be from the moment that it stamps.
const resolution = 1

var errClock = errors.New("the answers of the worker do not agree with a clock that runs evenly: it was set, or its " +
	"speed changed, while it was compared; keep time services from correcting the clocks during a run")

// Common is the time on the common timeline at which the worker's clock showed at.
func (c *Clock) Common(at record.Time) (Moment, error) {
	// The plane of x, what is to be added to at beyond base, and the rate at which that
	// grows by the worker's clock. What is possible is a convex part of it, from which
	// each bound cuts what disagrees.
	rate := c.drift.Rate
	reach := math.Inf(1)
	for _, p := range c.pings {
		off := max(math.Abs(c.beyond(p.Sent, p.Heard)), math.Abs(c.beyond(p.Back, p.Answered)))
		apart := max(math.Abs(float64(p.Heard-at)), math.Abs(float64(p.Answered-at)))
		reach = min(reach, off+(rate+c.drift.Wander)*apart+resolution)
	}
	area := []point{{-reach, -rate}, {reach, -rate}, {reach, rate}, {-reach, rate}}
	for _, p := range c.pings {
		area = c.above(area, float64(p.Heard-at), c.beyond(p.Sent, p.Heard), 1)
		area = c.above(area, float64(p.Answered-at), c.beyond(p.Back, p.Answered), -1)
	}
	if len(area) == 0 {
		return Moment{}, errClock
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range area {
		low, high = min(low, v.x), max(high, v.x)
	}
	middle := math.Round((low + high) / 2)
	most := max(high-middle, middle-low)
	return Moment{at + c.base + record.Time(middle), time.Duration(math.Ceil(most)) + resolution}, nil
}

// beyond is how far the coordinator's clock is from the worker's, less base.
func (c *Clock) beyond(coordinator, worker record.Time) float64 {
	return float64(coordinator - worker - c.base)
}

// point is an x in nanoseconds and the rate at which it grows.
type point struct{ x, rate float64 }

// above cuts from an area what is below a bound, or with sign -1 above it: after so many
// nanoseconds x has become bound, but for what wander may have done since.
func (c *Clock) above(area []point, after, bound, sign float64) []point {
	slack := c.drift.Wander*math.Abs(after) + resolution
	over := func(p point) float64 { return sign*(p.x+p.rate*after-bound) + slack }
	var out []point
	for i, p := range area {
		q := area[(i+1)%len(area)]
		a, b := over(p), over(q)
		if a >= 0 {
			out = append(out, p)
		}
		if (a < 0) != (b < 0) {
			share := a / (a - b)
			out = append(out, point{p.x + share*(q.x-p.x), p.rate + share*(q.rate-p.rate)})
		}
	}
	return out
}

// Spread bounds the time from the first of some moments to the last: it may be anything
// from least to most. It is 0 of none and of one.
func Spread(moments []Moment) (least, most time.Duration) {
	for i, a := range moments {
		for k, b := range moments {
			if i == k {
				continue
			}
			apart, errors := time.Duration(b.At-a.At), a.Error+b.Error
			least, most = max(least, apart-errors), max(most, apart+errors)
		}
	}
	return least, most
}
