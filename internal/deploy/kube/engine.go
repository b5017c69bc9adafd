package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"headway/internal/deploy"
	"headway/internal/profile"
	"headway/internal/telemetry"
	"headway/record"
)

// engine is a candidate that runs on the cluster.
type engine struct {
	bench     *Bench
	candidate profile.Candidate
	name      string
	dir       string
	service   string
	port      string
	begun     time.Time
	entry     deploy.Entry

	d        *deployment
	forward  *Forward
	ways     []*Forward // to pages of metrics
	endpoint *deploy.Endpoint
	closed   bool
}

// start watches the deployment until it answers.
func (e *engine) start(ctx context.Context) error {
	cfg := &e.bench.cfg
	e.d = &deployment{cluster: cfg.Cluster, resource: e.bench.resource, name: e.name, uid: e.entry.UID,
		backend: cfg.Backend,
		gpus:    strconv.Itoa(e.candidate.Mapping.GPUs()) + " of the pod", grace: cfg.UnschedulableGrace,
		limit: cfg.AwayLimit,
		logs:  newLogs(cfg.Cluster, e.name, e.dir), ready: make(chan struct{}),
		pods: map[string]*pod{}, pending: map[string]bool{}}
	e.d.alive, e.d.die = context.WithCancelCause(context.WithoutCancel(ctx))
	e.d.follow()
	if err := e.d.wait(ctx, cfg.DeploymentTimeout); err != nil {
		return err
	}
	left := cfg.DeploymentTimeout - time.Since(e.begun)
	within, cancel := context.WithTimeoutCause(ctx, max(left, time.Minute),
		&profile.DeadError{Reason: profile.ReasonTimeout,
			Message: fmt.Sprintf("%s was ready and did not answer within %v", e.name, cfg.DeploymentTimeout),
			Advice:  "its logs are in " + e.dir})
	defer cancel()
	within, stop := e.d.within(within)
	defer stop()
	if err := e.answer(within, left); err != nil {
		return e.d.reason(within, err)
	}
	return nil
}

// answer finds the way to the deployment and waits for a first real answer.
func (e *engine) answer(ctx context.Context, left time.Duration) error {
	cfg := &e.bench.cfg
	url, err := e.reach(ctx)
	if err != nil {
		return err
	}
	endpoint := cfg.Endpoint
	endpoint.Client.URLs = []string{url}
	if err := deploy.Answers(ctx, endpoint.Client, "", max(left, time.Minute)); err != nil {
		return err
	}
	facts := profile.Facts{GPUs: e.candidate.Mapping.GPUs(), AttentionDP: e.candidate.Mapping.AttentionDP(),
		Load: time.Since(e.begun), URL: url, Logs: e.dir}
	if facts.KVTokens, err = e.kvTokens(ctx); err != nil {
		return err
	}
	endpoint.Candidate = e.candidate.Tag()
	if e.forward != nil {
		endpoint.Run.Way = e.forward.watch
	}
	endpoint.Facts, endpoint.Dir = facts, filepath.Join(cfg.Dir, e.candidate.Tag())
	endpoint.Sampling.Elsewhere, endpoint.Sampling.GPUs = true, telemetry.OfPods(e.d.owns)
	if !endpoint.Sampling.Telemetry.NoServerMetrics {
		endpoint.Sampling.Telemetry.Pages = e.pages(ctx)
	}
	e.endpoint, err = deploy.NewEndpoint(endpoint)
	return err
}

// reach is the address of the deployment: the service's name inside the
// cluster, a port-forward outside.
func (e *engine) reach(ctx context.Context) (string, error) {
	cfg := &e.bench.cfg
	s, err := cfg.Cluster.service(ctx, e.service)
	if err != nil {
		return "", err
	}
	if cfg.Cluster.Inside {
		return inside(s, e.port, cfg.Cluster.Namespace)
	}
	if e.forward, err = cfg.Cluster.Forward(ctx, e.service, e.port, cfg.Note); err != nil {
		return "", err
	}
	return e.forward.URL(), nil
}

// inside is a service's address for pods of the cluster.
func inside(s *service, port, namespace string) (string, error) {
	p, err := s.port(port)
	if err != nil {
		return "", err
	}
	scheme := "http"
	if v := os.Getenv("SERVICE_PROTOCOL"); v != "" {
		scheme = strings.ToLower(v)
	}
	return fmt.Sprintf("%s://%s.%s.svc.cluster.local:%d", scheme, s.Metadata.Name, namespace, p.Number), nil
}

// kvTokens is how many tokens the caches hold: what the user said, or what a
// worker wrote. The log is on its way when the deployment is ready, so it is
// given a while to come. Only decode candidates need the figure.
func (e *engine) kvTokens(ctx context.Context) (int, error) {
	cfg := &e.bench.cfg
	if cfg.KVTokens > 0 {
		return cfg.KVTokens, nil
	}
	limit := time.NewTimer(cfg.LogWait)
	defer limit.Stop()
	if e.candidate.Phase != profile.Decode {
		limit.Reset(0)
	}
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	for {
		n, err := e.readKV()
		if err == nil {
			return n, nil
		}
		select {
		case <-look.C:
			continue
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-limit.C:
		}
		if e.candidate.Phase != profile.Decode {
			return 0, nil
		}
		return 0, &profile.DeadError{Reason: profile.ReasonLog, Message: err.Error(),
			Advice: "say how many tokens the caches hold with --max-kv-tokens"}
	}
}

func (e *engine) readKV() (int, error) {
	paths := e.d.logs.workers()
	if len(paths) == 0 {
		return 0, fmt.Errorf("reading the size of the KV cache: no worker of %s has a log in %s", e.name, e.dir)
	}
	var faults []error
	for _, path := range paths {
		n, err := readKV(path, e.candidate.Mapping.AttentionDP(), e.bench.cfg.ReadKV)
		if err == nil {
			return n, nil
		}
		faults = append(faults, err)
	}
	return 0, errors.Join(faults...)
}

func readKV(path string, attentionDP int, read func(io.Reader, int) (int, error)) (int, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("reading the size of the KV cache: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	n, err := read(f, attentionDP)
	if err != nil {
		return 0, fmt.Errorf("reading the size of the KV cache from %s: %w", path, err)
	}
	return n, nil
}

// Facts is what is known of the deployment.
func (e *engine) Facts() profile.Facts { return e.endpoint.Facts() }

// Run drives a plan as a deploy.Endpoint does, and ends when the deployment
// does.
func (e *engine) Run(ctx context.Context, p profile.Part, sink record.Sink) (profile.Ran, error) {
	within, stop := e.d.within(ctx)
	defer stop()
	ran, err := e.endpoint.Run(within, p, sink)
	if err == nil && e.d.alive.Err() == nil {
		return ran, nil
	}
	return ran, e.d.reason(within, err)
}

// errClosed is why the watches of a deployment end that is closed.
var errClosed = errors.New("the deployment was closed")

// Close deletes the deployment and returns when it and its pods are gone, also
// when ctx has ended.
func (e *engine) Close(ctx context.Context) error {
	if e.closed {
		return nil
	}
	e.closed = true
	var faults []error
	if e.endpoint != nil {
		faults = append(faults, e.endpoint.Close(ctx))
	}
	if e.forward != nil {
		faults = append(faults, e.forward.Close())
	}
	for _, way := range e.ways {
		_ = way.Close() // nothing of it is measured
	}
	if e.d != nil {
		e.d.stop(errClosed)
		faults = append(faults, e.d.logs.err())
	}
	if e.entry.ID == "" {
		return errors.Join(faults...)
	}
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.bench.cfg.RemoveTimeout)
	defer cancel()
	r := removal{cluster: e.bench.cfg.Cluster, resource: e.bench.resource, name: e.name, uid: e.entry.UID,
		runID: e.bench.run}
	err := r.run(within)
	if err == nil {
		err = e.bench.cfg.Ledger.Gone(e.entry)
	}
	return errors.Join(append(faults, err)...)
}
