package fit

import (
	"context"
	"fmt"
	"math"
	"time"

	"headway/internal/cluster"
	"headway/internal/engine"
	"headway/internal/twin"
	"headway/metric"
	"headway/record"
	"headway/workload"
)

// Load is requests that were measured, in the order of their plan.
type Load struct {
	Name string
	// Concurrency is how many were in flight at a time; 0 where each was sent at
	// a time of its own.
	Concurrency int
	Requests    []Request
	// Seen is what was measured of each.
	Seen []Times
	// Doubts are why figures of the load are to be believed less.
	Doubts []string
}

// Request is one of a load, as the server counted it.
type Request struct {
	At       time.Duration
	ISL, OSL int
}

// Times are a request's, from its start.
type Times struct {
	Start             time.Duration // on the run's clock
	Ack, First, Total time.Duration
}

// Gap is the mean time between the tokens of a reply of n tokens.
func (t Times) Gap(n int) float64 { return float64(t.Total-t.First) / float64(n-1) }

// Simulate runs a load on the model.
func Simulate(ctx context.Context, e twin.Engine, m *twin.Model, l *Load, seed uint64) ([]Times, error) {
	c := e.Coarse().Config(m)
	c.TokenArrivals = false
	l.spare(&c.Engine)
	c.Seed = workload.Seed(seed)
	sink := &times{all: make([]Times, len(l.Requests))}
	p := workload.Plan{Source: l.source(), Requests: len(l.Requests), Concurrency: l.Concurrency}
	_, out, err := cluster.Replay(ctx, c, p, sink)
	switch {
	case err != nil:
		return nil, fmt.Errorf("simulating %s: %w", l.Name, err)
	case out.Cancelled:
		return nil, fmt.Errorf("simulating %s: %w", l.Name, context.Cause(ctx))
	case sink.bad > 0:
		return nil, fmt.Errorf("simulating %s: %d of %d requests do not fit into the simulated server", l.Name,
			sink.bad,
			len(l.Requests))
	}
	return sink.all, nil
}

// spare has an engine whose cache a load like this never fills do without the work
// of a full one: the requests share no prompt, and only one that had to give way
// would find anything. Blocks are large then, but for SGLang, which cuts prompts at
// them.
func (l *Load) spare(e *engine.Config) {
	size := e.BlockSize
	if e.Type != engine.SGLang {
		size = max(size, 256)
	}
	blocks := 1
	for _, r := range l.Requests {
		blocks += (r.ISL+r.OSL)/size + 1
	}
	if enough := 2 * blocks; enough*size < e.NumGPUBlocks*e.BlockSize {
		e.NumGPUBlocks, e.BlockSize, e.NoPrefixCaching = enough, size, true
	}
}

// context is how long one of a request that decodes is on average, in tokens.
func (l *Load) context() int {
	sum := 0
	for _, r := range l.Requests {
		sum += r.ISL + r.OSL/2
	}
	return sum / max(len(l.Requests), 1)
}

// source is the requests as a plan has them.
func (l *Load) source() workload.Source {
	return func(yield func(workload.Request, error) bool) {
		for i, r := range l.Requests {
			q := workload.Request{Index: i, At: r.At, Timed: l.Concurrency == 0, Session: fmt.Sprint(i), Turns: 1,
				Prompt: workload.Prompt{Tokens: r.ISL, Key: workload.Seed(uint64(i))}, OutputTokens: r.OSL}
			if !yield(q, nil) {
				return
			}
		}
	}
}

// times keeps what matters of Records.
type times struct {
	all []Times
	bad int
}

// Take is for the simulation alone.
func (t *times) Take(r *record.Record) error {
	if r.Outcome != record.OK {
		t.bad++
		return nil
	}
	t.all[r.Index] = timesOf(r)
	return nil
}

// timesOf is what is kept of a reply with text.
func timesOf(r *record.Record) Times {
	first, _ := metric.TTFT(r)
	decode, _ := metric.DecodeDuration(r)
	head, _ := metric.Head(r)
	return Times{Start: time.Duration(r.Start), Ack: inSeconds(head), First: inSeconds(first),
		Total: inSeconds(first + decode)}
}

func inSeconds(s float64) time.Duration { return time.Duration(math.Round(s * 1e9)) }
