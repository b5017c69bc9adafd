package options

import (
	"runtime"
	"strconv"
	"strings"
	"time"

	"headway/internal/fault"
	"headway/internal/router"
	"headway/metric"
	"headway/workload"
)

// Capacity asks how many replicas a recorded load needs.
type Capacity struct {
	Trace     string   `name:"trace" aliases:"log" type:"path" placeholder:"FILE" help:"The recorded load: a Mooncake or Bailian trace (JSONL), an Azure or BurstGPT trace (CSV), OpenTelemetry spans (OTLP's JSON), or a log of SGLang with --log-requests. Texts in it are passed over."`
	Twins     []string `name:"twin" type:"home" sep:"none" placeholder:"FILE[=GPUS]" help:"A calibrated twin of an engine (see headway twin fit), and the GPUs of one replica where that is not 1, as in tp2.json=2. May be repeated: each is a mapping to choose from."`
	Goals     []string `name:"objective" sep:"none" placeholder:"\"TAG STAT < VALUE\"" help:"What every window has to keep, such as 'time_to_first_token p99 < 2s'; repeatable. Upper bounds on time_to_first_token, inter_token_latency and request_latency. Exit code 3 when no plan keeps them."`
	Preset    string   `name:"slo-preset" placeholder:"NAME" help:"Targets of an MLPerf scenario, such as mlperf-llama2-70b-interactive; another name lists all. --objective adds to them."`
	Routers   []string `name:"router-modes" aliases:"router-mode" default:"round-robin,least-loaded,kv" placeholder:"MODE,…" help:"Routers to choose from: ${default}, random, power-of-two. Of plans that cost the same the first is taken."`
	Window    Seconds  `name:"window" default:"300" placeholder:"TIME" help:"Length of the windows in which the objectives have to hold (s)."`
	Layouts   []string `name:"layout" default:"aggregated" placeholder:"LAYOUT,…" help:"How replicas work, one or both to choose from: aggregated, prompts and replies on the same GPUs; disaggregated, so many replicas for prompts and so many for replies, which needs --kv-bytes-per-token. Twins are not calibrated for the latter, so such a plan has no risk figure."`
	KVBytes   int      `name:"kv-bytes-per-token" default:"0" placeholder:"BYTES" help:"KV cache of one token on all GPUs of a replica, for what travels between replicas and to tiers."`
	Bandwidth float64  `name:"kv-transfer-bandwidth" default:"64" placeholder:"GB/S" help:"GB/s from a prefill to a decode replica (disaggregated); 0 takes no time."`
	Tiers     []string `name:"kv-tier" sep:"none" placeholder:"NAME:SIZE[,KEY=VALUE…]" help:"A store of KV blocks below the GPU to choose, as of headway sim replay: host, disk or remote and its size, such as host:64GB. Plans without tiers are tried, too, and of several the first alone, then with the next. Repeatable, in this order; needs --kv-bytes-per-token. Twins are not calibrated for it, so such a plan has no risk figure."`
	Most      int      `name:"max-replicas" default:"64" placeholder:"N" help:"Largest number of replicas to try, prefill and decode together."`
	GPUCost   float64  `name:"gpu-cost-per-hour" default:"0" placeholder:"X" help:"Price of a GPU for an hour, in any currency; without it costs are GPU hours."`
	Hourly    bool     `name:"hourly" default:"true" negatable:"" help:"Plan by the hour, too, where the load is longer than one."`
	Prices    bool     `name:"prices" default:"true" negatable:"" help:"Say what tighter objectives cost, by replays with fewer and with more replicas."`
	Draws     int      `name:"risk-draws" default:"12" placeholder:"N" help:"Models drawn around the twin for the risk and the intervals; 0 leaves both out."`
	Loads     int      `name:"risk-loads" default:"36" placeholder:"N" help:"Loads drawn like the recorded one and replayed for the risk of the plan, half of them for that of its neighbours; at least one for each of --risk-draws."`
	BlockSize int      `name:"block-size" default:"512" help:"Tokens that an id of hash_ids stands for."`
	Spread    string   `name:"spread-timestamps" enum:"none,even,uniform" default:"none" help:"Move requests that share a timestamp up to the next one: ${enum}."`
	Type      string   `name:"custom-dataset-type" aliases:"format" placeholder:"TYPE" help:"Format of the trace. Default: detected from the file."`
	Lenient   bool     `name:"lenient" help:"Skip unreadable lines and count them, instead of stopping."`
	Seed      uint64   `name:"seed" aliases:"random-seed" default:"0" help:"Seed of everything that is drawn."`
	Parallel  int      `name:"parallel" apart:"" default:"0" placeholder:"N" help:"Replays at a time; it changes no result. Default: one a processor."`
	Dir       string   `name:"output-dir" apart:"" aliases:"artifact-dir" short:"d" type:"path" default:"plan" placeholder:"DIR" help:"Folder of plan.json, and of plan_steps.jsonl, from which --resume goes on."`
	Overwrite bool     `name:"overwrite" apart:"" help:"Discard an earlier plan in --output-dir."`
	Resume    bool     `name:"resume" apart:"" help:"Continue a plan that was interrupted, with the replays in --output-dir."`
	JSON      bool     `name:"json" apart:"" help:"Print the plan as JSON on standard output instead of tables."`
	Quiet     bool     `name:"quiet" apart:"" short:"q" help:"Only errors: no tables and no notes."`
}

// Planned is what the options of a plan come to.
type Planned struct {
	Read       workload.ReadOptions
	Spread     workload.Spread
	Routers    []router.Mode
	Objectives []metric.Objective
	Twins      []TwinOf
	// Split says that plans of prefill and decode replicas are tried, Together that others
	// are; SplitFirst that the former are taken where both cost the same.
	Split, Together, SplitFirst bool
}

// TwinOf is a twin's file and the GPUs of a replica.
type TwinOf struct {
	File string
	GPUs int
}

// usualBandwidth is the default between prefill and decode replicas, GB/s.
const usualBandwidth = 64

// shortestWindow has hardly a percentile.
const shortestWindow = time.Second

// Settings checks everything that can be checked before a file is read; the error lists
// every fault.
func (c *Capacity) Settings() (p Planned, err error) {
	var bad fault.List
	bad.When(c.Trace == "", "no load: give %s", fault.Field("trace"))
	bad.When(len(c.Twins) == 0, "no mapping: give %s, which `headway twin fit` makes", fault.Field("twin"))
	bad.When(len(c.Goals) == 0 && c.Preset == "", "no objective: give %s, for example \"time_to_first_token p99 < 2s\"",
		fault.Field("objective"))
	bad.When(time.Duration(c.Window) < shortestWindow, "%s: must be at least %g s", fault.Field("window"),
		shortestWindow.Seconds())
	bad.Between("max-replicas", float64(c.Most), 1, router.MaxWorkers)
	bad.Between("gpu-cost-per-hour", c.GPUCost, 0, 1e9)
	bad.Between("risk-draws", float64(c.Draws), 0, 1000)
	bad.Between("risk-loads", float64(c.Loads), 1, 100_000)
	bad.When(c.Draws == 1, "%s 1: must be 0, or 2 and more", fault.Field("risk-draws"))
	bad.Between("block-size", float64(c.BlockSize), 1, workload.MaxTokens)
	bad.NotNegative("parallel", float64(c.Parallel))
	bad.When(c.Resume && c.Overwrite, "%s with %s: give one of them", fault.Field("resume"), fault.Field("overwrite"))
	p.Read = workload.ReadOptions{Lenient: c.Lenient, BlockSize: c.BlockSize}
	c.names(&p, &bad)
	p.Objectives = Objectives(&bad, c.Preset, c.Goals)
	for _, text := range c.Twins {
		p.Twins = append(p.Twins, twinOf(text, &bad))
	}
	if c.Parallel == 0 {
		c.Parallel = runtime.GOMAXPROCS(0)
	}
	return p, bad.Usage()
}

// names reads the options that are names.
func (c *Capacity) names(p *Planned, bad *fault.List) {
	var err error
	for i, name := range c.Layouts {
		switch name {
		case "aggregated":
			p.Together = true
		case "disaggregated":
			p.Split, p.SplitFirst = true, p.SplitFirst || i == 0
		default:
			bad.Add("%s %q: must be aggregated, disaggregated, or both with a comma", fault.Field("layout"), name)
		}
	}
	bad.When(len(c.Layouts) == 0, "%s: must be aggregated, disaggregated, or both with a comma", fault.Field("layout"))
	bad.When(p.Split && c.Most < 2, "%s %d: must be at least 2 with %s disaggregated", fault.Field("max-replicas"),
		c.Most, fault.Field("layout"))
	bad.When(p.Split && c.KVBytes == 0, "%s disaggregated: needs %s, which is how much travels between replicas",
		fault.Field("layout"), fault.Field("kv-bytes-per-token"))
	bad.When(len(c.Tiers) > 0 && c.KVBytes == 0, "%s: needs %s", fault.Field("kv-tier"),
		fault.Field("kv-bytes-per-token"))
	bad.When(c.KVBytes != 0 && !p.Split && len(c.Tiers) == 0, "%s: has no effect without %s disaggregated or %s",
		fault.Field("kv-bytes-per-token"), fault.Field("layout"), fault.Field("kv-tier"))
	bad.When(c.Bandwidth != usualBandwidth && !p.Split, "%s: has no effect without %s disaggregated",
		fault.Field("kv-transfer-bandwidth"), fault.Field("layout"))
	bad.Between("kv-bytes-per-token", float64(c.KVBytes), 0, 1<<30)
	bad.Between("kv-transfer-bandwidth", c.Bandwidth, 0, 1e6)
	for _, name := range c.Routers {
		mode, err := router.ParseMode(name)
		bad.Join(err)
		bad.When(mode == router.Direct, "%s direct: requests of a trace name no worker", fault.Field("router-modes"))
		p.Routers = append(p.Routers, mode)
	}
	if p.Spread, err = workload.ParseSpread(c.Spread); err != nil {
		bad.Add("%s: %w", fault.Field("spread-timestamps"), err)
	}
	if c.Type == "" {
		return
	}
	if p.Read.Format, err = workload.ParseFormat(c.Type); err != nil {
		bad.Add("%s: %w", fault.Field("custom-dataset-type"), err)
	}
}

// twinOf reads FILE or FILE=GPUS; a file whose name ends like that is given with =1.
func twinOf(text string, bad *fault.List) TwinOf {
	i := strings.LastIndexByte(text, '=')
	if i < 0 {
		return TwinOf{text, 1}
	}
	n, err := strconv.Atoi(text[i+1:])
	bad.When(err != nil || n < 1 || n > 1<<16, "%s %q: after = must be the number of GPUs of one replica",
		fault.Field("twin"), text)
	return TwinOf{text[:i], n}
}
