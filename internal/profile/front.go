package profile

import (
	"fmt"
	"slices"

	"headway/internal/interp"
	"headway/internal/profile/step"
)

// Served is ITL and throughput in tokens as the server counts them, where it said how
// many. Points of earlier versions say it in a warning.
func (p DecodePoint) Served() (itl, rate float64) {
	if p.ServerITL.N > 0 {
		return p.ServerITL.Mean, p.ServerThroughput.Mean
	}
	share := step.ServerTokens(p.warned())
	return p.ITL.Mean / share, p.Throughput.Mean * share
}

// Marked is a half with the points marked that the front end bounds, whose ITL is no
// time of the engine. What a prompt token takes the engine is read from the prefill
// profile in dir, where there is one. A [PrefillCurve] has no such points.
func Marked(h Half, dir string) Half {
	if s, decode := h.(DecodeSurface); decode {
		return s.marked(computeBeside(dir))
	}
	return h
}

// marked is Marked where a prompt token takes the engine compute seconds.
func (s DecodeSurface) marked(compute float64) DecodeSurface {
	marked := DecodeSurface{Facts: s.Facts, Points: slices.Clone(s.Points)}
	var loads []step.Decode
	var of []*DecodePoint
	for i := range marked.Points {
		p := &marked.Points[i]
		if p.FrontBound = false; p.Failed != "" {
			continue
		}
		itl, _ := p.Served()
		loads, of = append(loads, step.Decode{Requests: p.Requests, Context: p.Context, ITL: itl}), append(of, p)
	}
	f := step.FindFront(loads, compute)
	for i, p := range of {
		if f.Bound[i] {
			p.markFront(f.PerToken)
		}
	}
	return marked
}

func (p *DecodePoint) markFront(perToken float64) {
	p.FrontBound = true
	p.Warnings = slices.Clone(p.Warnings) // they are shared with the surface that is marked
	p.warn(fmt.Sprintf("the front end bounds ITL, not the engine: it grows with the requests alone, by about %.2g µs "+
		"for each; simulations leave the point out of the engine's times", 1e6*perToken))
}

// computeBeside is what one more prompt token takes by the prefill profile in dir, in
// seconds; 0 where there is none, or none that can be read.
func computeBeside(dir string) float64 {
	a, err := interp.ReadHalf(dir, string(Prefill), "prefill_isl", "prefill_ttft")
	if err != nil || len(a["prefill_isl"]) != len(a["prefill_ttft"]) {
		return 0
	}
	var points []step.Prefill
	for i, isl := range a["prefill_isl"] {
		if ttft := a["prefill_ttft"][i] / 1e3; isl >= 1 && ttft > 0 {
			points = append(points, step.Prefill{ISL: int(isl), TTFT: ttft})
		}
	}
	return step.Compute(points)
}

// FrontBound are the warnings of points that the front end bounds, by their names.
func FrontBound(h Half) []string {
	var all []string
	s, _ := h.(DecodeSurface)
	for _, p := range s.Points {
		if p.FrontBound {
			all = append(all, p.Name()+": "+p.Warnings[len(p.Warnings)-1])
		}
	}
	return all
}
