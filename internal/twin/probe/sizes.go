package probe

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"headway/internal/twin"
	"headway/internal/twin/fit"
	"headway/metric"
	"headway/workload"
)

// Limits bound what probes ask of the server.
type Limits struct {
	// Concurrency is the most requests in flight, Context the longest prompt and
	// reply together, in tokens.
	Concurrency, Context int
	// Load is for how long the server is loaded, all probes together.
	Load time.Duration
}

// idleRequests is how many requests the first probe sends, one at a time.
const idleRequests = 20

// first is the probe that needs no knowledge of the server.
func (l Limits) first() Probe {
	return Probe{Name: "idle", Teaches: "the way in and out, the tokenizer, the tokens of one sequence",
		Requests: idleRequests, Concurrency: 1,
		Shapes: []Shape{{ISL: min(100, l.Context/2), OSL: 16}, {ISL: l.long(0.92), OSL: 16}}}
}

// long is a share of the longest context, at most that of 8,192 tokens.
func (l Limits) long(share float64) int { return max(int(share*float64(min(l.Context, 8192)))-16, 1) }

// last is short requests once more: by them a server that has changed is known.
func (l Limits) last() Probe {
	p := l.first()
	p.Name, p.Teaches, p.Again = "idle_again", "whether the server is still the same", true
	p.Requests = 6
	p.Shapes = p.Shapes[:1]
	return p
}

// Times that probes are to take, and what a closed loop that has to show decoding
// is made smaller for.
const (
	longDecode = 10 * time.Second
	openTime   = 25 * time.Second
	closedTime = 12 * time.Second
	heldTime   = 15 * time.Second
)

// sizer makes probes of what is known of a server.
type sizer struct {
	Limits
	engine twin.Engine
	model  *twin.Model
}

// most is how many requests of a length are in flight: not more than are allowed,
// run at a time, and find room in the cache.
func (s *sizer) most(want, tokens int) int {
	room := int(0.8 * float64(s.engine.Blocks*s.engine.BlockSize) / float64(tokens))
	return max(min(want, s.Concurrency, s.engine.MaxNumSeqs, room), 1)
}

// decode is n sequences that decode together. A server that is slow is asked for
// shorter replies, then for fewer.
func (s *sizer) decode(ctx context.Context, name, teaches string, n, isl, osl int) (Probe, error) {
	isl = max(min(isl, s.Context-osl), 1)
	for {
		n = s.most(n, isl+osl)
		p := Probe{Name: name, Teaches: teaches, Requests: n, Concurrency: n, Shapes: []Shape{{ISL: isl, OSL: osl}}}
		took, err := s.seconds(ctx, p)
		if err != nil || took < longDecode.Seconds() || osl <= 32 && n <= 8 {
			return p, err
		}
		if osl > 32 {
			osl = max(osl*2/3, 32)
		} else {
			n = n * 2 / 3
		}
	}
}

// seconds is how long a probe takes, as far as is known.
func (s *sizer) seconds(ctx context.Context, p Probe) (float64, error) {
	all, err := fit.Simulate(ctx, s.engine, s.model, p.load(workload.Seed(1)), 1)
	if err != nil {
		return 0, err
	}
	return span(all), nil
}

// span is from the first start to the last end, in seconds.
func span(all []fit.Times) float64 {
	end := time.Duration(0)
	for _, t := range all {
		end = max(end, t.Start+t.Total)
	}
	return end.Seconds()
}

// capacity is how many requests of a shape per second the server answers when as
// many are in flight as may be.
func (s *sizer) capacity(ctx context.Context, shape Shape) (float64, error) {
	n := s.most(128, shape.ISL+shape.OSL)
	p := Probe{Requests: 3 * n, Concurrency: n, Shapes: []Shape{shape}}
	took, err := s.seconds(ctx, p)
	return float64(p.Requests) / took, err
}

// open is requests at random times, at a share of the capacity.
func (s *sizer) open(ctx context.Context, p Probe, share float64, took time.Duration) (Probe, error) {
	full, err := s.capacity(ctx, p.Shapes[0])
	p.Rate = math.Round(1000*share*full) / 1000
	p.Requests = clamp(p.Rate*took.Seconds(), 20, 1500)
	p.Concurrency = s.Concurrency
	return p, err
}

// closed is a closed loop for some time.
func (s *sizer) closed(ctx context.Context, p Probe, want int, took time.Duration) (Probe, error) {
	p.Concurrency = s.most(want, p.longest())
	p.Requests = 2 * p.Concurrency
	round, err := s.seconds(ctx, p)
	p.Requests = clamp(float64(p.Requests)*took.Seconds()/round, 3*p.Concurrency, 12*p.Concurrency)
	return p, err
}

func clamp(x float64, low, high int) int { return min(max(int(math.Round(x)), low), high) }

// shape is the usual lengths, where they fit.
func (l Limits) shape(isl, osl int, spread float64) Shape {
	osl = min(osl, l.Context/3)
	return Shape{ISL: max(min(isl, int(float64(l.Context-osl-16)/(1+spread))), 1), OSL: osl, Spread: spread}
}

// fitted are the probes that may follow the first.
func (s *sizer) fitted(ctx context.Context) ([]Probe, error) {
	var all []Probe
	for _, d := range []struct {
		name, teaches string
		n, isl, osl   int
	}{
		{"decode", "the weights, the keys and values", 50, 2300, 200},
		{"decode_more", "the keys and values, the time per sequence", 150, 2300, 200},
		{"decode_long", "the keys and values apart from the time per sequence", 60, s.long(0.75), 200},
		{"output", "the way of tokens out of the server", 200, 60, 100},
		{"output_more", "the way of tokens out of the server, when it bounds", 400, 60, 100},
	} {
		p, err := s.decode(ctx, d.name, d.teaches, d.n, d.isl, d.osl)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	bursts, err := s.bursts(ctx)
	if err != nil {
		return nil, err
	}
	random, err := s.open(ctx, Probe{Name: "random", Teaches: "launches, jitter, and everything together",
		Shapes: []Shape{s.shape(1000, 128, 0.5)}}, 0.6, openTime)
	if err != nil {
		return nil, err
	}
	loop, err := s.closed(ctx, Probe{Name: "closed", Teaches: "the event loop in front of the engine",
		Shapes: []Shape{s.shape(1000, 128, 0)}}, 32, closedTime)
	return s.apart(append(all, bursts, random, loop)), err
}

// apart leaves out probes that the limits have made equal to another.
func (s *sizer) apart(all []Probe) []Probe {
	var out []Probe
	for _, p := range all {
		same := func(q Probe) bool {
			return q.Concurrency == p.Concurrency && q.Requests == p.Requests && q.timed() == p.timed() &&
				slices.Equal(q.Shapes, p.Shapes)
		}
		if !slices.ContainsFunc(out, same) {
			out = append(out, p)
		}
	}
	return out
}

// bursts are prompts that come at once, three times.
func (s *sizer) bursts(ctx context.Context) (Probe, error) {
	shape := s.shape(1000, 8, 0)
	p := Probe{Name: "bursts", Teaches: "prompts on a hot GPU, the tokenizer's queue, the tokens of a step",
		Burst: s.most(32, shape.ISL+shape.OSL), Shapes: []Shape{shape}}
	p.Concurrency, p.Requests, p.Gap = p.Burst, p.Burst, time.Second
	took, err := s.seconds(ctx, p)
	p.Requests = 3 * p.Burst
	p.Gap = time.Duration(math.Ceil(1.5*took*10)/10*1e9) + time.Second
	return p, err
}

// heldOut is the probe that judges: random times, other lengths, less load.
func (s *sizer) heldOut(ctx context.Context) (Probe, error) {
	return s.open(ctx, Probe{Name: "held_out", Teaches: "nothing: it is never fitted", HeldOut: true,
		Shapes: []Shape{s.shape(600, 200, 0.4), s.shape(2200, 60, 0.4)}}, 0.3, heldTime)
}

// sketch is the model as far as requests alone show it: that of a usual server,
// with the times of the GPU as they were seen.
func sketch(idle *fit.Load) *twin.Model {
	type pair struct{ isl, first, gap float64 }
	var all []pair
	for i, t := range idle.Seen {
		if n := idle.Requests[i].OSL; n > 1 {
			all = append(all, pair{float64(idle.Requests[i].ISL), float64(t.First) / 1e6, t.Gap(n) / 1e6})
		}
	}
	m := twin.Usual
	if len(all) < 4 {
		return &m
	}
	slices.SortFunc(all, func(a, b pair) int { return cmp.Compare(a.isl, b.isl) })
	half := len(all) / 2
	short, long := all[:half], all[half:]
	of := func(x []pair, v func(pair) float64) float64 {
		var s []float64
		for _, p := range x {
			s = append(s, v(p))
		}
		slices.Sort(s)
		return metric.Percentile(s, 50)
	}
	gap := of(short, func(p pair) float64 { return p.gap })
	first, isl := func(p pair) float64 { return p.first }, func(p pair) float64 { return p.isl }
	slope := 1e3 * (of(long, first) - of(short, first)) / max(of(long, isl)-of(short, isl), 1)
	scale := gap / (twin.Usual.Weights + 1)
	m.Weights, m.LaunchDecode = 0.95*gap, min(m.LaunchDecode, 0.5*gap)
	m.Compute = max(0.8*slope, 0.2)
	m.KV, m.Sequence = m.KV*scale, m.Sequence*scale
	m.LaunchSmall, m.LaunchPrompt = min(m.LaunchSmall, of(short, first)/2), min(m.LaunchPrompt, of(short, first))
	return m.At(m.Vector())
}
