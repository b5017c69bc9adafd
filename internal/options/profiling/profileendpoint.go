package profiling

import (
	"headway/internal/fault"
	"headway/internal/openai"
	"headway/internal/options"
	"headway/internal/profile"
	"headway/metric"
	"headway/workload"
)

// ProfileEndpoint says how an engine that somebody else started is measured in
// depth, with the options of Dynamo's profile_endpoint.py.
type ProfileEndpoint struct {
	Mode        string   `name:"mode" enum:",prefill,decode" default:"" placeholder:"MODE" help:"What to measure: prefill (TTFT over the prompt length) or decode (ITL over KV cache share and context)."`
	URLs        []string `name:"url" short:"u" aliases:"urls,endpoint-url" sep:"none" placeholder:"URL" help:"Address of the engine."`
	NumGPUs     int      `name:"num-gpus" default:"0" placeholder:"N" help:"GPUs behind it; throughput is per GPU."`
	MaxKV       int      `name:"max-kv-tokens" default:"0" placeholder:"N" help:"Tokens that its KV cache holds, all attention ranks together; needed for decode. The engine's log says it."`
	MaxContext  int      `name:"max-context-length" default:"16384" help:"Longest context to measure (tokens)."`
	Granularity int      `name:"interpolation-granularity" default:"8" help:"How fine the grid is: prompt lengths, and for decode as many loads for each."`
	DP          int      `name:"attention-dp-size" default:"1" help:"Attention ranks of the engine (data-parallel attention)."`
	Repeats     int      `name:"repeats" default:"3" help:"Repeats per point."`
	MostRepeats int      `name:"max-repeats" default:"0" placeholder:"N" help:"Most repeats of a point whose spread is too wide. Default: three times --repeats."`
	MaxSpread   float64  `name:"max-spread" default:"5" placeholder:"PCT" help:"A point is sure enough when half of the 95 % interval of its mean is at most this share of it (percent)."`
	WorkDir     string   `name:"work-dir" apart:"" aliases:"output-dir" short:"d" type:"path" default:"endpoint_profiling_results" help:"Folder of the results; prefill and decode may share one."`
	Resume      bool     `name:"resume" apart:"" help:"Go on with the points that an earlier call has measured."`
	Overwrite   bool     `name:"overwrite" apart:"" help:"Discard the points of an earlier call and start over."`
	Seed        *uint64  `name:"random-seed" placeholder:"N" help:"Seed of the prompts. Default: from the system, so that no call meets the cache of another."`
	JSON        bool     `name:"json" apart:"" help:"Print the points as JSON on standard output instead of a table."`
	Quiet       bool     `name:"quiet" apart:"" short:"q" help:"Only errors, and no progress."`
	OpenLength  bool     `name:"open-length" help:"Leave the length of replies to the model: send neither ignore_eos nor min_tokens, and do not ask the server whether it takes them."`

	options.Format
	options.Web
	options.Endpoint
	options.Tokens
	options.NoConnect
	options.Telemetry
	options.Audit
	options.Exports
}

// Phase is what is measured.
func (f *ProfileEndpoint) Phase() profile.Phase { return profile.Phase(f.Mode) }

// Sweep is how it is measured, with prompts of a seed.
func (f *ProfileEndpoint) Sweep(seed uint64) profile.Grid {
	return profile.Grid{
		MaxContext:  f.MaxContext,
		Granularity: f.Granularity,
		Repeats:     f.Repeats,
		MostRepeats: f.MostRepeats,
		MaxShare:    f.MaxSpread / 100,
		Tokens:      f.TokenSource(metric.TokensAuto),
		Key:         workload.Seed(seed).Named("profile endpoint"),
	}
}

// Facts are what is said of the engine.
func (f *ProfileEndpoint) Facts() profile.Facts {
	return profile.Facts{GPUs: f.NumGPUs, AttentionDP: f.DP, KVTokens: f.MaxKV}
}

// Config is the client; the error lists everything that is wrong with the options.
func (f *ProfileEndpoint) Config(a options.Caller) (openai.Config, error) {
	var bad fault.List
	bad.When(f.Mode == "", "%s: say prefill or decode", fault.Field("mode"))
	bad.When(len(f.Model) == 0, "%s: name the model that the endpoint serves", fault.Field("model-name"))
	urls := f.urls(&bad)
	bad.Positive("num-gpus", float64(f.NumGPUs))
	bad.Between("attention-dp-size", float64(f.DP), 1, 4096)
	bad.NotNegative("max-kv-tokens", float64(f.MaxKV))
	bad.When(f.Resume && f.Overwrite, "%s with %s: give one of them", fault.Field("resume"), fault.Field("overwrite"))
	bad.When(f.JSON && f.Markdown(), "%s and %s markdown: give one of them", fault.Field("json"), fault.Field("format"))
	// Where the sweep takes 0 for its default, the command line does not.
	bad.When(f.Repeats == 0, "%s 0: must be from 1 to 100", fault.Field("repeats"))
	bad.When(f.MaxSpread == 0, "%s 0: must be above 0, at most 100", fault.Field("max-spread"))
	if f.Mode != "" {
		bad.Join(f.Sweep(0).Validate(f.Phase()))
	}
	f.Telemetry.Faults(&bad)
	f.Audit.Faults(&bad)
	f.Web.Faults(&bad)
	f.Exports.Faults(a, &bad)
	if f.Phase() == profile.Decode {
		bad.When(f.MaxKV == 0, "%s: needed for decode, whose points are shares of the KV cache; "+
			"the engine's log says at its start how many tokens the cache holds", fault.Field("max-kv-tokens"))
		options.Connections(&bad, "max-kv-tokens", min(f.MaxKV/600, profile.MaxConcurrency))
	}
	client, err := f.Client(a, urls, true)
	bad.Join(err)
	return client, bad.Usage()
}

// urls is the one address, and another that has no fault where it is missing.
func (f *ProfileEndpoint) urls(bad *fault.List) []string {
	if len(f.URLs) == 0 {
		bad.Add("%s: say where the engine answers; `headway sim serve --port 8000` simulates one at "+
			"http://127.0.0.1:8000",
			fault.Field("url"))
		return []string{"http://127.0.0.1:8000"}
	}
	bad.When(len(f.URLs) > 1, "%s: %d addresses: one engine is profiled at a time", fault.Field("url"), len(f.URLs))
	return f.URLs
}
