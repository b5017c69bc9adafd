package hidden

import (
	"context"
	"fmt"

	"headway/internal/twin"
	"headway/internal/twin/fit"
)

// Trial is one server, the twin that was fitted to it, and what that foretold.
type Trial struct {
	Key    uint64
	Server *Server
	Twin   *twin.File
	// Others are loads that the fit has not seen, foretold and measured.
	Others []twin.Judged
}

// Try calibrates and judges a twin of the server of a key.
func Try(ctx context.Context, key uint64) (*Trial, error) {
	s := New(key)
	asked, err := s.probes(ctx)
	if err != nil {
		return nil, fmt.Errorf("hidden server %d: measuring probes: %w", key, err)
	}
	t := &Trial{Key: key, Server: s}
	if t.Twin, err = fit.Make(ctx, asked); err != nil {
		return nil, fmt.Errorf("hidden server %d: fitting: %w", key, err)
	}
	others, err := s.others(ctx)
	if err != nil {
		return nil, fmt.Errorf("hidden server %d: measuring other loads: %w", key, err)
	}
	if t.Others, err = fit.Judge(ctx, t.Twin, others); err != nil {
		return nil, fmt.Errorf("hidden server %d: judging: %w", key, err)
	}
	return t, nil
}

// probes are what a calibration of a few minutes measures.
func (s *Server) probes(ctx context.Context) (fit.Asked, error) {
	a := fit.Asked{Data: fit.Data{Engine: s.Engine}}
	for _, isl := range []int{100, 2000, 7000} {
		l := closed(1, 1, isl, 1)
		if err := s.measure(ctx, l, 3); err != nil {
			return a, err
		}
		a.Points = append(a.Points, fit.Point{Sequences: 1, ISL: isl, OSL: 1, TTFT: float64(l.Seen[0].First) / 1e6})
	}
	for _, n := range []int{1, 60, 150, 300} {
		p := fit.Point{Sequences: n, ISL: 1500, OSL: 200}
		p.ITL = s.Model.Gap(n, p.ISL+p.OSL/2)
		a.Points = append(a.Points, p)
	}
	var err error
	if a.Loads, err = s.loads(ctx, []shape{{seed: 5, requests: 32, concurrency: 8, isl: 1000, osl: 60},
		{key: 21, seed: 11, requests: 150, share: 0.6, isl: 1000, osl: 60}}); err != nil {
		return a, err
	}
	a.HeldOut, err = s.loads(ctx, []shape{{key: 22, seed: 11, requests: 150, share: 0.3, isl: 700, osl: 80},
		{key: 23, seed: 11, requests: 150, share: 0.75, isl: 1000, osl: 60}})
	return a, err
}

// others are loads to foretell.
func (s *Server) others(ctx context.Context) ([]*fit.Load, error) {
	return s.loads(ctx, []shape{
		{key: 31, seed: 11, requests: 200, share: 0.45, isl: 1200, osl: 60},
		{key: 32, seed: 11, requests: 200, share: 0.7, isl: 500, osl: 50},
		{key: 33, seed: 11, requests: 200, share: 0.85, isl: 900, osl: 60},
		{seed: 34, requests: 128, concurrency: 16, isl: 800, osl: 60},
	})
}
