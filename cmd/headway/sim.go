package main

import (
	"context"
	"fmt"
	"os"

	"headway/internal/cli"
	"headway/internal/cluster"
	"headway/internal/engine"
	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/study"
)

type simCmd struct {
	Serve  simServeCmd  `cmd:"" help:"Serve the simulated endpoint over HTTP until interrupted."`
	Replay simReplayCmd `cmd:"" help:"Run a load on a simulated cluster in virtual time."`
}

// simServeCmd is an OpenAI-compatible server on simulated workers.
type simServeCmd struct{ options.Server }

// Help is shown below the options.
func (simServeCmd) Help() string {
	return `Examples:

  headway sim serve --port 8000 --ttft 100 --itl 10
  headway sim serve --workers 8 --router-mode kv --speedup-ratio 4
  headway sim serve --port 0 --error-rate 5 --cut-rate 5 --log sim.jsonl`
}

func (*simServeCmd) ServesUntilInterrupted() {}

func (s *simServeCmd) Run(ctx context.Context, a cli.App) (code int, err error) {
	tok, warning, err := study.LoadTokens(ctx, a, s.Tokens, s.Model, s.Tokenizer == "")
	if err != nil {
		return cli.Failed, err
	}
	if warning != nil {
		a.Note("warning: %s", warning.Text)
	}
	cfg, err := s.Config(a.Given)
	if err != nil {
		return cli.Usage, fault.Usage(err)
	}
	cfg.Tokenizer = tok.Tokenizer
	basis := cfg.Cluster.Basis
	if cfg.Cluster.Calibration != nil {
		basis = cfg.Cluster.RestsOn()
	}
	if basis.Text != "" {
		a.Note("warning: %s", basis.Text)
	}
	if s.Log != "" {
		f, err := os.Create(s.Log)
		if err != nil {
			return cli.Failed, fmt.Errorf("opening the log: %w", err)
		}
		defer func() {
			if e := f.Close(); err == nil && e != nil {
				code, err = cli.Failed, fmt.Errorf("closing the log: %w", e)
			}
		}()
		cfg.Log = f
	}
	srv, err := cluster.NewServer(cfg)
	if err != nil {
		return cli.Usage, fault.Usage(err)
	}
	addr, err := srv.Listen(s.Address())
	if err != nil {
		return cli.Failed, fault.New("%w; choose another %s, or 0 for a free one", err, fault.Field("port"))
	}
	fmt.Fprintf(a.Stdout, "simulated endpoint: http://%s (model %s); interrupt to stop\n", addr, s.Model)
	<-ctx.Done()
	return cli.Done, srv.Stop()
}

// simulate starts an endpoint inside this process.
func simulate(model string) (url string, stop func(), err error) {
	srv, err := cluster.NewServer(cluster.ServerConfig{Model: model, Engine: engine.Config{MaxNumSeqs: 256}})
	if err != nil {
		return "", nil, err
	}
	addr, err := srv.Listen("127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	stop = func() { _ = srv.Stop() } // its replies have been read or given up
	return "http://" + addr.String(), stop, nil
}
