package place

import (
	"context"
	"errors"
	"io"
	"time"

	"headway/internal/deploy"
	"headway/internal/deploy/dgd"
	"headway/internal/deploy/kube"
	"headway/internal/engine"
	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/options/profiling"
	"headway/internal/profile"
)

// Place is where candidates run, as options ask for it.
type Place struct {
	*profiling.SLA
	Caller options.Caller
	// Space is what is searched, Document what is deployed.
	Space    profile.Space
	Document *dgd.Document
	// Fitted is the twin among the candidates; nil without one.
	Fitted *deploy.Fitted
	// Endpoint says how engines are spoken to. It is called where there are some
	// that are not simulated.
	Endpoint func(context.Context) (deploy.EndpointConfig, error)
	// Note hears what the user may want to know; it is needed.
	Note func(format string, args ...any)
}

// Open is what runs the candidates of a search, and what ends it: nothing of it
// is left then, unless the error of end says so. What dead searches left behind
// is removed before.
func (p Place) Open(ctx context.Context) (bench profile.Bench, end func() error, err error) {
	if p.On == "sim" {
		return p.Simulated(), func() error { return nil }, nil
	}
	endpoint, err := p.Endpoint(ctx)
	if err != nil {
		return nil, nil, err
	}
	endpoint.Sampling.Telemetry, endpoint.Sampling.Path = p.Telemetry(), p.Caller.Getenv("PATH")
	ledger, err := deploy.Open(ctx, deploy.StateDir(p.Caller.Getenv), p.OutputDir, Removers(), p.Note)
	if err != nil {
		return nil, nil, err
	}
	if p.On == "process" {
		bench, err = p.processes(endpoint, ledger)
	} else {
		bench, err = p.deployments(ctx, endpoint, ledger)
	}
	if err != nil {
		return nil, nil, errors.Join(err, ledger.Close())
	}
	return bench, func() error { return ledger.Settle(Removers()) }, nil
}

// Simulated is the bench of a simulation, whatever candidates run on.
func (p Place) Simulated() *deploy.Sim {
	return &deploy.Sim{
		Setup:    p.Space.Setup,
		Engine:   engine.Type(p.Backend),
		LoadRate: p.LoadRate * 1e9,
		Startup:  time.Duration(p.Startup),
		Fitted:   p.Fitted,
	}
}

func (p Place) readKV(log io.Reader, attentionDP int) (int, error) {
	return dgd.KVTokens(p.Backend, log, attentionDP)
}

// processes is the bench on this host.
func (p Place) processes(endpoint deploy.EndpointConfig, ledger *deploy.Ledger) (profile.Bench, error) {
	cfg := deploy.ProcessConfig{
		Model:        p.Model,
		Backend:      p.Backend,
		MaxLen:       p.MaxContext,
		KVTokens:     p.MaxKV,
		ReadKV:       p.readKV,
		Dir:          p.OutputDir,
		Health:       p.Health,
		StartTimeout: time.Duration(p.StartWithin),
		Grace:        time.Duration(p.StopGrace),
		Environ:      p.Caller.Environ,
		Endpoint:     endpoint,
		Ledger:       ledger,
	}
	if cfg.MaxLen == 0 {
		cfg.MaxLen = p.Space.Model.Context
	}
	err := p.commands(&cfg)
	if err != nil {
		return nil, fault.Usage(err)
	}
	bench, err := deploy.NewProcess(cfg)
	if err != nil {
		return nil, fault.Usage(err)
	}
	return bench, nil
}

// commands fills in how engines are started, and on which GPUs.
func (p Place) commands(cfg *deploy.ProcessConfig) (err error) {
	if cfg.GPUs, err = deploy.GPUsOf(p.GPUs, p.Caller.Lookupenv); err != nil {
		return err
	}
	text := p.Command
	if text == "" {
		text = deploy.DefaultCommand(p.Backend)
	}
	if cfg.Command, err = deploy.ParseCommand(text); err != nil || p.Prefill == "" {
		return err
	}
	cfg.Prefill, err = deploy.ParseCommand(p.Prefill)
	return err
}

// deployments is the bench on Kubernetes.
func (p Place) deployments(
	ctx context.Context, endpoint deploy.EndpointConfig, ledger *deploy.Ledger,
) (profile.Bench, error) {
	namespace := p.Namespace
	if own := p.Caller.Getenv("DGDR_NAMESPACE"); own != "" && !p.Caller.Given["namespace"] {
		namespace = own
	}
	cluster, err := kube.Connect(kube.Access{Kubeconfig: p.Kubeconfig, Context: p.Context, Namespace: namespace})
	if err != nil {
		return nil, err
	}
	if err := p.Document.Deployable(); err != nil {
		return nil, fault.Usage(fault.New("%w; %s gives every service an image", err, fault.Field("dgd-image")))
	}
	if n := len(p.Document.Others()); n > 0 {
		p.Note("note: %s: its %d other objects are not created with the candidates; they must be in namespace %s "+
			"already",
			p.DGD, n, cluster.Namespace)
	}
	return kube.New(ctx, kube.Config{
		Cluster:            cluster,
		Document:           p.Document,
		Backend:            p.Backend,
		GPUsPerNode:        p.Space.PerNode(),
		Dir:                p.OutputDir,
		ServiceName:        p.ServiceName,
		KVTokens:           p.MaxKV,
		ReadKV:             p.readKV,
		DeploymentTimeout:  time.Duration(p.DeployWithin),
		UnschedulableGrace: time.Duration(p.Unschedulable),
		Endpoint:           endpoint,
		Ledger:             ledger,
		Owner:              kube.OwnerFrom(p.Caller.Getenv, p.Document.APIVersion(), cluster.Namespace),
		Note:               p.Note,
	})
}
