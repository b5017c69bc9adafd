// Package plane runs a real Kubernetes control plane on loopback: etcd,
// kube-apiserver, kube-controller-manager and kube-scheduler, as processes of
// this host, with certificates and tokens of their own in one folder. Nothing
// of it runs containers: that is package kubelet's part.
//
// It refuses to guess: the programs are those of one folder, made by build.sh.
// Everything is in [Config.Dir] and on 127.0.0.1; Stop ends every process by
// its group, and the kernel ends them should this process die.
package plane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"headway/test/kube/child"

	"k8s.io/client-go/rest"
)

// Config says where a control plane comes from and where it lives.
type Config struct {
	// Bin is the folder of the programs, Dir an empty one for certificates,
	// data, logs and kubeconfig files.
	Bin, Dir string
	// Prepare runs when the API server answers and before the controllers
	// start. Resource definitions belong here: the garbage collector looks
	// for kinds when it starts, and again only every 30 s.
	Prepare func(ctx context.Context, admin *rest.Config) error
}

// Plane is a control plane that runs.
type Plane struct {
	// Keys sign what the plane's servers and its kubelet show each other.
	Keys *Keys

	cfg                     Config
	server                  string // https://127.0.0.1:port
	etcdPort, port          int
	tokens                  map[string]string // user name → token
	etcd, api               *process
	controllers, scheduling *process
}

// Users of the plane. Admin may do everything; the others are what the
// controllers run as.
const (
	Admin         = "headway-test-admin"
	userManager   = "system:kube-controller-manager"
	userScheduler = "system:kube-scheduler"
)

// startLimit is how long each program may take until it is ready. They take
// two seconds on an idle machine.
const startLimit = 90 * time.Second

// stopLimit is how long a program may take to end before it is killed. An API
// server with open watches would wait a minute for them.
const stopLimit = time.Second

// Start starts a control plane and returns when all of it is ready. After an
// error nothing of it runs.
func Start(ctx context.Context, cfg Config) (*Plane, error) {
	p := &Plane{cfg: cfg}
	err := p.start(ctx)
	if err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

func (p *Plane) start(ctx context.Context) error {
	var err error
	for _, sub := range []string{"log", "etcd", "certs"} {
		if err := os.MkdirAll(filepath.Join(p.cfg.Dir, sub), 0o700); err != nil {
			return fmt.Errorf("folder of the control plane: %w", err)
		}
	}
	if p.Keys, err = newKeys(filepath.Join(p.cfg.Dir, "certs")); err != nil {
		return err
	}
	if p.tokens, err = writeTokens(p.file("tokens.csv")); err != nil {
		return err
	}
	if err := p.startEtcd(ctx); err != nil {
		return err
	}
	if p.port, err = child.FreePort(); err != nil {
		return err
	}
	p.server = fmt.Sprintf("https://127.0.0.1:%d", p.port)
	if err := p.startAPI(ctx); err != nil {
		return err
	}
	if p.cfg.Prepare != nil {
		if err := p.cfg.Prepare(ctx, p.Rest(Admin)); err != nil {
			return fmt.Errorf("preparing the API server: %w", err)
		}
	}
	if err := p.startManager(ctx); err != nil {
		return err
	}
	return p.startScheduler(ctx)
}

// Stop ends all processes and returns when they are gone.
func (p *Plane) Stop() error {
	var all []error
	for _, proc := range []*process{p.scheduling, p.controllers, p.api, p.etcd} {
		if proc != nil {
			all = append(all, proc.Stop(stopLimit))
		}
	}
	return errors.Join(all...)
}

// RestartAPI stops the API server, stays away for so long, and starts it on
// the same port. Watches break and connections are refused meanwhile.
func (p *Plane) RestartAPI(ctx context.Context, away time.Duration) error {
	if err := p.api.Stop(stopLimit); err != nil {
		return err
	}
	select {
	case <-time.After(away):
	case <-ctx.Done():
		return ctx.Err()
	}
	return p.startAPI(ctx)
}

// Processes are the process ids that run, by program name.
func (p *Plane) Processes() map[string]int {
	pids := map[string]int{}
	for _, proc := range []*process{p.scheduling, p.controllers, p.api, p.etcd} {
		if proc != nil {
			pids[proc.name] = proc.Pid
		}
	}
	return pids
}

// Server is the URL of the API server.
func (p *Plane) Server() string { return p.server }

// Rest reaches the API server as a user of the plane.
func (p *Plane) Rest(user string) *rest.Config { return p.RestToken(p.tokens[user]) }

// RestToken reaches the API server with a bearer token.
func (p *Plane) RestToken(token string) *rest.Config {
	return &rest.Config{
		Host: p.server, BearerToken: token,
		TLSClientConfig: rest.TLSClientConfig{CAData: p.Keys.CA()},
		QPS:             200, Burst: 400,
	}
}

// file is a path in the plane's folder.
func (p *Plane) file(name ...string) string {
	return filepath.Join(append([]string{p.cfg.Dir}, name...)...)
}
