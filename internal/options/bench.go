package options

// Bench is the options of a sweep over concurrency levels.
type Bench struct {
	Names       []string     `name:"benchmark-name" apart:"" placeholder:"NAME" help:"Name of the experiment, one for each endpoint in order: letters, digits, - and _. Default: the time."`
	URLs        []string     `name:"endpoint-url" apart:"" short:"u" aliases:"url" placeholder:"URL" help:"Base URL of an OpenAI-compatible server; repeatable, measured one after the other. Default: a simulated one in this process."`
	ISL         One[float64] `name:"isl" short:"i" aliases:"prompt-input-tokens-mean,synthetic-input-tokens-mean" placeholder:"N" help:"Mean input length in tokens (default 2000; simulated 512)."`
	Std         One[float64] `name:"std" short:"s" aliases:"isl-stddev,prompt-input-tokens-stddev,synthetic-input-tokens-stddev" placeholder:"N" help:"Standard deviation of the input length (tokens; default 10; simulated 0)."`
	OSL         One[float64] `name:"osl" short:"o" aliases:"prompt-output-tokens-mean,output-tokens-mean" placeholder:"N" help:"Output length in tokens (default 256; simulated 64)."`
	Levels      Levels       `name:"concurrencies" apart:"" also:"CONCURRENCIES" default:"1,2,5,10,50,100,250" help:"Concurrency levels; also from CONCURRENCIES."`
	Count       One[int]     `name:"request-count" also:"REQUEST_COUNT" aliases:"num-requests" placeholder:"N" help:"Requests at each level; also from REQUEST_COUNT. Default: the level, or three times the level up to 30, at least 10. Those of the warm-up come on top."`
	PerSlot     One[int]     `name:"requests-per-slot" placeholder:"N" help:"Requests for each slot of a level, at least 40 in all, in place of --request-count. With 5 the latencies of a level have intervals, with 25 also throughputs and p99."`
	OutputDir   string       `name:"output-dir" apart:"" short:"d" type:"path" default:"results" help:"Results go to OUTPUT-DIR/NAME/c<N>."`
	Resume      bool         `name:"resume" apart:"" help:"Keep the levels that an earlier call finished."`
	Overwrite   bool         `name:"overwrite" apart:"" help:"Replace the results of an earlier call of this name."`
	IgnoreEOS   bool         `name:"ignore-eos" default:"true" negatable:"" help:"Ask for exactly OSL tokens (ignore_eos and min_tokens in the body, where the server takes them)."`
	Streaming   bool         `name:"streaming" default:"true" negatable:"" help:"Ask for the reply as a stream; without it there is no TTFT and no ITL."`
	Warmup      One[int]     `name:"warmup-request-count" aliases:"num-warmup-requests" placeholder:"N" help:"Requests of each level before the measured ones, on the same slots and without a pause between. Default: until the start has passed, see below; 0: none."`
	Saturated   bool         `name:"until-saturated" help:"Leave out the levels above one at which the throughput has stopped rising: less than 5 percent above a level with at most two thirds of its concurrency."`
	Plots       bool         `name:"plots" apart:"" default:"true" negatable:"" help:"Draw the pictures at the end, into OUTPUT-DIR/plots."`
	Entries     One[int]     `name:"num-dataset-entries" aliases:"num-prompts" placeholder:"N" help:"Number of different prompts per level, which are reused. Default: a new prompt for every request."`
	Seed        *uint64      `name:"random-seed" placeholder:"N" help:"Seed of everything that is drawn. Default: from the system, and printed."`
	PrefixCount int          `name:"num-prefix-prompts" default:"0" help:"How many shared prefixes to draw from."`
	PrefixLen   int          `name:"prefix-prompt-length" default:"0" help:"Tokens of a shared prefix, added to the input length."`

	Endpoint
	Tokens
	Audit
	FailFast
	Connect
	Telemetry
	Exports
	Output
	Until
	Web

	// Forwarded is how many endpoints are reached by port-forwards.
	Forwarded int `kong:"-"`
}
