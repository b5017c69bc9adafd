package profiling

import (
	"headway/internal/options"
)

// SLA says how the workers that meet targets of TTFT and ITL are searched for, with
// the options of Dynamo's profile_sla.py.
type SLA struct {
	SLAModel
	SLATarget
	SLASearch
	SLAOn

	OutputDir string `name:"output-dir" apart:"" short:"d" type:"path" default:"profiling_results" help:"Folder of the results."`
	DryRun    bool   `name:"dry-run" apart:"" help:"Say what would be measured and about what it would cost, and stop."`
	Resume    bool   `name:"resume" apart:"" help:"Go on with what an earlier call with the same settings has measured."`
	Overwrite bool   `name:"overwrite" apart:"" help:"Discard the measurements of an earlier call and start over."`
	JSON      bool   `name:"json" apart:"" help:"Print the result as JSON on standard output instead of tables."`
	Quiet     bool   `name:"quiet" apart:"" short:"q" help:"Only errors and warnings, and no progress."`

	options.Format
	options.Web
}

// SLAModel say what is deployed on what.
type SLAModel struct {
	Model       string  `name:"model" type:"home" short:"m" aliases:"model-name" placeholder:"NAME|DIR" help:"A known model (qwen3-32b), a folder with a config.json, or a name on the hub. Default: what --config serves."`
	ModelConfig string  `name:"model-config" type:"path" placeholder:"FILE" help:"The model's config.json, or its folder, where --model is only its name."`
	DGD         string  `name:"dgd-config" type:"path" placeholder:"FILE" help:"A DynamoGraphDeployment with a prefill and a decode worker, or with one that does both; for this command --config means this where the file holds one. Default: one of the backend's."`
	DGDR        string  `name:"dgdr" apart:"" type:"home" placeholder:"FILE|JSON|-" help:"A DynamoGraphDeploymentRequest, or its spec alone, that gives these options: a file, its text, or - for standard input; other options on the command line win. For this command --config means this where the file holds one."`
	Backend     string  `name:"backend" enum:"vllm,sglang,trtllm" default:"vllm" help:"Engine: ${enum}."`
	Image       string  `name:"dgd-image" placeholder:"IMAGE" help:"Image of every service of the deployment; the planner's is the one beside it, dynamo-planner, since release 1.1 of Dynamo."`
	Dynamo      string  `name:"dynamo-version" placeholder:"VERSION" help:"Release of Dynamo that the deployments are written for: 0.9 to 1.7. Default: that of the images of --config or --dgd-image, else 1.6."`
	PVC         string  `name:"model-cache-pvc-name" placeholder:"NAME" help:"Volume claim that holds the model."`
	PVCPath     string  `name:"model-cache-pvc-path" placeholder:"PATH" help:"Path of the model inside the model cache volume."`
	PVCMount    string  `name:"model-cache-pvc-mount-path" aliases:"model-cache-mount-path" default:"/opt/model-cache" placeholder:"PATH" help:"Mount path of the model cache volume, with --model-cache-pvc-name."`
	GPU         string  `name:"gpu" default:"h200_sxm" help:"a100_sxm, h100_sxm, h200_sxm, b200_sxm or l40s."`
	GPUMemory   float64 `name:"gpu-memory-gib" default:"0" placeholder:"GIB" help:"GPU memory (GiB), instead of the value in the table."`
	GPUBand     float64 `name:"gpu-bandwidth-tbs" default:"0" placeholder:"TB/S" help:"GPU memory bandwidth (TB/s), instead of the value in the table."`
	GPUFLOPS    float64 `name:"gpu-bf16-tflops" default:"0" placeholder:"TFLOPS" help:"Dense BF16 rate of the GPU (TFLOPS), instead of the value in the table; other formats are scaled with it."`
	MemoryShare float64 `name:"gpu-memory-utilization" default:"0.9" help:"Share of the GPUs' memory that an engine uses."`
	KVBytes     float64 `name:"kv-cache-element-bytes" default:"0" placeholder:"BYTES" help:"Size of one value in the KV cache; 1 for an FP8 cache. Default: the model's own."`
	KVDType     string  `name:"kv-cache-dtype" default:"auto" placeholder:"FORMAT" help:"Format of the values in the KV cache: auto, bfloat16, float16, fp8, fp8_e4m3, fp8_e5m2, int8 or nvfp4."`
	ComputeEff  float64 `name:"compute-efficiency" default:"0.6" help:"Roofline: share of the peak rate that is reached; an assumption."`
	MemoryEff   float64 `name:"memory-efficiency" default:"0.8" help:"Roofline: share of the memory bandwidth that is reached; an assumption."`

	AIC        bool   `name:"use-ai-configurator" help:"Dynamo's older name for a simulated search: the same as --on sim. AISimulate, which has replaced AIConfigurator, has the verb aisimulate recommend for it."`
	AICSystem  string `name:"aic-system" placeholder:"SYSTEM" help:"With --use-ai-configurator: the same as --gpu."`
	AICModel   string `name:"aic-hf-id" placeholder:"NAME" help:"With --use-ai-configurator: the same as --model."`
	AICBackend string `name:"aic-backend" placeholder:"NAME" help:"With --use-ai-configurator: the same as --backend."`
}

// SLATarget say what is wanted.
type SLATarget struct {
	ISL        int                  `name:"isl" default:"3000" help:"Tokens of a prompt."`
	OSL        int                  `name:"osl" default:"500" help:"Tokens of a reply."`
	TTFT       options.Milliseconds `name:"ttft" default:"50" placeholder:"TIME" help:"Target of the time to first token (ms)."`
	ITL        options.Milliseconds `name:"itl" default:"10" placeholder:"TIME" help:"Target of the time between tokens (ms)."`
	MaxContext int                  `name:"max-context-length" default:"0" placeholder:"N" help:"Longest sequence that engines are set up for. Default: the model's."`
	Rate       float64              `name:"request-rate" apart:"" default:"0" help:"Requests per second to size the two pools for."`
	InFlight   float64              `name:"concurrency" apart:"" default:"0" placeholder:"N" help:"Requests in flight to size the two pools for, instead of --request-rate."`
	TotalGPUs  int                  `name:"total-gpus" apart:"" default:"0" help:"GPUs that both pools may have together."`
	GPUHour    float64              `name:"gpu-cost-per-hour" apart:"" default:"3" help:"What a GPU costs for an hour ($)."`
}

// SLASearch say how it is searched.
type SLASearch struct {
	Method     string   `name:"search" enum:"fast,thorough" default:"fast" help:"thorough measures every candidate, fast those that can still win."`
	MinGPUs    int      `name:"min-num-gpus-per-engine" default:"1" help:"Fewest GPUs of an engine."`
	MaxGPUs    int      `name:"max-num-gpus-per-engine" default:"0" placeholder:"N" help:"Most GPUs of an engine. Default: those of a node."`
	PerNode    int      `name:"num-gpus-per-node" default:"0" placeholder:"N" help:"GPUs of a node. Default: what is usual for the GPU."`
	Repeats    int      `name:"repeats" default:"3" help:"Repeats per load."`
	Parallel   int      `name:"parallel" apart:"" default:"1" help:"Candidates that may run at a time, each on GPUs of its own."`
	Error      float64  `name:"roofline-error" default:"30" placeholder:"PCT" help:"fast: how far a mapping's step times may lie from the roofline, apart from a scale that all share (percent)."`
	PrefillG   int      `name:"prefill-interpolation-granularity" apart:"" default:"16" help:"How fine the grid of prompt lengths is for the selected prefill worker."`
	DecodeG    int      `name:"decode-interpolation-granularity" default:"6" help:"Points per axis of the grid of loads and contexts for the selected decode worker; also the number of loads per candidate under --search thorough."`
	Curves     bool     `name:"interpolation" apart:"" default:"true" negatable:"" help:"Measure the selected workers in depth, for the planner."`
	Aggregated *bool    `name:"compare-aggregated" apart:"" negatable:"" help:"Measure workers that do both halves of a request, too; --no-compare-aggregated does not. Default: with --on sim, and where the deployment has one worker for both."`
	Seed       uint64   `name:"random-seed" default:"100" help:"Seed of the prompts."`
	Planner    []string `name:"planner-arg" apart:"" sep:"none" placeholder:"ARG" help:"A setting of the planner, by any release's name for it: --planner-arg=--ttft=200; --planner-X V means --planner-arg=--X=V."`
	Profile    string   `name:"profile-config" apart:"" type:"home" placeholder:"YAML|FILE" help:"Defaults for these options as YAML, JSON or a Python dict with the sections of Dynamo's profiler (deployment, engine, hardware, sla, sweep, planner)."`
}
