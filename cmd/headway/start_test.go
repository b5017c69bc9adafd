package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headway/internal/engine"
	"headway/internal/options"
	"headway/load"
	"headway/metric"
	"headway/record"
	"headway/workload"
)

// TestStartIsNotMeasured runs the levels of bench on the engine of its simulated
// endpoint, in the time of a bubble: what bench says of a level by default must
// be what a run of many more requests says. START=full takes 30,000 requests
// for that, 40 seeds and all levels of docs/accuracy.md, and prints the table.
func TestStartIsNotMeasured(t *testing.T) {
	t.Parallel()
	full := os.Getenv("START") == "full"
	levels := []int{1, 10}
	seeds := 3
	long := 40
	jitters := []time.Duration{500 * time.Microsecond}
	if full {
		levels, seeds, jitters = []int{1, 10, 100, 250}, 40, []time.Duration{0, 500 * time.Microsecond}
	}
	for _, jitter := range jitters {
		for _, level := range levels {
			requests := long * max(level, 10)
			if full {
				requests = 30000
			}
			truth := plainLevel(t, level, requests, jitter)
			row := levelRow{level: level, jitter: jitter, seeds: seeds, truth: truth}
			for seed := range seeds {
				row.add(simulateLevel(t, level, uint64(seed+1), jitter))
			}
			if full {
				fmt.Print(row.text())
			}
			row.check(t)
			plain := plainLevel(t, level, max(options.PlainRounds*level, options.PlainCount), jitter).took
			if full {
				fmt.Printf("  load time %.2f s, with the start measured %.2f s\n", row.last.took.Seconds(),
					plain.Seconds())
			}
			if took := row.last.took; took > 9*plain/4 {
				t.Errorf("level %d took %v, far more than twice the %v with its start", level, took, plain)
			}
		}
	}
}

// levelStats are what bench leads with, and the bound of its error.
var levelStats = []struct {
	name  string
	bound float64
	of    func(r *metric.Result, part func(*metric.Result) *metric.Part) float64
}{
	{"TTFT avg", 0.05, summaryStat("time_to_first_token", "avg")},
	{"TTFT p50", 0.05, summaryStat("time_to_first_token", "p50")},
	{"TTFT p90", 0.05, summaryStat("time_to_first_token", "p90")},
	{"TTFT p99", 0.10, summaryStat("time_to_first_token", "p99")},
	{"ITL avg", 0.05, summaryStat("inter_token_latency", "avg")},
	{"latency p99", 0.10, summaryStat("request_latency", "p99")},
	{"tok/s", 0.05, func(r *metric.Result, part func(*metric.Result) *metric.Part) float64 {
		rate, _ := part(r).Rate("output_token_throughput")
		return rate.Value
	}},
}

func lead(r *metric.Result) *metric.Part  { p, _ := r.Lead(); return p }
func whole(r *metric.Result) *metric.Part { return r.Whole }

func summaryStat(tag, stat string) func(*metric.Result, func(*metric.Result) *metric.Part) float64 {
	return func(r *metric.Result, part func(*metric.Result) *metric.Part) float64 {
		s, _ := part(r).Summary(tag)
		v, _ := s.Stat(stat)
		return v
	}
}

// levelRun is one measurement of a level.
type levelRun struct {
	result *metric.Result
	out    load.Outcome
	took   time.Duration
}

// levelRow gathers the measurements of a level.
type levelRow struct {
	level, seeds int
	jitter       time.Duration
	truth, last  levelRun
	hits         [7]int
	worst        [7]float64
}

func (r *levelRow) add(run levelRun) {
	r.last = run
	for i, s := range levelStats {
		off := math.Abs(s.of(run.result, lead)/s.of(r.truth.result, whole) - 1)
		r.worst[i] = max(r.worst[i], off)
		if off <= s.bound {
			r.hits[i]++
		}
	}
}

func (r *levelRow) check(t *testing.T) {
	for i, s := range levelStats {
		if float64(r.hits[i]) < 0.9*float64(r.seeds) {
			t.Errorf("level %d, jitter %v: %s is within %.0f %% in %d of %d runs (worst %.1f %%)", r.level, r.jitter,
				s.name, 100*s.bound, r.hits[i], r.seeds, 100*r.worst[i])
		}
	}
}

func (r *levelRow) text() string {
	w := r.last.out.Warmup
	s := fmt.Sprintf("level %d, jitter %v: %d warm-up requests in %.2f s (%s), all in %.2f s\n", r.level, r.jitter,
		w.Requests, w.Seconds, w.EndedBy, r.last.took.Seconds())
	for i, stat := range levelStats {
		s += fmt.Sprintf("  %-12s %10.4g, long run %10.4g, within the bound %d of %d, worst %.1f %%\n", stat.name,
			stat.of(r.last.result, lead), stat.of(r.truth.result, whole), r.hits[i], r.seeds, 100*r.worst[i])
	}
	return s
}

// simulateLevel measures a level as bench does.
func simulateLevel(t *testing.T, level int, seed uint64, jitter time.Duration) levelRun {
	plan, _, err := (&benchCmd{}).defaulted().Plan(level).Phases(workload.Seed(seed), 0)
	if err != nil {
		t.Fatal(err)
	}
	return simulatePlan(t, plan, seed, jitter)
}

// plainLevel measures a level from its first instant on, without a load that is
// kept up.
func plainLevel(t *testing.T, level, requests int, jitter time.Duration) levelRun {
	p := (&benchCmd{}).defaulted().Plan(level)
	p.Count = options.Given(requests)
	p.Handover = false
	p.KeepUp = false
	p.Settle = false
	plan, _, err := p.Phases(workload.Seed(1), 0)
	if err != nil || plan.Warmup != nil {
		t.Fatal(plan.Warmup, err)
	}
	return simulatePlan(t, plan, 1, jitter)
}

// defaulted is the command without an option.
func (b *benchCmd) defaulted() *benchCmd {
	b.Defaults(time.Now())
	b.Streaming = true
	return b
}

func simulatePlan(t *testing.T, plan workload.Plan, seed uint64, jitter time.Duration) (run levelRun) {
	synctest.Test(t, func(t *testing.T) {
		e, err := engine.New(engine.Config{MaxNumSeqs: 256})
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		target := &engineTarget{engine: e, begin: begin, calls: map[uint64]*engineCall{}, jitter: jitter,
			rand: rand.New(rand.NewPCG(seed, 1))}
		clock := record.NewClock()
		c := metric.NewCollector(metric.Options{Clock: clock, Concurrency: plan.Concurrency, Streaming: true})
		g := &load.Generator{Target: target, Sink: c, Clock: clock}
		if run.out, err = g.Run(t.Context(), plan); err != nil {
			t.Fatal(err)
		}
		run.result, run.took = c.Result(), time.Since(begin)
		if n := run.result.OK; n != plan.Requests && plan.Requests > 0 {
			t.Errorf("%d of %d requests answered", n, plan.Requests)
		}
	})
	return run
}

// engineTarget is an engine as a target, by the clock of the bubble. Requests
// reach it, and tokens the client, after exponential delays of a mean of half
// the jitter: a front end's.
type engineTarget struct {
	mu     sync.Mutex
	engine *engine.Engine
	begin  time.Time
	timer  *time.Timer
	calls  map[uint64]*engineCall
	last   uint64
	jitter time.Duration
	rand   *rand.Rand
}

type engineCall struct {
	tape  *record.Tape
	done  func()
	mu    sync.Mutex
	ended bool
}

// Start is load.Target's.
func (e *engineTarget) Start(ctx context.Context, r workload.Request, tape *record.Tape, done func()) {
	c := &engineCall{tape: tape, done: done}
	tape.Start = tape.Clock.Now()
	tape.Streamed = true
	tape.TokensIn = r.Prompt.Length()
	tape.TokensOut = r.OutputTokens
	tape.TokensReasoning = 0
	e.mu.Lock()
	e.last++
	id := e.last
	e.calls[id] = c
	wait := e.delay()
	e.mu.Unlock()
	context.AfterFunc(ctx, func() { c.end(record.Cancelled) })
	time.AfterFunc(wait, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.step()
		if err := e.engine.Submit(time.Since(e.begin),
			engine.Request{ID: id, PromptTokens: tape.TokensIn, MaxTokens: r.OutputTokens}); err != nil {
			panic(err)
		}
		e.step()
	})
}

func (e *engineTarget) delay() time.Duration {
	return time.Duration(e.rand.ExpFloat64() * float64(e.jitter) / 2)
}

// step tells what happened up to now and sets the timer for what comes next.
func (e *engineTarget) step() {
	events, next, busy := e.engine.Step(time.Since(e.begin))
	for _, v := range events {
		c := e.calls[v.ID]
		switch {
		case v.Kind == engine.Token && v.Token == 1:
			time.AfterFunc(e.delay(), c.arrive)
		case v.Kind == engine.Token:
			c.arrive() // the delays of these show in nothing that is looked at
		case v.Kind == engine.Finished:
			delete(e.calls, v.ID)
			time.AfterFunc(e.delay(), func() { c.end(record.OK) })
		}
	}
	if e.timer != nil {
		e.timer.Stop()
	}
	if busy {
		e.timer = time.AfterFunc(next-time.Since(e.begin), func() {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.step()
		})
	}
}

func (c *engineCall) arrive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended {
		c.tape.Arrive(record.Arrival{At: c.tape.Clock.Now(), Tokens: 1}, nil, nil, []byte("x"))
	}
}

func (c *engineCall) end(o record.Outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return
	}
	c.ended = true
	c.tape.Outcome, c.tape.Done = o, c.tape.Clock.Now()
	if o == record.Cancelled {
		c.tape.Fail(&record.Failure{Class: record.ClassCancelled, Code: 499})
	}
	go c.done()
}
