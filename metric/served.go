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
		s.output(v.perChunk, func(tokens float64, from, to record.Time) {
			came += tokens * share(from, to, begin, end)
		})
		total.output += came
		if s.osl <= 0 && s.of == &v.c.times {
			total.assumed += came
		}
	}
	if total.output > 0 {
		p.Assumed = total.assumed / total.output
	}
	came, spread := v.pieces(p, begin, end)
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
		p.Rates = append(p.Rates,
			rateOf(m, r.amount(total)/r.over, amounts(came, r.amount, r.over), amounts(spread, r.amount, r.over), p))
	}
}

// rateOf is a rate with its interval, of a total amount, in pieces of equal time
// as it came and spread over the requests' time in flight. By how much the
// spreading moves the total is known, and moves the rate by no more.
func rateOf(m Metric, total float64, came, spread []float64, p *Part) Rate {
	r := Rate{Metric: m, Value: total / p.Duration, Low: math.NaN(), High: math.NaN(), Why: series.TooShort}
	if len(came) == 0 {
		return r
	}
	// A request that spans several pieces makes them alike.
	latency := p.InFlight * p.Duration / float64(max(1, p.Requests))
	together := max(1, latency*float64(len(came))/p.Duration)
	e := series.Delivery(came, spread, together)
	if m.Tag == "goodput" {
		// Whether requests are good is remembered as long as their latencies are.
		e = series.New(came, together).Mean()
	}
	if r.Why = e.Why; e.Known() && e.Value > 0 {
		moved := math.Abs(total - sum(spread))
		half := (e.HalfWidth()*float64(len(came)) + moved) / p.Duration
		r.Low, r.High = r.Value-half, r.Value+half
	}
	return r
}

// amounts are those of pieces, divided by a number.
func amounts(pieces []served, amount func(served) float64, over float64) []float64 {
	list := make([]float64, len(pieces))
	for i, s := range pieces {
		list[i] = amount(s) / over
	}
	return list
}

// piecesMost bounds the pieces that a part is cut into, and requestsPiece is
// how many requests a piece has at the least.
const piecesMost, requestsPiece = 1024, 4

// pieces are what was served in pieces of equal time: as it came, and with the
// tokens of a request spread over its time in flight. Where replies of one length
// go in step their tokens come in waves, which in a few of them are the greatest
// movement there is and say nothing about the rate.
func (v *view) pieces(p *Part, begin, end record.Time) (came, spread []served) {
	n := min(piecesMost, p.Requests/requestsPiece)
	if n == 0 {
		return nil, nil
	}
	came, spread = make([]served, n), make([]served, n)
	edge := func(i int) record.Time { return begin + record.Time(float64(end-begin)*float64(i)/float64(n)) }
	piece := func(at record.Time) int {
		return max(0, min(n-1, int(float64(at-begin)*float64(n)/float64(end-begin))))
	}
	for _, s := range v.flights {
		if s.end <= begin || s.start >= end {
			continue
		}
		whole := s.servedBy(s.start, s.end)
		s.output(v.perChunk, func(tokens float64, from, to record.Time) {
			whole.output += tokens
			if from == to {
				if from > begin && from <= end {
					came[piece(from)].output += tokens
				}
				return
			}
			for i := piece(from); i <= piece(to); i++ {
				came[i].output += tokens * share(from, to, edge(i), edge(i+1))
			}
		})
		for i := piece(s.start); i <= piece(s.end); i++ {
			came[i].add(s.servedBy(edge(i), edge(i+1)))
			spread[i].add(whole.times(share(s.start, s.end, edge(i), edge(i+1))))
		}
	}
	return came, spread
}

func (s *served) add(a served) {
	s.replies += a.replies
	s.good += a.good
	s.output += a.output
	s.input += a.input
	s.assumed += a.assumed
}

func (s served) times(k float64) served {
	return served{replies: k * s.replies, good: k * s.good, output: k * s.output, input: k * s.input}
}

func (s served) tokens() float64 { return s.input + s.output }
