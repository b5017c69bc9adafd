package main

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"headway/internal/study"
	"headway/report"
)

// benchCmd sweeps concurrency levels, as Dynamo's benchmark script does.
type benchCmd struct {
	Names       []string `name:"benchmark-name" placeholder:"NAME" help:"Name of the experiment, one for each endpoint in order: letters, digits, - and _. Default: the time."`
	URLs        []string `name:"endpoint-url" short:"u" aliases:"url" placeholder:"URL" help:"Base URL of an OpenAI-compatible server; repeatable, measured one after the other. Default: a simulated one in this process."`
	ISL         *float64 `name:"isl" short:"i" aliases:"prompt-input-tokens-mean,synthetic-input-tokens-mean" placeholder:"N" help:"Mean input length in tokens (default 2000; simulated 512)."`
	Std         *float64 `name:"std" short:"s" aliases:"isl-stddev,prompt-input-tokens-stddev,synthetic-input-tokens-stddev" placeholder:"N" help:"Its standard deviation (default 10; simulated 0)."`
	OSL         *float64 `name:"osl" short:"o" aliases:"prompt-output-tokens-mean,output-tokens-mean" placeholder:"N" help:"Output length in tokens (default 256; simulated 64)."`
	Levels      levels   `name:"concurrencies" also:"CONCURRENCIES" default:"1,2,5,10,50,100,250" help:"Concurrency levels; also from CONCURRENCIES."`
	Count       one[int] `name:"request-count" also:"REQUEST_COUNT" aliases:"num-requests" placeholder:"N" help:"Requests at each level; also from REQUEST_COUNT. Default: three times the level, at least 10."`
	OutputDir   string   `name:"output-dir" short:"d" type:"path" default:"results" help:"Results go to OUTPUT-DIR/NAME/c<N>."`
	Resume      bool     `name:"resume" help:"Keep the levels that an earlier call finished."`
	Overwrite   bool     `name:"overwrite" help:"Replace the results of an earlier call of this name."`
	IgnoreEOS   bool     `name:"ignore-eos" default:"true" negatable:"" help:"Ask for exactly OSL tokens (ignore_eos and min_tokens in the body)."`
	Streaming   bool     `name:"streaming" default:"true" negatable:"" help:"Ask for the reply as a stream; without it there is no TTFT and no ITL."`
	Warmup      int      `name:"warmup-request-count" aliases:"num-warmup-requests" default:"0" help:"Requests before each level, not measured."`
	Plots       bool     `name:"plots" default:"true" negatable:"" help:"Draw the pictures at the end, into OUTPUT-DIR/plots."`
	Entries     one[int] `name:"num-dataset-entries" aliases:"num-prompts" placeholder:"N" help:"Make so many prompts a level and reuse them. Default: every request its own."`
	Seed        *uint64  `name:"random-seed" placeholder:"N" help:"Seed of everything that is drawn. Default: from the system, and printed."`
	PrefixCount int      `name:"num-prefix-prompts" default:"0" help:"How many shared prefixes to draw from."`
	PrefixLen   int      `name:"prefix-prompt-length" default:"0" help:"Tokens of a shared prefix, added to the input length."`

	endpointFlags
	tokenizerFlags
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
      --objective 'time_to_first_token p99 < 500ms'`
}

// endpoint is one server to be measured.
type endpoint struct {
	name, url string
	simulated bool
}

func (b *benchCmd) run(ctx context.Context, a app) (int, error) {
	b.defaults(time.Now())
	ends, err := b.validate(a)
	if err != nil {
		return exitUsage, err
	}
	code, failed := exitDone, 0
	var last error
	for _, e := range ends {
		missed, err := b.endpoint(ctx, a, e)
		if missed {
			code = exitMissed
		}
		if err != nil {
			failed++
			last = fmt.Errorf("%s: %w", e.name, err)
			if len(ends) > 1 {
				a.note("headway: %v", last)
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	if b.Plots && failed < len(ends) {
		if err := b.plot(a, ends); err != nil {
			return exitFailed, err
		}
	}
	if failed > 0 {
		return exitFailed, last
	}
	return code, nil
}

func (b *benchCmd) simulated() bool { return len(b.URLs) == 0 }

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
	for _, d := range []struct {
		p **float64
		v float64
	}{{&b.ISL, isl}, {&b.Std, sd}, {&b.OSL, osl}} {
		if *d.p == nil {
			*d.p = &d.v
		}
	}
	if len(b.Names) == 0 {
		name := "run-" + now.Format("20060102-150405")
		if b.simulated() {
			name = "simulated-" + now.Format("20060102-150405")
		}
		for i := range max(1, len(b.URLs)) {
			if i > 0 {
				name = fmt.Sprintf("%s-%d", name, i+1)
			}
			b.Names = append(b.Names, name)
		}
	}
}

var benchmarkName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// validate lists every fault and says what to measure.
func (b *benchCmd) validate(a app) ([]endpoint, error) {
	var bad faultList
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
	if len(b.Names) != max(1, len(b.URLs)) {
		bad.add("%d --benchmark-name for %d --endpoint-url: give one name for each endpoint", len(b.Names), max(1, len(b.URLs)))
	}
	urls, err := b.urls(a)
	if err != nil {
		bad = append(bad, err)
	}
	for i, n := range b.Levels {
		if n <= 0 {
			bad.add("--concurrencies %d: must be above zero", n)
		}
		if slices.Contains(b.Levels[:i], n) {
			bad.add("--concurrencies: level %d is given twice", n)
		}
	}
	if *b.OSL <= 0 || math.IsNaN(*b.OSL) {
		bad.add("--osl %g: must be above zero", *b.OSL)
	}
	if b.Resume && b.Overwrite {
		bad.add("--resume and --overwrite: give one of them")
	}
	bad.notNegative("warmup-request-count", float64(b.Warmup))
	if _, err := b.goals(); err != nil {
		bad = append(bad, err)
	}
	client := urls
	if len(client) == 0 {
		client = []string{"http://127.0.0.1"}
	}
	if _, err := b.config(a, client, b.Streaming); err != nil {
		bad = append(bad, err)
	}
	p := b.plan(1)
	bad = append(bad, p.faults()...)
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
	p := &planFlags{ISL: *b.ISL, ISLSD: *b.Std, OSL: *b.OSL, Streaming: b.Streaming}
	p.Concurrency = one[int]{level, true}
	p.Count = b.Count
	if !p.Count.set {
		p.Count = one[int]{max(3*level, 10), true}
	}
	p.WarmCount, p.Entries, p.NumPrefix, p.PrefixLength = b.Warmup, b.Entries, b.PrefixCount, b.PrefixLen
	p.Pattern, p.Speedup, p.DelayRatio, p.BatchSize = "poisson", 1, 1, 1
	p.Grace, p.WarmGrace = seconds(30*time.Second), -1
	return p
}

// endpoint measures all levels of one server. missed says that an objective
// was not met.
func (b *benchCmd) endpoint(ctx context.Context, a app, e endpoint) (missed bool, err error) {
	if e.simulated {
		sim, err := startSimulated(b.Model[0])
		if err != nil {
			return false, err
		}
		defer sim.stop()
		e.url = sim.url
		if b.NumGPUs == 0 {
			b.NumGPUs = 1 // the one worker that is simulated
		}
	}
	flags := b.endpointFlags
	if b.IgnoreEOS {
		flags.ExtraInputs = append([]string{"ignore_eos:true", fmt.Sprintf("min_tokens:%d", int(*b.OSL))}, flags.ExtraInputs...)
	}
	client, err := flags.config(a, []string{e.url}, b.Streaming)
	if err != nil {
		return false, err
	}
	seed := seedOf(b.Seed)
	g, err := a.newRig(ctx, &flags, b.tokenizerFlags, &b.outputFlags, client, seed, e.simulated)
	if err != nil {
		return false, err
	}
	defer g.close()
	g.names = report.FileNames("")
	s := study.Sweep{
		Dir: filepath.Join(b.OutputDir, e.name), Levels: b.Levels, Runs: b.Runs, Cooldown: time.Duration(b.Cooldown),
		Confidence: b.Confidence, Resume: b.Resume, Overwrite: b.Overwrite, Fingerprint: b.fingerprint(e, g),
	}
	s.Measure = func(level, run int, dir string) (study.Measurement, error) {
		p := b.plan(level)
		if run > 0 {
			p.WarmCount = 0
		}
		return g.measurement(p, fmt.Sprintf("c%d", level), run, dir)
	}
	d := newDisplay(g, e, b.Levels)
	s.Watch, s.Done = d.watch, d.level
	d.begin(fmt.Sprintf("%g", *b.ISL), fmt.Sprintf("%g", *b.OSL), s.Dir)
	all, err := s.Run(ctx)
	d.end(all)
	return d.missed, err
}

// fingerprint is what two calls must have in common for one to go on with the
// other's results.
func (b *benchCmd) fingerprint(e endpoint, g *rig) any {
	f := struct {
		Model, URL, Type   string
		ISL, Std, OSL      float64
		Count              int
		Streaming, EOS     bool
		Tokenizer          string
		Warmup, Runs       int
		Entries, Prefixes  int
		PrefixLength       int
		Extra              string
		Seed               *uint64
		ServerTokens       bool
		Timeout            float64
		ConnectionReuse    string
		Simulated          bool
		HeadwayMajorFormat int
	}{
		Model: strings.Join(b.Model, ","), URL: g.header.URL, Type: g.client.Type, ISL: *b.ISL, Std: *b.Std, OSL: *b.OSL,
		Count: b.Count.value, Streaming: b.Streaming, EOS: b.IgnoreEOS, Tokenizer: g.header.Tokenizer.Fingerprint,
		Warmup: b.Warmup, Runs: b.Runs, Entries: b.Entries.value, Prefixes: b.PrefixCount, PrefixLength: b.PrefixLen,
		Extra: g.secrets.Text(string(g.client.Extra)), Seed: b.Seed, ServerTokens: b.ServerTokens,
		Timeout: time.Duration(b.Timeout).Seconds(), ConnectionReuse: b.Reuse, Simulated: e.simulated, HeadwayMajorFormat: 1,
	}
	if e.simulated {
		f.URL = "" // its port is another each time
	}
	return f
}
