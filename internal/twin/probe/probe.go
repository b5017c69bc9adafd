package probe

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"headway/internal/twin/fit"
	"headway/workload"
)

// Probe is one load of a calibration.
type Probe struct {
	// Name is that of its folder, Teaches what the fit learns from it.
	Name, Teaches string
	Requests      int
	// Concurrency is how many requests are in flight at a time; where Rate or Gap
	// is set it is an upper bound.
	Concurrency int
	// Rate is that of a Poisson process, requests/s; 0 has none.
	Rate float64
	// Burst requests come at once, every Gap; 0 has no bursts.
	Burst int
	Gap   time.Duration
	// Shapes are the lengths of requests, taken in turn.
	Shapes []Shape
	// HeldOut is never fitted, Again is compared with the first probe alone.
	HeldOut, Again bool
}

// Shape is the lengths of a request in tokens. The prompt's is drawn from
// ISL·(1−Spread) to ISL·(1+Spread).
type Shape struct {
	ISL, OSL int
	Spread   float64
}

func (p Probe) timed() bool { return p.Rate > 0 || p.Gap > 0 }

// longest is the tokens of the longest request, prompt and reply together.
func (p Probe) longest() int {
	most := 0
	for _, s := range p.Shapes {
		most = max(most, int(math.Ceil(float64(s.ISL)*(1+s.Spread)))+s.OSL)
	}
	return most
}

// source is the requests. No two of them share a prompt.
func (p Probe) source(key workload.Key) workload.Source {
	return func(yield func(workload.Request, error) bool) {
		at := 0.0
		for i := range p.Requests {
			r := p.request(key.Index(i), i)
			switch {
			case p.Rate > 0:
				at += key.Index(i).Named("gap").Rand().ExpFloat64() / p.Rate
				r.At, r.Timed = time.Duration(at*1e9), true
			case p.Gap > 0:
				r.At, r.Timed = time.Duration(i/p.Burst)*p.Gap, true
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (p Probe) request(key workload.Key, i int) workload.Request {
	s := p.Shapes[i%len(p.Shapes)]
	isl := float64(s.ISL) * (1 + s.Spread*(2*key.Named("length").Rand().Float64()-1))
	return workload.Request{Index: i, Session: strconv.FormatUint(uint64(key), 36), Turns: 1,
		Prompt: workload.Prompt{Tokens: max(int(math.Round(isl)), 1), Key: key}, OutputTokens: s.OSL}
}

// plan is the probe as it is driven. A reply that is under way is waited for.
func (p Probe) plan(key workload.Key) workload.Plan {
	return workload.Plan{Source: p.source(key), Requests: p.Requests, Concurrency: p.Concurrency, Grace: -1}
}

// load is the probe as the fit simulates it.
func (p Probe) load(key workload.Key) *fit.Load {
	l := &fit.Load{Name: p.Name}
	if !p.timed() {
		l.Concurrency = p.Concurrency
	}
	for r := range p.source(key) {
		l.Requests = append(l.Requests, fit.Request{At: r.At, ISL: r.Prompt.Tokens, OSL: r.OutputTokens})
	}
	return l
}

// Text says what the probe sends.
func (p Probe) Text() string {
	lengths := ""
	for i, s := range p.Shapes {
		if i > 0 {
			lengths += ", "
		}
		spread := ""
		if s.Spread > 0 {
			spread = fmt.Sprintf(" ± %.0f %%", 100*s.Spread)
		}
		lengths += fmt.Sprintf("%d%s in, %d out", s.ISL, spread, s.OSL)
	}
	how := fmt.Sprintf("%d at a time", p.Concurrency)
	switch {
	case p.Rate > 0:
		how = fmt.Sprintf("%.3g/s", p.Rate)
	case p.Gap > 0:
		how = fmt.Sprintf("%d at once every %.3g s", p.Burst, p.Gap.Seconds())
	}
	return fmt.Sprintf("%d requests, %s, of %s tokens", p.Requests, how, lengths)
}
