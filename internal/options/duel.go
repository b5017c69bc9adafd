package options

import (
	"strings"
	"time"

	"headway/internal/fault"
)

// Duel says which two servers are compared, under which load, and when it is decided.
type Duel struct {
	A        string  `name:"a" placeholder:"URL" help:"Base URL of side A, which B is compared with."`
	B        string  `name:"b" placeholder:"URL" help:"Base URL of side B."`
	ACommand string  `name:"a-command" placeholder:"COMMAND" help:"Start this as side A and stop it at the end; {port} is a free port, {host}, {model}, {dir} and {log} are known, too. It answers at /v1."`
	BCommand string  `name:"b-command" placeholder:"COMMAND" help:"Start this as side B and stop it at the end, as --a-command does for side A."`
	ASim     *string `name:"a-sim" placeholder:"OPTIONS" help:"Simulate side A in virtual time, with these options of headway sim, such as 'max-num-batched-tokens=2048 max-num-seqs=64'; an empty text has the defaults."`
	BSim     *string `name:"b-sim" placeholder:"OPTIONS" help:"Simulate side B in virtual time, with these options of headway sim."`
	Bisect   string  `name:"bisect" placeholder:"GOOD..BAD" help:"Find the first bad one of a list, each against the first: git revisions GOOD..BAD, or names with commas. {rev} in --command or --b-sim stands for it."`
	Command  string  `name:"command" placeholder:"COMMAND" help:"With --bisect: starts the server of one {rev}, as --a-command does."`

	ISL         float64      `name:"isl" aliases:"prompt-input-tokens-mean" default:"2000" help:"Mean input length (tokens)."`
	ISLSD       float64      `name:"isl-stddev" default:"0" help:"Standard deviation of the input length (tokens)."`
	OSL         float64      `name:"osl" aliases:"output-tokens-mean" default:"128" help:"Mean output length (tokens)."`
	OSLSD       float64      `name:"osl-stddev" default:"0" help:"Standard deviation of the output length (tokens)."`
	Concurrency One[int]     `name:"concurrency" placeholder:"N" help:"Requests in flight. Default: 8, without --request-rate."`
	Rate        One[float64] `name:"request-rate" placeholder:"N" help:"Requests per second, at the same times for both sides (Poisson)."`
	Count       One[int]     `name:"request-count" aliases:"num-requests" placeholder:"N" help:"Measured requests of one side in one block. Default: four for each of --concurrency, at least 20."`
	Warmup      One[int]     `name:"warmup-request-count" placeholder:"N" help:"Requests before those in every block, on the same slots. Default: --concurrency."`
	NumPrefix   int          `name:"num-prefix-prompts" default:"0" help:"How many shared prefixes to draw from."`
	PrefixLen   int          `name:"prefix-prompt-length" default:"0" help:"Tokens of a shared prefix, added to the input length."`
	IgnoreEOS   bool         `name:"ignore-eos" default:"true" negatable:"" help:"Ask for exactly the output length (ignore_eos and min_tokens in the body, where the server takes them); needs --osl-stddev 0."`

	Figures    []string `name:"figures" sep:"none" placeholder:"FIGURE" help:"Figure to decide; repeatable: 'time_to_first_token avg', 'output_token_throughput', 'good_request_fraction' (with --goodput), 'time_to_first_token > 500ms' (the share of requests above it), 'time_to_first_token p99' (the share above the p99 of the first block). Default: the means of TTFT, ITL and latency."`
	Goodput    []string `name:"goodput" sep:"none" placeholder:"\"TAG:VALUE …\"" help:"Limits that a good request meets, in the shown units: \"time_to_first_token:500 inter_token_latency:30\"."`
	Margin     float64  `name:"margin" default:"5" placeholder:"PCT" help:"Largest change, in percent, that counts as the same."`
	Points     float64  `name:"share-margin" default:"2" placeholder:"POINTS" help:"Largest difference of shares of requests, in percentage points, that counts as the same."`
	Confidence float64  `name:"confidence-level" default:"0.95" help:"Confidence of all intervals together, at every number of blocks."`
	MaxBlocks  int      `name:"max-blocks" apart:"" default:"40" placeholder:"N" help:"Most blocks."`
	MaxTime    Seconds  `name:"max-time" apart:"" default:"0" placeholder:"TIME" help:"Begin no block that would end later than this (s); 0 is no limit. In virtual time it is that of the simulation."`
	Interleave bool     `name:"interleave" help:"Load both sides at once in every block, instead of one after the other; for servers that share nothing."`
	Pause      Seconds  `name:"pause" default:"1" placeholder:"TIME" help:"Pause before each side's part of a block (s)."`
	MaxFailed  float64  `name:"max-failed" apart:"" default:"10" placeholder:"PCT" help:"A side of which more requests than this fail in a block is broken, and the duel ends."`

	Dir       string   `name:"output-dir" apart:"" aliases:"artifact-dir" short:"d" type:"path" default:"duel" placeholder:"DIR" help:"Folder of the results: a/block_0001 …, b/block_0001 …, duel.json, report.html."`
	Resume    bool     `name:"resume" apart:"" help:"Keep the blocks that an earlier call with the same settings finished, and go on."`
	Overwrite bool     `name:"overwrite" apart:"" help:"Replace the results of an earlier call."`
	Seed      *uint64  `name:"seed" aliases:"random-seed" placeholder:"N" help:"Seed of everything that is drawn. Default: from the system, and printed; with --resume that of the earlier call."`
	Format    string   `name:"format" apart:"" enum:"terminal,markdown,json,html" default:"terminal" help:"Format on standard output: ${enum}."`
	Output    []string `name:"output" apart:"" short:"o" sep:"none" type:"path" placeholder:"FILE" help:"Also write the result into this file, in the format of its ending: .md, .json, .html or .txt; repeatable."`
	JSON      bool     `name:"json" apart:"" help:"Print the result as JSON on standard output: --format json."`
	Quiet     bool     `name:"quiet" apart:"" short:"q" help:"Only errors, and no progress."`

	StartTimeout Seconds `name:"engine-start-timeout" apart:"" default:"1800" placeholder:"TIME" help:"How long a command may take until its server answers (s)."`
	StopGrace    Seconds `name:"engine-stop-grace" apart:"" default:"30" placeholder:"TIME" help:"How long its server has to stop by itself (s)."`

	Endpoint
	Tokens
	Audit
	FailFast
	NoConnect
	Controls
	Telemetry
	Exports
	Web
}

// decidedUsually are the figures that are decided where none is named.
var decidedUsually = []string{"time_to_first_token avg", "inter_token_latency avg", "request_latency avg"}

// Simulated says that both sides run in virtual time.
func (d *Duel) Simulated() bool { return d.ASim != nil || d.BSim != nil }

// Shown is the format of standard output.
func (d *Duel) Shown() string {
	if d.JSON {
		return "json"
	}
	return d.Format
}

// Defaults fills in what was not given.
func (d *Duel) Defaults() {
	if len(d.Figures) == 0 {
		d.Figures = decidedUsually
	}
	if d.Simulated() && len(d.Model) == 0 {
		d.Model = []string{"simulated"}
	}
	if !d.Concurrency.Set && !d.Rate.Set {
		d.Concurrency = Given(8)
	}
	d.Count = Or(d.Count, Given(max(20, 4*d.Concurrency.Value)))
	d.Warmup = Or(d.Warmup, One[int]{Value: d.Concurrency.Value})
}

// Plan is the load of one side in one block.
func (d *Duel) Plan(a Caller) *Plan {
	p := &Plan{ISL: d.ISL, ISLSD: d.ISLSD, OSL: d.OSL, OSLSD: d.OSLSD, Streaming: true, Given: a.Given}
	p.Concurrency, p.Rate, p.Count = d.Concurrency, d.Rate, d.Count
	p.NumPrefix, p.PrefixLength = d.NumPrefix, d.PrefixLen
	if p.WarmCount = d.Warmup.Value; p.WarmCount > 0 && !d.Simulated() {
		p.Handover, p.KeepUp = true, !d.Rate.Set
	}
	if d.Simulated() {
		p.WarmCount = 0 // a replay begins with empty caches
	}
	p.Pattern, p.Speedup = "poisson", 1
	p.DelayRatio, p.BatchSize = 1, 1
	p.Grace, p.WarmGrace = Seconds(30*time.Second), -1
	return p
}

// Faults lists everything that is wrong with the options.
func (d *Duel) Faults(a Caller, bad *fault.List) {
	d.sides(bad)
	d.bounds(bad)
	bad.When(d.Resume && d.Overwrite, "%s with %s: give one of them", fault.Field("resume"), fault.Field("overwrite"))
	bad.When(d.JSON && d.Format != "terminal" && d.Format != "json", "%s and %s %s: give one of them",
		fault.Field("json"), fault.Field("format"), d.Format)
	for _, file := range d.Output {
		format := (&Compare{}).FormatOf(file)
		bad.When(format == "" || format == "junit", "%s %s: its ending must be .md, .json, .html or .txt",
			fault.Field("output"), file)
	}
	d.Audit.Faults(bad)
	d.Controls.Faults(a.Given, bad)
	d.Telemetry.Faults(bad)
	d.Exports.Faults(a, bad)
	d.Web.Faults(bad)
	if d.Simulated() {
		why := fault.New("is about real endpoints, and %s simulates both sides", fault.Field("a-sim"))
		useless(a.Given, bad, why, d.Endpoint, d.Tokens, d.FailFast, d.NoConnect, d.Controls,
			d.Telemetry, d.Exports)
		for _, name := range []string{"pause", "interleave", "warmup-request-count"} {
			bad.When(a.Given[name], "%s: has no effect in virtual time, where both sides begin empty",
				fault.Field(name))
		}
	} else if _, err := d.Client(a, []string{"http://127.0.0.1"}, true); err != nil {
		*bad = append(*bad, err)
	}
	bad.Idle(a.Given, d.ACommand+d.BCommand+d.Command == "", "engine-start-timeout engine-stop-grace",
		fault.Field("a-command"))
	p := d.Plan(a)
	if faults := p.Faults(); len(faults) > 0 {
		*bad = append(*bad, faults...)
	} else if err := p.Rehearse(); err != nil {
		*bad = append(*bad, err)
	}
}

// sides are the faults of what is compared.
func (d *Duel) sides(bad *fault.List) {
	if d.Bisect != "" {
		bad.When(d.A+d.B+d.ACommand+d.BCommand != "" || d.ASim != nil, "%s: has sides of its own: give %s or %s with "+
			"{rev}, and no other side", fault.Field("bisect"), fault.Field("command"), fault.Field("b-sim"))
		template := d.Command
		if d.BSim != nil {
			bad.When(d.Command != "", "%s and %s: give one of them", fault.Field("command"), fault.Field("b-sim"))
			template = *d.BSim
		}
		bad.When(!strings.Contains(template, "{rev}"), "%s: needs %s or %s with {rev} in it", fault.Field("bisect"),
			fault.Field("command"), fault.Field("b-sim"))
		return
	}
	bad.When(d.Command != "", "%s: has no effect without %s", fault.Field("command"), fault.Field("bisect"))
	if d.Simulated() {
		bad.When(d.A+d.B+d.ACommand+d.BCommand != "" || d.ASim == nil || d.BSim == nil, "%s and %s: simulate both "+
			"sides or none", fault.Field("a-sim"), fault.Field("b-sim"))
		return
	}
	bad.When((d.A == "") == (d.ACommand == ""), "side A: give %s, %s or %s", fault.Field("a"),
		fault.Field("a-command"), fault.Field("a-sim"))
	bad.When((d.B == "") == (d.BCommand == ""), "side B: give %s, %s or %s", fault.Field("b"),
		fault.Field("b-command"), fault.Field("b-sim"))
}

// bounds are the faults of numbers.
func (d *Duel) bounds(bad *fault.List) {
	bad.Check(d.Margin > 0 && d.Margin < 100, fault.Field("margin"), d.Margin, "above 0 and below 100")
	bad.Check(d.Points > 0 && d.Points < 100, fault.Field("share-margin"), d.Points, "above 0 and below 100")
	bad.Between("confidence-level", d.Confidence, 0.5, 0.9999)
	bad.Between("max-blocks", float64(d.MaxBlocks), 1, 10_000)
	bad.Between("max-failed", d.MaxFailed, 0, 100)
	bad.When(d.MaxTime < 0 || d.Pause < 0, "%s and %s: must end", fault.Field("max-time"), fault.Field("pause"))
	bad.Positive("osl", d.OSL)
	bad.NotNegative("warmup-request-count", float64(d.Warmup.Value))
	bad.Positive("engine-start-timeout", time.Duration(d.StartTimeout).Seconds())
	bad.Positive("engine-stop-grace", time.Duration(d.StopGrace).Seconds())
}
