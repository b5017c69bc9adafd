package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"headway/internal/cluster"
	"headway/internal/engine"
)

type simCmd struct {
	Serve simServeCmd `cmd:"" help:"Serve the simulated endpoint over HTTP until interrupted."`
}

// simServeCmd is an OpenAI-compatible server on one simulated worker.
type simServeCmd struct {
	Host  string `name:"host" default:"127.0.0.1" help:"Address to listen on."`
	Port  int    `name:"port" short:"p" default:"8000" help:"Port; 0 takes a free one."`
	Model string `name:"model" short:"m" aliases:"model-name" default:"simulated" help:"Name of the model that is served."`

	TTFT      *milliseconds `name:"ttft" placeholder:"TIME" help:"Fixed times: first token this long (ms) after the request is admitted. With --itl; else steps take what a batch of their size takes."`
	ITL       *milliseconds `name:"itl" placeholder:"TIME" help:"Fixed times: further tokens this far apart (ms)."`
	TTFTJitCV float64       `name:"ttft-jitter-cv" default:"0" help:"Coefficient of variation of --ttft (lognormal, mean kept)."`
	ITLJitCV  float64       `name:"itl-jitter-cv" default:"0" help:"Coefficient of variation of --itl."`

	MaxSeqs   int     `name:"max-num-seqs" default:"256" help:"Requests in the batch; more wait."`
	MaxTokens int     `name:"max-num-batched-tokens" default:"8192" help:"Tokens of one step."`
	Blocks    int     `name:"num-gpu-blocks-override" aliases:"num-gpu-blocks" default:"16384" help:"KV blocks of the worker."`
	BlockSize int     `name:"block-size" default:"64" help:"Tokens of a KV block."`
	ModelLen  int     `name:"max-model-len" default:"131072" help:"Longest prompt and output together (tokens)."`
	Speedup   float64 `name:"speedup-ratio" default:"1" help:"Divide every simulated time by this."`

	ErrorRate   float64      `name:"error-rate" default:"0" placeholder:"PCT" help:"Answer so many of 100 requests with status 500."`
	CutRate     float64      `name:"cut-rate" default:"0" placeholder:"PCT" help:"Break off so many of 100 streams."`
	GarbageRate float64      `name:"garbage-rate" default:"0" placeholder:"PCT" help:"Put an event that is not JSON into so many of 100 streams."`
	SlowStart   milliseconds `name:"slow-start" default:"0" placeholder:"TIME" help:"Be unready for so long (ms): /health gives 503, completions wait."`
	APIKey      string       `name:"api-key" help:"Ask for this bearer token."`
	Seed        uint64       `name:"random-seed" default:"0" help:"Seed of jitter, faults and texts."`
	Log         string       `name:"log" type:"path" placeholder:"FILE" help:"Write what was really done, a line a request (docs/format-simlog.md)."`

	tokenizerFlags
}

// Help is shown below the options.
func (simServeCmd) Help() string {
	return `Examples:

  headway sim serve --port 8000 --ttft 100 --itl 10
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
	cfg, err := s.config()
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

func (s *simServeCmd) config() (cluster.ServerConfig, error) {
	var bad faultList
	if (s.TTFT == nil) != (s.ITL == nil) {
		bad.add("--ttft and --itl: give both for fixed times, or none for those of a batch")
	}
	if s.TTFT == nil && (s.TTFTJitCV != 0 || s.ITLJitCV != 0) {
		bad.add("--ttft-jitter-cv and --itl-jitter-cv: need --ttft and --itl")
	}
	bad.between("port", float64(s.Port), 0, 65535)
	c := cluster.ServerConfig{
		Engine: engine.Config{MaxNumSeqs: s.MaxSeqs, MaxNumBatchedTokens: s.MaxTokens, NumGPUBlocks: s.Blocks, BlockSize: s.BlockSize,
			SpeedupRatio: s.Speedup, Seed: s.Seed},
		Model: s.Model, MaxModelLen: s.ModelLen, ErrorRate: s.ErrorRate, CutRate: s.CutRate, GarbageRate: s.GarbageRate,
		SlowStart: time.Duration(s.SlowStart), Seed: s.Seed, APIKey: s.APIKey,
	}
	if s.TTFT != nil && s.ITL != nil {
		c.Engine.Timing = engine.Fixed{TTFT: time.Duration(*s.TTFT), ITL: time.Duration(*s.ITL), TTFTJitterCV: s.TTFTJitCV, ITLJitterCV: s.ITLJitCV}
	}
	for name, n := range map[string]float64{"max-num-seqs": float64(s.MaxSeqs), "max-num-batched-tokens": float64(s.MaxTokens),
		"num-gpu-blocks-override": float64(s.Blocks), "block-size": float64(s.BlockSize), "max-model-len": float64(s.ModelLen), "speedup-ratio": s.Speedup} {
		bad.positive(name, n)
	}
	return c, bad.err()
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
