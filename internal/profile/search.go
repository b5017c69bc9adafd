package profile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"headway/internal/fault"
	"headway/internal/settings"
	"headway/workload"
)

// SLO is what a user may be made to wait, in seconds: TTFT for a prefill
// worker, ITL for a decode worker.
type SLO struct{ TTFT, ITL float64 }

// Of is the bound of a phase, in seconds.
func (t SLO) Of(p Phase) float64 {
	if p == Prefill {
		return t.TTFT
	}
	return t.ITL
}

// Method names a strategy.
type Method string

// The methods.
const (
	// Thorough measures every candidate, as Dynamo's profiler does.
	Thorough Method = "thorough"
	// Fast measures those that can still win, and of each the loads that
	// matter.
	Fast Method = "fast"
)

// Search finds the best worker for each phase.
type Search struct {
	Space  Space
	SLO    SLO
	Bench  Bench
	Method Method
	// Repeats is how often a load is measured; default 3. Fast stops earlier
	// where the answer is clear.
	Repeats int
	// Granularity is at how many concurrencies Thorough measures a decode
	// worker; default 6.
	Granularity int
	// Parallel is how many candidates may run at a time; default 1.
	Parallel int
	// ModelError is how far a mapping's step times may lie from the roofline
	// times a scale that is common to all mappings, as a share; default 0.3.
	// Fast reads it as the bounds of a uniform error.
	ModelError float64
	// Key names the randomness of prompts.
	Key workload.Key

	// Dir takes every candidate's outcome before the next begins; "" keeps
	// none. Settings are what has to be equal for Resume to go on in a folder;
	// without Resume one that has outcomes is refused.
	Dir      string
	Settings settings.Settings
	Resume   bool
	// Overwrite replaces the outcomes of an earlier search, once a candidate of
	// this one was measured.
	Overwrite bool
	place     *place // where outcomes go; set by Run
	// Name is what an option is called where texts of outcomes are read; nil leaves
	// options their own names.
	Name func(fault.Field) string
	// Progress, which may be nil, hears of every start and end. Calls come one
	// at a time.
	Progress func(Progress)
}

// Progress is where a search stands.
type Progress struct {
	Phase Phase
	// Started is set when a candidate begins, Ended when one has an outcome;
	// Recalled says that it was read from the folder.
	Started  *Candidate
	Ended    *Outcome
	Recalled bool
	// Left counts the candidates that are neither measured nor running. Fast
	// may never start them.
	Left int
	// Best is the pick among what is measured so far, nil before.
	Best *Pick
}

// PhaseResult is what was found for a phase.
type PhaseResult struct {
	Phase Phase
	// Outcomes has those of all candidates, pruned ones included, fewest GPUs
	// first.
	Outcomes []Outcome
	Rejected []Rejected
	// Pick is nil where no candidate could be measured.
	Pick *Pick
	// GPUMinutes is what the phase cost.
	GPUMinutes float64
	// Notes say how the strategy came to its end.
	Notes []string
}

// Result is what a search found.
type Result struct{ Prefill, Decode PhaseResult }

// GPUMinutes is what the whole search cost: GPUs times minutes of loading
// weights and measuring.
func (r Result) GPUMinutes() float64 { return r.Prefill.GPUMinutes + r.Decode.GPUMinutes }

func (s Search) withDefaults() Search {
	set := func(v *int, to int) {
		if *v == 0 {
			*v = to
		}
	}
	set(&s.Repeats, 3)
	set(&s.Granularity, 6)
	set(&s.Parallel, 1)
	if s.ModelError == 0 {
		s.ModelError = 0.3
	}
	if s.Method == "" {
		s.Method = Fast
	}
	return s
}

// Validate lists every fault, by the names of the options.
func (s Search) Validate() error {
	s = s.withDefaults()
	var bad fault.List
	bad.Join(s.Space.Validate())
	bad.When(!(s.SLO.TTFT > 0), "%s %g ms: must be above 0", fault.Field("ttft"), s.SLO.TTFT*1e3)
	bad.When(!(s.SLO.ITL > 0), "%s %g ms: must be above 0", fault.Field("itl"), s.SLO.ITL*1e3)
	bad.Check(s.Method == Thorough || s.Method == Fast, "search", s.Method, "thorough or fast")
	bad.Check(s.Repeats >= 1 && s.Repeats <= 100, "repeats", s.Repeats, "from 1 to 100")
	bad.Check(s.Granularity >= 1 && s.Granularity <= 1000, "decode-interpolation-granularity", s.Granularity,
		"from 1 to 1000")
	bad.Check(s.Parallel >= 1 && s.Parallel <= 1000, "parallel", s.Parallel, "from 1 to 1000")
	bad.Check(s.ModelError > 0 && s.ModelError < 1, "roofline-error", s.ModelError, "above 0 and below 1")
	return bad.Err()
}

// Run searches both phases. What was measured before an error, or before ctx
// ended, comes with it, and its outcomes are in the folder.
func (s Search) Run(ctx context.Context) (Result, error) {
	var r Result
	if err := s.Validate(); err != nil {
		return r, err
	}
	s = s.withDefaults()
	if err := s.Claim(); err != nil {
		return r, err
	}
	s.place = &place{folder: folder{s.Dir}, claim: s.replace, ours: !s.Overwrite}
	on, err := s.boards()
	if err != nil {
		return r, err
	}
	var how strategy = thorough{s, on}
	if s.Method == Fast {
		if how, err = newFast(s, on); err != nil {
			return r, err
		}
	}
	err = s.recall(on)
	if err == nil {
		err = s.all(ctx, on, how)
	}
	r.Prefill, r.Decode = on[Prefill].result(how.notes(Prefill)), on[Decode].result(how.notes(Decode))
	return r, err
}

// job is one start of an engine and what is measured on it.
type job struct {
	open    Candidate
	measure []Phase
}

// strategy decides what is measured. There are two: thorough and fast.
type strategy interface {
	// next is the job to start now; false when none is worth it, given what is
	// known and what is running.
	next() (job, bool)
	// measure puts the loads of a phase on an engine. The trials made before
	// an error are kept.
	measure(ctx context.Context, p *probe, phase Phase) ([]Trial, error)
	// notes say how the search of a phase ended.
	notes(p Phase) []string
}

// boards are those of the two phases.
type boards map[Phase]*board

func (s Search) boards() (boards, error) {
	all := boards{}
	var faults []error
	for _, p := range []Phase{Prefill, Decode} {
		list, rejected, err := s.Space.some(p)
		faults = append(faults, err)
		all[p] = newBoard(s, p, list, rejected)
	}
	return all, errors.Join(faults...)
}

// all runs jobs until the strategy has enough or ctx ends.
func (s Search) all(ctx context.Context, on boards, how strategy) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	type ended struct {
		j   job
		o   []Outcome
		err error
	}
	results := make(chan ended)
	running := 0
	var failure error
	for {
		for failure == nil && ctx.Err() == nil && running < s.Parallel {
			j, more := how.next()
			if !more {
				break
			}
			running++
			on.start(j)
			s.tell(on[j.open.Phase], Progress{Started: &j.open})
			go func() {
				o, err := s.one(ctx, j, how)
				results <- ended{j, o, err}
			}()
		}
		if running == 0 {
			break
		}
		r := <-results
		running--
		on.stop(r.j)
		if r.err != nil {
			if failure == nil {
				failure = r.err
				stop(r.err)
			}
			continue
		}
		for _, o := range r.o {
			on[o.Phase].settle(Candidate{Phase: o.Phase, Mapping: r.j.open.Mapping}, o)
			s.tell(on[o.Phase], Progress{Ended: &o})
		}
	}
	if failure == nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return failure
}

func (s Search) tell(b *board, p Progress) {
	if s.Progress == nil {
		return
	}
	p.Phase, p.Left = b.phase, len(b.left())
	if pick, ok := b.best(); ok {
		p.Best = &pick
	}
	s.Progress(p)
}

// one opens a candidate, measures it, closes it and keeps the outcomes. The
// error is one with which the search cannot go on.
func (s Search) one(ctx context.Context, j job, how strategy) (list []Outcome, err error) {
	begin := time.Now()
	e, err := s.Bench.Open(ctx, j.open)
	var dead *DeadError
	switch {
	case ctx.Err() != nil:
		if e != nil {
			_ = e.Close(context.WithoutCancel(ctx)) // the interrupt is what is reported
		}
		return nil, context.Cause(ctx)
	case errors.As(err, &dead):
		return s.died(j, err, time.Since(begin))
	case err != nil:
		return nil, fmt.Errorf("starting %s: %w", j.open.Tag(), err)
	}
	defer func() {
		if closed := e.Close(context.WithoutCancel(ctx)); closed != nil {
			err = errors.Join(err, fmt.Errorf("stopping %s: %w", j.open.Tag(), closed))
		}
	}()
	for _, phase := range j.measure {
		p := &probe{engine: e, mapping: j.open.Mapping, opened: j.open.Phase, isl: s.Space.ISL, osl: s.Space.OSL,
			key: s.Key.Named(j.open.Tag()).Named(string(phase))}
		trials, err := how.measure(ctx, p, phase)
		trials = grounded(ctx, e, phase, trials, s.Space)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		facts := e.Facts()
		if phase != j.open.Phase {
			facts.Load = 0 // it is in the other's account
		}
		o := newOutcome(Candidate{Phase: phase, Mapping: j.open.Mapping})
		o.account(facts, p.spent.Seconds())
		o.conclude(trials, s.named(err))
		if phase != j.open.Phase {
			o.OpenedAs = j.open.Phase
		}
		list = append(list, o)
		if o.Status == Dead {
			break // nothing answers any more
		}
	}
	return list, s.keep(list)
}

// died is the outcome of a candidate that did not start. What is to be measured
// beside its own phase is left to another start.
func (s Search) died(j job, why error, after time.Duration) ([]Outcome, error) {
	o := newOutcome(j.open)
	o.account(Facts{Load: after.Round(time.Millisecond)}, 0)
	o.conclude(nil, s.named(why))
	list := []Outcome{o}
	return list, s.keep(list)
}

func (s Search) keep(list []Outcome) error {
	for _, o := range list {
		c, err := o.Candidate()
		if err == nil {
			err = s.place.keep(c, o)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// named is an error with options by the names that the search gives them.
func (s Search) named(err error) error {
	if s.Name == nil {
		return err
	}
	return fault.Named(err, s.Name)
}
