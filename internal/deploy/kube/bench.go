package kube

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"headway/internal/deploy"
	"headway/internal/deploy/dgd"
	"headway/internal/fault"
	"headway/internal/profile"
)

// Config says how candidates are run.
type Config struct {
	Cluster *Cluster
	// Document is the deployment that candidates are made of, Backend the one
	// it is for, and GPUsPerNode how many GPUs a node has.
	Document    *dgd.Document
	Backend     string
	GPUsPerNode int
	// Dir gets <tag>/config.yaml and <tag>/<deployment>/<component>/<i>.log.
	Dir string
	// ServiceName is the service that is measured; empty is the deployment's
	// frontend.
	ServiceName string
	// KVTokens is how many tokens the caches hold, all ranks together; 0 reads
	// it from a worker's log with ReadKV.
	KVTokens int
	ReadKV   func(log io.Reader, attentionDP int) (int, error)
	// DeploymentTimeout is how long a deployment may take until it is ready and
	// has answered (default 30 min); UnschedulableGrace how long no node may
	// take a pod (default 1 min); RemoveTimeout how long its removal may take
	// (default 5 min); AwayLimit how long the API server may be away (default
	// 5 min); LogWait how long a log may lag behind its engine (default 30 s).
	DeploymentTimeout, UnschedulableGrace, RemoveTimeout, AwayLimit, LogWait time.Duration
	// Endpoint says how to speak to a deployment; the address and the facts are
	// filled in for each.
	Endpoint deploy.EndpointConfig
	// Ledger lists what runs.
	Ledger *deploy.Ledger
	// Owner, which may be nil, is an object of the namespace that takes the
	// deployments along when it is deleted.
	Owner *metav1.OwnerReference
	// Note hears what a user may want to know.
	Note func(format string, args ...any)
}

func (c *Config) validate() error {
	var bad fault.List
	bad.When(c.GPUsPerNode < 1, "%s %d: must be above zero", fault.Field("num-gpus-per-node"), c.GPUsPerNode)
	bad.When(len(c.Endpoint.Client.Models) != 1, "the name that requests ask for: exactly one is needed, not %d",
		len(c.Endpoint.Client.Models))
	bad.When(c.KVTokens < 0, "%s %d: must not be negative", fault.Field("max-kv-tokens"), c.KVTokens)
	bad.When(c.DeploymentTimeout < 0, "%s %v: must not be negative", fault.Field("deployment-timeout"),
		c.DeploymentTimeout)
	bad.When(c.UnschedulableGrace < 0, "%s %v: must not be negative", fault.Field("unschedulable-grace"),
		c.UnschedulableGrace)
	bad.When(c.KVTokens == 0 && c.ReadKV == nil,
		"%s: how many tokens the cache holds cannot be read from the log of backend %q; say it",
		fault.Field("max-kv-tokens"), c.Backend)
	bad.Join(c.Document.Check(c.Backend))
	return bad.Err()
}

// Bench is a profile.Bench that runs each candidate as a
// DynamoGraphDeployment of its own.
type Bench struct {
	cfg      Config
	resource schema.GroupVersionResource
	run      string
}

// New checks the configuration, that the API server answers, that all that is
// needed may be done there, and that it knows DynamoGraphDeployments; nothing
// is made. The error lists every fault of the configuration, or every right
// that is missing.
func New(ctx context.Context, cfg Config) (*Bench, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	b := &Bench{cfg: cfg}
	b.cfg.DeploymentTimeout = cmp.Or(cfg.DeploymentTimeout, 30*time.Minute)
	b.cfg.UnschedulableGrace = cmp.Or(cfg.UnschedulableGrace, time.Minute)
	b.cfg.LogWait = cmp.Or(cfg.LogWait, 30*time.Second)
	b.cfg.RemoveTimeout, b.cfg.AwayLimit = cmp.Or(cfg.RemoveTimeout, 5*time.Minute), cmp.Or(cfg.AwayLimit, awayLimit)
	if cfg.Note == nil {
		b.cfg.Note = func(string, ...any) {}
	}
	var err error
	if b.resource, err = deployments(cfg.Document.APIVersion()); err != nil {
		return nil, err
	}
	if b.run, err = randomHex(4); err != nil {
		return nil, err
	}
	if err := cfg.Cluster.Reach(ctx); err != nil {
		return nil, err
	}
	if err := cfg.Cluster.allowed(ctx, benchRights(cfg.Cluster.Inside)); err != nil {
		return nil, err
	}
	return b, cfg.Cluster.served(ctx, b.resource)
}

func randomHex(bytes int) (string, error) {
	b := make([]byte, bytes)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("drawing a name: %w", err)
	}
	return hex.EncodeToString(b), nil
}

// The marks that our objects carry.
const (
	labelManaged = "app.kubernetes.io/managed-by"
	managedBy    = "headway"
	labelRun     = "headway/run"
	noteTag      = "headway/candidate"
	noteHost     = "headway/owner-host"
	notePID      = "headway/owner-pid"
	noteStart    = "headway/owner-start"
)

// manifest is the candidate's object under a name of its own.
func (b *Bench) manifest(c profile.Candidate) (*dgd.Document, *unstructured.Unstructured, error) {
	doc, err := b.cfg.Document.Candidate(b.cfg.Backend, string(c.Phase), c.Mapping, b.cfg.GPUsPerNode)
	if err != nil {
		return nil, nil, fmt.Errorf("making the deployment of %s: %w", c.Tag(), err)
	}
	suffix, err := randomHex(2)
	if err != nil {
		return nil, nil, err
	}
	if doc, err = doc.Suffixed(suffix); err != nil {
		return nil, nil, fmt.Errorf("naming the deployment of %s: %w", c.Tag(), err)
	}
	o := &unstructured.Unstructured{Object: doc.Object()}
	o.SetNamespace(b.cfg.Cluster.Namespace)
	mark := func(all map[string]string, more map[string]string) map[string]string {
		if all == nil {
			all = map[string]string{}
		}
		for k, v := range more {
			all[k] = v
		}
		return all
	}
	owner := b.cfg.Ledger.Owner()
	o.SetLabels(mark(o.GetLabels(), map[string]string{labelManaged: managedBy, labelRun: b.run}))
	o.SetAnnotations(mark(o.GetAnnotations(),
		map[string]string{noteTag: c.Tag(), noteHost: owner.Host, notePID: strconv.Itoa(owner.PID),
			noteStart: owner.Start}))
	if b.cfg.Owner != nil {
		o.SetOwnerReferences(append(o.GetOwnerReferences(), *b.cfg.Owner))
	}
	return doc, o, nil
}

// Open makes the candidate's deployment and returns when it has answered a
// request. It is gone again when there is an error.
func (b *Bench) Open(ctx context.Context, c profile.Candidate) (profile.Subject, error) {
	doc, o, err := b.manifest(c)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(b.cfg.Dir, c.Tag())
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("making the folder of %s: %w", c.Tag(), err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), doc.YAML(), 0o666); err != nil {
		return nil, fmt.Errorf("writing the configuration of %s: %w", c.Tag(), err)
	}
	facts, err := doc.Facts(b.cfg.Backend)
	if err != nil {
		return nil, fmt.Errorf("reading the deployment of %s: %w", c.Tag(), err)
	}
	e := &engine{bench: b, candidate: c, name: o.GetName(), dir: filepath.Join(dir, o.GetName()),
		service: cmp.Or(b.cfg.ServiceName, facts.Service), begun: time.Now()}
	if b.cfg.ServiceName == "" {
		e.port = strconv.Itoa(facts.Port)
	}
	if err := e.create(ctx, o); err != nil {
		return nil, errors.Join(err, e.Close(ctx))
	}
	if err := e.start(ctx); err != nil {
		return nil, errors.Join(err, e.Close(ctx))
	}
	return e, nil
}

// create writes the object down and makes it. A reply that was lost is found
// out by the object, which has our run's label and no other name than ours.
func (e *engine) create(ctx context.Context, o *unstructured.Unstructured) error {
	b := e.bench
	entry := deploy.Entry{Kind: deploy.KindObject, What: e.candidate.Tag(), Kubeconfig: b.cfg.Cluster.Kubeconfig,
		Context: b.cfg.Cluster.Context,
		Server:  b.cfg.Cluster.Server, APIVersion: b.resource.GroupVersion().String(),
		Namespace: b.cfg.Cluster.Namespace, Name: e.name}
	entry, err := b.cfg.Ledger.Add(entry)
	if err != nil {
		return err
	}
	e.entry = entry
	var made *unstructured.Unstructured
	what := fmt.Sprintf("creating the DynamoGraphDeployment %s/%s", b.cfg.Cluster.Namespace, e.name)
	err = persist(ctx, b.cfg.AwayLimit, what, func(ctx context.Context) (err error) {
		made, err = b.cfg.Cluster.in(b.resource).Create(ctx, o, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			made, err = b.cfg.Cluster.in(b.resource).Get(ctx, e.name, metav1.GetOptions{})
			if err == nil && made.GetLabels()[labelRun] != b.run {
				err = apierrors.NewAlreadyExists(b.resource.GroupResource(), e.name)
			}
		}
		return err
	})
	switch {
	case err == nil:
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), "exceeded quota"):
		f := quotaFault(err.Error())
		return &profile.DeadError{Reason: f.reason, Message: f.message, Advice: f.advice}
	case apierrors.IsInvalid(err) || apierrors.IsBadRequest(err):
		return fmt.Errorf("%w; the configuration does not fit the cluster's version of Dynamo, see %s", err,
			filepath.Join(b.cfg.Dir, e.candidate.Tag(), "config.yaml"))
	default:
		return err
	}
	e.entry.UID = string(made.GetUID())
	return b.cfg.Ledger.Update(e.entry)
}
