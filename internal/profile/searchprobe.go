package profile

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"headway/internal/model"
	"headway/metric"
	"headway/record"
	"headway/workload"
)

// The fixed sizes of a prefill's measurement, those of Dynamo's profiler.
const (
	prefillOSL    = 5
	warmups       = 3 // requests for each attention rank
	burstPerRank  = 4 // requests of a burst, where there are several ranks
	usableReplies = 0.9
	cachedEnough  = 0.9 // share of a decode's prompts that must be in the cache
)

// probe measures one engine.
type probe struct {
	engine   Subject
	mapping  model.Mapping
	opened   Phase // what the engine was set up for
	isl, osl int
	key      workload.Key

	spent time.Duration // in the engine's time
	runs  int           // made, so that every one has prompts of its own
	held  int           // prompts of the key "cache" that were sent once
	blind bool          // the engine does not say what it found in its cache
	whose whose
	// point is the load that is being measured, made its runs that figures are
	// made of, said what was said of them.
	point string
	made  int
	said  remarks
}

// begin says that runs are those of another load.
func (p *probe) begin(point string) { p.point, p.made, p.said = point, 0, remarks{} }

// tally is a sink that keeps what a trial needs of its Records.
type tally struct {
	ttft, itl      []float64
	latency        []float64
	output         int
	uncounted      int // replies that nobody counted the tokens of
	sent, valid    int
	prompt, cached int
	saysCached     bool
	pace           metric.ReadPace
	failure        string
	remarks        []string // on the run, that were not made of the load before
}

// Take adds a Record.
func (t *tally) Take(r *record.Record) error {
	t.sent++
	if !metric.Valid(r) {
		if f, ok := metric.FailureOf(r); ok && t.failure == "" {
			t.failure = f.Message
		}
		return nil
	}
	t.valid++
	t.pace.Add(r, 1)
	if v, ok := metric.TTFT(r); ok {
		t.ttft = append(t.ttft, v)
	}
	if v, ok := metric.ITL(r); ok {
		t.itl = append(t.itl, v)
	}
	if v, ok := metric.RequestLatency(r); ok {
		t.latency = append(t.latency, v)
	}
	if v, ok := metric.OSL(r); ok {
		t.output += int(v)
	} else {
		t.uncounted++
	}
	if n, ok := r.Usage["prompt_cache_read_tokens"]; ok {
		t.saysCached = true
		t.cached += n
		t.prompt += r.Usage["prompt_tokens"]
	}
	return nil
}

// hitRate is the share of prompt tokens that were in the cache, as the engine
// says it.
func (t *tally) hitRate() float64 {
	if t.prompt == 0 {
		return 0
	}
	return float64(t.cached) / float64(t.prompt)
}

// prompts are requests from to upto of a key; equal arguments give equal
// prompts.
func prompts(key workload.Key, from, upto, isl, osl int) workload.Source {
	return func(yield func(workload.Request, error) bool) {
		for i := from; i < upto; i++ {
			k := key.Index(i)
			r := workload.Request{
				Index: i - from, Session: strconv.FormatUint(uint64(k), 36), Turns: 1,
				Prompt: workload.Prompt{Tokens: isl, Key: k}, OutputTokens: osl,
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// closed are total requests of which n run at a time.
func closed(src workload.Source, total, n int) workload.Plan {
	return workload.Plan{Source: src, Requests: total, Concurrency: n, Grace: -1}
}

// atOnce are n requests at a time.
func atOnce(src workload.Source, n int) workload.Plan { return closed(src, n, n) }

// prepare makes a run of which no figure is made.
func (p *probe) prepare(ctx context.Context, name string, plan workload.Plan) (*tally, error) {
	t, _, err := p.drive(ctx, Part{Plan: plan, Run: name, Prepares: true})
	return t, err
}

// repeat makes a run that figures are made of; cached says that its prompts were
// sent before.
func (p *probe) repeat(ctx context.Context, plan workload.Plan, cached bool) (*tally, time.Duration, error) {
	p.made++
	return p.drive(ctx, Part{Plan: plan, Run: repeatName(p.made - 1), Cached: cached})
}

// loads is the section of a search's runs.
const loads = "loads"

// drive makes a run and says how long it took in the engine's time.
func (p *probe) drive(ctx context.Context, part Part) (*tally, time.Duration, error) {
	part.Section, part.Point, part.Anew = loads, p.point, true
	part.Tokens = p.whose.source(metric.TokensAuto, p.engine.Facts())
	sink := metric.NewCounted(part.Tokens, func(metric.TokenSource) *tally { return &tally{} })
	ran, err := p.engine.Run(ctx, part, sink)
	t, s := sink.Chosen()
	p.whose.note(s, t.valid)
	p.spent += ran.Span
	p.runs++
	if !part.Prepares {
		t.remarks = p.said.add(part.Run, ran)
	}
	span, plan := ran.Span, part.Plan
	switch {
	case err != nil:
		return t, span, err
	case ctx.Err() != nil:
		return t, span, context.Cause(ctx)
	case t.valid == 0 && t.failure != "":
		return t, span, fmt.Errorf("none of %d requests was answered: %s", t.sent, t.failure)
	case float64(t.valid) < usableReplies*float64(plan.Requests):
		return t, span, fmt.Errorf("only %d of %d requests were answered: %s", t.valid, plan.Requests, t.failure)
	}
	return t, span, nil
}

// fresh is a key that no run of this engine had before.
func (p *probe) fresh() workload.Key { return p.key.Named("run").Index(p.runs) }

// ranks is the engine's attention-DP size.
func (p *probe) ranks() int { return max(p.engine.Facts().AttentionDP, 1) }

// gpus is how many the engine uses.
func (p *probe) gpus() float64 { return float64(max(p.engine.Facts().GPUs, 1)) }

// countedBy is whose counts of tokens the figures of the engine are made of.
func (p *probe) countedBy() string {
	if p.engine.Facts().Simulated {
		return ""
	}
	return p.whose.name
}
