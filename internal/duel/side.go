package duel

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"headway/internal/options"
	"headway/internal/router"
	"headway/internal/study"
	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// side is one of the two.
type side struct {
	name string // A or B
	at   int    // 0 or 1
	book study.Book
	// setup is of a live side, simulated of one in virtual time.
	setup     *study.Setup
	simulated *options.Cluster
	died      func() error // why its server has ended; nil where it was not started here
}

// run is a run of a side as a referee reads it.
type run struct{ *report.Report }

// Samples are the values of the requests, in base units.
func (r run) Samples(tag string) (all []float64) {
	for _, s := range r.Result.Samples[tag] {
		all = append(all, s.Value)
	}
	return all
}

// Requests is how many were answered or failed.
func (r run) Requests() int { return r.Result.OK + r.Result.Failed }

// blockSeed is the seed of both sides in a block: 53 bits, as all seeds.
func (s *Study) blockSeed(block int) uint64 {
	return uint64(workload.Seed(s.seed).Named("duel block").Index(block)) >> 11
}

// measure makes a side's run of a block, or keeps that of an earlier call.
func (s *Study) measure(ctx context.Context, d *side, block int) (rep *report.Report, kept bool, err error) {
	dir := filepath.Join(d.book.Dir, fmt.Sprintf("block_%04d", block+1))
	seed := s.blockSeed(block)
	id := fmt.Sprintf("%012x", uint64(workload.Seed(seed).Named(d.name))>>16)
	if d.simulated != nil {
		return s.simulate(ctx, d, dir, seed, id, block)
	}
	g := d.setup
	g.Header.Seed = seed
	m, err := g.Measurement(s.plan, "", d.at+2*attempts(dir), dir) // the text is the side's, all else is the block's
	if err != nil {
		return nil, false, err
	}
	g.Control(&m, s.Options.Controls)
	m.Header.ID, m.Header.Repeat, m.Metrics.Samples = id, block, true
	m.At = study.Point{"side": d.name, "block": fmt.Sprint(block + 1)}
	if m.Watch = s.Watch; s.Options.Interleave {
		m.Watch = nil // a page shows one measurement at a time
	}
	before := m.Before
	m.Before = func(ctx context.Context) error {
		if pause := time.Duration(s.Options.Pause); !s.sleep(ctx, pause) {
			return ctx.Err()
		}
		if before == nil {
			return nil
		}
		return before(ctx)
	}
	return d.book.Measure(ctx, dir, m)
}

// attempts is 0 for a run that was never begun. One that was cut off has sent text that
// the server may have in its cache, so that it gets another, by when it was begun.
func attempts(dir string) int {
	was, err := os.Stat(dir)
	if err != nil {
		return 0
	}
	return int(was.ModTime().UnixMilli() & 0xffffffff)
}

// simulate is the same in virtual time.
func (s *Study) simulate(ctx context.Context, d *side, dir string, seed uint64, id string, block int) (*report.Report,
	bool, error) {
	cfg, err := d.simulated.Config(router.RoundRobin, 1, seed+uint64(d.at))
	if err != nil {
		return nil, false, err
	}
	cfg.TokenArrivals = false
	plan, err := s.plan.Make(workload.Stream{Run: "duel"}.Key(seed))
	if err != nil {
		return nil, false, err
	}
	h := s.header
	h.Seed, h.ID, h.Repeat = seed, id, block
	h.Concurrency, h.Rate, h.Arrivals = plan.Concurrency, s.plan.Rate.Value, s.plan.ArrivalName()
	m := metric.Options{Streaming: true, Samples: true, Goodput: s.goodput}
	if !s.plan.Rate.Set {
		m.Concurrency = plan.Concurrency
	}
	return d.book.Simulate(ctx, dir, study.Simulation{Header: h, Plan: plan, Cluster: cfg, Metrics: m, Lines: true})
}

// fits finds requests that a simulated side can never run.
func (s *Study) fits(d *side) error {
	cfg, err := d.simulated.Config(router.RoundRobin, 1, 0)
	if err != nil {
		return fmt.Errorf("side %s: %w", d.name, err)
	}
	plan, err := s.plan.Make(workload.Stream{Run: "duel"}.Key(s.blockSeed(0)))
	if err == nil {
		err = study.Fits(cfg, plan.Source)
	}
	return err
}

// Fault is why a run says that its side is broken, nil where it does not; most is how
// many of the requests may fail, in percent.
func (s *Study) fault(d *side, rep *report.Report, block int) error {
	if d.died != nil {
		if err := d.died(); err != nil {
			return fmt.Errorf("side %s ended in block %d: %w", d.name, block+1, err)
		}
	}
	if d.setup != nil {
		if err := d.setup.Advise(rep); err != nil {
			return fmt.Errorf("side %s is broken, in block %d: %w", d.name, block+1, err)
		}
	}
	r := rep.Result
	share := 100 * float64(r.Failed) / float64(max(1, r.OK+r.Failed))
	if share <= s.Options.MaxFailed {
		return nil
	}
	why := ""
	if len(r.Failures) > 0 {
		why = ": " + r.Failures[0].Failure.Described()
	}
	return brokenError{d.name, block + 1, share, s.Options.MaxFailed, why}
}

// brokenError says that too many requests of a side failed.
type brokenError struct {
	side  string
	block int
	share float64
	most  float64
	why   string
}

func (e brokenError) Error() string {
	return fmt.Sprintf("side %s is broken: %.3g %% of the requests of block %d failed, --max-failed allows %g %%%s",
		e.side, e.share, e.block, e.most, e.why)
}

// Failed is how many failed.
func (r run) Failed() int { return r.Result.Failed }

// lasted is how long a run took, in its own time.
func lasted(r record.Run) time.Duration { return time.Duration(max(0, r.End-r.Begin)) }
