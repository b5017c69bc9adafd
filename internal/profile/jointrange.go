package profile

import (
	"encoding/json"
	"math"
)

// Range is where a figure lies by the intervals, at [Confidence], of the points
// that it follows from. High is infinite where nothing bounds it, and null in
// JSON.
type Range struct{ Low, High float64 }

// MarshalJSON writes both ends.
func (r Range) MarshalJSON() ([]byte, error) {
	ends := struct {
		Low  float64  `json:"low"`
		High *float64 `json:"high"`
	}{Low: r.Low}
	if !math.IsInf(r.High, 1) {
		ends.High = &r.High
	}
	return json.Marshal(ends)
}

// UnmarshalJSON reads both ends.
func (r *Range) UnmarshalJSON(text []byte) error {
	var ends struct {
		Low  float64  `json:"low"`
		High *float64 `json:"high"`
	}
	if err := json.Unmarshal(text, &ends); err != nil {
		return err
	}
	r.Low, r.High = ends.Low, math.Inf(1)
	if ends.High != nil {
		r.High = *ends.High
	}
	return nil
}

// within fills in the ranges of a disaggregated deployment: its rates and its
// cost with both points at the bad ends of their intervals, and with both at
// the good ends. That is at least as wide as an interval of the smaller of the
// two pools' rates has to be, since each end is passed only if a point passes
// its own. Which workers, and how many, stays.
func (d Demand) within(x *Deployment, t SLO) {
	p, q := x.prefill, x.decode
	if p.Trial.Throughput.N < 2 || p.Trial.TTFT.N < 2 || q.Trial.Throughput.N < 2 {
		return
	}
	at := func(side float64) Deployment {
		p, q := p.shifted(side), q.shifted(side)
		n, m := x.Prefill.Workers, x.Decode.Workers
		return d.deployment(p, q, n, m, d.prefillRate(p, n, t), q.RequestRate(d.ISL, d.OSL)*decodeShare)
	}
	bad, good := at(-1), at(1)
	x.Prefill.AlwaysBusyRange = &Range{bad.Prefill.AlwaysBusy, good.Prefill.AlwaysBusy}
	x.Decode.AlwaysBusyRange = &Range{bad.Decode.AlwaysBusy, good.Decode.AlwaysBusy}
	x.RequestRateRange = &Range{bad.RequestRate, good.RequestRate}
	x.ServedRange = &Range{bad.Served, good.Served}
	x.CostRange = &Range{good.Per1000Requests, bad.Per1000Requests}
}

// shifted is the pick at an end of its intervals: with less throughput and a
// longer TTFT on side -1, the other way round on side 1.
func (p Pick) shifted(side float64) Pick {
	rate, ttft := &p.Trial.Throughput, &p.Trial.TTFT
	rate.Mean = max(rate.Mean+side*rate.HalfWidth(), 0)
	ttft.Mean = max(ttft.Mean-side*ttft.HalfWidth(), 0)
	return p
}
