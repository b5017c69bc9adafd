package options

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"headway/internal/cluster"
	"headway/internal/engine"
	"headway/internal/fault"
	"headway/internal/model"
	"headway/internal/router"
	"headway/internal/router/policyfile"
	"headway/internal/twin"
	"headway/record"
	"headway/workload"
)

// Cluster describe a simulated cluster: its workers, what their steps
// take, and the router. Names and defaults are those of Dynamo's mocker and
// frontend. What a verb decides by itself (the mode of the router, the seed)
// is left to it.
type Cluster struct {
	Worker
	StepTimes
	Speed
	Transfers
	Speculation
	Adapters
	Routing
}

// Worker is one worker's.
type Worker struct {
	Workers   int      `name:"workers" aliases:"num-workers" default:"0" placeholder:"N" help:"Simulated workers behind the router. Default: 1, for the router benchmarks 8."`
	Engine    string   `name:"engine-type" enum:",vllm,sglang,trtllm,mocker-1.4,mocker-2025" default:"" help:"Whose scheduler is simulated: vllm (the default), sglang, trtllm, mocker-1.4 or mocker-2025; with --timing twin that of the file. vllm is Dynamo's mocker since 1.5; mocker-1.4 adds the time of decoding to the step that completes a prompt, as its releases up to 1.4 do."`
	MaxSeqs   *int     `name:"max-num-seqs" placeholder:"N" help:"Requests in a worker's batch; more wait. Default: 256, with --timing twin that of the file."`
	MaxTokens *int     `name:"max-num-batched-tokens" placeholder:"N" help:"Tokens of one step. Default: 8192, with --timing twin that of the file."`
	Blocks    int      `name:"num-gpu-blocks-override" aliases:"num-gpu-blocks" default:"0" placeholder:"N" help:"KV blocks of a worker. Default: 16384, with --timing roofline what the GPUs' memory holds."`
	BlockSize int      `name:"block-size" aliases:"kv-cache-block-size,router-block-size" default:"0" placeholder:"N" help:"Tokens of a KV block; 1 for pages of one token, as in SGLang. Default: 64, for trtllm 32."`
	ModelLen  int      `name:"max-model-len" default:"131072" help:"Longest prompt and output together (tokens)."`
	Watermark float64  `name:"watermark" default:"0.01" help:"Share of the KV blocks that admission leaves free."`
	Prefix    bool     `name:"enable-prefix-caching" default:"true" negatable:"" help:"Keep the blocks of finished prompts."`
	Replies   bool     `name:"enable-reply-caching" default:"true" negatable:"" help:"Keep the full blocks of replies, too, so that the next turn of a conversation finds them, as vLLM, SGLang and TensorRT-LLM do. The simulated mocker-1.4 and mocker-2025 never keep them."`
	Tiers     []string `name:"kv-tier" sep:"none" placeholder:"NAME:SIZE[,KEY=VALUE…]" help:"Keep KV blocks below the GPU, too: host, disk or remote, and how much each store holds (blocks, or bytes such as 64GB). Keys: bandwidth (GB/s each way), latency (ms, of a transfer's first byte), policy (write-through, write-back), min-uses (of a block before it is written through), workers (that share one store and its link, or all). Repeatable, in this order. Needs --kv-bytes-per-token or a roofline."`
	Chunked   bool     `name:"enable-chunked-prefill" default:"true" negatable:"" help:"Compute long prompts over several steps."`
	Preempt   string   `name:"preemption-mode" enum:",lifo,fifo" default:"" help:"Who gives way when the blocks run out. Default: lifo, for mocker-2025 fifo."`
	Order     string   `name:"scheduling-policy" enum:"fcfs,priority" default:"fcfs" help:"Order of a worker's queue; priority puts requests with a higher priority hint first."`

	SGPolicy  string  `name:"sglang-schedule-policy" enum:",fcfs,fifo,lpm" default:"" help:"Order of SGLang's queue (default fcfs)."`
	SGPrefill int     `name:"sglang-max-prefill-tokens" default:"16384" help:"Prompt tokens of one of SGLang's steps."`
	SGChunk   *int    `name:"sglang-chunked-prefill-size" placeholder:"N" help:"SGLang: largest chunk of a prompt in one step (tokens). Default: 8192, with --timing twin that of the file."`
	SGClip    int     `name:"sglang-clip-max-new-tokens" default:"4096" help:"Most output that SGLang's admission expects."`
	SGConserv float64 `name:"sglang-schedule-conservativeness" default:"1" help:"Scales the output that SGLang expects of those that run."`
}

// Speed make simulated time faster. Verbs that play traces do without: their
// --speedup-ratio is that of the trace.
type Speed struct {
	Speedup float64 `name:"speedup-ratio" default:"1" help:"Divide every simulated time by this."`
}

// StepTimes says how long steps take.
type StepTimes struct {
	Timing    string        `name:"timing" type:"home" default:"" placeholder:"MODEL" help:"What steps take: polynomial (Dynamo's mocker, the default), fixed (--ttft and --itl), npz:PATH (measured by a profiler), roofline (--known-model or --model-config, on --gpu), twin:FILE (calibrated on a server, see headway twin)."`
	Profile   string        `name:"planner-profile-data" type:"path" placeholder:"PATH" help:"The same as --timing npz:PATH."`
	TTFT      *Milliseconds `name:"ttft" placeholder:"TIME" help:"Fixed times: first token this long (ms) after the request is admitted. With --itl."`
	ITL       *Milliseconds `name:"itl" placeholder:"TIME" help:"Fixed times: further tokens this far apart (ms)."`
	TTFTJitCV float64       `name:"ttft-jitter-cv" default:"0" help:"Coefficient of variation of --ttft (lognormal, mean kept)."`
	ITLJitCV  float64       `name:"itl-jitter-cv" default:"0" help:"Coefficient of variation of --itl."`
	DecodeUp  float64       `name:"decode-speedup-ratio" default:"1" help:"Divide the time of decoding by this, too."`
	Startup   Seconds       `name:"startup-time" default:"0" placeholder:"TIME" help:"When the workers begin (s)."`

	KnownModel  string  `name:"known-model" placeholder:"NAME" help:"Roofline: a model whose facts are inside, such as qwen3-32b."`
	ModelConfig string  `name:"model-config" type:"path" placeholder:"FILE" help:"Roofline: a model's config.json, or its folder."`
	GPU         string  `name:"gpu" default:"h200_sxm" help:"Roofline: a100_sxm, h100_sxm, h200_sxm, b200_sxm or l40s."`
	TP          int     `name:"tp" aliases:"tensor-parallel-size" default:"0" help:"Roofline: GPUs of a worker with tensor parallelism (default 1)."`
	TEP         int     `name:"tep" default:"0" help:"Roofline: GPUs of a worker with tensor-parallel attention and whole experts."`
	DEP         int     `name:"dep" default:"0" help:"Roofline: GPUs of a worker with data-parallel attention and whole experts."`
	PP          int     `name:"pp" aliases:"pipeline-parallel-size" default:"1" help:"Roofline: stages of a pipeline."`
	MemoryShare float64 `name:"gpu-memory-utilization" default:"0.9" help:"Roofline: share of the GPUs' memory that is used."`
	KVDType     string  `name:"kv-cache-dtype" default:"auto" placeholder:"FORMAT" help:"Roofline: number format of the KV cache: auto (what the model's configuration says), bfloat16, float16, fp8, fp8_e4m3, fp8_e5m2, int8 or nvfp4."`
	ComputeEff  float64 `name:"compute-efficiency" default:"0.6" help:"Roofline: share of the peak rate that is reached."`
	MemoryEff   float64 `name:"memory-efficiency" default:"0.8" help:"Roofline: share of the memory bandwidth that is reached."`
}

// Frontend are about the way from the client to the router, in virtual
// time.
type Frontend struct {
	Delay *Milliseconds `name:"frontend-delay" placeholder:"TIME" help:"Mean time (ms) that a request takes to reach the router, exponentially distributed; 0 is none. Default: 0.5 in closed loops, where requests follow replies; 0 on a schedule."`
}

// Set sets the delay.
func (f *Frontend) Set(c *cluster.Config, bad *fault.List) {
	if f.Delay == nil {
		return
	}
	if *f.Delay < 0 {
		bad.Add("%s inf: must end", fault.Field("frontend-delay"))
		return
	}
	c.Frontend = time.Duration(*f.Delay)
}

// FrontendNote says what delay a run had; empty where it had none.
func FrontendNote(c record.Cluster) string {
	if c.Frontend == 0 {
		return ""
	}
	return fmt.Sprintf("requests take %g ms on average to reach the simulated router, exponentially distributed "+
		"(--frontend-delay)", 1e3*c.Frontend)
}

// Routing is the router's but for its mode.
type Routing struct {
	Credit       float64      `name:"router-kv-overlap-score-credit" default:"1" help:"Credit for a cached block, 0 or more; above 1 it makes up for blocks that are not cached, too."`
	CreditDecay  float64      `name:"router-kv-overlap-score-credit-decay" default:"0" help:"Lower the credit of workers with much to prefill; 0 is off."`
	HostCredit   float64      `name:"router-host-cache-hit-weight" default:"0.75" help:"Credit for a block in the host's memory."`
	DiskCredit   float64      `name:"router-disk-cache-hit-weight" default:"0.25" help:"Credit for a block on disk."`
	PrefillScale float64      `name:"router-prefill-load-scale" aliases:"router-kv-overlap-score-weight,kv-overlap-score-weight" default:"1" help:"Weight of prefill against decode."`
	RequestCost  float64      `name:"router-decode-active-request-weight" aliases:"router-active-request-weight" default:"0" help:"Cost of each request that a worker runs (blocks)."`
	Temperature  float64      `name:"router-temperature" default:"0" help:"Spread choices by a softmax over the costs; 0 takes the best."`
	KVEvents     bool         `name:"router-kv-events" aliases:"kv-events" default:"true" negatable:"" help:"Workers tell the router what they cache; without, it predicts it from its own decisions."`
	EventDelay   Milliseconds `name:"kv-event-delay" default:"0" placeholder:"TIME" help:"How late the router hears of it (ms)."`
	TTL          Seconds      `name:"router-ttl-secs" aliases:"router-ttl" default:"120" placeholder:"TIME" help:"Without events: how long a block is believed to be cached (s)."`
	MaxTree      int          `name:"router-max-tree-size" default:"1048576" help:"Without events: most blocks to remember."`
	Prune        float64      `name:"router-prune-target-ratio" default:"0.8" help:"Without events: share of them to keep when there are more."`
	TrackActive  bool         `name:"router-track-active-blocks" aliases:"track-active-blocks" default:"true" negatable:"" help:"Count the blocks of running requests."`
	AssumeReuse  bool         `name:"router-assume-kv-reuse" aliases:"assume-kv-reuse" default:"true" negatable:"" help:"Count blocks that running requests share once."`
	TrackOutput  bool         `name:"router-track-output-blocks" aliases:"track-output-blocks" default:"false" negatable:"" help:"Count the blocks of replies too."`
	TrackPrefill bool         `name:"router-track-prefill-tokens" default:"true" negatable:"" help:"Count prompt tokens that are still to be computed."`
	Threshold    *float64     `name:"router-queue-threshold" placeholder:"X" help:"Hold requests back while every worker has more prompt tokens to compute than this times --max-num-batched-tokens; 0 while it has any. Default: never, as in Dynamo 1.6 (before: 16, and 4)."`
	QueuePolicy  string       `name:"router-queue-policy" enum:"fcfs,lcfs,wspt" default:"fcfs" help:"Order of requests that are held back: ${enum}."`
	Policy       string       `name:"router-policy-config" type:"path" placeholder:"FILE" help:"YAML file of Dynamo 1.6's router: policy classes with queues of their own, parameters of the default worker selection, settings of the router. What cannot be simulated is refused by name."`
	ExpectedOSL  bool         `name:"use-expected-osl" help:"Tell the router how long each reply will be."`
}

// Config is the cluster that the options describe; workers is how many there
// are where --workers is not given. The error lists every fault.
func (f *Cluster) Config(mode router.Mode, workers int, seed uint64) (cluster.Config, error) {
	var bad fault.List
	c := cluster.Defaults()
	c.Workers, c.PrefillWorkers, c.MaxModelLen = workers, f.PrefillWorkers, f.ModelLen
	if f.Workers != 0 {
		c.Workers = f.Workers
	}
	c.Seed = workload.Seed(seed).Named("simulated cluster")
	c.TransferSharers, c.Adapters, c.AdapterSkew = f.Sharers, f.Adapters.Adapters, f.Skew
	c.EventDelay, c.ExpectedOutput = time.Duration(f.EventDelay), f.ExpectedOSL
	c.ForgetReplies = !f.Replies
	c.PriorityScheduling = f.Order == "priority"
	c.Engine = f.worker(&bad)
	f.timing(&c, &bad)
	f.tiers(&c, &bad)
	var err error
	if c.Router, err = f.router(mode, f.PrefillWorkers > 0); err != nil {
		bad = append(bad, err)
	}
	if err := c.Validate(); err != nil && len(bad) == 0 {
		bad = append(bad, err)
	}
	return c, bad.Usage()
}

// worker is the engine without its times. A zero is checked here, since it
// would mean the default further down.
func (f *Cluster) worker(bad *fault.List) engine.Config {
	for name, n := range map[string]*int{"max-num-seqs": f.MaxSeqs, "max-num-batched-tokens": f.MaxTokens,
		"sglang-chunked-prefill-size": f.SGChunk} {
		if n != nil {
			bad.Positive(fault.Field(name), float64(*n))
		}
	}
	for name, n := range map[string]float64{
		"max-model-len": float64(f.ModelLen), "speedup-ratio": f.Speedup, "decode-speedup-ratio": f.DecodeUp,
		"sglang-max-prefill-tokens":  float64(f.SGPrefill),
		"sglang-clip-max-new-tokens": float64(f.SGClip), "sglang-schedule-conservativeness": f.SGConserv} {
		bad.Positive(fault.Field(name), n)
	}
	for name, n := range map[string]float64{"workers": float64(f.Workers), "num-gpu-blocks-override": float64(f.Blocks),
		"block-size": float64(f.BlockSize), "watermark": f.Watermark, "kv-transfer-bandwidth": f.Bandwidth,
		"startup-time": float64(f.Startup)} {
		bad.NotNegative(fault.Field(name), n)
	}
	e := engine.Config{
		Type: engine.Type(f.Engine), MaxNumSeqs: or(f.MaxSeqs, 0), MaxNumBatchedTokens: or(f.MaxTokens, 0),
		NumGPUBlocks: f.Blocks,
		BlockSize:    f.BlockSize,
		Watermark:    f.Watermark, NoPrefixCaching: !f.Prefix, NoChunkedPrefill: !f.Chunked,
		Preemption:   engine.Preemption(f.Preempt),
		SpeedupRatio: f.Speedup, DecodeSpeedupRatio: f.DecodeUp, StartupTime: time.Duration(f.Startup),
		KVBytesPerToken: f.BytesPerToken, TransferBandwidth: f.Bandwidth * 1e9, TransferLatency: f.latency(bad),
		Speculation: engine.Speculation{Tokens: f.Drafted, Acceptance: f.Acceptance, DraftCost: f.DraftCost},
		MaxLoras:    f.MaxLoras, LoraLoadTime: time.Duration(f.LoadTime),
		Transfer: engine.TransferMode(f.Transfer),
		SGLang: engine.SGLangConfig{Policy: f.SGPolicy, MaxPrefillTokens: f.SGPrefill,
			ChunkedPrefillSize: or(f.SGChunk, 0),
			ClipMaxNewTokens:   f.SGClip, Conservativeness: f.SGConserv},
	}
	if f.Watermark == 0 {
		e.Watermark = -1
	}
	if f.Bandwidth == 0 {
		e.TransferBandwidth = -1
	}
	return e
}

// or is what v points to, else the default.
func or(v *int, otherwise int) int {
	if v == nil {
		return otherwise
	}
	return *v
}

// timing sets how long steps take.
func (f *Cluster) timing(c *cluster.Config, bad *fault.List) {
	kind, path, _ := strings.Cut(f.Timing, ":")
	if f.Profile != "" {
		if kind != "" {
			bad.Add("%s with %s %s: give one of them", fault.Field("planner-profile-data"), fault.Field("timing"),
				f.Timing)
		}
		kind, path = "npz", f.Profile
	}
	fixed := f.TTFT != nil || f.ITL != nil
	if kind == "" && fixed {
		kind = "fixed"
	}
	if fixed && kind != "fixed" {
		bad.Add("%s and %s with %s %s: they are the times of %s fixed", fault.Field("ttft"), fault.Field("itl"),
			fault.Field("timing"), kind, fault.Field("timing"))
	}
	if kind == "fixed" && (f.TTFT == nil || f.ITL == nil) {
		bad.Add("%s and %s: give both for fixed times, or none for those of a batch", fault.Field("ttft"),
			fault.Field("itl"))
	}
	if f.TTFT == nil && (f.TTFTJitCV != 0 || f.ITLJitCV != 0) {
		bad.Add("%s and %s: need %s and %s", fault.Field("ttft-jitter-cv"), fault.Field("itl-jitter-cv"),
			fault.Field("ttft"), fault.Field("itl"))
	}
	if kind != "roofline" && (f.KnownModel != "" || f.ModelConfig != "" || f.TP+f.TEP+f.DEP > 0) {
		bad.Add("%s, %s, %s, %s and %s: need %s roofline", fault.Field("known-model"), fault.Field("model-config"),
			fault.Field("tp"), fault.Field("tep"), fault.Field("dep"), fault.Field("timing"))
	}
	switch kind {
	case "", "polynomial":
	case "fixed":
		if f.TTFT != nil && f.ITL != nil {
			c.Engine.Timing = engine.Fixed{TTFT: time.Duration(*f.TTFT), ITL: time.Duration(*f.ITL),
				TTFTJitterCV: f.TTFTJitCV, ITLJitterCV: f.ITLJitCV}
		}
	case "npz":
		if err := f.measured(c, path); err != nil {
			bad.Add("%s npz: %w", fault.Field("timing"), err)
		}
	case "twin":
		t, err := twin.Read(path)
		if err != nil {
			bad.Add("%s twin: %w", fault.Field("timing"), err)
			return
		}
		if given := c.Engine.Type; given != "" && given != t.Engine.Type {
			bad.Add("%s %s with %s twin:%s: that is a twin of %s; leave the engine out", fault.Field("engine-type"),
				given, fault.Field("timing"), path, t.Engine.Type)
			return
		}
		t.Apply(c)
	case "roofline":
		if err := f.roofline(c); err != nil {
			*bad = append(*bad, err)
		}
	default:
		bad.Add("%s %s: must be polynomial, fixed, npz:PATH, roofline or twin:FILE", fault.Field("timing"), f.Timing)
	}
}

// Files are what the times are read from, of folders the files in them that are
// read.
func (f *StepTimes) Files() []string {
	_, npz, _ := strings.Cut(f.Timing, "npz:")
	_, fitted, _ := strings.Cut(f.Timing, "twin:")
	all := []string{npz, fitted, f.Profile, f.ModelConfig}
	const profiled = "*/raw_data.npz *_raw_data.json *_points.csv"
	for dir, patterns := range map[string]string{npz: profiled, f.Profile: profiled, f.ModelConfig: "config.json"} {
		for _, p := range strings.Fields(patterns) {
			inside, err := filepath.Glob(filepath.Join(dir, p))
			if err == nil && dir != "" {
				all = append(all, inside...)
			}
		}
	}
	return all
}

// roofline times steps by a model on GPUs, and takes the size of the cache
// from what they hold.
func (f *Cluster) roofline(c *cluster.Config) error {
	s, err := f.setup()
	if err != nil {
		return err
	}
	if err := c.UseRoofline(s); err != nil {
		return fault.New("%s roofline: %w", fault.Field("timing"), err)
	}
	return nil
}

// setup is the model on its GPUs.
func (f *Cluster) setup() (model.Setup, error) {
	var bad fault.List
	s := model.Setup{MemoryFraction: f.MemoryShare, SequenceTokens: 1, MaxBatchedTokens: or(f.MaxTokens, 8192),
		MaxSequences: or(f.MaxSeqs, 256),
		Efficiency:   model.Efficiency{Compute: f.ComputeEff, Memory: f.MemoryEff}}
	var err error
	switch {
	case (f.KnownModel == "") == (f.ModelConfig == ""):
		bad.Add("%s roofline: give %s or %s", fault.Field("timing"), fault.Field("known-model"),
			fault.Field("model-config"))
	case f.KnownModel != "":
		s.Model, err = model.Lookup(f.KnownModel)
	default:
		s.Model, err = model.ReadFile(f.ModelConfig)
	}
	if err != nil {
		bad = append(bad, err)
	}
	if s.GPU, err = model.LookupGPU(f.GPU); err != nil {
		bad.Add("%s: %v", fault.Field("gpu"), err)
	}
	if s.KVElementBytes, err = model.KVElementBytes(f.KVDType); err != nil {
		bad.Add("%s: %v", fault.Field("kv-cache-dtype"), err)
	}
	s.Mapping = model.Mapping{Kind: model.TP, Size: 1, Pipeline: f.PP}
	given := 0
	for kind, n := range map[model.Kind]int{model.TP: f.TP, model.TEP: f.TEP, model.DEP: f.DEP} {
		if n != 0 {
			given++
			s.Mapping.Kind, s.Mapping.Size = kind, n
		}
	}
	if given > 1 {
		bad.Add("%s %d, %s %d, %s %d: give one of them", fault.Field("tp"), f.TP, fault.Field("tep"), f.TEP,
			fault.Field("dep"), f.DEP)
	}
	return s, bad.Usage()
}

// router is the router's configuration. What belongs to the workers the
// cluster fills in.
func (f *Routing) router(mode router.Mode, prefill bool) (router.Config, error) {
	policy, err := router.ParseQueuePolicy(f.QueuePolicy)
	r := router.Defaults()
	r.Mode = mode
	r.OverlapScoreCredit = f.Credit
	r.CreditDecay = f.CreditDecay
	r.HostCredit = f.HostCredit
	r.DiskCredit = f.DiskCredit
	r.PrefillLoadScale, r.RequestWeight, r.Temperature = f.PrefillScale, f.RequestCost, f.Temperature
	r.UseKVEvents = f.KVEvents
	r.TTL = time.Duration(f.TTL)
	r.MaxTreeBlocks = f.MaxTree
	r.PruneTarget = f.Prune
	r.TrackActiveBlocks = f.TrackActive
	r.AssumeKVReuse = f.AssumeReuse
	r.TrackOutputBlocks = f.TrackOutput
	r.TrackPrefillTokens = f.TrackPrefill
	r.QueueThreshold, r.QueuePolicy = f.threshold(), policy
	if f.Policy == "" || err != nil {
		return r, err
	}
	file, err := policyfile.Read(f.Policy)
	if err != nil {
		return r, fault.New("%s: %w", fault.Field("router-policy-config"), err)
	}
	file.Apply(&r, prefill)
	return r, nil
}

// threshold is the router's, which has another value for off than Dynamo.
func (f *Routing) threshold() float64 {
	switch {
	case f.Threshold == nil:
		return 0
	case *f.Threshold == 0:
		return router.AnyPrefill
	}
	return *f.Threshold
}
