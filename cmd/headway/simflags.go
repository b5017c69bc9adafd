package main

import (
	"fmt"
	"strings"
	"time"

	"headway/internal/cluster"
	"headway/internal/engine"
	"headway/internal/model"
	"headway/internal/router"
	"headway/record"
	"headway/workload"
)

// clusterFlags describe a simulated cluster: its workers, what their steps
// take, and the router. Names and defaults are those of Dynamo's mocker and
// frontend. What a verb decides by itself (the mode of the router, the seed)
// is left to it.
type clusterFlags struct {
	engineFlags
	timingFlags
	speedFlags
	transferFlags
	routerFlags
}

// engineFlags are one worker's.
type engineFlags struct {
	Workers   int     `name:"workers" aliases:"num-workers" default:"0" placeholder:"N" help:"Simulated workers behind the router. Default: 1, for the router benchmarks 8."`
	Engine    string  `name:"engine-type" enum:"vllm,sglang,trtllm,mocker-2025" default:"vllm" help:"Whose scheduler is simulated: ${enum}."`
	MaxSeqs   int     `name:"max-num-seqs" default:"256" help:"Requests in a worker's batch; more wait."`
	MaxTokens int     `name:"max-num-batched-tokens" default:"8192" help:"Tokens of one step."`
	Blocks    int     `name:"num-gpu-blocks-override" aliases:"num-gpu-blocks" default:"0" placeholder:"N" help:"KV blocks of a worker. Default: 16384, with --timing roofline what the GPUs' memory holds."`
	BlockSize int     `name:"block-size" default:"0" placeholder:"N" help:"Tokens of a KV block; 1 for pages of one token, as in SGLang. Default: 64, for trtllm 32."`
	ModelLen  int     `name:"max-model-len" default:"131072" help:"Longest prompt and output together (tokens)."`
	Watermark float64 `name:"watermark" default:"0.01" help:"Share of the KV blocks that admission leaves free."`
	Prefix    bool    `name:"enable-prefix-caching" default:"true" negatable:"" help:"Keep the blocks of finished prompts."`
	Chunked   bool    `name:"enable-chunked-prefill" default:"true" negatable:"" help:"Compute long prompts over several steps."`
	Preempt   string  `name:"preemption-mode" enum:",lifo,fifo" default:"" help:"Who gives way when the blocks run out. Default: lifo, for mocker-2025 fifo."`
	Order     string  `name:"scheduling-policy" enum:"fcfs,priority" default:"fcfs" help:"Order of a worker's queue; priority puts requests with a higher priority hint first."`

	SGPolicy  string  `name:"sglang-schedule-policy" enum:",fcfs,fifo,lpm" default:"" help:"Order of SGLang's queue (default fcfs)."`
	SGPrefill int     `name:"sglang-max-prefill-tokens" default:"16384" help:"Prompt tokens of one of SGLang's steps."`
	SGChunk   int     `name:"sglang-chunked-prefill-size" default:"8192" help:"Where SGLang cuts prompts."`
	SGClip    int     `name:"sglang-clip-max-new-tokens" default:"4096" help:"Most output that SGLang's admission expects."`
	SGConserv float64 `name:"sglang-schedule-conservativeness" default:"1" help:"Scales the output that SGLang expects of those that run."`
}

// speedFlags make simulated time faster. Verbs that play traces do without: their
// --speedup-ratio is that of the trace.
type speedFlags struct {
	Speedup float64 `name:"speedup-ratio" default:"1" help:"Divide every simulated time by this."`
}

// timingFlags say how long steps take.
type timingFlags struct {
	Timing    string        `name:"timing" default:"" placeholder:"MODEL" help:"What steps take: polynomial (Dynamo's mocker, the default), fixed (--ttft and --itl), npz:PATH (measured by a profiler), roofline (--known-model or --model-config, on --gpu)."`
	Profile   string        `name:"planner-profile-data" type:"path" placeholder:"PATH" help:"The same as --timing npz:PATH."`
	TTFT      *milliseconds `name:"ttft" placeholder:"TIME" help:"Fixed times: first token this long (ms) after the request is admitted. With --itl."`
	ITL       *milliseconds `name:"itl" placeholder:"TIME" help:"Fixed times: further tokens this far apart (ms)."`
	TTFTJitCV float64       `name:"ttft-jitter-cv" default:"0" help:"Coefficient of variation of --ttft (lognormal, mean kept)."`
	ITLJitCV  float64       `name:"itl-jitter-cv" default:"0" help:"Coefficient of variation of --itl."`
	DecodeUp  float64       `name:"decode-speedup-ratio" default:"1" help:"Divide the time of decoding by this, too."`
	Startup   seconds       `name:"startup-time" default:"0" placeholder:"TIME" help:"When the workers begin (s)."`

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

// frontendFlags are about the way from the client to the router, in virtual
// time.
type frontendFlags struct {
	Frontend *milliseconds `name:"frontend-delay" placeholder:"TIME" help:"Mean time (ms) that a request takes to reach the router, exponentially distributed; 0 is none. Default: 0.5 in closed loops, where requests follow replies; 0 on a schedule."`
}

// frontend sets the delay.
func (f *frontendFlags) frontend(c *cluster.Config, bad *faultList) {
	if f.Frontend == nil {
		return
	}
	if *f.Frontend < 0 {
		bad.add("--frontend-delay inf: must end")
		return
	}
	c.Frontend = time.Duration(*f.Frontend)
}

// frontendNote says what delay a run had; empty where it had none.
func frontendNote(c record.Cluster) string {
	if c.Frontend == 0 {
		return ""
	}
	return fmt.Sprintf("requests take %g ms on average to reach the simulated router, exponentially distributed (--frontend-delay)", 1e3*c.Frontend)
}

// transferFlags are about workers that only compute prompts.
type transferFlags struct {
	PrefillWorkers int     `name:"prefill-workers" default:"0" placeholder:"N" help:"So many workers more compute the prompts, and --workers only decode."`
	Bandwidth      float64 `name:"kv-transfer-bandwidth" default:"64" help:"GB/s between prefill and decode workers; 0 takes no time."`
	Transfer       string  `name:"kv-transfer-timing-mode" enum:"full_prompt,destination_missing" default:"destination_missing" help:"What is transferred: ${enum}."`
	BytesPerToken  int     `name:"kv-bytes-per-token" default:"0" placeholder:"BYTES" help:"KV cache of one token. Default: that of the model, with a roofline; else transfers take no time."`
}

// routerFlags are the router's but for its mode.
type routerFlags struct {
	Credit       float64      `name:"router-kv-overlap-score-credit" default:"1" help:"Credit for a cached block (0-1)."`
	CreditDecay  float64      `name:"router-kv-overlap-score-credit-decay" default:"0" help:"Lower the credit of workers with much to prefill; 0 is off."`
	HostCredit   float64      `name:"router-host-cache-hit-weight" default:"0.75" help:"Credit for a block in the host's memory."`
	DiskCredit   float64      `name:"router-disk-cache-hit-weight" default:"0.25" help:"Credit for a block on disk."`
	PrefillScale float64      `name:"router-prefill-load-scale" aliases:"router-kv-overlap-score-weight,kv-overlap-score-weight" default:"1" help:"Weight of prefill against decode."`
	RequestCost  float64      `name:"router-active-request-weight" default:"0" help:"Cost of each request that a worker runs (blocks)."`
	Temperature  float64      `name:"router-temperature" default:"0" help:"Spread choices by a softmax over the costs; 0 takes the best."`
	KVEvents     bool         `name:"router-kv-events" aliases:"kv-events" default:"true" negatable:"" help:"Workers tell the router what they cache; without, it predicts it from its own decisions."`
	EventDelay   milliseconds `name:"kv-event-delay" default:"0" placeholder:"TIME" help:"How late the router hears of it (ms)."`
	TTL          seconds      `name:"router-ttl-secs" aliases:"router-ttl" default:"120" placeholder:"TIME" help:"Without events: how long a block is believed to be cached (s)."`
	MaxTree      int          `name:"router-max-tree-size" default:"1048576" help:"Without events: most blocks to remember."`
	Prune        float64      `name:"router-prune-target-ratio" default:"0.8" help:"Without events: share of them to keep when there are more."`
	TrackActive  bool         `name:"router-track-active-blocks" default:"true" negatable:"" help:"Count the blocks of running requests."`
	AssumeReuse  bool         `name:"router-assume-kv-reuse" default:"true" negatable:"" help:"Count blocks that running requests share once."`
	TrackOutput  bool         `name:"router-track-output-blocks" default:"false" negatable:"" help:"Count the blocks of replies too."`
	TrackPrefill bool         `name:"router-track-prefill-tokens" default:"true" negatable:"" help:"Count prompt tokens that are still to be computed."`
	Threshold    float64      `name:"router-queue-threshold" default:"16" help:"Hold requests back while every worker has more prompt tokens to compute than this times --max-num-batched-tokens; 0 never."`
	QueuePolicy  string       `name:"router-queue-policy" enum:"fcfs,lcfs,wspt" default:"fcfs" help:"Order of requests that are held back: ${enum}."`
	ExpectedOSL  bool         `name:"use-expected-osl" help:"Tell the router how long each reply will be."`
}

// config is the cluster that the options describe; workers is how many there
// are where --workers is not given. The error lists every fault.
func (f *clusterFlags) config(mode router.Mode, workers int, seed uint64) (cluster.Config, error) {
	var bad faultList
	c := cluster.Defaults()
	c.Workers, c.PrefillWorkers, c.MaxModelLen = workers, f.PrefillWorkers, f.ModelLen
	if f.Workers != 0 {
		c.Workers = f.Workers
	}
	c.Seed = workload.Seed(seed).Named("simulated cluster")
	c.EventDelay, c.ExpectedOutput, c.PriorityScheduling = time.Duration(f.EventDelay), f.ExpectedOSL, f.Order == "priority"
	c.Engine = f.worker(&bad)
	f.timing(&c, &bad)
	var err error
	if c.Router, err = f.router(mode); err != nil {
		bad = append(bad, err)
	}
	if err := c.Validate(); err != nil && len(bad) == 0 {
		bad = append(bad, err)
	}
	return c, bad.err()
}

// worker is the engine without its times. A zero is checked here, since it
// would mean the default further down.
func (f *clusterFlags) worker(bad *faultList) engine.Config {
	for name, n := range map[string]float64{"max-num-seqs": float64(f.MaxSeqs), "max-num-batched-tokens": float64(f.MaxTokens),
		"max-model-len": float64(f.ModelLen), "speedup-ratio": f.Speedup, "decode-speedup-ratio": f.DecodeUp,
		"sglang-max-prefill-tokens": float64(f.SGPrefill), "sglang-chunked-prefill-size": float64(f.SGChunk),
		"sglang-clip-max-new-tokens": float64(f.SGClip), "sglang-schedule-conservativeness": f.SGConserv} {
		bad.positive(name, n)
	}
	for name, n := range map[string]float64{"workers": float64(f.Workers), "num-gpu-blocks-override": float64(f.Blocks),
		"block-size": float64(f.BlockSize), "watermark": f.Watermark, "kv-transfer-bandwidth": f.Bandwidth, "startup-time": float64(f.Startup)} {
		bad.notNegative(name, n)
	}
	e := engine.Config{
		Type: engine.Type(f.Engine), MaxNumSeqs: f.MaxSeqs, MaxNumBatchedTokens: f.MaxTokens, NumGPUBlocks: f.Blocks, BlockSize: f.BlockSize,
		Watermark: f.Watermark, NoPrefixCaching: !f.Prefix, NoChunkedPrefill: !f.Chunked, Preemption: engine.Preemption(f.Preempt),
		SpeedupRatio: f.Speedup, DecodeSpeedupRatio: f.DecodeUp, StartupTime: time.Duration(f.Startup),
		KVBytesPerToken: f.BytesPerToken, TransferBandwidth: f.Bandwidth * 1e9, Transfer: engine.TransferMode(f.Transfer),
		SGLang: engine.SGLangConfig{Policy: f.SGPolicy, MaxPrefillTokens: f.SGPrefill, ChunkedPrefillSize: f.SGChunk,
			ClipMaxNewTokens: f.SGClip, Conservativeness: f.SGConserv},
	}
	if f.Watermark == 0 {
		e.Watermark = -1
	}
	if f.Bandwidth == 0 {
		e.TransferBandwidth = -1
	}
	return e
}

// timing sets how long steps take.
func (f *clusterFlags) timing(c *cluster.Config, bad *faultList) {
	kind, path, _ := strings.Cut(f.Timing, ":")
	if f.Profile != "" {
		if kind != "" {
			bad.add("--planner-profile-data with --timing %s: give one of them", f.Timing)
		}
		kind, path = "npz", f.Profile
	}
	fixed := f.TTFT != nil || f.ITL != nil
	if kind == "" && fixed {
		kind = "fixed"
	}
	if fixed && kind != "fixed" {
		bad.add("--ttft and --itl with --timing %s: they are the times of --timing fixed", kind)
	}
	if kind == "fixed" && (f.TTFT == nil || f.ITL == nil) {
		bad.add("--ttft and --itl: give both for fixed times, or none for those of a batch")
	}
	if f.TTFT == nil && (f.TTFTJitCV != 0 || f.ITLJitCV != 0) {
		bad.add("--ttft-jitter-cv and --itl-jitter-cv: need --ttft and --itl")
	}
	if kind != "roofline" && (f.KnownModel != "" || f.ModelConfig != "" || f.TP+f.TEP+f.DEP > 0) {
		bad.add("--known-model, --model-config, --tp, --tep and --dep: need --timing roofline")
	}
	switch kind {
	case "", "polynomial":
	case "fixed":
		if f.TTFT != nil && f.ITL != nil {
			c.Engine.Timing = engine.Fixed{TTFT: time.Duration(*f.TTFT), ITL: time.Duration(*f.ITL), TTFTJitterCV: f.TTFTJitCV, ITLJitterCV: f.ITLJitCV}
		}
	case "npz":
		t, err := engine.ReadInterpolated(path)
		if err != nil {
			bad.add("--timing npz: %v", err)
			return
		}
		c.Engine.Timing = t
	case "roofline":
		if err := f.roofline(c); err != nil {
			*bad = append(*bad, err)
		}
	default:
		bad.add("--timing %s: must be polynomial, fixed, npz:PATH or roofline", f.Timing)
	}
}

// roofline times steps by a model on GPUs, and takes the size of the cache
// from what they hold.
func (f *clusterFlags) roofline(c *cluster.Config) error {
	s, err := f.setup()
	if err != nil {
		return err
	}
	r, err := s.Roofline()
	if err != nil {
		return fmt.Errorf("--timing roofline: %w", err)
	}
	c.Engine.Timing = engine.StepFunc(r.StepTime)
	if f.Blocks == 0 {
		m, err := s.Memory()
		if err != nil {
			return fmt.Errorf("--timing roofline: %w", err)
		}
		size := f.BlockSize
		if size == 0 {
			size = 64
			if c.Engine.Type == engine.TRTLLM {
				size = 32
			}
		}
		c.Engine.NumGPUBlocks = m.Blocks(size)
	}
	if f.BytesPerToken == 0 {
		c.Engine.KVBytesPerToken = int(s.Model.KVBytesPerToken(s.KVElementBytes))
	}
	return nil
}

// setup is the model on its GPUs.
func (f *clusterFlags) setup() (model.Setup, error) {
	var bad faultList
	s := model.Setup{MemoryFraction: f.MemoryShare, SequenceTokens: 1, MaxBatchedTokens: f.MaxTokens, MaxSequences: f.MaxSeqs,
		Efficiency: model.Efficiency{Compute: f.ComputeEff, Memory: f.MemoryEff}}
	var err error
	switch {
	case (f.KnownModel == "") == (f.ModelConfig == ""):
		bad.add("--timing roofline: give --known-model or --model-config")
	case f.KnownModel != "":
		s.Model, err = model.Lookup(f.KnownModel)
	default:
		s.Model, err = model.ReadFile(f.ModelConfig)
	}
	if err != nil {
		bad = append(bad, err)
	}
	if s.GPU, err = model.LookupGPU(f.GPU); err != nil {
		bad.add("--gpu: %v", err)
	}
	if s.KVElementBytes, err = model.KVElementBytes(f.KVDType); err != nil {
		bad.add("--kv-cache-dtype: %v", err)
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
		bad.add("--tp %d, --tep %d, --dep %d: give one of them", f.TP, f.TEP, f.DEP)
	}
	return s, bad.err()
}

// router is the router's configuration. What belongs to the workers the
// cluster fills in.
func (f *routerFlags) router(mode router.Mode) (router.Config, error) {
	policy, err := router.ParseQueuePolicy(f.QueuePolicy)
	r := router.Defaults()
	r.Mode, r.OverlapScoreCredit, r.CreditDecay, r.HostCredit, r.DiskCredit = mode, f.Credit, f.CreditDecay, f.HostCredit, f.DiskCredit
	r.PrefillLoadScale, r.RequestWeight, r.Temperature = f.PrefillScale, f.RequestCost, f.Temperature
	r.UseKVEvents, r.TTL, r.MaxTreeBlocks, r.PruneTarget = f.KVEvents, time.Duration(f.TTL), f.MaxTree, f.Prune
	r.TrackActiveBlocks, r.AssumeKVReuse, r.TrackOutputBlocks, r.TrackPrefillTokens = f.TrackActive, f.AssumeReuse, f.TrackOutput, f.TrackPrefill
	r.QueueThreshold, r.QueuePolicy = f.Threshold, policy
	return r, err
}
