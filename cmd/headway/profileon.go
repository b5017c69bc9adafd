package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"headway/internal/deploy"
	"headway/internal/deploy/dgd"
	"headway/internal/deploy/kube"
	"headway/internal/engine"
	"headway/internal/openai"
	"headway/internal/profile"
)

// onFlags say where candidates run.
type onFlags struct {
	On string `name:"on" enum:"sim,process,kube" default:"sim" help:"Where candidates run: sim (simulated in virtual time by a roofline), process (engines started on this host) or kube (a DynamoGraphDeployment each)."`

	LoadRate float64      `name:"weights-load-rate" default:"2" help:"sim: GB/s at which a node reads weights; an assumption, and part of the GPU-minutes."`
	Startup  milliseconds `name:"engine-startup-time" default:"0" placeholder:"TIME" help:"sim: what an engine takes to start beside that (ms, or 60s)."`

	MaxKV int `name:"max-kv-tokens" default:"0" placeholder:"N" help:"process, kube: tokens that an engine's KV cache holds, all attention ranks together. Default: what its log says."`

	Command     string  `name:"engine-command" placeholder:"TEMPLATE" help:"process: how an engine is started, with {model} {port} {tp} {gpus} {mapping} … (docs/process.md). Default: the backend's own server."`
	Prefill     string  `name:"prefill-command" placeholder:"TEMPLATE" help:"process: the same for prefill candidates, whose prefix cache has to be off."`
	GPUs        string  `name:"gpus" placeholder:"0,1,…|N" help:"process: ids of the GPUs to use, or how many. Default: those of CUDA_VISIBLE_DEVICES, else all of the host."`
	Health      string  `name:"engine-health-path" placeholder:"PATH" help:"process: answers 200 when an engine is ready. Default: /v1/models, which has to list the model."`
	StartWithin seconds `name:"engine-start-timeout" default:"1800" placeholder:"TIME" help:"process: longest time (s) from the start of an engine to its first answer."`
	StopGrace   seconds `name:"engine-stop-grace" default:"30" placeholder:"TIME" help:"process: how long (s) an engine may take to stop before it is killed."`

	Namespace     string  `name:"namespace" short:"n" default:"dynamo-sla-profiler" help:"kube: namespace of the deployments; DGDR_NAMESPACE replaces the default."`
	ServiceName   string  `name:"service-name" default:"" placeholder:"NAME" help:"kube: the frontend's service. Default: <deployment>-frontend."`
	DeployWithin  seconds `name:"deployment-timeout" default:"1800" placeholder:"TIME" help:"kube: longest time (s) until a deployment is ready."`
	Unschedulable seconds `name:"unschedulable-grace" default:"60" placeholder:"TIME" help:"kube: how long (s) no node may take a pod before the candidate is given up."`

	clusterAccessFlags
	tokenizerFlags
	noConnectFlags
}

// clusterAccessFlags say which cluster.
type clusterAccessFlags struct {
	Kubeconfig string `name:"kubeconfig" type:"path" placeholder:"FILE" help:"Kubernetes: configuration file. Default: KUBECONFIG, ~/.kube/config, or the service account of the pod."`
	Context    string `name:"context" placeholder:"NAME" help:"Kubernetes: context of the configuration. Default: the current one."`
}

// processOptions and kubeOptions have no meaning with another --on.
const (
	processOptions = "engine-command prefill-command gpus engine-health-path engine-start-timeout engine-stop-grace"
	kubeOptions    = "service-name deployment-timeout unschedulable-grace kubeconfig context"
)

// onFaults checks where candidates run. It is called before the search is laid
// out: on this host engines have no more GPUs than there are.
func (c *slaCmd) onFaults(a app, bad *faultList) {
	bad.dependents(a.given, []dependents{
		{c.On != "process", processOptions, "--on process"},
		{c.On == "sim", "no-preconnect", "--on process or --on kube"},
		{c.On != "kube", kubeOptions, "--on kube"},
		{c.On == "sim", "max-kv-tokens tokenizer tokenizer-revision", "--on process or kube"},
		// A plan simulates the candidates, whatever they run on, by both searches.
		{c.On != "sim" && !c.DryRun, "weights-load-rate engine-startup-time", "--on sim or --dry-run"},
		{c.Method != "fast" && !c.DryRun, "roofline-error", "--search fast or --dry-run"},
	})
	bad.notNegative("max-kv-tokens", float64(c.MaxKV))
	switch c.On {
	case "process":
		bad.positive("engine-start-timeout", time.Duration(c.StartWithin).Seconds())
		bad.notNegative("engine-stop-grace", time.Duration(c.StopGrace).Seconds())
		gpus, err := c.gpuIDs(a)
		if err != nil {
			*bad = append(*bad, err)
		} else if c.MaxGPUs == 0 {
			c.MaxGPUs = len(gpus)
		}
		for _, text := range []string{c.Command, c.Prefill} {
			if text != "" {
				if _, err := deploy.ParseCommand(text); err != nil {
					*bad = append(*bad, err)
				}
			}
		}
	case "kube":
		bad.positive("deployment-timeout", time.Duration(c.DeployWithin).Seconds())
		bad.positive("unschedulable-grace", time.Duration(c.Unschedulable).Seconds())
	}
}

func (c *slaCmd) gpuIDs(a app) ([]string, error) {
	visible, set := a.lookupenv("CUDA_VISIBLE_DEVICES")
	return deploy.ParseGPUs(c.GPUs, visible, set)
}

// bench is what runs the candidates of a search, and what ends it: nothing of
// it is left then, unless the error says so.
func (c *slaCmd) bench(ctx context.Context, a app, s *slaSearch) (bench profile.Bench, end func() error, err error) {
	if c.On == "sim" {
		return s.simulated(c), func() error { return nil }, nil
	}
	endpoint, err := s.endpoint(ctx)
	if err != nil {
		return nil, nil, err
	}
	ledger, err := a.ledger(ctx, c.OutputDir)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ledger.Close())
		}
	}()
	if c.On == "process" {
		bench, err = c.processes(a, s, endpoint, ledger)
	} else {
		bench, err = c.deployments(ctx, a, s, endpoint, ledger)
	}
	return bench, func() error { return a.settle(ledger) }, err
}

// simulated is the bench of --on sim.
func (s *slaSearch) simulated(c *slaCmd) *deploy.Sim {
	return &deploy.Sim{Setup: s.search.Space.Setup, Engine: engine.Type(c.Backend), LoadRate: c.LoadRate * 1e9, Startup: time.Duration(c.Startup)}
}

// endpoint says how engines are spoken to.
func (s *slaSearch) endpoint(ctx context.Context) (deploy.EndpointConfig, error) {
	tok, warning, err := s.a.loadTokens(ctx, s.c.tokenizerFlags, s.c.Model, false)
	if err != nil {
		return deploy.EndpointConfig{}, err
	}
	if warning != nil {
		s.a.note("warning: %s", warning.Text)
	}
	return deploy.EndpointConfig{Tokenizer: tok.tokenizer, NoPreconnect: s.c.NoPreconnect,
		Client: openai.Config{Models: []string{s.name}, UserAgent: "headway/" + version, Timeout: 30 * time.Minute}}, nil
}

func (c *slaCmd) readKV(log io.Reader, attentionDP int) (int, error) {
	return dgd.KVTokens(c.Backend, log, attentionDP)
}

// processes is the bench of --on process.
func (c *slaCmd) processes(a app, s *slaSearch, endpoint deploy.EndpointConfig, ledger *deploy.Ledger) (profile.Bench, error) {
	gpus, err := c.gpuIDs(a)
	if err != nil {
		return nil, usageError{err}
	}
	cfg := deploy.ProcessConfig{
		Model: c.Model, Backend: c.Backend, GPUs: gpus, MaxLen: c.MaxContext, KVTokens: c.MaxKV, ReadKV: c.readKV, Dir: c.OutputDir,
		Health: c.Health, StartTimeout: time.Duration(c.StartWithin), Grace: time.Duration(c.StopGrace), Environ: a.environ,
		Endpoint: endpoint, Ledger: ledger,
	}
	if cfg.MaxLen == 0 {
		cfg.MaxLen = s.search.Space.Model.Context
	}
	text := c.Command
	if text == "" {
		text = deploy.DefaultCommand(c.Backend)
	}
	if cfg.Command, err = deploy.ParseCommand(text); err != nil {
		return nil, usageError{err}
	}
	if c.Prefill != "" {
		if cfg.Prefill, err = deploy.ParseCommand(c.Prefill); err != nil {
			return nil, usageError{err}
		}
	}
	bench, err := deploy.NewProcess(cfg)
	if err != nil {
		return nil, usageError{err}
	}
	return bench, nil
}

// deployments is the bench of --on kube.
func (c *slaCmd) deployments(ctx context.Context, a app, s *slaSearch, endpoint deploy.EndpointConfig, ledger *deploy.Ledger) (profile.Bench, error) {
	namespace := c.Namespace
	if own := a.getenv("DGDR_NAMESPACE"); own != "" && !a.given["namespace"] {
		namespace = own
	}
	cluster, err := kube.Connect(kube.Access{Kubeconfig: c.Kubeconfig, Context: c.Context, Namespace: namespace})
	if err != nil {
		return nil, err
	}
	if err := s.doc.Deployable(); err != nil {
		return nil, usageError{fmt.Errorf("%w; --dgd-image gives every service an image", err)}
	}
	if n := len(s.doc.Others()); n > 0 {
		a.note("note: %s: its %s other objects are not created with the candidates; they must be in namespace %s already", c.DGD, strconv.Itoa(n), cluster.Namespace)
	}
	perNode := c.PerNode
	if perNode == 0 {
		perNode = s.search.Space.GPU.PerNode
	}
	owner := kube.OwnerFrom(a.getenv, s.doc.APIVersion(), cluster.Namespace)
	return kube.New(ctx, kube.Config{
		Cluster: cluster, Document: s.doc, Backend: c.Backend, GPUsPerNode: perNode, Dir: c.OutputDir, ServiceName: c.ServiceName,
		KVTokens: c.MaxKV, ReadKV: c.readKV, DeploymentTimeout: time.Duration(c.DeployWithin), UnschedulableGrace: time.Duration(c.Unschedulable),
		Endpoint: endpoint, Ledger: ledger, Owner: owner, Note: a.note,
	})
}
