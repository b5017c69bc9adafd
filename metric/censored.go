package metric

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"headway/internal/series"
)

// CutOff is why a figure has no interval, or is only bounded: it depends on
// what requests that we ended ourselves would have taken.
const CutOff Reason = "cut_off"

// resamples is how many resampled runs the interval of a quantile among
// requests that were cut off is of.
const resamples = 200

// blocksLeast is how many blocks of requests a run must have for it, and
// blocksMost how many it is cut into at the most.
const blocksLeast, blocksMost = 10, 40

// censored are the quantiles of a population some of whose values are known
// only to be at least what had passed: by the product-limit estimator (Kaplan
// and Meier, J. American Statistical Association 53, 1958), in which a request
// counts until the time that it was ended at. A failed request counts to the
// end: it is an answer that never came. A quantile that the estimator does not
// reach is at least the longest time that any request was watched for.
//
// Greenwood's formula for its variance takes requests as independent. The
// intervals here are percentiles of runs that are resampled in blocks of
// neighbouring starts, so that requests that met in a queue stay together
// (Künsch, Annals of Statistics 17, 1989; circular blocks as Politis and Romano,
// 1992).
func (p population) censored(together float64) []Quantile {
	order := p.ascending()
	weights := make([]float64, len(p.values))
	for i := range weights {
		weights[i] = 1
	}
	list := make([]Quantile, len(percents))
	for i, at := range p.productLimit(order, weights) {
		q := percents[i]
		list[i] = Quantile{
			Q: float64(q) / 100, Value: at.value, AtLeast: !at.reached, Low: math.NaN(), High: math.NaN(), Why: CutOff,
			Few: len(p.values)*min(q, 100-q) < 100*enough,
		}
	}
	p.resampled(order, list, together)
	return list
}

// resampled gives each quantile the interval of resampled runs.
func (p population) resampled(order []int, list []Quantile, together float64) {
	n := len(p.values)
	blocks := min(blocksMost, int(float64(n)/max(1, together)))
	if blocks < blocksLeast {
		for i := range list {
			list[i].Why = series.TooShort
		}
		return
	}
	length := (n + blocks - 1) / blocks
	random := rand.New(rand.NewPCG(1, uint64(n)))
	found := make([][]reached, len(list))
	weights := make([]float64, n)
	for range resamples {
		clear(weights)
		for range blocks {
			from := random.IntN(n)
			for k := range length {
				weights[(from+k)%n]++
			}
		}
		for i, at := range p.productLimit(order, weights) {
			found[i] = append(found[i], at)
		}
	}
	for i := range list {
		list[i].bounded(found[i])
	}
}

// bounded takes the interval from the quantile's values in resampled runs. One
// that a resample does not reach lies above all that it does.
func (q *Quantile) bounded(found []reached) {
	slices.SortFunc(found, func(a, b reached) int {
		if a.reached != b.reached {
			if a.reached {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.value, b.value)
	})
	low, high := found[resamples*25/1000], found[resamples-1-resamples*25/1000]
	if q.AtLeast || !low.reached || !high.reached || math.IsInf(high.value, 1) {
		if math.IsInf(q.Value, 1) || math.IsInf(high.value, 1) {
			q.Why = series.Infinite
		}
		return
	}
	q.Low, q.High, q.Why = min(low.value, q.Value), max(high.value, q.Value), ""
}

// reached is a quantile, or the time up to which it was not reached.
type reached struct {
	value   float64
	reached bool
}

// ascending is the order of the values; of equal ones those that are known come
// first, since a request that was ended at a time was still waiting at it.
func (p population) ascending() []int {
	order := make([]int, len(p.values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if c := cmp.Compare(p.values[a], p.values[b]); c != 0 {
			return c
		}
		switch {
		case p.cut[a] == p.cut[b]:
			return cmp.Compare(a, b)
		case p.cut[b]:
			return -1
		}
		return 1
	})
	return order
}

// productLimit is the least time at which the share of requests that are still
// waiting is at most 1 − q, for each of percents. Failed requests wait for ever:
// they are at risk throughout, and a quantile is infinite where they alone are
// more than 1 − q of all.
func (p population) productLimit(order []int, weights []float64) []reached {
	at := make([]reached, 0, len(percents))
	all := sum(slices.Clone(weights))
	risk, waiting, last := all, 1.0, 0.0
	for _, i := range order {
		w := weights[i]
		if w == 0 || math.IsInf(p.values[i], 1) {
			continue
		}
		last = p.values[i]
		if !p.cut[i] {
			waiting *= max(0, 1-w/risk)
			for len(at) < len(percents) && waiting <= left(len(at)) {
				at = append(at, reached{last, true})
			}
		}
		risk -= w
	}
	failed := risk / all
	for len(at) < len(percents) {
		if failed > left(len(at)) {
			at = append(at, reached{math.Inf(1), true})
		} else {
			at = append(at, reached{last, false})
		}
	}
	return at
}

// left is the share above one of percents, with room for rounding.
func left(i int) float64 { return 1 - float64(percents[i])/100 + 1e-12 }
