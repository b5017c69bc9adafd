package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"headway/internal/study"
	"headway/report"
)

// runCmd is one measurement with the options of `aiperf profile`.
type runCmd struct {
	URLs      []string     `name:"url" short:"u" placeholder:"URL" help:"Base URL of the server; repeatable, sessions take turns. Default http://localhost:8000."`
	Strategy  string       `name:"url-strategy" enum:"round_robin" default:"round_robin" help:"How sessions take turns: round_robin."`
	Simulated bool         `name:"simulated" help:"Measure a simulated endpoint in this process."`
	ISL       one[float64] `name:"isl" aliases:"prompt-input-tokens-mean,synthetic-input-tokens-mean" default:"550" help:"Mean input length of synthetic prompts (tokens)."`
	ISLSD     one[float64] `name:"isl-stddev" aliases:"prompt-input-tokens-stddev,synthetic-input-tokens-stddev" default:"0" help:"Its standard deviation."`
	OSL       one[float64] `name:"osl" aliases:"prompt-output-tokens-mean,output-tokens-mean" default:"0" help:"Mean output length to ask for; 0 asks for no limit."`
	OSLSD     one[float64] `name:"osl-stddev" aliases:"prompt-output-tokens-stddev,output-tokens-stddev" default:"0" help:"Its standard deviation."`
	Streaming bool         `name:"streaming" negatable:"" help:"Ask for the reply as a stream; needed for TTFT and ITL."`
	Dir       string       `name:"artifact-dir" aliases:"output-artifact-dir" short:"d" type:"path" placeholder:"DIR" help:"Folder of the results. Default: a folder under ./artifacts named after model and load."`
	Prefix    string       `name:"profile-export-prefix" aliases:"profile-export-file" placeholder:"NAME" help:"Begin the files' names with this instead of profile_export."`

	forwardFlags
	endpointFlags
	tokenizerFlags
	promptFlags
	loadFlags
	auditFlags
	connectFlags
	outputFlags
}

// Help is shown below the options.
func (runCmd) Help() string {
	return `Examples:

  headway run --model Qwen/Qwen3-0.6B --url http://localhost:8000 --streaming \
      --concurrency 10 --request-count 100 --isl 1000 --osl 200
  headway run --model M --streaming --request-rate 20 --benchmark-duration 60
  headway run --model M --streaming --request-rate 20 --benchmark-duration 60 --max-lag 1ms
      exit code 4 when this client was later than that
  headway run --model M --streaming --input-file trace.csv --request-count 500
  headway run --simulated --streaming --concurrency 4 --objective 'ttft p99 < 200ms'`
}

func (c *runCmd) run(ctx context.Context, a app) (int, error) {
	p := c.planFlags(a)
	if err := c.validate(a, p); err != nil {
		return exitUsage, err
	}
	e := endpoint{name: strings.Join(c.Model, ","), url: strings.Join(c.URLs, ","), simulated: c.Simulated}
	if c.Simulated {
		sim, err := startSimulated(c.Model[0])
		if err != nil {
			return exitFailed, err
		}
		defer sim.stop()
		c.URLs, e.url = []string{sim.url}, sim.url
	}
	unforward, err := c.forwardFlags.replace(ctx, a, &c.URLs)
	defer unforward()
	if err != nil {
		return exitFailed, err
	}
	if len(c.Forward) > 0 {
		e.url = strings.Join(c.URLs, ",")
	}
	client, err := c.config(a, c.URLs, c.Streaming)
	if err != nil {
		return exitUsage, err
	}
	if err := report.Probe(c.folder(p)); err != nil {
		return exitFailed, err
	}
	if dir := c.folder(p); !c.Quiet && holdsRun(dir, report.FileNames(c.Prefix)) {
		a.note("note: %s holds an earlier run, which this one replaces; --artifact-dir names another folder", dir)
	}
	g, err := a.newRig(ctx, &c.endpointFlags, c.tokenizerFlags, &c.outputFlags, client, seedOf(c.Seed), c.Simulated)
	if err != nil {
		return exitFailed, err
	}
	defer g.close()
	for _, text := range p.idleNotes(c.Runs) {
		a.note("%s", text)
	}
	for _, w := range p.fileWarnings() {
		g.warn(w)
	}
	g.maxLag, g.preconnect = c.lag(), c.Preconnect
	g.names, g.varySeed, g.name = report.FileNames(c.Prefix), c.VarySeed || !c.ConsistentSeed, e.name
	return c.measure(ctx, g, p, e)
}

// planFlags are the options that make the plan.
func (c *runCmd) planFlags(a app) *planFlags {
	return &planFlags{promptFlags: c.promptFlags, loadFlags: c.loadFlags, ISL: c.ISL.value, ISLSD: c.ISLSD.value, OSL: c.OSL.value, OSLSD: c.OSLSD.value, Streaming: c.Streaming, given: a.given}
}

func (c *runCmd) faults(a app) error { return c.validate(a, c.planFlags(a)) }

// validate lists every fault, those of the input file included.
func (c *runCmd) validate(a app, p *planFlags) error {
	if c.Simulated && len(c.Model) == 0 {
		c.Model = []string{"simulated"}
	}
	var bad faultList
	if c.Simulated && len(c.URLs) > 0 {
		bad.add("--simulated and --url: give one of them")
	}
	c.forwardFlags.faults(a, len(c.URLs), &bad)
	if c.Simulated && len(c.Forward) > 0 {
		bad.add("--simulated and --port-forward: give one of them")
	}
	if len(c.URLs) == 0 && !c.Simulated {
		c.URLs = []string{"http://localhost:8000"}
	}
	urls := c.URLs
	if c.Simulated {
		urls = []string{"http://127.0.0.1"}
	}
	if _, err := c.config(a, urls, c.Streaming); err != nil {
		if _, missing := err.(notBuilt); missing {
			return err
		}
		bad = append(bad, err)
	}
	if _, err := c.goals(); err != nil {
		bad = append(bad, err)
	}
	c.auditFlags.faults(&bad)
	if strings.ContainsAny(c.Prefix, `/\`) {
		bad.add("--profile-export-prefix %q: a name, not a path; --artifact-dir says where", c.Prefix)
	}
	faults := p.faults()
	bad = append(bad, faults...)
	if len(faults) == 0 {
		err := p.load()
		var missing notBuilt
		if errors.As(err, &missing) {
			return err
		}
		if err == nil {
			err = p.rehearse()
		}
		if err != nil {
			bad = append(bad, err)
		}
	}
	c.connectFlags.faults(&bad, p.openSessions())
	return bad.err()
}

// folder is where results go: --artifact-dir, or aiperf's name for the run.
func (c *runCmd) folder(p *planFlags) string {
	if c.Dir != "" {
		return c.Dir
	}
	model := strings.ReplaceAll(c.Model[0], "/", "_")
	if len(c.Model) > 1 {
		model += "_multi"
	}
	load := fmt.Sprintf("concurrency%d", max(1, p.Concurrency.value))
	switch {
	case p.isFixed():
		load = "fixed_schedule"
	case p.Rate.set:
		load = fmt.Sprintf("request_rate%g", p.Rate.value)
	}
	return filepath.Join("artifacts", fmt.Sprintf("%s-openai-%s-%s", model, c.EndpointType, load))
}

// holdsRun says whether results of these names, or of several runs, are in dir.
// As with aiperf the same command writes to the same folder each time, where
// scripts look for the newest result.
func holdsRun(dir string, names report.Names) bool {
	return slices.ContainsFunc([]string{names.JSON, names.Records, "profile_runs"}, func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	})
}

// measure makes the run, or the runs of --num-profile-runs with their
// aggregate.
func (c *runCmd) measure(ctx context.Context, g *rig, p *planFlags, e endpoint) (int, error) {
	dir := c.folder(p)
	r := study.Repeat{Dir: dir, Runs: c.Runs, Cooldown: time.Duration(c.Cooldown), Confidence: c.Confidence}
	r.Measure = func(run int, dir string) (study.Measurement, error) {
		q := *p
		if run > 0 && c.WarmOnlyFirst {
			q.WarmCount, q.WarmSessions, q.WarmDuration = 0, 0, 0
		}
		return g.measurement(&q, "", run, dir)
	}
	d := newDisplay(g, e, []int{max(1, p.Concurrency.value)})
	r.Watch, d.duration = d.watch, time.Duration(p.Duration)
	d.begin(lengthText(p, false), lengthText(p, true), dir)
	reports, err := r.Run(ctx)
	if len(reports) > 0 {
		if e := c.show(g, reports); e != nil {
			return exitFailed, e
		}
		if !c.Quiet {
			g.app.note("results: %s", dir)
		}
	}
	if err != nil {
		return exitFailed, err
	}
	for _, rep := range reports {
		if err := g.advise(rep.Result); err != nil {
			return exitFailed, err
		}
	}
	if code := g.app.invalid(&c.auditFlags, invalidRuns("", reports)); code != exitDone {
		return code, nil
	}
	return c.decision(reports), nil
}

// show prints the result: tables, or the JSON of the last run.
func (c *runCmd) show(g *rig, reports []*report.Report) error {
	last := reports[len(reports)-1]
	if c.JSON {
		return last.WriteJSON(g.app.stdout)
	}
	if c.Quiet {
		return nil
	}
	if err := last.WriteConsole(g.app.stdout, report.ConsoleOptions{Width: g.app.width(), Color: g.app.color(), HTTP: c.ShowTrace}); err != nil {
		return err
	}
	if len(reports) < 2 {
		return nil
	}
	return report.WriteLevels(g.app.stdout, []report.Level{{Runs: reports}}, report.ConsoleOptions{Width: g.app.width(), Color: g.app.color()})
}

// lengthText says what lengths are asked for.
func lengthText(p *planFlags, out bool) string {
	switch {
	case p.InputFile != "" && !(out && p.OSL > 0):
		return "from " + filepath.Base(p.InputFile)
	case p.SeqDist != "":
		return p.SeqDist
	case out && p.OSL == 0:
		return "open"
	case out:
		return fmt.Sprintf("%g", p.OSL)
	}
	return fmt.Sprintf("%g", math.Max(p.ISL, 1))
}

// printJSON writes a value for machines.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
