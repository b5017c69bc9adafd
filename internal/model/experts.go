package model

import "math"

// expertCost times the routed experts of all mixture layers on the busiest GPU.
type expertCost struct {
	layers float64
	// local is how many experts a GPU has, perToken how many a token goes
	// through, gpus over how many GPUs they are dealt.
	local, perToken, gpus float64
	// logMiss is ln(1 − perToken/total): a token misses an expert with the
	// probability exp(logMiss).
	logMiss float64
	// spread is how many standard deviations the busiest of the GPUs lies above
	// the mean.
	spread float64
	// one token through one expert, and reading one expert, at the peak, times
	// the layers.
	compute, read float64
	// router is the router's matrix.
	router matmul
}

func (s Setup) expertCost() expertCost {
	m := s.Model
	if !m.IsMoE() {
		return expertCost{}
	}
	e, shape := m.Experts, m.shape()
	layers, n := float64(e.Layers), float64(s.Mapping.ExpertSplit())
	// TP cuts every expert, so each GPU has a slice of all of them.
	slice := shape.expert
	if s.Mapping.Kind == TP {
		slice /= float64(s.Mapping.Size)
	}
	return expertCost{
		layers: layers, local: float64(e.Total) / n, perToken: float64(e.PerToken), gpus: n,
		logMiss: math.Log1p(-float64(e.PerToken) / float64(e.Total)),
		spread:  largestNormal(s.Mapping.ExpertSplit()),
		compute: layers * 2 * slice / s.GPU.rate(m.expertFormat()),
		read:    layers * slice * m.expertBytes() / s.GPU.BytesPerSecond,
		router: matmul{
			layers * 2 * shape.router / s.GPU.rate(BF16),
			layers * shape.router * m.DTypeBytes / s.GPU.BytesPerSecond,
		},
	}
}

// of is the time for so many tokens, those of all ranks.
//
// Experts are taken to be chosen uniformly. Then a GPU's expected number of
// distinct experts is local·(1 − (1 − k/E)^tokens), and its expected number of
// token-expert products tokens·k/GPUs. Everyone waits for the GPU that has most,
// which is taken spread standard deviations of a Poisson count above the mean
// and never beyond what is possible. The variance of the true counts is smaller
// once most experts are hit; using it would make more tokens read fewer
// experts on paper.
func (e *expertCost) of(tokens float64) part {
	hit := e.local * -math.Expm1(tokens*e.logMiss)
	products := tokens * e.perToken / e.gpus
	if e.spread > 0 {
		hit = min(hit+e.spread*math.Sqrt(hit), e.local, tokens*e.perToken)
		products = min(products+e.spread*math.Sqrt(products), tokens*min(e.perToken, e.local))
	}
	router := e.router.of(tokens)
	return part{products*e.compute + router.compute, hit*e.read + router.memory}
}

// largestNormal is the expected largest of n standard normal variables, by
// Blom's approximation (G. Blom, Statistical Estimates and Transformed
// Beta-Variables, 1958).
func largestNormal(n int) float64 {
	if n <= 1 {
		return 0
	}
	p := (float64(n) - 0.375) / (float64(n) + 0.25)
	return math.Sqrt2 * math.Erfinv(2*p-1)
}
