package metric

import (
	"math"

	"headway/internal/series"
	"headway/record"
)

// served is what came in a stretch of a run, of whichever request.
//
// Replies count by the share of their time in flight that lies inside: to count
// those that ended inside would be too few, since a stretch begins with all
// requests new and ends with all but one still running. Tokens count where they
// came, also those of replies that were broken off later; tokens that came at
// one instant, as those of a reply that is no stream, count like their request.
// A prompt's tokens are spread over the time to the first text.
type served struct {
	replies, good, output, input float64
	assumed                      float64 // of output, what nobody counted, in measured replies
}

// servedBy is a request's share of a stretch, but for its output.
func (s flight) servedBy(begin, end record.Time) served {
	var a served
	if s.is(spanValid) {
		a.replies = share(s.start, s.end, begin, end)
		if s.is(spanGood) {
			a.good = a.replies
		}
	}
	if !s.is(spanText) {
		return a
	}
	if s.isl > 0 {
		a.input = float64(s.isl) * share(s.start, s.first, begin, end)
	}
	return a
}

// output calls add with a request's output tokens and when they came: some at
// an instant, or some spread evenly from one to another. perChunk is how many
// tokens a chunk has where nobody counted them.
//
// Where the run has too many chunks to know when each came, a reply's tokens
// are spread from its first to its last. Only requests that were in flight at
// an end of a stretch are touched by that.
func (s flight) output(perChunk float64, add func(tokens float64, from, to record.Time)) {
	tokens := float64(s.osl)
	if s.osl <= 0 {
		tokens = perChunk * float64(s.count)
	}
	switch {
	case !s.is(spanText) || tokens == 0:
		return
	case s.last <= s.first:
		add(tokens, s.start, s.end)
		return
	case !s.of.exact() || s.is(spanSparse):
		add(tokens, s.first, s.last)
		return
	}
	var all uint64
	for _, c := range s.of.chunksOf(s.span) {
		all += uint64(c.tokens)
	}
	at := s.first
	for _, c := range s.of.chunksOf(s.span) {
		at += c.gap
		if c.tokens > 0 {
			add(tokens*(float64(c.tokens)/float64(all)), at, at)
		}
	}
}

// rates says what was served in a part, and how surely: by the same counts in
// pieces of equal time.
func (v *view) rates(p *Part, begin, end record.Time) {
	total := served{}
	for _, s := range v.flights {
		total.add(s.servedBy(begin, end))
		came := 0.0
		s.output(v.perChunk, func(tokens float64, from, to record.Time) { came += tokens * share(from, to, begin, end) })
		total.output += came
		if s.osl <= 0 && s.of == &v.c.times {
			total.assumed += came
		}
	}
	if total.output > 0 {
		p.Assumed = total.assumed / total.output
	}
	pieces := v.pieces(p, begin, end)
	gpus := float64(v.c.options.NumGPUs)
	output, input := v.c.times.lack.out() && total.output > 0, v.c.times.lack.in() && total.input > 0
	for _, r := range []struct {
		tag    string
		known  bool
		over   float64
		amount func(served) float64
	}{
		{"output_token_throughput", output, 1, func(s served) float64 { return s.output }},
		{"input_token_throughput", input, 1, func(s served) float64 { return s.input }},
		{"total_token_throughput", output && input, 1, served.tokens},
		{"output_token_throughput_per_gpu", output, gpus, func(s served) float64 { return s.output }},
		{"total_token_throughput_per_gpu", output && input, gpus, served.tokens},
		{"request_throughput", v.answered, 1, func(s served) float64 { return s.replies }},
		{"goodput", v.c.totals.Goals && v.answered && !v.hides("goodput"), 1, func(s served) float64 { return s.good }},
	} {
		m, ok := Lookup(r.tag)
		if !ok || !r.known || r.over == 0 {
			continue
		}
		p.Rates = append(p.Rates, rateOf(m, r.amount(total)/p.Duration/r.over, pieces, r.amount, p))
	}
}

// rateOf is a rate with its interval.
func rateOf(m Metric, value float64, pieces []served, amount func(served) float64, p *Part) Rate {
	r := Rate{Metric: m, Value: value, Low: math.NaN(), High: math.NaN(), Why: series.TooShort}
	if len(pieces) == 0 {
		return r
	}
	counts := make([]float64, len(pieces))
	for i, s := range pieces {
		counts[i] = amount(s)
	}
	// A request that spans several pieces makes them alike.
	latency := p.Together * p.Duration / float64(max(1, p.Requests))
	together := max(1, latency*float64(len(pieces))/p.Duration)
	e := series.Delivery(counts, together)
	if m.Tag == "goodput" {
		// Whether requests are good is remembered as long as their latencies are.
		e = series.New(counts, together).Mean()
	}
	if r.Why = e.Why; e.Known() && e.Value > 0 {
		r.Low, r.High = value*e.Low/e.Value, value*e.High/e.Value
	}
	return r
}

// piecesMost bounds the pieces that a part is cut into, and requestsPiece is
// how many requests a piece has at the least.
const piecesMost, requestsPiece = 1024, 4

// pieces are what was served in pieces of equal time.
func (v *view) pieces(p *Part, begin, end record.Time) []served {
	n := min(piecesMost, p.Requests/requestsPiece)
	if n == 0 {
		return nil
	}
	list := make([]served, n)
	edge := func(i int) record.Time { return begin + record.Time(float64(end-begin)*float64(i)/float64(n)) }
	piece := func(at record.Time) int {
		return max(0, min(n-1, int(float64(at-begin)*float64(n)/float64(end-begin))))
	}
	for _, s := range v.flights {
		if s.end <= begin || s.start >= end {
			continue
		}
		for i := piece(s.start); i <= piece(s.end); i++ {
			list[i].add(s.servedBy(edge(i), edge(i+1)))
		}
		s.output(v.perChunk, func(tokens float64, from, to record.Time) {
			if from == to {
				if from > begin && from <= end {
					list[piece(from)].output += tokens
				}
				return
			}
			for i := piece(from); i <= piece(to); i++ {
				list[i].output += tokens * share(from, to, edge(i), edge(i+1))
			}
		})
	}
	return list
}

func (s *served) add(a served) {
	s.replies += a.replies
	s.good += a.good
	s.output += a.output
	s.input += a.input
	s.assumed += a.assumed
}

func (s served) tokens() float64 { return s.input + s.output }
