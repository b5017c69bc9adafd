package profile

import (
	"context"
	"fmt"
	"time"

	"headway/record"
	"headway/report"
	"headway/workload"
)

// played is an engine whose Records are written by hand.
type played struct {
	facts Facts
	// ttft and itl of the i-th request of a run, in seconds; run counts the
	// plans from 0.
	ttft func(run, i, isl int) float64
	itl  func(run, n int) float64
	// spoil changes a Record, and may be nil.
	spoil func(run int, r *record.Record)
	// before, which may be nil, can end a run with an error.
	before func(run int) error
	// seen, which may be nil, is what servers and GPUs did during a run.
	seen func(run int) (*record.Telemetry, *report.Energy)

	runs   int
	plans  []string
	known  map[workload.Key]bool
	silent bool // says no usage
}

func (e *played) Facts() Facts { return e.facts }

func (e *played) Close(context.Context) error { return nil }

func (e *played) Run(ctx context.Context, p Part, sink record.Sink) (Ran, error) {
	run := e.runs
	e.runs++
	if e.before != nil {
		if err := e.before(run); err != nil {
			return Ran{}, err
		}
	}
	if e.known == nil {
		e.known = map[workload.Key]bool{}
	}
	i := 0
	for q, err := range p.Source {
		if err != nil {
			return Ran{}, err
		}
		if i == 0 {
			e.plans = append(e.plans,
				fmt.Sprintf("%d×%d→%d@%d", p.Requests, q.Prompt.Tokens, q.OutputTokens, p.Concurrency))
		}
		r := e.answer(run, i, p.Requests, q)
		if e.spoil != nil {
			e.spoil(run, r)
		}
		if err := sink.Take(r); err != nil {
			return Ran{}, err
		}
		i++
	}
	ran := Ran{Span: time.Second}
	if e.seen != nil {
		ran.Telemetry, ran.Energy = e.seen(run)
	}
	return ran, ctx.Err()
}

func (e *played) answer(run, i, n int, q workload.Request) *record.Record {
	at := func(s float64) record.Time { return record.Time(1e9 + 1e9*s) }
	first := e.ttft(run, i, q.Prompt.Tokens)
	last := first + e.itl(run, n)*float64(q.OutputTokens-1)
	r := &record.Record{Index: i, Outcome: record.OK, Streamed: true, Sparse: true, Planned: at(0), Start: at(0),
		Sent: at(0), Ack: at(0), Done: at(last),
		PlannedISL: q.Prompt.Tokens, PlannedOSL: q.OutputTokens, TokensIn: q.Prompt.Tokens, TokensOut: q.OutputTokens,
		TokensReasoning: 0,
		Arrivals:        []record.Arrival{{At: at(first), Kind: record.Content, Tokens: 1}}}
	if q.OutputTokens > 1 {
		r.Arrivals = append(r.Arrivals, record.Arrival{At: at(last), Kind: record.Content, Tokens: q.OutputTokens - 1})
	}
	if !e.silent {
		r.Usage = map[string]int{"prompt_tokens": q.Prompt.Tokens, "completion_tokens": q.OutputTokens,
			"prompt_cache_read_tokens": 0}
		if e.known[q.Prompt.Key] {
			r.Usage["prompt_cache_read_tokens"] = q.Prompt.Tokens / 64 * 64
		}
	}
	e.known[q.Prompt.Key] = true
	return r
}

// plain is an engine that does what is expected of it.
func plain() *played {
	return &played{facts: Facts{GPUs: 2, AttentionDP: 1, KVTokens: 20000},
		ttft: func(_, _, isl int) float64 { return 0.01 + 1e-5*float64(isl) },
		itl:  func(_, n int) float64 { return 0.005 + 0.001*float64(n) }}
}

func sweep() Grid { return Grid{MaxContext: 2000, Granularity: 3, Key: workload.Seed(1)} }
