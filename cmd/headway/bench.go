package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"headway/report"
)

// benchCmd sweeps concurrency levels, as Dynamo's benchmark script does.
type benchCmd struct {
	Names       []string     `name:"benchmark-name" placeholder:"NAME" help:"Name of the experiment, one for each endpoint in order: letters, digits, - and _. Default: the time."`
	URLs        []string     `name:"endpoint-url" short:"u" aliases:"url" placeholder:"URL" help:"Base URL of an OpenAI-compatible server; repeatable, measured one after the other. Default: a simulated one in this process."`
	ISL         one[float64] `name:"isl" short:"i" aliases:"prompt-input-tokens-mean,synthetic-input-tokens-mean" placeholder:"N" help:"Mean input length in tokens (default 2000; simulated 512)."`
	Std         one[float64] `name:"std" short:"s" aliases:"isl-stddev,prompt-input-tokens-stddev,synthetic-input-tokens-stddev" placeholder:"N" help:"Its standard deviation (default 10; simulated 0)."`
	OSL         one[float64] `name:"osl" short:"o" aliases:"prompt-output-tokens-mean,output-tokens-mean" placeholder:"N" help:"Output length in tokens (default 256; simulated 64)."`
	Levels      levels       `name:"concurrencies" also:"CONCURRENCIES" default:"1,2,5,10,50,100,250" help:"Concurrency levels; also from CONCURRENCIES."`
	Count       one[int]     `name:"request-count" also:"REQUEST_COUNT" aliases:"num-requests" placeholder:"N" help:"Requests at each level; also from REQUEST_COUNT. Default: the level, or three times the level up to 30, at least 10. Those of the warm-up come on top."`
	OutputDir   string       `name:"output-dir" short:"d" type:"path" default:"results" help:"Results go to OUTPUT-DIR/NAME/c<N>."`
	Resume      bool         `name:"resume" help:"Keep the levels that an earlier call finished."`
	Overwrite   bool         `name:"overwrite" help:"Replace the results of an earlier call of this name."`
	IgnoreEOS   bool         `name:"ignore-eos" default:"true" negatable:"" help:"Ask for exactly OSL tokens (ignore_eos and min_tokens in the body)."`
	Streaming   bool         `name:"streaming" default:"true" negatable:"" help:"Ask for the reply as a stream; without it there is no TTFT and no ITL."`
	Warmup      one[int]     `name:"warmup-request-count" aliases:"num-warmup-requests" placeholder:"N" help:"Requests of each level before the measured ones, on the same slots and without a pause between. Default: until the start has passed, see below; 0: none."`
	Plots       bool         `name:"plots" default:"true" negatable:"" help:"Draw the pictures at the end, into OUTPUT-DIR/plots."`
	Entries     one[int]     `name:"num-dataset-entries" aliases:"num-prompts" placeholder:"N" help:"Make so many prompts a level and reuse them. Default: every request its own."`
	Seed        *uint64      `name:"random-seed" placeholder:"N" help:"Seed of everything that is drawn. Default: from the system, and printed."`
	PrefixCount int          `name:"num-prefix-prompts" default:"0" help:"How many shared prefixes to draw from."`
	PrefixLen   int          `name:"prefix-prompt-length" default:"0" help:"Tokens of a shared prefix, added to the input length."`

	forwardFlags
	endpointFlags
	tokenizerFlags
	auditFlags
	connectFlags
	outputFlags
}

// Help is shown below the options.
func (benchCmd) Help() string {
	return `Examples:

  headway bench
      a simulated endpoint in this process: tables, files and pictures in ./results

  headway bench --benchmark-name my-run --endpoint-url http://localhost:8000 \
      --model Qwen/Qwen3-0.6B --isl 2000 --std 10 --osl 256 --output-dir results

  headway bench --benchmark-name a --endpoint-url http://host-a:8000 \
      --benchmark-name b --endpoint-url http://host-b:8000 --model M --num-profile-runs 3 \
      --objective 'time_to_first_token p99 < 500ms'

  headway bench --port-forward svc/vllm-agg-frontend --namespace dynamo --model M

The start of a level is not measured: its requests begin at one instant and wait
for each other, and those after them do so less and less. Warm-up requests are
sent in rounds of one for each slot. When two rounds in a row had like times to
first token, the measured requests follow on the same slots without a pause. They
follow at the latest after as many rounds as make six together with the measured
ones. More requests are sent after them until the last of them has ended.
--warmup-request-count 0 measures all from the first instant on.`
}

// endpoint is one server to be measured.
type endpoint struct {
	name, url string
	simulated bool
	// forward is the service behind a port-forward, whose url is another each
	// time.
	forward string
}

func (b *benchCmd) run(ctx context.Context, a app) (int, error) {
	b.defaults(time.Now())
	ends, err := b.validate(a)
	if err != nil {
		return exitUsage, err
	}
	for _, text := range (&planFlags{given: a.given}).idleNotes(b.Runs) {
		a.note("%s", text)
	}
	unforward, err := b.forwardFlags.open(ctx, a, ends)
	defer unforward()
	if err != nil {
		return exitFailed, err
	}
	trials, err := b.prepare(ctx, a, ends)
	defer func() {
		for _, t := range trials {
			t.close()
		}
	}()
	if err != nil {
		return exitFailed, err
	}
	var faults []error
	for _, t := range trials {
		if err := t.run(ctx, b); err != nil {
			if len(trials) > 1 {
				err = fmt.Errorf("%s: %w", t.e.name, err)
			}
			faults = append(faults, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	if err := b.plot(a, trials); err != nil {
		faults = append([]error{err}, faults...) // what can be done about an endpoint comes last
	}
	code := b.exit(a, trials)
	if len(faults) > 0 {
		return exitFailed, errors.Join(faults...)
	}
	return code, nil
}

// exit is the exit code of what was measured. It says which measurements are not
// valid, whatever else went wrong.
func (b *benchCmd) exit(a app, trials []*trial) int {
	var bad []invalidRun
	var reports []*report.Report
	for _, t := range trials {
		bad = append(bad, t.invalid(len(trials) > 1)...)
		reports = append(reports, t.reports()...)
	}
	if code := a.invalid(&b.auditFlags, bad); code != exitDone {
		return code
	}
	return b.decision(reports)
}

func (b *benchCmd) simulated() bool { return b.endpoints() == 0 }

// endpoints is how many are given.
func (b *benchCmd) endpoints() int { return max(len(b.URLs), len(b.Forward)) }

// defaults fills in what was not given; a simulated endpoint has shorter
// lengths, so that a first try takes less than a minute.
func (b *benchCmd) defaults(now time.Time) {
	isl, sd, osl := 2000.0, 10.0, 256.0
	if b.simulated() {
		isl, sd, osl = 512, 0, 64
		if len(b.Model) == 0 {
			b.Model = []string{"simulated"}
		}
	}
	b.ISL, b.Std, b.OSL = or(b.ISL, one[float64]{isl, true}), or(b.Std, one[float64]{sd, true}), or(b.OSL, one[float64]{osl, true})
	if len(b.Names) == 0 {
		name := "run-" + now.Format("20060102-150405")
		if b.simulated() {
			name = "simulated-" + now.Format("20060102-150405")
		}
		for i := range max(1, b.endpoints()) {
			if i > 0 {
				b.Names = append(b.Names, fmt.Sprintf("%s-%d", name, i+1))
				continue
			}
			b.Names = append(b.Names, name)
		}
	}
}

var benchmarkName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func (b *benchCmd) faults(a app) error {
	b.defaults(time.Now())
	_, err := b.validate(a)
	return err
}

// validate lists every fault and says what to measure.
func (b *benchCmd) validate(a app) ([]endpoint, error) {
	var bad faultList
	b.checkNames(&bad)
	b.forwardFlags.faults(a, len(b.URLs), &bad)
	urls, err := b.urls(a)
	if err != nil {
		bad = append(bad, err)
	}
	for range b.Forward { // their addresses come when all else is right
		urls = append(urls, "http://127.0.0.1")
	}
	b.checkLevels(&bad)
	bad.positive("osl", b.OSL.value)
	if b.Resume && b.Overwrite {
		bad.add("--resume and --overwrite: give one of them")
	}
	bad.notNegative("warmup-request-count", float64(b.Warmup.value))
	if _, err := b.goals(); err != nil {
		bad = append(bad, err)
	}
	b.auditFlags.faults(&bad)
	b.connectFlags.faults(&bad)
	client := urls
	if len(client) == 0 {
		client = []string{"http://127.0.0.1"}
	}
	if _, err := b.config(a, client, b.Streaming); err != nil {
		bad = append(bad, err)
	}
	p := b.plan(1)
	p.given = a.given
	if faults := p.faults(); len(faults) > 0 {
		bad = append(bad, faults...)
	} else if err := p.rehearse(); err != nil {
		bad = append(bad, err)
	}
	if err := bad.err(); err != nil {
		return nil, err
	}
	var ends []endpoint
	for i, n := range b.Names {
		if b.simulated() {
			return []endpoint{{name: n, simulated: true}}, nil
		}
		ends = append(ends, endpoint{name: n, url: urls[i]})
	}
	return ends, nil
}

func (b *benchCmd) checkNames(bad *faultList) {
	for i, n := range b.Names {
		switch {
		case !benchmarkName.MatchString(n):
			bad.add("--benchmark-name %q: letters, digits, - and _ only", n)
		case n == "plots":
			bad.add("--benchmark-name plots: the name is taken by the folder of pictures")
		case slices.Contains(b.Names[:i], n):
			bad.add("--benchmark-name %q: given twice", n)
		}
	}
	if len(b.Names) != max(1, b.endpoints()) {
		bad.add("%d --benchmark-name for %d --endpoint-url: give one name for each endpoint", len(b.Names), max(1, b.endpoints()))
	}
}

func (b *benchCmd) checkLevels(bad *faultList) {
	for i, n := range b.Levels {
		if n <= 0 {
			bad.add("--concurrencies %d: must be above zero", n)
		}
		if slices.Contains(b.Levels[:i], n) {
			bad.add("--concurrencies: level %d is given twice", n)
		}
	}
	if len(b.Levels) > 0 {
		bad.connections("concurrencies", slices.Max(b.Levels))
	}
}

// urls checks the endpoints. Inside a cluster a bare service:port is enough;
// outside one the scheme has to be said.
func (b *benchCmd) urls(a app) ([]string, error) {
	var bad faultList
	var urls []string
	for _, u := range b.URLs {
		if !strings.Contains(u, "://") {
			if a.getenv("KUBERNETES_SERVICE_HOST") == "" {
				bad.add("--endpoint-url %s: has no scheme; write http://%s", u, u)
				continue
			}
			scheme := a.getenv("SERVICE_PROTOCOL")
			if scheme == "" {
				scheme = "http"
			}
			u = scheme + "://" + u
		}
		urls = append(urls, u)
	}
	return urls, bad.err()
}

// plan is the load of one level.
func (b *benchCmd) plan(level int) *planFlags {
	p := &planFlags{ISL: b.ISL.value, ISLSD: b.Std.value, OSL: b.OSL.value, Streaming: b.Streaming}
	p.Concurrency = one[int]{level, true}
	p.Count = b.Count
	if !p.Count.set {
		p.Count = one[int]{defaultCount(level), true}
	}
	p.WarmCount, p.Entries, p.NumPrefix, p.PrefixLength = b.Warmup.value, b.Entries, b.PrefixCount, b.PrefixLen
	p.Handover, p.KeepUp, p.Settle = true, true, !b.Warmup.set
	p.Pattern, p.Speedup, p.DelayRatio, p.BatchSize = "poisson", 1, 1, 1
	p.Grace, p.WarmGrace = seconds(30*time.Second), -1
	return p
}
