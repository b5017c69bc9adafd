package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"headway/internal/profile"
)

// slaCmd finds the configuration that meets targets of TTFT and ITL, with the
// options of Dynamo's profile_sla.py.
type slaCmd struct {
	slaModelFlags
	slaTargetFlags
	slaSearchFlags
	onFlags

	OutputDir string `name:"output-dir" short:"d" type:"path" default:"profiling_results" help:"Folder of the results."`
	DryRun    bool   `name:"dry-run" help:"Say what would be measured and about what it would cost, and stop."`
	Resume    bool   `name:"resume" help:"Go on with what an earlier call with the same settings has measured."`
	Overwrite bool   `name:"overwrite" help:"Begin anew where an earlier call has measured something."`
	JSON      bool   `name:"json" help:"Print the result as JSON on standard output instead of tables."`
	Quiet     bool   `name:"quiet" short:"q" help:"Only errors and warnings, and no progress."`
}

// slaModelFlags say what is deployed on what.
type slaModelFlags struct {
	Model       string  `name:"model" short:"m" aliases:"model-name" placeholder:"NAME|DIR" help:"A known model (qwen3-32b), a folder with a config.json, or a name on the hub. Default: what --config serves."`
	ModelConfig string  `name:"model-config" type:"path" placeholder:"FILE" help:"The model's config.json, or its folder, where --model is only its name."`
	DGD         string  `name:"dgd-config" type:"path" placeholder:"FILE" help:"A DynamoGraphDeployment with a prefill and a decode worker; for this command --config means this. Default: one of the backend's."`
	Backend     string  `name:"backend" enum:"vllm,sglang,trtllm" default:"vllm" help:"Engine: ${enum}."`
	Image       string  `name:"dgd-image" placeholder:"IMAGE" help:"Image of every service of the deployment."`
	PVC         string  `name:"model-cache-pvc-name" placeholder:"NAME" help:"Volume claim that holds the model."`
	PVCPath     string  `name:"model-cache-pvc-path" placeholder:"PATH" help:"Where the model is within it."`
	PVCMount    string  `name:"model-cache-mount-path" placeholder:"PATH" help:"Where it is mounted."`
	GPU         string  `name:"gpu" default:"h200_sxm" help:"a100_sxm, h100_sxm, h200_sxm, b200_sxm or l40s."`
	GPUMemory   float64 `name:"gpu-memory-gib" default:"0" placeholder:"GIB" help:"Another memory of the GPU than its table's."`
	GPUBand     float64 `name:"gpu-bandwidth-tbs" default:"0" placeholder:"TB/S" help:"Another memory bandwidth."`
	GPUFLOPS    float64 `name:"gpu-bf16-tflops" default:"0" placeholder:"TFLOPS" help:"Another dense BF16 rate; other formats are scaled with it."`
	Discovery   bool    `name:"enable-gpu-discovery" help:"Not built: give --gpu and --num-gpus-per-node."`
	MemoryShare float64 `name:"gpu-memory-utilization" default:"0.9" help:"Share of the GPUs' memory that an engine uses."`
	KVBytes     float64 `name:"kv-cache-element-bytes" default:"0" placeholder:"BYTES" help:"Size of one value in the KV cache; 1 for an FP8 cache. Default: the model's own."`
	KVDType     string  `name:"kv-cache-dtype" default:"auto" placeholder:"FORMAT" help:"The same by its name: auto, bfloat16, float16, fp8, fp8_e4m3, fp8_e5m2, int8 or nvfp4."`
	ComputeEff  float64 `name:"compute-efficiency" default:"0.6" help:"Roofline: share of the peak rate that is reached; an assumption."`
	MemoryEff   float64 `name:"memory-efficiency" default:"0.8" help:"Roofline: share of the memory bandwidth that is reached; an assumption."`

	AIC        bool   `name:"use-ai-configurator" help:"Dynamo's name for a simulated search: the same as --on sim."`
	AICSystem  string `name:"aic-system" placeholder:"SYSTEM" help:"With --use-ai-configurator: the same as --gpu."`
	AICModel   string `name:"aic-hf-id" placeholder:"NAME" help:"With --use-ai-configurator: the same as --model."`
	AICBackend string `name:"aic-backend" placeholder:"NAME" help:"With --use-ai-configurator: the same as --backend."`
	AICVersion string `name:"aic-backend-version" placeholder:"VERSION" help:"Not built: the roofline knows no versions of an engine."`
}

// slaTargetFlags say what is wanted.
type slaTargetFlags struct {
	ISL        int          `name:"isl" default:"3000" help:"Tokens of a prompt."`
	OSL        int          `name:"osl" default:"500" help:"Tokens of a reply."`
	TTFT       milliseconds `name:"ttft" default:"50" placeholder:"TIME" help:"Target of the time to first token (ms)."`
	ITL        milliseconds `name:"itl" default:"10" placeholder:"TIME" help:"Target of the time between tokens (ms)."`
	MaxContext int          `name:"max-context-length" default:"0" placeholder:"N" help:"Longest sequence that engines are set up for. Default: the model's."`
	Rate       float64      `name:"request-rate" default:"0" help:"Requests per second to size the two pools for."`
	TotalGPUs  int          `name:"total-gpus" default:"0" help:"GPUs that both pools may have together."`
	GPUHour    float64      `name:"gpu-cost-per-hour" default:"3" help:"What a GPU costs for an hour ($)."`
}

// slaSearchFlags say how it is searched.
type slaSearchFlags struct {
	Method     string   `name:"search" enum:"fast,thorough" default:"fast" help:"thorough measures every candidate, fast those that can still win."`
	MinGPUs    int      `name:"min-num-gpus-per-engine" default:"1" help:"Fewest GPUs of an engine."`
	MaxGPUs    int      `name:"max-num-gpus-per-engine" default:"0" placeholder:"N" help:"Most GPUs of an engine. Default: those of a node."`
	PerNode    int      `name:"num-gpus-per-node" default:"0" placeholder:"N" help:"GPUs of a node. Default: what is usual for the GPU."`
	Repeats    int      `name:"repeats" default:"3" help:"Measure every load so often."`
	Parallel   int      `name:"parallel" default:"1" help:"Candidates that may run at a time, each on GPUs of its own."`
	Error      float64  `name:"roofline-error" default:"30" placeholder:"PCT" help:"fast: how far a mapping's step times may lie from the roofline, apart from a scale that all share (percent)."`
	PrefillG   int      `name:"prefill-interpolation-granularity" default:"16" help:"How fine the grid of prompt lengths is for the selected prefill worker."`
	DecodeG    int      `name:"decode-interpolation-granularity" default:"6" help:"How fine the grid of loads and contexts is for the selected decode worker; thorough measures so many loads of each candidate."`
	Curves     bool     `name:"interpolation" default:"true" negatable:"" help:"Measure the selected workers in depth, for the planner."`
	Aggregated bool     `name:"compare-aggregated" default:"true" negatable:"" help:"sim: measure workers that do both halves of a request, too."`
	Seed       uint64   `name:"random-seed" default:"100" help:"Seed of the prompts."`
	Planner    []string `name:"planner-arg" sep:"none" placeholder:"ARG" help:"An argument of the planner, as it stands; --planner-X V means --planner-arg=--X=V."`
	WebUI      bool     `name:"pick-with-webui" help:"Not built: the pick is made by the rule."`
	WebUIPort  int      `name:"webui-port" default:"8000" help:"Not built."`
	Profile    string   `name:"profile-config" placeholder:"YAML|FILE" help:"Defaults for these options as YAML, JSON or a Python dict with the sections of Dynamo's profiler (deployment, engine, hardware, sla, sweep, planner)."`
}

// Help is shown below the options.
func (slaCmd) Help() string {
	return `Examples:

  headway profile sla --model llama-3.1-70b --backend sglang --gpu h200_sxm --isl 3000 --osl 500 \
      --ttft 300 --itl 25 --output-dir out
  headway profile sla --model qwen3-235b-a22b --max-num-gpus-per-engine 32 --ttft 500 --itl 30 \
      --search thorough --request-rate 40
  headway profile sla --config disagg.yaml --backend vllm --ttft 300 --itl 20 --dry-run
  headway profile sla --model qwen3-32b --ttft 300 --itl 20 --planner-adjustment-interval 60

Here --config is the DynamoGraphDeployment, as in Dynamo's profiler; options from a file are
given with -f or with --profile-config. Exit code 3 says that a target was not met.`
}

func (c *slaCmd) run(ctx context.Context, a app) (code int, err error) {
	s, err := c.prepare(ctx, a)
	if err != nil {
		return exitFailed, err
	}
	s.announce()
	if c.DryRun {
		return s.plan(ctx)
	}
	bench, end, err := c.bench(ctx, a, s)
	if err != nil {
		return exitFailed, err
	}
	defer func() {
		if e := end(); e != nil {
			code, err = exitFailed, errors.Join(err, e)
		}
	}()
	s.search.Bench = bench
	if err := s.begin(); err != nil {
		return exitFailed, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.status("failed", interruption(ctx), s.stage, err))
		}
	}()
	return s.run(ctx)
}

// interruption is the message of a search that was ended from outside. The
// status has no word of its own for that: who waits for a search knows Dynamo's
// three, and would wait for ever at a fourth.
func interruption(ctx context.Context) string {
	if ctx.Err() == nil {
		return ""
	}
	return "interrupted, not failed: the same call with --resume goes on"
}

// run is the search and what is made of it.
func (s *slaSearch) run(ctx context.Context) (int, error) {
	result, err := s.search.Run(ctx)
	s.found.Result = result
	if err != nil {
		return s.stopped(ctx, err)
	}
	if s.c.Aggregated && s.c.On == "sim" {
		if s.found.Aggregated, err = s.search.MeasureAggregated(ctx); err != nil {
			return s.stopped(ctx, err)
		}
	}
	if err := s.enter(profile.SelectingConfig); err != nil {
		return exitFailed, err
	}
	if err := s.conclude(); err != nil {
		return exitFailed, err
	}
	if result.Prefill.Pick == nil || result.Decode.Pick == nil {
		return exitFailed, s.nothing()
	}
	if s.c.Curves {
		if err := s.enter(profile.BuildingCurves); err != nil {
			return exitFailed, err
		}
		if err := s.curves(ctx); err != nil {
			return s.stopped(ctx, err)
		}
	}
	if err := s.enter(profile.GeneratingDGD); err != nil {
		return exitFailed, err
	}
	if err := s.configurations(); err != nil {
		return exitFailed, err
	}
	if err := s.show(); err != nil {
		return exitFailed, err
	}
	met := result.Prefill.Pick.Met && result.Decode.Pick.Met
	message := "recommended: prefill " + result.Prefill.Pick.Mapping.String() + ", decode " + result.Decode.Pick.Mapping.String()
	if !met {
		message += "; a target is not met"
	}
	if err := s.status("success", message, profile.Done, nil); err != nil {
		return exitFailed, err
	}
	if !met {
		return exitMissed, nil
	}
	return exitDone, nil
}

// stopped is the end of a search that did not come to one.
func (s *slaSearch) stopped(ctx context.Context, err error) (int, error) {
	if ctx.Err() != nil {
		return exitInterrupted, fmt.Errorf("interrupted: what was measured is kept in %s; the same call with --resume goes on", s.c.OutputDir)
	}
	if errors.Is(err, profile.ErrHasOutcomes) || errors.As(err, new(*profile.SettingsError)) {
		return exitUsage, usageError{err}
	}
	return exitFailed, fmt.Errorf("%w\nwhat was measured is kept in %s; the same call with --resume goes on", err, s.c.OutputDir)
}

// begin makes the folder, and clears it where that was asked for.
func (s *slaSearch) begin() error {
	if s.c.Overwrite {
		if err := profile.ClearOutcomes(s.c.OutputDir); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(s.c.OutputDir, 0o755); err != nil {
		return fmt.Errorf("making the result folder: %w", err)
	}
	// A folder that is somebody else's must not lose its status.
	if err := s.search.Claim(); err != nil {
		_, err = s.stopped(context.Background(), err)
		return err
	}
	s.begun = true
	if err := s.writeFile("disagg_config", "disagg_config.yaml", s.doc.YAML()); err != nil {
		return err
	}
	return s.enter(profile.Initializing)
}

// enter says that a stage has begun.
func (s *slaSearch) enter(stage profile.Stage) error {
	s.stage = stage
	return s.status("running", "", stage, nil)
}

func (s *slaSearch) status(status, message string, stage profile.Stage, failure error) error {
	if !s.begun {
		return nil
	}
	r := profile.StatusReport{Status: status, Message: message, Phase: stage}
	if failure != nil {
		r.Error = failure.Error()
	}
	if status == "success" {
		r.Outputs = s.outputs
	}
	return profile.WriteStatus(s.c.OutputDir, r, time.Now())
}

// writeFile writes one of the result's files and notes it among the outputs.
func (s *slaSearch) writeFile(what, name string, data []byte) error {
	if err := profile.ReplaceFile(filepath.Join(s.c.OutputDir, name), data); err != nil {
		return err
	}
	s.outputs[what] = name
	return nil
}
