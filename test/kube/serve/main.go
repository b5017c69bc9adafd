// Command serve starts the tests' cluster and keeps it until it is interrupted,
// to try things by hand:
//
//	make kube-cluster
//	export KUBECONFIG=…    # the line that it prints
//	headway profile sla --on kube …
//
// It prints the path of a kubeconfig, and of the folder with kubectl and the
// programs' logs.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"headway/test/kube/cluster"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() (err error) {
	cfg := cluster.Config{}
	flag.StringVar(&cfg.Bin, "bin", os.Getenv("TEST_KUBE_BIN"),
		"folder of the control plane's programs, which build.sh prints")
	flag.StringVar(&cfg.Headway, "headway", "", "the headway program; needed")
	flag.IntVar(&cfg.Nodes, "nodes", 2, "nodes")
	flag.IntVar(&cfg.GPUs, "gpus", 8, "GPUs of each node")
	flag.StringVar(&cfg.GPU, "gpu", "h200_sxm", "GPU that frontends simulate")
	flag.Parse()
	if cfg.Bin == "" || cfg.Headway == "" {
		return fmt.Errorf("-bin and -headway are needed; make kube-cluster gives both")
	}
	if cfg.Headway, err = filepath.Abs(cfg.Headway); err != nil {
		return err
	}
	if cfg.Dir, err = os.MkdirTemp("", "headway-kube-"); err != nil {
		return err
	}
	defer os.RemoveAll(cfg.Dir)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c, err := cluster.Start(ctx, cfg)
	if err != nil {
		return err
	}
	config, err := c.Plane.Kubeconfig("default")
	if err == nil {
		fmt.Printf("export KUBECONFIG=%s\nexport PATH=%s:$PATH\n# logs: %s\n", config, cfg.Bin,
			filepath.Join(cfg.Dir, "plane", "log"))
		<-ctx.Done()
	}
	if stopped := c.Stop(); stopped != nil {
		return stopped
	}
	return err
}
