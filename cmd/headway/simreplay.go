package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"headway/internal/cluster"
	"headway/internal/router"
	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// simReplayCmd runs a plan on a simulated cluster in virtual time.
type simReplayCmd struct {
	Trace  string      `name:"trace" type:"path" placeholder:"FILE" help:"The trace to replay: the same as --input-file."`
	Mode   router.Mode `name:"router-mode" default:"round-robin" placeholder:"MODE" help:"How requests find their worker: round-robin, random, least-loaded, power-of-two, direct or kv."`
	ISL    float64     `name:"isl" aliases:"prompt-input-tokens-mean,synthetic-input-tokens-mean" default:"550" help:"Mean input length of synthetic prompts (tokens)."`
	ISLSD  float64     `name:"isl-stddev" default:"0" help:"Its standard deviation."`
	OSL    float64     `name:"osl" aliases:"prompt-output-tokens-mean,output-tokens-mean" default:"0" help:"Mean output length; 0 leaves it to the trace, or to the model."`
	OSLSD  float64     `name:"osl-stddev" default:"0" help:"Its standard deviation."`
	Model  string      `name:"model" short:"m" default:"simulated" help:"Name of the model in the results."`
	Tokens bool        `name:"token-arrivals" help:"Keep the time of every token, and not of the first and the last only; needed for the gaps between tokens."`
	Regret bool        `name:"regret" default:"true" negatable:"" help:"Compare every routing decision with the best one."`
	Dir    string      `name:"artifact-dir" aliases:"output-artifact-dir,output-dir" short:"d" type:"path" placeholder:"DIR" help:"Write the results into this folder, in aiperf's formats."`
	JSON   bool        `name:"json" help:"Print the result as JSON on standard output instead of tables."`
	NumGPU int         `name:"num-gpus" default:"0" help:"GPUs of the cluster, for figures per GPU."`
	Goals  []string    `name:"objective" sep:"none" placeholder:"\"TAG STAT < VALUE\"" help:"A target such as 'time_to_first_token p99 < 500ms'; repeatable. Exit code 3 when one is missed, 5 when one is not decided."`

	promptFlags
	loadFlags
	tokenizerFlags
	clusterFlags
}

// Help is shown below the options.
func (simReplayCmd) Help() string {
	return `Examples:

  headway sim replay --trace mooncake_trace.jsonl --workers 8 --router-mode kv
  headway sim replay --trace mooncake_trace.jsonl --synthesis-speedup-ratio 2 --workers 8
  headway sim replay --concurrency 32 --request-count 1000 --isl 4000 --osl 200 \
      --num-prefix-prompts 20 --prefix-prompt-length 3000 --workers 4 --router-mode kv
  headway sim replay --timing roofline --known-model qwen3-32b --gpu h100_sxm --tp 4 --isl 2000`
}

func (c *simReplayCmd) run(ctx context.Context, a app) (int, error) {
	seed := seedOf(c.Seed)
	p := &planFlags{given: a.given, promptFlags: c.promptFlags, loadFlags: c.loadFlags, ISL: c.ISL, ISLSD: c.ISLSD, OSL: c.OSL, OSLSD: c.OSLSD, Streaming: true}
	cfg, goals, err := c.settings(a, p, seed)
	if err != nil {
		return exitUsage, err
	}
	if err := c.tokens(ctx, a, &cfg); err != nil {
		return exitFailed, err
	}
	if n := c.idleNote(c.Mode == router.KV); n != "" {
		a.note("note: %s", n)
	}
	plan, err := p.plan(workload.Stream{Run: "simulated"}.Key(seed))
	if err != nil {
		return exitUsage, err
	}
	rep, err := c.replay(ctx, a, p, cfg, plan, goals, seed)
	if rep != nil {
		if e := c.show(a, rep); err == nil {
			err = e
		}
	}
	if err != nil {
		return exitFailed, err
	}
	if r := rep.Result; r.OK == 0 && r.Failed > 0 {
		return exitFailed, fmt.Errorf("every request failed: %s", r.Failures[0].Failure.Message)
	}
	return decision([]*report.Report{rep}, math.Inf(1)), nil
}

// settings checks everything that can be checked before the replay.
func (c *simReplayCmd) settings(a app, p *planFlags, seed uint64) (cluster.Config, []metric.Objective, error) {
	var bad faultList
	if c.Trace != "" && p.InputFile != "" {
		bad.add("--trace and --input-file: give one of them")
	}
	if c.Trace != "" {
		p.InputFile = c.Trace
	}
	bad = append(bad, p.faults()...)
	if p.WarmCount > 0 || p.WarmSessions > 0 || p.WarmDuration > 0 {
		bad.add("--warmup-…: a replay begins with empty caches; leave out what comes first with --fixed-schedule-start-offset")
	}
	var goals []metric.Objective
	for _, text := range c.Goals {
		one, err := metric.ParseObjective(text)
		if err != nil {
			bad.add("--objective: %v", err)
		}
		goals = append(goals, one)
	}
	c.clusterFlags.idle(&bad, a.given, c.Mode == router.KV, "--router-mode kv")
	cfg, err := c.clusterFlags.config(c.Mode, 1, seed)
	if err != nil {
		bad = append(bad, err)
	}
	cfg.TokenArrivals, cfg.Regret = c.Tokens, c.Regret
	if err := bad.err(); err != nil {
		return cfg, nil, err
	}
	return cfg, goals, p.load()
}

// tokens loads a tokenizer where one was named: only prompts that are given as
// text need any.
func (c *simReplayCmd) tokens(ctx context.Context, a app, cfg *cluster.Config) error {
	if c.Tokenizer == "" {
		return nil
	}
	tok, _, err := a.loadTokens(ctx, c.tokenizerFlags, c.Model, true)
	cfg.Tokenizer = tok.tokenizer
	return err
}

// replay runs the plan and makes the report, and the files where they are
// asked for.
func (c *simReplayCmd) replay(ctx context.Context, a app, p *planFlags, cfg cluster.Config, plan workload.Plan, goals []metric.Objective, seed uint64) (*report.Report, error) {
	// Virtual time has no wall clock: the results begin at the epoch, so that
	// the same command gives the same bytes.
	origin := time.Unix(0, 0).UTC()
	options := metric.Options{Clock: record.ClockAt(origin), Streaming: true, NumGPUs: c.NumGPU, Objectives: goals}
	if !p.isFixed() && !p.Rate.set {
		options.Concurrency = plan.Concurrency
	}
	run := record.Run{Header: record.Header{
		Version: version, Model: c.Model, Endpoint: "simulated", Streaming: true, Simulated: true, Origin: origin, Seed: seed,
		Concurrency: plan.Concurrency, Rate: p.Rate.value, Arrivals: p.arrivalName(), NumGPUs: c.NumGPU,
		Command: report.NewRedactor().Command("headway", a.args[1:]),
		Machine: record.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), Go: runtime.Version()},
	}}
	for _, w := range p.fileWarnings() {
		a.note("warning: %s", w.Text)
		run.Warnings = append(run.Warnings, w)
	}
	out, err := newReplayFiles(c.Dir, run.Header, options)
	if err != nil {
		return nil, err
	}
	facts, end, err := cluster.Replay(ctx, cfg, plan, out)
	run.Begin, run.End, run.Cancelled, run.Aborted, run.Cluster = end.Begin, end.End, end.Cancelled, end.Aborted, &facts
	run.Warnings = append(run.Warnings, clusterWarnings(cfg, facts, end)...)
	rep := &report.Report{Run: run, Result: out.collector.Result()}
	return rep, errors.Join(err, out.close(rep))
}

// clusterWarnings are what a reader of simulated figures must know.
func clusterWarnings(cfg cluster.Config, facts record.Cluster, end cluster.Outcome) []record.Warning {
	var all []record.Warning
	add := func(code, format string, args ...any) {
		all = append(all, record.Warning{Code: code, Text: fmt.Sprintf(format, args...)})
	}
	if !cfg.TokenArrivals {
		add("sparse_arrivals", "only the first and the last token of a reply have times: gaps between single tokens and the time to the second token mean nothing; --token-arrivals keeps all")
	}
	if facts.Saturated {
		add("saturated", "the cluster is saturated: it completed %.3g requests/s of %.3g offered, so latencies grow with the length of the run", facts.Completed, facts.Offered)
	}
	if cfg.Router.Mode == router.KV && cfg.Router.UseKVEvents && facts.EventsApplied == 0 {
		add("no_kv_events", "the router never heard what the workers cache: every prompt was taken for new (prompts shorter than a block, or no prefix caching)")
	}
	if end.TooLong > 0 {
		add("too_long", "%s fit a worker: the longest has %d tokens of prompt and output, a worker takes %d (--num-gpu-blocks-override, --max-model-len)",
			howMany(end.TooLong, "request does not", "requests do not"), end.TooLongTokens, end.Capacity)
	}
	return all
}

// replayFiles takes the Records of a replay: to the metrics, and to a file
// where there is a folder.
type replayFiles struct {
	collector *metric.Collector
	dir       string
	names     report.Names
	file      *report.File
	lines     *record.Writer
}

func newReplayFiles(dir string, h record.Header, o metric.Options) (*replayFiles, error) {
	f := &replayFiles{collector: metric.NewCollector(o), dir: dir, names: report.FileNames("")}
	if dir == "" {
		return f, nil
	}
	err := os.MkdirAll(dir, 0o755)
	if err != nil {
		return nil, fmt.Errorf("making the result folder: %w", err)
	}
	if f.file, err = report.Create(filepath.Join(dir, f.names.Records)); err != nil {
		return nil, err
	}
	if f.lines, err = record.NewWriter(f.file, h); err != nil {
		f.file.Abort()
		return nil, err
	}
	return f, nil
}

// Take is a record.Sink's.
func (f *replayFiles) Take(r *record.Record) error {
	err := f.collector.Take(r)
	if f.lines != nil {
		err = errors.Join(err, f.lines.Take(r))
	}
	return err
}

// close writes the files that are known only at the end.
func (f *replayFiles) close(rep *report.Report) error {
	if f.file == nil {
		return nil
	}
	if err := f.lines.Close(rep.Run.Trailer); err != nil {
		f.file.Abort()
		return err
	}
	return errors.Join(f.file.Commit(), rep.WriteFiles(f.dir, f.names))
}

// show prints the tables, or the JSON.
func (c *simReplayCmd) show(a app, rep *report.Report) error {
	if c.JSON {
		return rep.WriteJSON(a.stdout)
	}
	if err := rep.WriteConsole(a.stdout, report.ConsoleOptions{Width: a.width(), Color: a.color()}); err != nil {
		return err
	}
	_, err := io.WriteString(a.stdout, clusterText(*rep.Run.Cluster))
	return err
}

// clusterText is a cluster's account of itself.
func clusterText(c record.Cluster) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nSimulated cluster: %s, router %s\n", howMany(len(c.Workers), "worker", "workers"), c.RouterMode)
	fmt.Fprintf(&b, "prefix hits       %.1f %% of prompt tokens; ideal %.1f %%, in one cache as large as all %.1f %%\n", 100*c.HitRate, 100*c.IdealHitRate, 100*c.IdealAtSize)
	fmt.Fprintf(&b, "imbalance         %.3f (busiest worker over the mean)\n", c.Imbalance)
	fmt.Fprintf(&b, "routing regret    mean %.1f ms, p50 %.1f, p99 %.1f (modelled TTFT over the best worker's)\n", 1e3*c.RegretMean, 1e3*c.RegretP50, 1e3*c.RegretP99)
	fmt.Fprintf(&b, "completed         %.3g requests/s", c.Completed)
	if c.Offered > 0 {
		fmt.Fprintf(&b, " of %.3g offered", c.Offered)
	}
	if c.Saturated {
		b.WriteString(": SATURATED")
	}
	fmt.Fprintf(&b, "\nKV events applied %d; preemptions %d\n", c.EventsApplied, c.Preemptions)
	fmt.Fprintf(&b, "worker  requests  prompt tokens  cached  output tokens  busy s\n")
	for _, w := range c.Workers {
		share := 0.0
		if w.PromptTokens > 0 {
			share = 100 * float64(w.CachedTokens) / float64(w.PromptTokens)
		}
		fmt.Fprintf(&b, "%6d  %8d  %13d  %4.1f %%  %13d  %6.1f\n", w.ID, w.Requests, w.PromptTokens, share, w.OutputTokens, w.Busy)
	}
	return b.String()
}
