package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"headway/internal/study"
	"headway/record"
	"headway/workload"
)

// routerSessionsCmd plays conversations, as Dynamo's agent benchmark does.
type routerSessionsCmd struct {
	contestFlags
	speedFlags
	Dataset     string        `name:"input-dataset" aliases:"input-file" required:"" type:"path" placeholder:"FILE" help:"Conversations: Mooncake JSONL with session_id, multi_turn JSONL, ShareGPT, inputs.json."`
	Concurrency int           `name:"concurrency" default:"10" help:"Sessions open at a time; the turns of one follow each other."`
	Delay       *milliseconds `name:"delay" placeholder:"TIME" help:"Pause (ms) before every later turn, instead of the recorded one."`
	Requests    int           `name:"num-requests" aliases:"requests" default:"0" placeholder:"N" help:"Requests to play. Default: all of the file."`
	OSL         int           `name:"osl" default:"0" placeholder:"N" help:"Output length of turns without one (tokens). Default: 256."`
	BlockSize   int           `name:"trace-block-size" default:"512" help:"Tokens that an id of hash_ids stands for."`
	Lenient     bool          `name:"lenient" help:"Skip unreadable lines and count them."`
}

// sessionOSL is the output length of turns that have none.
const sessionOSL = 256

// Help is shown below the options.
func (routerSessionsCmd) Help() string {
	return `Examples:

  headway router sessions --input-dataset trace.jsonl --concurrency 20 --delay 0
  headway router sessions --input-dataset trace.jsonl --model M --url http://localhost:8000`
}

func (c *routerSessionsCmd) run(ctx context.Context, a app) (int, error) {
	var bad faultList
	arms := c.arms(&bad)
	c.unused(a, &bad)
	c.clusterFaults(a, &bad, arms, c.Speedup)
	if c.live() && a.given["speedup-ratio"] {
		bad.add("--speedup-ratio: describes the simulated cluster, and --url measures real endpoints")
	}
	bad.positive("concurrency", float64(c.Concurrency))
	bad.notNegative("num-requests", float64(c.Requests))
	bad.notNegative("osl", float64(c.OSL))
	bad.between("trace-block-size", float64(c.BlockSize), 1, workload.MaxTokens)
	if c.Delay != nil && *c.Delay < 0 {
		bad.add("--delay inf: must end")
	}
	if _, err := os.Stat(c.Dataset); err != nil {
		bad.add("--input-dataset: %v", err)
	}
	if err := bad.err(); err != nil {
		return exitUsage, err
	}
	d, err := workload.ReadFile(c.Dataset, workload.ReadOptions{Lenient: c.Lenient, BlockSize: c.BlockSize, AllTurns: true})
	if err != nil {
		return exitUsage, usageError{err}
	}
	a.noteSkipped(d.Skipped, d.FirstSkip)
	l := routerLoad{Load: study.Load{Name: fmt.Sprintf("c%d", c.Concurrency)}, concurrency: c.Concurrency, arrivals: "concurrency_burst"}
	l.plan = func(key workload.Key, _ int) (workload.Plan, error) { return c.plan(d, key), nil }
	b := c.bench(a, "sessions", arms, []routerLoad{l})
	b.speedup = c.Speedup
	b.talks = d.Sessions < len(d.Requests)
	b.summary.Notes, b.summary.Warnings = c.notes(d)
	return b.run(ctx)
}

// plan plays the sessions in a closed loop.
func (c *routerSessionsCmd) plan(d *workload.Dataset, key workload.Key) workload.Plan {
	src := workload.Untimed(d.Source(key))
	if c.Requests > 0 {
		src = workload.Limit(src, c.Requests)
	}
	osl := c.OSL
	if osl == 0 {
		osl = sessionOSL
	}
	src = workload.WithOutput(src, key.Named("output"), workload.Length{Mean: float64(osl)})
	if c.Delay != nil {
		src = delayed(src, time.Duration(*c.Delay))
	}
	if c.live() {
		src = exactOutput(src, c.ExpectedOSL)
	}
	return workload.Plan{Source: src, Concurrency: c.Concurrency}
}

// delayed gives later turns a pause of their own.
func delayed(src workload.Source, d time.Duration) workload.Source {
	return func(yield func(workload.Request, error) bool) {
		for r, err := range src {
			if r.Turn > 0 {
				r.Delay = d
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// notes say what the conversations are and what stands in their history.
func (c *routerSessionsCmd) notes(d *workload.Dataset) ([]string, []record.Warning) {
	notes := []string{fmt.Sprintf("%s with %s, %d at a time", howMany(d.Sessions, "session", "sessions"), howMany(len(d.Requests), "turn", "turns"), c.Concurrency)}
	if d.LiveTurns > 0 {
		notes = append(notes, howMany(d.LiveTurns, "turn has the replies of this run in its history", "turns have the replies of this run in their history"))
	}
	if d.RecordedTurns > 0 {
		notes = append(notes, howMany(d.RecordedTurns, "turn has the recorded conversation in its history", "turns have the recorded conversation in their history"))
	}
	if d.Sessions == len(d.Requests) {
		return notes, []record.Warning{{Code: "no_sessions", Text: d.Name + " has no session of more than one turn, so nothing follows upon anything"}}
	}
	return notes, nil
}
