package hidden

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"headway/internal/engine"
	"headway/internal/twin"
	"headway/internal/twin/fit"
	"headway/workload"
)

// Server is a server whose numbers a fit does not know.
type Server struct {
	Engine twin.Engine
	Model  twin.Model
}

// New draws a server: of even keys vLLM's scheduler, of odd ones SGLang's. Weights are
// from 1 to 60 ms and compute from 2 to 300 µs a token, equally often in each factor;
// every other parameter is drawn around the usual one with a standard deviation of
// 0.35 in its logarithm.
func New(key uint64) *Server {
	s := &Server{Engine: twin.Engine{Type: engine.VLLM, MaxNumSeqs: 1024, MaxNumBatchedTokens: 8192, Blocks: 56057,
		BlockSize: 16}}
	if key%2 == 1 {
		s.Engine.Type = engine.SGLang
	}
	s.Model = twin.UsualOf(s.Engine.Type)
	random := workload.Seed(key).Rand()
	s.Model.Weights = 1 * math.Pow(60, random.Float64())
	s.Model.Compute = 2 * math.Pow(150, random.Float64())
	for _, p := range twin.Parameters {
		s.draw(p, random)
	}
	return s
}

func (s *Server) draw(p twin.Parameter, random *rand.Rand) {
	switch p.Name {
	case "weights_ms", "compute_us_per_token", "kv_alone_ns_per_token":
		return
	}
	v := p.Of(&s.Model)
	*v = min(max(*v*math.Exp(0.35*random.NormFloat64()), p.Low), p.High)
}

// measure runs a load on the server.
func (s *Server) measure(ctx context.Context, l *fit.Load, seed uint64) (err error) {
	l.Seen, err = fit.Simulate(ctx, s.Engine, &s.Model, l, seed)
	return err
}

// shape is a load to be measured: so many requests at a share of what the server can
// do, or in a closed loop.
type shape struct {
	key, seed   uint64
	requests    int
	share       float64
	concurrency int
	isl, osl    int
}

// load measures a shape.
func (s *Server) load(ctx context.Context, a shape) (*fit.Load, error) {
	if a.concurrency > 0 {
		l := closed(a.concurrency, a.requests, a.isl, a.osl)
		return l, s.measure(ctx, l, a.seed)
	}
	full := closed(48, 96, a.isl, a.osl)
	if err := s.measure(ctx, full, 7); err != nil {
		return nil, err
	}
	end := time.Duration(0)
	for _, t := range full.Seen {
		end = max(end, t.Start+t.Total)
	}
	l := open(a, a.share*float64(len(full.Seen))/end.Seconds())
	return l, s.measure(ctx, l, a.seed)
}

func (s *Server) loads(ctx context.Context, all []shape) (loads []*fit.Load, err error) {
	for _, a := range all {
		l, err := s.load(ctx, a)
		if err != nil {
			return nil, err
		}
		loads = append(loads, l)
	}
	return loads, nil
}

func open(a shape, rate float64) *fit.Load {
	l := &fit.Load{Name: fmt.Sprintf("open %d", a.key)}
	r := workload.Seed(a.key).Rand()
	at := 0.0
	for range a.requests {
		at += r.ExpFloat64() / rate
		l.Requests = append(l.Requests,
			fit.Request{At: time.Duration(at * 1e9), ISL: a.isl/2 + r.IntN(a.isl), OSL: a.osl})
	}
	return l
}

func closed(concurrency, n, isl, osl int) *fit.Load {
	l := &fit.Load{Name: fmt.Sprintf("closed %d", concurrency), Concurrency: concurrency}
	for range n {
		l.Requests = append(l.Requests, fit.Request{ISL: isl, OSL: osl})
	}
	return l
}
