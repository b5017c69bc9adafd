package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"headway/internal/cluster"
	"headway/internal/engine"
	"headway/internal/router"
)

type simCmd struct {
	Serve  simServeCmd  `cmd:"" help:"Serve the simulated endpoint over HTTP until interrupted."`
	Replay simReplayCmd `cmd:"" help:"Run a load on a simulated cluster in virtual time."`
}

// simServeCmd is an OpenAI-compatible server on simulated workers.
type simServeCmd struct {
	Host  string      `name:"host" default:"127.0.0.1" help:"Address to listen on."`
	Port  int         `name:"port" short:"p" default:"8000" help:"Port; 0 takes a free one."`
	Model string      `name:"model" short:"m" aliases:"model-name" default:"simulated" help:"Name of the model that is served."`
	Mode  router.Mode `name:"router-mode" default:"round-robin" placeholder:"MODE" help:"How requests find their worker: round-robin, random, least-loaded, power-of-two, direct or kv."`

	ErrorRate   float64      `name:"error-rate" default:"0" placeholder:"PCT" help:"Answer so many of 100 requests with status 500."`
	CutRate     float64      `name:"cut-rate" default:"0" placeholder:"PCT" help:"Break off so many of 100 streams."`
	GarbageRate float64      `name:"garbage-rate" default:"0" placeholder:"PCT" help:"Put an event that is not JSON into so many of 100 streams."`
	SlowStart   milliseconds `name:"slow-start" default:"0" placeholder:"TIME" help:"Be unready for so long (ms): /health gives 503, completions wait."`
	APIKey      string       `name:"api-key" help:"Ask for this bearer token."`
	Seed        uint64       `name:"random-seed" default:"0" help:"Seed of jitter, faults and texts."`
	Log         string       `name:"log" type:"path" placeholder:"FILE" help:"Write what was really done, a line a request (docs/format-simlog.md)."`

	tokenizerFlags
	clusterFlags
}

// Help is shown below the options.
func (simServeCmd) Help() string {
	return `Examples:

  headway sim serve --port 8000 --ttft 100 --itl 10
  headway sim serve --workers 8 --router-mode kv --speedup-ratio 4
  headway sim serve --port 0 --error-rate 5 --cut-rate 5 --log sim.jsonl`
}

func (*simServeCmd) servesUntilInterrupted() {}

func (s *simServeCmd) run(ctx context.Context, a app) (code int, err error) {
	tok, warning, err := a.loadTokens(ctx, s.tokenizerFlags, s.Model, s.Tokenizer == "")
	if err != nil {
		return exitFailed, err
	}
	if warning != nil {
		a.note("warning: %s", warning.Text)
	}
	cfg, err := s.config(a)
	if err != nil {
		return exitUsage, usageError{err}
	}
	cfg.Tokenizer = tok.tokenizer
	if s.Log != "" {
		f, err := os.Create(s.Log)
		if err != nil {
			return exitFailed, fmt.Errorf("opening the log: %w", err)
		}
		defer func() {
			if e := f.Close(); err == nil && e != nil {
				code, err = exitFailed, fmt.Errorf("closing the log: %w", e)
			}
		}()
		cfg.Log = f
	}
	srv, err := cluster.NewServer(cfg)
	if err != nil {
		return exitUsage, usageError{err}
	}
	addr, err := srv.Listen(net.JoinHostPort(s.Host, fmt.Sprint(s.Port)))
	if err != nil {
		return exitFailed, fmt.Errorf("%w; choose another --port, or 0 for a free one", err)
	}
	fmt.Fprintf(a.stdout, "simulated endpoint: http://%s (model %s); interrupt to stop\n", addr, s.Model)
	<-ctx.Done()
	return exitDone, shutdown(srv)
}

func (s *simServeCmd) config(a app) (cluster.ServerConfig, error) {
	var bad faultList
	s.clusterFlags.idle(&bad, a.given, s.Mode == router.KV, "--router-mode kv")
	bad.between("port", float64(s.Port), 0, 65535)
	workers, err := s.clusterFlags.config(s.Mode, 1, s.Seed)
	if err != nil {
		bad = append(bad, err)
	}
	return cluster.ServerConfig{
		Cluster: &workers, Model: s.Model, MaxModelLen: s.ModelLen, ErrorRate: s.ErrorRate, CutRate: s.CutRate, GarbageRate: s.GarbageRate,
		SlowStart: time.Duration(s.SlowStart), Seed: s.Seed, APIKey: s.APIKey,
	}, bad.err()
}

// shutdown gives replies that are on their way a moment to end.
func shutdown(srv *cluster.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := srv.Shutdown(ctx)
	if ctx.Err() != nil {
		return nil // replies were broken off, as an interrupt asks for
	}
	return err
}

// simulated is the endpoint inside this process.
type simulated struct {
	server *cluster.Server
	url    string
}

func startSimulated(model string) (simulated, error) {
	srv, err := cluster.NewServer(cluster.ServerConfig{Model: model, Engine: engine.Config{MaxNumSeqs: 256}})
	if err != nil {
		return simulated{}, err
	}
	addr, err := srv.Listen("127.0.0.1:0")
	if err != nil {
		return simulated{}, err
	}
	return simulated{srv, "http://" + addr.String()}, nil
}

func (s simulated) stop() { _ = shutdown(s.server) } // its replies have been read or given up
