package fleet

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"headway/record"
)

// crystal is a worker's clock as it truly is: when it shows b, the coordinator's shows
// b + off + beyond(b), and beyond is linear from knot to knot.
type crystal struct {
	off   record.Time
	knots []point // worker's times in x, and the rates from there on
}

// drawCrystal is a clock that keeps what a Drift says.
func drawCrystal(r *rand.Rand, d Drift, from, to record.Time) crystal {
	c := crystal{off: record.Time(r.Int64N(2e15)) - 1e15}
	mean := (2*r.Float64() - 1) * d.Rate
	for x := float64(from); x < float64(to); x += 1 + r.ExpFloat64()*float64(to-from)/8 {
		wander := (2*r.Float64() - 1) * d.Wander
		if r.IntN(2) == 0 {
			wander = math.Copysign(d.Wander, wander) // the worst that may be
		}
		c.knots = append(c.knots, point{x, mean + wander})
	}
	return c
}

func (c crystal) beyond(b float64) (sum float64) {
	for i, k := range c.knots {
		if b <= k.x && i > 0 {
			break
		}
		to := b
		if i+1 < len(c.knots) {
			to = min(b, c.knots[i+1].x)
		}
		sum += (to - k.x) * k.rate
	}
	return sum
}

// shows is what the worker's clock shows at a time of the coordinator's.
func (c crystal) shows(a float64) float64 {
	b := a - float64(c.off)
	for range 8 { // each step leaves a thousandth of the error
		b = a - float64(c.off) - c.beyond(b)
	}
	return b
}

// path is a network: the delays of the two ways differ, some packets wait in queues, and
// some are lost.
type path struct {
	out, back, queue time.Duration
	lost             float64
}

func (p path) delay(r *rand.Rand, base time.Duration) float64 {
	d := float64(base) + r.ExpFloat64()*float64(p.queue)
	if r.IntN(10) == 0 {
		d += 20 * r.ExpFloat64() * float64(p.queue)
	}
	return d
}

// ping goes out at a time of the coordinator's clock.
func (p path) ping(r *rand.Rand, c crystal, sent record.Time) Ping {
	heard := float64(sent) + p.delay(r, p.out)
	answered := heard + r.ExpFloat64()*20e3
	back := answered + p.delay(r, p.back)
	stamped := Ping{sent, record.Time(c.shows(heard)), record.Time(c.shows(answered)), record.Time(back)}
	if r.Float64() < p.lost {
		stamped.Back = 0
	}
	return stamped
}

// start is when the simulated runs begin by the coordinator's clock, which leaves room for
// workers' clocks that are behind.
const start record.Time = 2e15

// rounds are pings before, during and after a run.
func rounds(r *rand.Rand, p path, c crystal, run time.Duration, during int) (pings []Ping) {
	for i := range 8 {
		at := record.Time(i) * 1e7
		pings = append(pings, p.ping(r, c, start+at), p.ping(r, c, start+record.Time(run)-at))
	}
	for range during {
		pings = append(pings, p.ping(r, c, start+record.Time(r.Int64N(int64(run)))))
	}
	r.Shuffle(len(pings), func(i, k int) { pings[i], pings[k] = pings[k], pings[i] })
	return pings
}

// The true time is within the error, whatever the network does and however the clock
// drifts within what is said of it, during the run and outside of it; and the error is no
// larger than what the best single ping gives.
func TestClockHoldsTheTrueTime(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		d := rapid.SampledFrom([]Drift{{}, {Rate: 1e-4}, Quartz, {1e-3, 1e-4}, {1e-3, 1e-3}}).Draw(rt, "drift")
		way := func(name string) time.Duration {
			return time.Duration(math.Pow(10, rapid.Float64Range(3, 8).Draw(rt, name)))
		}
		p := path{way("out"), way("back"), way("queue"), rapid.SampledFrom([]float64{0, 0.3, 0.9}).Draw(rt, "lost")}
		run := rapid.SampledFrom([]time.Duration{time.Second, time.Minute, 3 * time.Hour}).Draw(rt, "run")
		// The crystal is drawn over worker times: those of the run, as far as its offset.
		c := drawCrystal(r, d, 0, 1)
		from := start - c.off - record.Time(run)
		c.knots = drawCrystal(r, d, from, from+3*record.Time(run)).knots
		pings := rounds(r, p, c, run, rapid.SampledFrom([]int{0, 3, 500}).Draw(rt, "during"))
		answered := slices.DeleteFunc(slices.Clone(pings), func(p Ping) bool { return p.Back == 0 })
		k, err := NewClock(pings, d)
		if (err == nil) != (len(answered) > 0) {
			rt.Fatalf("%d pings answered: %v", len(answered), err)
		}
		if err == nil && len(k.pings) > keptPings {
			rt.Fatalf("%d pings are kept", len(k.pings))
		}
		for range 20 {
			if err != nil {
				break
			}
			at := from + record.Time(r.Int64N(3*int64(run)))
			m, err := k.Common(at)
			if err != nil {
				rt.Fatal(err)
			}
			truth := at + c.off + record.Time(math.Round(c.beyond(float64(at))))
			if off := time.Duration(m.At - truth).Abs(); off > m.Error {
				rt.Fatalf("%v from the true time, %v was the most", off, m.Error)
			}
			if best := alone(answered, d, at); len(answered) <= keptPings && m.Error > best {
				rt.Fatalf("the error is %v, of the best ping alone %v", m.Error, best)
			}
		}
	})
}

// alone is the error of the best ping for itself: half the round trip, and the drift.
func alone(pings []Ping, d Drift, at record.Time) time.Duration {
	best := math.Inf(1)
	for _, p := range pings {
		apart := math.Abs(float64(p.Heard-at)) + math.Abs(float64(p.Answered-at))
		best = min(best, (float64(p.Back-p.Sent-(p.Answered-p.Heard))+(d.Rate+d.Wander)*apart)/2)
	}
	return time.Duration(best) + 5
}

// What may be is a linear program; SciPy 1.17 solves it with
//
//	for c in (1, -1): linprog([c, 0], A_ub=A, b_ub=b, bounds=[(None, None), (-rate, rate)])
//
// where a ping has the rows [-1, -(heard-at)] <= -(sent-heard-base) + wander·|heard-at| + 1
// and [1, answered-at] <= back-answered-base + wander·|answered-at| + 1.
func TestClockAsLinearProgram(t *testing.T) {
	k, err := NewClock([]Ping{
		{1000000, 5001000000, 5001020000, 1400000},
		{21000000, 5021250000, 5021260000, 21500000},
		{1000000000, 6000090000, 6000100000, 1000300000},
		{1500000000, 6500300000, 6500310000, 1500650000},
		{1999000000, 6999030000, 6999040000, 1999400000},
		{2000000000, 7000280000, 7000290000, 2000310000},
	}, Drift{Rate: 1e-4, Wander: 1e-5})
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[record.Time][2]float64{
		5001000000: {1119960.95, 119961.95},
		6200000000: {1200040219.6758199, 67813.22418006737},
		6999000000: {1998995070.8752263, 25072.024773652047},
		9000000000: {3999934948.1518383, 185055.85183815256},
	} {
		m, err := k.Common(at)
		most := float64(m.Error)
		if err != nil || math.Abs(float64(m.At)-want[0]) > 1 || most < want[1] || most > want[1]+3 {
			t.Errorf("%d is %+v (%v), want %.1f within %.1f", at, m, err, want[0], want[1])
		}
	}
}

// Between pings before and after a run, drift is known from them and not the most that it
// may be; without those after it, it is that.
func TestClockBetweenPings(t *testing.T) {
	const run, trip = time.Minute, 100 * time.Microsecond
	r := rand.New(rand.NewPCG(3, 1))
	c := crystal{off: 5e14, knots: []point{{1.4e15, 8e-4}}}
	p := path{out: trip / 4, back: 3 * trip / 4, queue: 1}
	pings := rounds(r, p, c, run, 0)
	after := func(p Ping) bool { return p.Sent > start+record.Time(run/2) }
	for _, tt := range []struct {
		pings []Ping
		least time.Duration
		most  time.Duration
	}{
		{pings, trip / 2, trip/2 + 155*time.Microsecond + trip/20}, // half a minute of Quartz.Wander is 150 µs
		{slices.DeleteFunc(slices.Clone(pings), after), 30 * time.Millisecond, 40 * time.Millisecond},
	} {
		k, err := NewClock(tt.pings, Quartz)
		if err != nil {
			t.Fatal(err)
		}
		m, err := k.Common(record.Time(c.shows(float64(start) + float64(run/2))))
		off := time.Duration(m.At - start - record.Time(run/2)).Abs()
		if err != nil || off > m.Error || m.Error < tt.least || m.Error > tt.most {
			t.Errorf("off by %v, within %v (%v), want from %v to %v", off, m.Error, err, tt.least, tt.most)
		}
	}
}

func TestClockRefuses(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	p := path{out: 1e4, back: 1e5, queue: 1e4}
	steady := crystal{off: 5e14, knots: []point{{1.4e15, 1e-5}}}
	set := jumped(rounds(r, p, steady, time.Minute, 40), 10*time.Millisecond)
	slightly := jumped(rounds(r, p, steady, time.Minute, 40), 250*time.Microsecond)
	for want, tt := range map[string]struct {
		pings []Ping
		drift Drift
	}{
		"none of 0 pings":            {nil, Quartz},
		"none of 2 pings":            {[]Ping{{Sent: 1}, {Sent: 2, Heard: 3}}, Quartz},
		"ping 2 of 2 ends before":    {[]Ping{{1, 1, 1, 2}, {5, 1, 1, 4}}, Quartz},
		"ping 1 of 1 ends before":    {[]Ping{{1, 5, 4, 9}}, Quartz},
		"came back without a time":   {[]Ping{{Sent: 1, Heard: 5, Back: 9}}, Quartz},
		"it was set, or its speed":   {set, Quartz},
		"keep time services from":    {slightly, Quartz},
		"agree with a clock":         {[]Ping{{1, 1, 1e9, 1e6}}, Quartz}, // it worked for longer than it was away
		"{Rate:-1 Wander:0}":         {set, Drift{Rate: -1}},
		"{Rate:0.5 Wander:0}":        {set, Drift{Rate: 0.5}},
		"{Rate:NaN Wander:0}":        {set, Drift{Rate: math.NaN()}},
		"the wander from 0 to the r": {set, Drift{Rate: 1e-4, Wander: 1e-3}},
	} {
		if k, err := NewClock(tt.pings, tt.drift); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v, %v, want %q", k, err, want)
		}
	}
}

// jumped are pings of a clock that is set a third of a minute into the run.
func jumped(pings []Ping, by time.Duration) []Ping {
	for i := range pings {
		if pings[i].Sent > start+record.Time(20*time.Second) {
			pings[i].Heard += record.Time(by)
			pings[i].Answered += record.Time(by)
		}
	}
	return pings
}

// Whatever a worker claims, there is an answer or an error.
func TestClockTakesAnything(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var pings []Ping
		for range rapid.IntRange(0, 200).Draw(rt, "pings") {
			at := func() record.Time { return record.Time(rapid.Int64().Draw(rt, "time")) }
			pings = append(pings, Ping{at(), at(), at(), at()})
		}
		if k, err := NewClock(pings, Quartz); err == nil {
			_, _ = k.Common(record.Time(rapid.Int64().Draw(rt, "at")))
		}
	})
}

// Of many pings the first and the last stretch keep one, and each its fastest.
func TestShortestPings(t *testing.T) {
	var pings []Ping
	for i := range record.Time(1000) {
		trip := 10 + i*7919%997
		pings = append(pings, Ping{i * 1000, 1 + i*1000, 1 + i*1000, i*1000 + trip})
	}
	kept := shortest(pings, 10)
	if len(kept) != 10 || !slices.Equal(shortest(pings[:10], 10), pings[:10]) {
		t.Fatalf("%d of 1000 are kept", len(kept))
	}
	for i, p := range kept {
		of := pings[i*100 : (i+1)*100]
		fastest := slices.MinFunc(of, func(a, b Ping) int { return int(a.roundTrip() - b.roundTrip()) })
		if p != fastest {
			t.Errorf("stretch %d keeps %+v, its fastest is %+v", i, p, fastest)
		}
	}
}

// The true spread is between the bounds, and either may be true.
func TestSpread(t *testing.T) {
	for _, tt := range []struct {
		moments     []Moment
		least, most time.Duration
	}{
		{nil, 0, 0},
		{[]Moment{{100, 5}}, 0, 0},
		{[]Moment{{100, 0}, {160, 0}, {130, 0}}, 60, 60},
		{[]Moment{{160, 10}, {100, 5}}, 45, 75},
		{[]Moment{{100, 50}, {120, 50}}, 0, 120},
		{[]Moment{{100, 50}, {110, 0}, {120, 0}}, 10, 70},
	} {
		if least, most := Spread(tt.moments); least != tt.least || most != tt.most {
			t.Errorf("%v: from %d to %d, want from %d to %d", tt.moments, least, most, tt.least, tt.most)
		}
	}
	r := rand.New(rand.NewPCG(5, 1))
	for range 500 {
		var moments []Moment
		for range 1 + r.IntN(5) {
			moments = append(moments, Moment{1000 + record.Time(r.IntN(100)), time.Duration(r.IntN(40))})
		}
		gotLeast, gotMost := Spread(moments)
		if least, most := spreads(moments); gotLeast != least || gotMost != most {
			t.Fatalf("%v: from %d to %d, tried from %d to %d", moments, gotLeast, gotMost, least, most)
		}
	}
}

// spreads tries: the most is among the ends of the intervals, and the least is where all
// are as close as they can to one end.
func spreads(moments []Moment) (least, most time.Duration) {
	var low, high []record.Time
	for _, m := range moments {
		low, high = append(low, m.At-record.Time(m.Error)), append(high, m.At+record.Time(m.Error))
	}
	least = math.MaxInt64
	truth := make([]record.Time, len(moments))
	spread := func(at func(i int) record.Time) time.Duration {
		for i := range truth {
			truth[i] = at(i)
		}
		return time.Duration(slices.Max(truth) - slices.Min(truth))
	}
	for set := range 1 << len(moments) {
		most = max(most, spread(func(i int) record.Time {
			if set>>i&1 == 0 {
				return low[i]
			}
			return high[i]
		}))
	}
	for _, near := range slices.Concat(low, high) {
		least = min(least, spread(func(i int) record.Time { return max(low[i], min(high[i], near)) }))
	}
	return least, most
}
