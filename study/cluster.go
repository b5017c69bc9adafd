package study

import (
	"context"
	"errors"
	"fmt"
	"time"

	"headway/endpoint"
	"headway/internal/cluster"
	"headway/internal/engine"
	"headway/internal/fault"
	"headway/internal/model"
	"headway/internal/router"
	"headway/internal/study"
	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// Cluster is what [Simulate] puts a load on: workers with a KV cache each, behind a
// router. A zero field has the default of Dynamo's mocker and router; docs/simulation.md
// says what is modelled.
type Cluster struct {
	// Workers is how many there are. Default: 1.
	Workers int
	// Router is how requests are spread: round-robin, random, kv and others. Default:
	// round-robin.
	Router string

	// Model and GPU give the times of steps and the size of the cache by a roofline, such
	// as qwen3-32b on h200_sxm. GPUs is how many each worker has, with tensor parallelism;
	// default 1. Without a Model steps take what they take in Dynamo's mocker.
	Model, GPU string
	GPUs       int
	// TTFT and ITL give the times instead: to the first token after a request is
	// admitted, and between further tokens.
	TTFT, ITL time.Duration

	// Batch is how many requests a worker runs at once, BatchTokens how many tokens a step
	// has. Default: 256 and 8192.
	Batch, BatchTokens int
	// Blocks is the size of a worker's KV cache, in blocks of BlockSize tokens. Default:
	// 16384 or what the GPUs hold, and 64.
	Blocks, BlockSize int
}

// Simulate drives the plan on a simulated cluster in virtual time: an hour of load takes
// a second or less. Prompts stay lengths and keys, no text is made. The same plan, cluster
// and seed give the same report, on any machine; [report.Report].Run.Cluster has the
// account of the workers and the router.
//
// The error says that the plan cannot be driven, that the cluster is not possible or can
// never hold a request, or that files cannot be written. Options.Tokens has no meaning.
func Simulate(ctx context.Context, c Cluster, p workload.Plan, o Options) (*report.Report, error) {
	timed, err := check(p)
	if err != nil {
		return nil, fmt.Errorf("study: %w", err)
	}
	cfg, err := c.config(o.Seed)
	if err != nil {
		return nil, fmt.Errorf("study: %w", fault.Named(err, clusterField))
	}
	if !p.Endless {
		if err := study.Fits(cfg, p.Source); err != nil {
			return nil, tooLong(err)
		}
	}
	s := study.Simulation{Cluster: cfg, Plan: p, Dir: o.Dir, Names: report.FileNames(""), Lines: true}
	s.Metrics = o.metrics(p, timed)
	s.Metrics.Streaming, s.Metrics.Tokens = true, metric.TokensClient
	s.Header = o.header(record.Header{Model: c.Model, Endpoint: endpoint.Chat, Streaming: true}, p, timed)
	s.Header.TokenCount = metric.TokensClient.String()
	s.Header.ID = "simulated" // the same call gives the same bytes
	rep, err := s.Run(ctx)
	return rep, tooLong(err)
}

// config is the simulator's.
func (c Cluster) config(seed uint64) (cluster.Config, error) {
	cfg := cluster.Defaults()
	cfg.Seed = workload.Seed(seed).Named("simulated cluster")
	if c.Workers != 0 {
		cfg.Workers = c.Workers
	}
	cfg.Engine.MaxNumSeqs, cfg.Engine.MaxNumBatchedTokens = c.Batch, c.BatchTokens
	cfg.Engine.NumGPUBlocks, cfg.Engine.BlockSize = c.Blocks, c.BlockSize
	var bad fault.List
	if c.Router != "" {
		mode, err := router.ParseMode(c.Router)
		if err != nil {
			bad.Add("%s: %w", fault.Field("router-mode"), err)
		}
		cfg.Router.Mode = mode
	}
	bad.Join(c.timing(&cfg))
	if err := bad.Err(); err != nil {
		return cfg, err
	}
	return cfg, cfg.Validate()
}

// timing sets how long steps take.
func (c Cluster) timing(cfg *cluster.Config) error {
	fixed := c.TTFT != 0 || c.ITL != 0
	if c.Model == "" {
		if c.GPU != "" || c.GPUs != 0 {
			return fault.New("%s %q, %s %d: they need %s",
				fault.Field("gpu"), c.GPU, fault.Field("tp"), c.GPUs, fault.Field("known-model"))
		}
		if fixed {
			cfg.Engine.Timing = engine.Fixed{TTFT: c.TTFT, ITL: c.ITL}
		}
		return nil
	}
	if fixed {
		return fault.New("%s %v, %s %v: %s gives the times of steps; leave out one of them",
			fault.Field("ttft"), c.TTFT, fault.Field("itl"), c.ITL, fault.Field("known-model"))
	}
	s, err := c.setup(cfg)
	if err != nil {
		return err
	}
	return cfg.UseRoofline(s)
}

// setup is the model on a worker's GPUs.
func (c Cluster) setup(cfg *cluster.Config) (s model.Setup, err error) {
	var bad fault.List
	if s.Model, err = model.Lookup(c.Model); err != nil {
		bad.Add("%s: %w", fault.Field("known-model"), err)
	}
	if s.GPU, err = model.LookupGPU(c.GPU); err != nil {
		bad.Add("%s: %w", fault.Field("gpu"), err)
	}
	s.Mapping = model.Mapping{Kind: model.TP, Size: max(1, c.GPUs), Pipeline: 1}
	s.MemoryFraction, s.SequenceTokens = memoryShare, 1
	s.MaxBatchedTokens, s.MaxSequences = or(c.BatchTokens, 8192), or(c.Batch, 256)
	s.Efficiency = model.Efficiency{Compute: computeShare, Memory: bandwidthShare}
	return s, bad.Err()
}

// What of a GPU is used, as by default in headway sim.
const memoryShare, computeShare, bandwidthShare = 0.9, 0.6, 0.8

func or(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// tooLong says what to do about requests that no worker can hold by the fields of
// Cluster.
func tooLong(err error) error {
	var long *study.TooLongError
	if !errors.As(err, &long) {
		return err
	}
	return fmt.Errorf("study: %d requests do not fit a worker: the longest has %d tokens, prompt and output together, "+
		"and %d fit; raise Cluster.Blocks, or ask for shorter requests", long.Requests, long.Tokens, long.Capacity)
}

// clusterFields are the names of Cluster's fields by those of the options that faults
// speak of.
var clusterFields = map[string]string{
	"workers": "Workers", "router-mode": "Router", "known-model": "Model", "gpu": "GPU", "tp": "GPUs",
	"ttft": "TTFT", "itl": "ITL", "max-num-seqs": "Batch", "max-num-batched-tokens": "BatchTokens",
	"num-gpu-blocks-override": "Blocks", "block-size": "BlockSize",
}

func clusterField(f fault.Field) string {
	if name := clusterFields[string(f)]; name != "" {
		return "Cluster." + name
	}
	return string(f)
}
