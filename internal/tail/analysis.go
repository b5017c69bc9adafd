package tail

import (
	"cmp"
	"fmt"
	"slices"

	"headway/internal/series"
	"headway/metric"
)

// slowestShare of the requests, and at least one, are the slowest.
const slowestShare = 0.05

// leastRequests is how many answers there must be for any to be slow.
const leastRequests = 20

type analysis struct {
	server   Server
	workers  map[string]*worker
	transfer float64 // seconds a token of the prompt
}

// Analyse says where the time of a run's requests went; nil where fewer than 20 were
// answered with a stream, so that none can be called slow. The Evidence stays as it is.
func Analyse(e *Evidence, s Server) *Result {
	switch {
	case e.over:
		return &Result{Why: fmt.Sprintf("the run has more than %d requests or %d chunks", MostRequests, MostChunks)}
	case e.sparse:
		return &Result{Why: "the times of single tokens were not kept; --token-arrivals keeps them"}
	case e.measured() < leastRequests:
		return nil
	}
	all := make([]*request, len(e.requests))
	for i, q := range e.requests {
		one := *q
		all[i] = &one
	}
	slices.SortFunc(all, func(a, b *request) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.index, b.index))
	})
	findMissed(all)
	a := analysis{server: s, workers: map[string]*worker{}}
	r := &Result{}
	for _, w := range workersOf(all) {
		w.analyse()
		a.workers[w.name] = w
		if w.apart {
			r.Why = "replies do not advance in step: several engines behind one name, or an engine without common steps"
		}
	}
	a.findTransfer(all)
	for _, q := range all {
		if q.measured {
			r.Requests = append(r.Requests, a.split(q, a.workers[q.prefill], a.workers[q.decode]))
		}
	}
	r.First = excess(r.Requests, func(q *Request) *Split { return &q.First })
	r.Whole = excess(r.Requests, func(q *Request) *Split { return &q.Whole })
	slices.SortFunc(r.Requests, func(a, b Request) int { return cmp.Compare(a.Index, b.Index) })
	return r
}

// measured is how many answers there are.
func (e *Evidence) measured() (n int) {
	for _, q := range e.requests {
		if q.measured {
			n++
		}
	}
	return n
}

func (w *worker) analyse() {
	w.pace = w.typicalGap()
	w.findSteps()
	if w.apart = !w.inStep(); !w.apart {
		w.findModel()
		w.sharePrompts()
	}
}

// findMissed finds what earlier turns of a conversation had sent and was computed
// again.
func findMissed(all []*request) {
	sent := map[string]*request{}
	for _, q := range all {
		before := sent[q.session]
		if before != nil && before.turn < q.turn && q.cached >= 0 {
			q.missed = max(0, min(before.in, q.in)-q.cached)
		}
		sent[q.session] = q
	}
}

// findTransfer is the time that a token of the prompt takes between two workers: the
// least that all but a tenth of the requests took.
func (a *analysis) findTransfer(all []*request) {
	var rates []float64
	for _, q := range all {
		if q.prefill != q.decode && len(q.at) > 1 && q.in > 0 {
			base := a.workers[q.decode].steps[q.steps[1]].base
			rates = append(rates, max(0, q.at[1]-q.at[0]-base)/float64(q.in))
		}
	}
	if len(rates) > 0 {
		slices.Sort(rates)
		a.transfer = series.Percentile(rates, 10)
	}
}

// excess sets the slowest against those in the middle.
func excess(all []Request, of func(*Request) *Split) Excess {
	list := slices.Clone(all)
	slices.SortStableFunc(list, func(a, b Request) int {
		return cmp.Or(cmp.Compare(of(&b).Total(), of(&a).Total()), cmp.Compare(a.Index, b.Index))
	})
	n := float64(len(list))
	e := Excess{Slowest: max(1, int(slowestShare*n))}
	e.Typical = meanOf(list[int(0.4*n):max(int(0.4*n)+1, int(0.6*n))], of)
	e.Slow = meanOf(list[:e.Slowest], of)
	e.Over = e.Slow.Plus(e.Typical, -1)
	for i := range list[:e.Slowest] {
		took := *of(&list[i])
		e.Each = append(e.Each, metric.SlowRequest{Index: list[i].Index, Took: took.Total(),
			Over: took.Plus(e.Typical, -1)})
	}
	return e
}

func meanOf(list []Request, of func(*Request) *Split) (mean Split) {
	for i := range list {
		mean = mean.Plus(*of(&list[i]), 1/float64(len(list)))
	}
	return mean
}
