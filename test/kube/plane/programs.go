package plane

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"path/filepath"

	"headway/test/kube/child"
)

// startEtcd starts the store. Nothing of it outlives the test, so it may skip
// fsync.
func (p *Plane) startEtcd(ctx context.Context) (err error) {
	if p.etcdPort, err = child.FreePort(); err != nil {
		return err
	}
	peerPort, err := child.FreePort()
	if err != nil {
		return err
	}
	client, peer := fmt.Sprintf("http://127.0.0.1:%d", p.etcdPort), fmt.Sprintf("http://127.0.0.1:%d", peerPort)
	p.etcd, err = p.run(ctx, "etcd", client+"/health", "",
		"--name=test", "--data-dir="+p.file("etcd"), "--unsafe-no-fsync",
		"--listen-client-urls="+client, "--advertise-client-urls="+client,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=test="+peer,
		"--log-level=warn")
	return err
}

// startAPI starts the API server on p.port. The taint for nodes that are not
// ready stays off, since nothing here takes it away again.
func (p *Plane) startAPI(ctx context.Context) (err error) {
	k := p.Keys
	p.api, err = p.run(ctx, "kube-apiserver", p.server+"/readyz", p.tokens[Admin],
		fmt.Sprintf("--etcd-servers=http://127.0.0.1:%d", p.etcdPort),
		"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", p.port), "--cert-dir="+p.file("certs"),
		"--tls-cert-file="+k.server.certFile, "--tls-private-key-file="+k.server.keyFile,
		"--token-auth-file="+p.file("tokens.csv"), "--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+k.accounts.certFile, "--service-account-signing-key-file="+k.accounts.keyFile,
		"--kubelet-certificate-authority="+k.ca.certFile,
		"--kubelet-client-certificate="+k.caller.certFile, "--kubelet-client-key="+k.caller.keyFile,
		"--kubelet-preferred-address-types=InternalIP",
		"--service-cluster-ip-range=10.96.0.0/16",
		// 127.0.0.1 is refused as an address to be advertised.
		"--endpoint-reconciler-type=none",
		"--disable-admission-plugins=TaintNodesByCondition",
		"--shutdown-delay-duration=0s", "--v=0")
	return err
}

// startManager starts the controllers, all but the one that declares nodes
// dead: the tests' nodes send no heartbeats.
func (p *Plane) startManager(ctx context.Context) error {
	port, err := child.FreePort()
	if err != nil {
		return err
	}
	config, err := p.writeKubeconfig("controller-manager.kubeconfig", p.tokens[userManager], "")
	if err != nil {
		return err
	}
	p.controllers, err = p.run(ctx, "kube-controller-manager", fmt.Sprintf("https://127.0.0.1:%d/healthz", port), "",
		"--kubeconfig="+config, "--authentication-kubeconfig="+config, "--authorization-kubeconfig="+config,
		"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", port), "--cert-dir="+p.file("certs"),
		"--tls-cert-file="+p.Keys.server.certFile, "--tls-private-key-file="+p.Keys.server.keyFile,
		"--leader-elect=false", "--use-service-account-credentials=true",
		"--service-account-private-key-file="+p.Keys.accounts.keyFile, "--root-ca-file="+p.Keys.ca.certFile,
		"--controllers=*,-node-lifecycle-controller",
		"--v=0")
	return err
}

func (p *Plane) startScheduler(ctx context.Context) error {
	port, err := child.FreePort()
	if err != nil {
		return err
	}
	config, err := p.writeKubeconfig("scheduler.kubeconfig", p.tokens[userScheduler], "")
	if err != nil {
		return err
	}
	p.scheduling, err = p.run(ctx, "kube-scheduler", fmt.Sprintf("https://127.0.0.1:%d/healthz", port), "",
		"--kubeconfig="+config, "--authentication-kubeconfig="+config, "--authorization-kubeconfig="+config,
		"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", port), "--cert-dir="+p.file("certs"),
		"--tls-cert-file="+p.Keys.server.certFile, "--tls-private-key-file="+p.Keys.server.keyFile,
		"--leader-elect=false", "--v=0")
	return err
}

// run starts a program and waits until its health URL answers 200.
func (p *Plane) run(ctx context.Context, name, health, token string, args ...string) (*process, error) {
	proc, err := startProcess(name, filepath.Join(p.cfg.Bin, name), p.file("log", name+".log"), args)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(p.Keys.CA())
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots},
		DisableKeepAlives: true}}
	if err := proc.ready(ctx, client, health, token); err != nil {
		return proc, err
	}
	return proc, nil
}
