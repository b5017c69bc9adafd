package metric

import (
	"cmp"
	"math"
	"slices"

	"headway/internal/series"
	"headway/record"
)

// Overview is a run as pictures of it need it. Its size does not grow with the
// run: the timeline has at most 240 steps, a curve at most 400 points, and of the
// requests there is a sample. All times are in seconds since the first measured
// request started.
type Overview struct {
	// Start is that instant on the run's clock, Length the time to the last end.
	Start, Length float64
	// Step is the width of one step of the timeline.
	Step float64
	// InFlight is the mean number of requests in flight in each step, those of a
	// warm-up that went on and those that kept the load up among them. Tokens is
	// the output tokens per second, of the same requests; nil where nobody counted
	// them.
	InFlight, Tokens []float64
	// Replies and Errors are measured requests per second that ended in each step:
	// those with a valid reply, and those that failed or were given up.
	Replies, Errors []float64
	// Curves are the distributions of TTFT, ITL and latency, as far as there are any.
	Curves []Curve
	// Requests are a sample of the Sent measured requests, in the order of their
	// starts: some at equal distances, those that took longest and the first that
	// failed.
	Requests []Sampled
	Sent     int
}

// Curve is the distribution of a metric over all valid replies of a run.
type Curve struct {
	Metric Metric
	// Count is of how many replies; Values (base units) and Shares (0 to 1) rise.
	Count          int
	Values, Shares []float64
}

// Sampled is one request of a sample. Times that are not known are NaN.
type Sampled struct {
	Index int
	// Planned, Start, First, Last and End are the planned time, the start, the first
	// and the last text and the end. Connect is how long the request had no
	// connection yet: the wait for one, the lookup of the name, the connect and TLS.
	Planned, Start, Connect, First, Last, End float64
	// In and Out are tokens, -1 where unknown.
	In, Out int
	// Outcome is OK, Failed or Cancelled.
	Outcome record.Outcome
	// Slow marks those that took longest.
	Slow bool
}

const (
	overviewSteps  = 240 // of the timeline at most, one a request
	fewestSteps    = 30
	curvePoints    = 380
	sampledEvenly  = 120
	sampledSlowest = 20
	sampledBroken  = 20
)

// overview is nil where nothing was sent.
func (v *view) overview() *Overview {
	begin, end, ok := v.c.times.window()
	if !ok {
		return nil
	}
	o := &Overview{Start: seconds(begin), Length: seconds(end - begin), Sent: len(v.order)}
	v.timeline(o, begin, end)
	for i, m := range v.c.table {
		if slices.Contains(curved, m.Tag) && v.c.columns[i].len() > 0 && !v.hides(m.Tag) {
			v.c.scratch = v.c.columns[i].values(v.c.scratch[:0])
			o.Curves = append(o.Curves, curveOf(m, v.c.scratch))
		}
	}
	slices.SortFunc(o.Curves, func(a, b Curve) int {
		return cmp.Compare(slices.Index(curved, a.Metric.Tag), slices.Index(curved, b.Metric.Tag))
	})
	v.sample(o, begin)
	return o
}

// curved are the metrics whose distribution is kept, in their order.
var curved = []string{"time_to_first_token", "inter_token_latency", "request_latency"}

// curveOf has every value where they are few, else percentiles, closer to each
// other towards the slow end.
func curveOf(m Metric, values []float64) Curve {
	slices.Sort(values)
	c := Curve{Metric: m, Count: len(values)}
	add := func(share float64) {
		c.Values, c.Shares = append(c.Values, series.Percentile(values, 100*share)), append(c.Shares, share)
	}
	if last := len(values) - 1; last <= curvePoints {
		for i := range values {
			add(float64(i) / float64(max(1, last)))
		}
		return c
	}
	for i := range curvePoints {
		add(0.99 * float64(i) / (curvePoints - 1))
	}
	for i := range 20 {
		add(0.99 + 0.01*float64(i+1)/20)
	}
	return c
}

// timeline fills in what happened in each step.
func (v *view) timeline(o *Overview, begin, end record.Time) {
	n := min(max(fewestSteps, len(v.order)), overviewSteps)
	steps := bins{begin: begin, width: (end-begin)/record.Time(n) + 1, n: n}
	if end-begin < record.Time(n) {
		steps.n = 1
		steps.width = end - begin
	}
	o.Step = seconds(steps.width)
	flying, tokens := steps.empty(), steps.empty()
	o.Replies, o.Errors = steps.empty(), steps.empty()
	counted := v.c.times.lack.out()
	for _, f := range v.flights {
		steps.spread(flying, f.start, f.end, seconds(f.end-f.start))
		if counted && f.osl > 0 && f.is(spanText) {
			f.tokens(steps, tokens)
		}
		if f.of != &v.c.times {
			continue
		}
		if ended := o.Errors; f.is(spanValid) {
			steps.at(o.Replies, f.end, 1)
		} else {
			steps.at(ended, f.end, 1)
		}
	}
	o.InFlight = flying
	if o.Tokens = tokens; !counted {
		o.Tokens = nil
	}
	for _, list := range [][]float64{o.InFlight, o.Tokens, o.Replies, o.Errors} {
		for i := range list {
			list[i] /= o.Step
		}
	}
}

// tokens adds a reply's output where its chunks came; where that is not known,
// spread evenly from the first to the last text.
func (f flight) tokens(steps bins, into []float64) {
	all := uint64(0)
	if f.of.exact() && f.count > 1 {
		for _, c := range f.of.chunksOf(f.span) {
			all += uint64(c.tokens)
		}
	}
	if all == 0 {
		steps.at(into, f.first, 1)
		steps.spread(into, f.first, f.last, float64(f.osl-1))
		return
	}
	at := f.first
	for _, c := range f.of.chunksOf(f.span) {
		at += c.gap
		steps.at(into, at, float64(f.osl)*float64(c.tokens)/float64(all))
	}
}

// bins are steps of equal width.
type bins struct {
	begin, width record.Time
	n            int
}

func (b bins) empty() []float64 { return make([]float64, b.n) }

// at adds an amount at an instant; what lies outside is left out.
func (b bins) at(into []float64, at record.Time, amount float64) {
	if i := b.of(at); at >= b.begin && i < b.n {
		into[i] += amount
	}
}

func (b bins) of(at record.Time) int { return int((at - b.begin) / b.width) }

// spread adds an amount evenly from one instant to another; what lies outside is
// left out.
func (b bins) spread(into []float64, from, to record.Time, amount float64) {
	if to <= from {
		b.at(into, from, amount)
		return
	}
	each := amount / float64(to-from)
	from, to = max(from, b.begin), min(to, b.begin+b.width*record.Time(b.n))
	for i := b.of(from); i < b.n && from < to; i++ {
		until := min(to, b.begin+b.width*record.Time(i+1))
		into[i] += each * float64(until-from)
		from = until
	}
}

// sample picks the requests that are shown one by one.
func (v *view) sample(o *Overview, begin record.Time) {
	slow := v.slowest()
	picked := slices.Clone(slow)
	last := len(v.order) - 1
	for i := range sampledEvenly {
		picked = append(picked, last*i/(sampledEvenly-1))
	}
	broken := 0
	for i := 0; i <= last && broken < sampledBroken; i++ {
		if !v.spans[v.order[i]].is(spanValid) {
			picked = append(picked, i)
			broken++
		}
	}
	slices.Sort(picked)
	connects := v.connects()
	for _, i := range slices.Compact(picked) {
		one := sampled(v.spans[v.order[i]], begin)
		one.Slow = slices.Contains(slow, i)
		if connects != nil {
			one.Connect = connects[v.order[i]]
		}
		o.Requests = append(o.Requests, one)
	}
}

// slowest are the positions in the order of starts of the valid replies that took
// longest.
func (v *view) slowest() []int {
	var top []int // longest last
	took := func(i int) record.Time { s := v.spans[v.order[i]]; return s.end - s.start }
	for i, place := range v.order {
		if !v.spans[place].is(spanValid) || len(top) == sampledSlowest && took(i) <= took(top[0]) {
			continue
		}
		at, _ := slices.BinarySearchFunc(top, took(i),
			func(a int, t record.Time) int { return cmp.Compare(took(a), t) })
		if top = slices.Insert(top, at, i); len(top) > sampledSlowest {
			top = slices.Delete(top, 0, 1)
		}
	}
	return top
}

// connects are the times without a connection by the places of requests; nil where
// connections were not observed.
func (v *view) connects() []float64 {
	var all []float64
	for i, m := range v.c.table {
		switch m.Tag {
		case "http_req_blocked", "http_req_dns_lookup", "http_req_connecting":
		default:
			continue
		}
		if v.c.columns[i].len() == 0 {
			continue
		}
		if placed := v.placed(i); all == nil {
			all = placed
		} else {
			for j := range all {
				all[j] += placed[j]
			}
		}
	}
	return all
}

func sampled(s *span, begin record.Time) Sampled {
	at := func(t record.Time) float64 {
		if !t.Known() {
			return math.NaN()
		}
		return seconds(t - begin)
	}
	one := Sampled{Index: int(s.index), Planned: at(s.planned), Start: at(s.start), Connect: math.NaN(),
		First: at(s.first), Last: at(s.last), End: at(s.end), In: int(s.isl), Out: int(s.osl), Outcome: record.Failed}
	switch {
	case s.is(spanValid):
		one.Outcome = record.OK
	case s.is(spanCut):
		one.Outcome = record.Cancelled
	}
	return one
}
