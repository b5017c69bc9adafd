package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"

	"headway/internal/study"
	"headway/record"
	"headway/workload"
	"headway/workload/synth"
)

// traceFlags say which trace is played, and how it is changed first.
type traceFlags struct {
	Dataset   string `name:"input-dataset" aliases:"input-file" type:"path" placeholder:"FILE" help:"The trace: Mooncake JSONL, Azure or BurstGPT CSV. Default: rows drawn from the preset mooncake-conversation."`
	Requests  int    `name:"num-requests" aliases:"requests" default:"0" placeholder:"N" help:"Requests to play. Default: all rows of the file; of a preset 1000."`
	Spread    string `name:"spread-timestamps" enum:"none,even,uniform" default:"none" help:"Move requests that share a timestamp up to the next one: ${enum}."`
	BlockSize int    `name:"trace-block-size" default:"512" help:"Tokens that an id of hash_ids stands for."`
	Lenient   bool   `name:"lenient" help:"Skip unreadable lines and count them."`
	modelSource
	synthesisFlags
}

// presetRequests is how many rows of a preset are played.
const presetRequests = 1000

// presetMaxISL is the longest prompt (tokens) that is drawn from a model where
// nothing is said: with its reply it stays below the usual --max-model-len.
const presetMaxISL = 120_000

func (f *traceFlags) faults(a app, bad *faultList) {
	bad.dependents(a.given, []dependents{{f.Dataset == "", "trace-block-size lenient", "--input-dataset"}})
	if f.Dataset == "" && !f.given() {
		f.Preset = "mooncake-conversation"
	}
	f.modelSource.faults(bad, f.Dataset)
	f.synthesisFlags.faults(bad)
	bad.notNegative("num-requests", float64(f.Requests))
	bad.between("trace-block-size", float64(f.BlockSize), 1, workload.MaxTokens)
}

// identity says that the rows of the file are played as they are. A speed-up
// alone draws nothing new.
func (f *traceFlags) identity() bool {
	s := f.synthesisFlags
	s.Speedup = 1
	return !f.given() && s == synthesisFlags{Speedup: 1, PrefixLen: 1, PrefixRoots: 1, PromptLen: 1, Arrivals: "empirical"}
}

// read gives the trace to be played, its speed-up not applied, and what is to
// be said of it.
func (f *traceFlags) read(a app, seed uint64) (d *workload.Dataset, notes []string, warnings []record.Warning, err error) {
	key := workload.Seed(seed).Named("router trace")
	options := workload.ReadOptions{Lenient: f.Lenient, BlockSize: f.BlockSize}
	if f.identity() {
		options.Limit = f.Requests
		if d, err = workload.ReadFile(f.Dataset, options); err != nil {
			return nil, nil, nil, err
		}
		a.noteSkipped(d.Skipped, d.FirstSkip)
		if f.Requests > len(d.Requests) {
			return nil, nil, nil, fmt.Errorf("--num-requests %d: %s has %d; an option that changes the trace, such as --keep-correlation, draws as many as asked for", f.Requests, f.Dataset, len(d.Requests))
		}
		notes = append(notes, howMany(len(d.Requests), "row of the trace as it is", "rows of the trace as they are"))
	} else {
		if d, notes, err = f.draw(a, seed, options); err != nil {
			return nil, nil, nil, err
		}
	}
	if len(d.Requests) == 0 {
		return nil, nil, nil, fmt.Errorf("no requests in %s", f.Dataset)
	}
	spread, err := workload.ParseSpread(f.Spread)
	if err != nil {
		return nil, nil, nil, err
	}
	if w := d.Rounded().Warning(); w != "" && spread == workload.AsRecorded {
		warnings = append(warnings, record.Warning{Code: "rounded_timestamps", Text: w})
	}
	d.Spread(spread, key.Named("spread"))
	if spread != workload.AsRecorded {
		notes = append(notes, "requests that share a timestamp were spread up to the next one: "+f.Spread)
	}
	return d, notes, warnings, nil
}

// draw makes new rows.
func (f *traceFlags) draw(a app, seed uint64, options workload.ReadOptions) (*workload.Dataset, []string, error) {
	m, n := (*synth.Model)(nil), f.Requests
	var err error
	if f.given() {
		m, err = f.modelSource.read()
		if n == 0 {
			n = presetRequests
		}
	} else {
		var t *workload.Trace
		in := traceInput{File: f.Dataset, BlockSize: f.BlockSize, Lenient: f.Lenient}
		if t, err = in.read(a); err == nil {
			if n == 0 {
				n = len(t.Rows)
			}
			m, err = synth.Fit(t.Rows, t.BlockSize, synth.Limits{})
		}
	}
	if err != nil {
		return nil, nil, err
	}
	o, err := f.options(n, seed)
	if err != nil {
		return nil, nil, err
	}
	o.Speedup = 1
	notes := []string{fmt.Sprintf("%s drawn from %s", howMany(n, "row", "rows"), f.Dataset+f.Model+f.Preset)}
	if f.given() && o.MaxISL == 0 && o.MinISL < presetMaxISL {
		o.MaxISL = presetMaxISL
		notes = append(notes, fmt.Sprintf("prompts of more than %d tokens, which drawing lengths independently can give, were left out; --max-isl sets another limit", presetMaxISL))
	}
	var rows bytes.Buffer
	if _, err := synth.Write(&rows, m.Draw(o)); err != nil {
		return nil, nil, err
	}
	options.Format, options.BlockSize = workload.Mooncake, m.BlockSize
	d, err := workload.Read(&rows, "the drawn trace", options)
	return d, notes, err
}

// routerTraceCmd plays a trace.
type routerTraceCmd struct {
	contestFlags
	traceFlags
	Sweep floats `name:"load-sweep" placeholder:"X,…" help:"Play the trace at several speeds, as factors on --speedup-ratio: where the gain begins and where it vanishes."`
}

// Help is shown below the options.
func (routerTraceCmd) Help() string {
	return `Examples:

  headway router trace
      1000 requests like those of a chat service, on 8 simulated workers: KV-aware against round-robin
  headway router trace --input-dataset mooncake_trace.jsonl --spread-timestamps even --load-sweep 0.25,0.5,1,2,4
  headway router trace --input-dataset mooncake_trace.jsonl --speedup-ratio 2 --prefix-len-multiplier 2
  headway router trace --input-dataset trace.jsonl --model M --url kv=http://host-a:8000 --url rr=http://host-b:8000`
}

func (c *routerTraceCmd) run(ctx context.Context, a app) (int, error) {
	var bad faultList
	arms := c.arms(&bad)
	c.unused(a, &bad)
	c.traceFlags.faults(a, &bad)
	c.repeatable(&c.contestFlags, &bad)
	c.clusterFaults(a, &bad, arms, 1)
	if len(c.Sweep) == 0 {
		c.Sweep = floats{1}
	}
	for _, x := range c.Sweep {
		bad.positive("load-sweep", x)
	}
	c.Sweep.distinct(&bad, "load-sweep")
	if c.Dataset != "" {
		if _, err := os.Stat(c.Dataset); err != nil {
			bad.add("--input-dataset: %v", err)
		}
	}
	if err := bad.err(); err != nil {
		return exitUsage, err
	}
	seed := seedOf(c.Seed)
	c.Seed = &seed
	d, notes, warnings, err := c.traceFlags.read(a, seed)
	if err != nil {
		return exitUsage, usageError{err}
	}
	if !d.Timed {
		return exitUsage, usageError{fmt.Errorf("%s has no timestamps, so there is no schedule to play; headway router sessions plays it at a concurrency", d.Name)}
	}
	loads, err := c.loads(d, c.rows(a, seed, d))
	if err != nil {
		return exitUsage, usageError{err}
	}
	b := c.bench(a, "trace", arms, loads)
	b.talks, b.fixed = d.Sessions < len(d.Requests), c.identity()
	b.summary.Notes, b.summary.Warnings = notes, warnings
	if len(loads) > 1 {
		b.summary.XKey, b.summary.XLabel = "request_rate", "Requests/s"
	}
	return b.run(ctx)
}

// loads are the trace at each speed.
func (c *routerTraceCmd) loads(d *workload.Dataset, rows func(repeat int) (*workload.Dataset, error)) ([]routerLoad, error) {
	var all []routerLoad
	for _, x := range c.Sweep {
		w := workload.Window{Speedup: c.Speedup * x}
		src, err := d.Fixed(w, 0)
		if err != nil {
			return nil, err
		}
		rate, err := rateOf(src)
		if err != nil {
			return nil, err
		}
		l := routerLoad{rate: rate, arrivals: "fixed_schedule", Load: study.Load{Name: "speedup_" + slug(w.Speedup), X: threeDigits(rate)}}
		l.plan = func(key workload.Key, repeat int) (workload.Plan, error) {
			d, err := rows(repeat)
			if err != nil {
				return workload.Plan{}, err
			}
			src, err := d.Fixed(w, key)
			if c.live() {
				src = exactOutput(src, c.ExpectedOSL)
			}
			return workload.Plan{Source: src}, err
		}
		all = append(all, l)
	}
	return all, nil
}

// rateOf is the mean rate of a schedule in requests per second, 0 where all
// come at once.
func rateOf(src workload.Source) (float64, error) {
	n, span := 0, 0.0
	for r, err := range src {
		if err != nil {
			return 0, err
		}
		n++
		if r.Timed {
			span = max(span, r.At.Seconds())
		}
	}
	if span == 0 {
		return 0, nil
	}
	return float64(n-1) / span, nil
}

// threeDigits is a number as it stands on an axis.
func threeDigits(x float64) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 3, 64), 64)
	if err != nil {
		return x
	}
	return y
}
