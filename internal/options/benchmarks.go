package options

import (
	"math"
	"slices"

	"headway/internal/fault"
	"headway/workload"
)

// Speeds are at which speeds a trace is played.
type Speeds struct {
	Sweep Floats `name:"load-sweep" apart:"" placeholder:"X,…" help:"Play the trace at several speeds, as factors on --speedup-ratio: where the gain begins and where it vanishes."`
}

// Faults lists what is wrong with the speeds, which are one where none is given.
func (f *Speeds) Faults(bad *fault.List) {
	if len(f.Sweep) == 0 {
		f.Sweep = Floats{1}
	}
	for _, x := range f.Sweep {
		bad.Positive("load-sweep", x)
	}
	f.Sweep.distinct(bad, "load-sweep")
}

// PrefixRatio is the load of Dynamo's prefix ratio benchmark.
type PrefixRatio struct {
	Ratios      Floats `name:"prefix-ratios" apart:"" default:"0.5" help:"Shares of the input that are a shared prefix, 0 to 1."`
	ISL         int    `name:"isl" default:"14000" help:"Input length, prefix included (tokens)."`
	OSL         int    `name:"osl" default:"200" help:"Output length (tokens)."`
	Requests    int    `name:"requests" aliases:"num-requests,request-count" default:"200" help:"Requests at each ratio."`
	Concurrency int    `name:"concurrency" default:"20" help:"Requests in flight, over all replicas."`
	Prefixes    int    `name:"num-prefix-prompts" default:"20" help:"How many prefixes there are; each request takes one at random."`
}

// Faults lists what is wrong with the options.
func (f *PrefixRatio) Faults(c *Comparison, given map[string]bool, bad *fault.List) {
	c.speedFaults(given, bad)
	for _, r := range f.Ratios {
		bad.Between("prefix-ratios", r, 0, 1)
	}
	f.Ratios.distinct(bad, "prefix-ratios")
	bad.Positive("isl", float64(f.ISL))
	bad.Positive("osl", float64(f.OSL))
	bad.Positive("requests", float64(f.Requests))
	bad.Positive("concurrency", float64(f.Concurrency))
	bad.Positive("num-prefix-prompts", float64(f.Prefixes))
}

// Conversations is the load of Dynamo's agent benchmark.
type Conversations struct {
	Dataset     string        `name:"input-dataset" aliases:"input-file" required:"" type:"path" placeholder:"FILE" help:"Conversations: Mooncake JSONL with session_id, multi_turn JSONL, ShareGPT, inputs.json."`
	Concurrency int           `name:"concurrency" default:"10" help:"Sessions open at a time; the turns of one follow each other."`
	Delay       *Milliseconds `name:"delay" placeholder:"TIME" help:"Pause (ms) before every later turn, instead of the recorded one."`
	Requests    int           `name:"num-requests" aliases:"requests" default:"0" placeholder:"N" help:"Requests to play. Default: all of the file."`
	OSL         int           `name:"osl" default:"0" placeholder:"N" help:"Output length of turns without one (tokens). Default: 256."`
	BlockSize   int           `name:"trace-block-size" default:"512" help:"Tokens that an id of hash_ids stands for."`
	Lenient     bool          `name:"lenient" help:"Skip unreadable lines and count them."`
}

// Faults lists what is wrong with the options.
func (f *Conversations) Faults(c *Comparison, given map[string]bool, bad *fault.List) {
	c.speedFaults(given, bad)
	bad.Positive("concurrency", float64(f.Concurrency))
	bad.NotNegative("num-requests", float64(f.Requests))
	bad.NotNegative("osl", float64(f.OSL))
	bad.Between("trace-block-size", float64(f.BlockSize), 1, workload.MaxTokens)
	bad.When(f.Delay != nil && *f.Delay < 0, "%s inf: must end", fault.Field("delay"))
	exists(bad, f.Dataset)
}

// Tiers sort requests by priority.
type Tiers struct {
	Shares Floats `name:"priority-distribution" default:"0.5,0.3,0.2" help:"Shares of the tiers; they sum to 1."`
	Values Floats `name:"priority-values" default:"0,1,2" help:"Priority hint of each tier: how many seconds its requests jump ahead in the router's queue."`
}

// Faults lists what is wrong with the options.
func (f *Tiers) Faults(c *Comparison, bad *fault.List) {
	bad.When(len(f.Shares) != len(f.Values), "%s has %d shares and %s %d values: give one value for each share",
		fault.Field("priority-distribution"), len(f.Shares), fault.Field("priority-values"), len(f.Values))
	sum := 0.0
	for _, s := range f.Shares {
		bad.Positive("priority-distribution", s)
		sum += s
	}
	bad.When(math.Abs(sum-1) > 1e-6, "%s: the shares sum to %g and must sum to 1",
		fault.Field("priority-distribution"), sum)
	bad.When(!slices.IsSorted(f.Values),
		"%s: give them from the lowest to the highest, with their shares in the same order",
		fault.Field("priority-values"))
	f.Values.distinct(bad, "priority-values")
	for _, v := range f.Values {
		bad.When(v != math.Trunc(v) || v < math.MinInt32 || v > math.MaxInt32,
			"%s %v: must be a whole number from %d to %d; Dynamo refuses any other",
			fault.Field("priority-values"), v, math.MinInt32, math.MaxInt32)
	}
	bad.When(!c.Live() && c.Threshold == nil && c.Policy == "" && c.Order != "priority",
		"%s: the router has no queue without it, as in Dynamo 1.6, and priorities do nothing; "+
			"give a threshold, or %s priority",
		fault.Field("router-queue-threshold"), fault.Field("scheduling-policy"))
}
