package metric

import (
	"cmp"
	"math"
	"slices"

	"headway/internal/series"
	"headway/record"
)

// view brings the requests of a run in the order of their starts.
type view struct {
	c     *Collector
	spans []*span // all measured requests that were sent, by place
	order []int   // their places in the order of starts
	// flights are all requests with a known start, those of the warm-up too:
	// what those brought counts where they were still in flight.
	flights []flight
	broken  map[int]*broken
	// perChunk is how many tokens a chunk of a whole reply has, for replies
	// whose tokens nobody counted; 0 where none was counted.
	perChunk float64
	answered bool    // some request got text
	flying   float64 // what inFlight gives; 0 before it was asked
	// holdsStart says that a closed loop's start is among the measured requests.
	holdsStart bool
	// lived are the places, in the order of starts, of the requests whose
	// latencies the steady part has; nil where there is none.
	lived []int
	hides func(tag string) bool // figures that are none, see [Result.Meaningless]
}

// flight is a request and the timeline that has its chunks.
type flight struct {
	*span
	of *timeline
}

func (c *Collector) view() view {
	v := view{c: c, broken: map[int]*broken{}}
	for s := range c.times.spans.each {
		if s.start.Known() {
			v.order = append(v.order, len(v.spans))
		}
		v.spans = append(v.spans, s)
	}
	slices.SortFunc(v.order, func(a, b int) int { return byStart(v.spans[a], v.spans[b]) })
	for i := range c.broken {
		v.broken[c.broken[i].place] = &c.broken[i]
	}
	for _, place := range v.order {
		v.flights = append(v.flights, flight{v.spans[place], &c.times})
	}
	if c.warmup != nil {
		for s := range c.warmup.times.flown {
			v.flights = append(v.flights, flight{s, &c.warmup.times})
		}
		slices.SortStableFunc(v.flights, func(a, b flight) int { return byStart(a.span, b.span) })
	}
	var tokens, chunks float64
	for _, s := range v.spans {
		v.answered = v.answered || s.is(spanText)
		if s.is(spanValid) && s.osl > 0 && s.count > 0 {
			tokens, chunks = tokens+float64(s.osl), chunks+float64(s.count)
		}
	}
	if chunks > 0 {
		v.perChunk = tokens / chunks
	}
	return v
}

func byStart(a, b *span) int {
	return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.index, b.index), cmp.Compare(a.end, b.end),
		cmp.Compare(a.flags, b.flags),
		cmp.Compare(a.first, b.first), cmp.Compare(a.last, b.last), cmp.Compare(a.isl, b.isl),
		cmp.Compare(a.osl, b.osl))
}

// part describes the time from begin to end and the requests from one place in
// the order to another that started in it. whole is the time that measured
// requests were in flight.
func (v *view) part(begin, end record.Time, from, to int, whole record.Time) Part {
	p := Part{Begin: seconds(begin), Duration: seconds(end - begin), Requests: to - from}
	p.Share = p.Duration / seconds(whole)
	var inside []float64
	for _, s := range v.flights {
		if at := min(s.end, end) - max(s.start, begin); at > 0 {
			inside = append(inside, seconds(at))
		}
	}
	slices.Sort(inside)
	p.InFlight = sum(inside) / p.Duration
	var flown, lost record.Time
	for _, place := range v.order[from:to] {
		s := v.spans[place]
		flown += s.end - s.start
		switch {
		case s.is(spanValid):
			continue
		case s.is(spanCut):
			p.Cut++
		default:
			p.Failed++
		}
		lost += s.end - s.start
	}
	if flown > 0 {
		p.Outside = float64(lost) / float64(flown)
	}
	for i, m := range v.c.table {
		if at := slices.Index(latencies, m.Tag); at >= 0 && !v.hides(m.Tag) {
			if q, ok := v.population(i, at, from, to); ok {
				p.Latencies = append(p.Latencies, q.summary(m, p.InFlight))
			}
		}
	}
	v.rates(&p, begin, end)
	v.speed(&p, v.order[from:to])
	return p
}

// speed is the decode speed per user of the requests of a part, with the
// interval of a ratio: Σ tokens after the first / Σ decode time.
func (v *view) speed(p *Part, places []int) {
	m, _ := Lookup("decode_speed_per_user")
	at := slices.IndexFunc(v.c.table, func(m Metric) bool { return m.Tag == "inter_token_latency" })
	if at < 0 || v.hides(m.Tag) {
		return
	}
	placed := v.placed(at)
	var tokens, decode []float64
	for _, place := range places {
		if s := v.spans[place]; placed[place] > 0 {
			took := seconds(s.last - s.first)
			tokens, decode = append(tokens, took/placed[place]), append(decode, took)
		}
	}
	if len(tokens) == 0 {
		return
	}
	e := series.Ratio(tokens, decode, p.InFlight)
	p.Rates = append(p.Rates, Rate{Metric: m, Value: e.Value, Low: e.Low, High: e.High, Why: e.Why})
}

// population is a latency, by its index in the table and in latencies, of the
// requests from one place in the order to another; false where none of them is
// known to have it.
func (v *view) population(metric, latency, from, to int) (population, bool) {
	if v.c.columns[metric].len() == 0 {
		return population{}, false
	}
	placed := v.placed(metric)
	p := population{values: make([]float64, 0, to-from)}
	known, cut := 0, make([]bool, 0, to-from)
	for _, place := range v.order[from:to] {
		value, bound := placed[place], false
		if b := v.broken[place]; b != nil {
			value, bound = b.least[latency], !b.known[latency] && !b.failed
			if b.failed {
				value = math.Inf(1)
				p.failed++
			}
		}
		if math.IsNaN(value) {
			continue
		}
		if !math.IsInf(value, 1) && !bound {
			known++
		}
		p.values, cut = append(p.values, value), append(cut, bound)
	}
	if slices.Contains(cut, true) {
		p.cut = cut
	}
	return p, known > 0
}

// answers are the values of a metric, by its index in the table, of valid
// replies in the order of their starts.
func (v *view) answers(metric int) []float64 {
	placed := v.placed(metric)
	values := make([]float64, 0, len(v.order))
	for _, place := range v.order {
		if !math.IsNaN(placed[place]) {
			values = append(values, placed[place])
		}
	}
	return values
}

// placed are the values of a metric by the places of requests, NaN where there
// is none.
func (v *view) placed(metric int) []float64 {
	column := &v.c.columns[metric]
	v.c.scratch = column.values(v.c.scratch[:0])
	placed := slices.Repeat([]float64{math.NaN()}, len(v.spans))
	column.spread(v.c.scratch, placed)
	return placed
}

// whole is all that was measured; nil where nothing was sent.
func (v *view) whole() *Part {
	begin, end, ok := v.c.times.window()
	if !ok {
		return nil
	}
	p := v.part(begin, end, 0, len(v.order), end-begin)
	if v.holdsStart {
		p.without(HoldsStart)
	}
	return &p
}
