package deploy

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

	"headway/internal/openai"
	"headway/internal/profile"
	"headway/internal/telemetry"
	"headway/record"
)

// processEngine is an engine that runs on this host.
type processEngine struct {
	bench     *Process
	candidate profile.Candidate
	name      string // in messages and on the ledger
	gpus      []string
	port      int
	dir, log  string
	own       string // the file that {log} names
	child     *child
	entry     Entry
	kills     int // the kernel's for want of memory, before the start
	// alive ends when the engine does, with how as its cause; die ends it.
	alive context.Context
	die   context.CancelCauseFunc
	*Endpoint
	closed bool
}

// open starts the engine and waits until it answers.
func (e *processEngine) open(ctx context.Context, cmd *Command) error {
	var err error
	if e.dir, err = e.bench.folder(e.candidate); err != nil {
		return err
	}
	e.log, e.own = filepath.Join(e.dir, "engine.log"), filepath.Join(e.dir, "own.log")
	if e.port, err = e.bench.port(); err != nil {
		return err
	}
	begun := time.Now()
	if err := e.start(cmd); err != nil {
		return err
	}
	client, err := e.answered(ctx)
	if err != nil {
		return err
	}
	facts := profile.Facts{GPUs: len(e.gpus), AttentionDP: e.candidate.Mapping.AttentionDP(), Load: time.Since(begun),
		URL: client.URLs[0], Logs: e.dir}
	if facts.KVTokens, err = e.kvTokens(); err != nil {
		return err
	}
	endpoint := e.bench.cfg.Endpoint
	endpoint.Candidate = e.candidate.Tag()
	endpoint.Client, endpoint.Facts, endpoint.Dir = client, facts, filepath.Join(e.bench.cfg.Dir, e.candidate.Tag())
	endpoint.Sampling.GPUs, endpoint.Sampling.Telemetry.Pages = telemetry.Visible(e.gpus), e.workerPages()
	e.Endpoint, err = NewEndpoint(endpoint)
	return err
}

// start runs the candidate's command on its GPUs.
func (e *processEngine) start(cmd *Command) error {
	gpus := "CUDA_VISIBLE_DEVICES=" + strings.Join(e.gpus, ",")
	return e.run(e.argv(cmd), append(withoutVariable(e.bench.cfg.Environ, "CUDA_VISIBLE_DEVICES"), gpus), gpus+" ")
}

// run writes the engine down and runs its command, in the log after a prefix. What
// cannot be started has no candidate that can.
func (e *processEngine) run(argv, environ []string, prefix string) (err error) {
	p := e.bench
	out, err := os.Create(e.log)
	if err != nil {
		return fmt.Errorf("making the engine's log: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }() // the engine has its own copy
	if _, err := fmt.Fprintf(out, "$ %s%s\n", prefix, shellWords(argv)); err != nil {
		return fmt.Errorf("writing the engine's log: %w", err)
	}
	e.kills = oomKills()
	entry := Entry{Kind: KindProcess, What: e.name, Marker: p.marker()}
	if entry, err = p.cfg.Ledger.Add(entry); err != nil {
		return err
	}
	e.entry = entry
	c, err := startChild(argv, environ, entry.Marker, out)
	if err != nil {
		return fmt.Errorf("starting an engine with %q: %w; is it installed, and in PATH?", argv[0], err)
	}
	e.child, e.entry.PID = c, c.pid
	e.alive, e.die = context.WithCancelCause(context.Background())
	go func() {
		<-c.exited
		e.die(e.death(c.ending()))
	}()
	return p.cfg.Ledger.Update(e.entry)
}

// argv fills in the command.
func (e *processEngine) argv(cmd *Command) []string {
	cfg, m := &e.bench.cfg, e.candidate.Mapping
	return cmd.fill(map[string]string{
		"model": cfg.Model, "served_name": cfg.Endpoint.Client.Models[0], "backend": cfg.Backend,
		"phase": string(e.candidate.Phase), "tag": e.candidate.Tag(),
		"kind": strings.ToLower(string(m.Kind)), "size": strconv.Itoa(m.Size),
		"tp": strconv.Itoa(m.KVSplit()), "dp": strconv.Itoa(m.AttentionDP()), "ep": strconv.Itoa(m.ExpertSplit()),
		"pp":   strconv.Itoa(max(m.Pipeline, 1)),
		"gpus": strings.Join(e.gpus, ","), "num_gpus": strconv.Itoa(len(e.gpus)),
		"host": "127.0.0.1", "port": strconv.Itoa(e.port), "log": e.own, "dir": e.dir,
		"kv": strconv.Itoa(cfg.KVTokens), "max_len": strconv.Itoa(cfg.MaxLen),
	}, map[string][]string{
		"mapping": mappingWords(cfg.Backend, m),
		"caching": cachingWords(cfg.Backend, e.candidate.Phase != profile.Prefill),
	})
}

// answered waits until the engine answers, dies, or is late.
func (e *processEngine) answered(ctx context.Context) (openai.Config, error) {
	within, cancel := context.WithTimeoutCause(ctx, e.bench.cfg.StartTimeout, e.late())
	defer cancel()
	within, stop := e.whileAlive(within)
	defer stop()
	client, err := e.answer(within)
	if err != nil {
		err = e.reason(within, err)
	}
	return client, err
}

// answer waits for the engine's health and a first real answer, and returns the
// client that got it.
func (e *processEngine) answer(ctx context.Context) (openai.Config, error) {
	cfg := &e.bench.cfg
	client := cfg.Endpoint.Client
	client.URLs = []string{fmt.Sprintf("http://127.0.0.1:%d", e.port)}
	watch, stop := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() { defer close(watched); e.watchMemory(watch) }()
	defer func() { stop(); <-watched }()
	if err := Answers(ctx, client, cfg.Health, cfg.StartTimeout); err != nil {
		return client, err
	}
	if !e.child.running() {
		// Something answers at the port, and it is not what was started.
		return client, context.Cause(e.alive)
	}
	return client, nil
}

// kvTokens is how many tokens the cache holds: what the user said, or what the
// engine wrote. Only decode candidates need it.
func (e *processEngine) kvTokens() (int, error) {
	cfg := &e.bench.cfg
	if cfg.KVTokens > 0 {
		return cfg.KVTokens, nil
	}
	var faults []error
	for _, path := range []string{e.log, e.own} {
		n, err := readKV(path, e.candidate.Mapping.AttentionDP(), cfg.ReadKV)
		if err == nil {
			return n, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			faults = append(faults, err)
		}
	}
	if e.candidate.Phase != profile.Decode {
		return 0, nil
	}
	tail, err := logTail(e.log)
	return 0, &profile.DeadError{Reason: profile.ReasonLog, Message: errors.Join(append(faults, err)...).Error(),
		Advice: "say how many tokens the cache holds with --max-kv-tokens", Log: lastLines(tail, 20)}
}

func readKV(path string, attentionDP int, read func(io.Reader, int) (int, error)) (int, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }() // only read
	n, err := read(f, attentionDP)
	if err != nil {
		return 0, fmt.Errorf("reading the size of the KV cache from %s: %w", path, err)
	}
	return n, nil
}

// Facts is what is known of the engine.
func (e *processEngine) Facts() profile.Facts { return e.Endpoint.Facts() }

// Run drives a plan as an Endpoint does, and ends when the engine does.
func (e *processEngine) Run(ctx context.Context, p profile.Part, sink record.Sink) (profile.Ran, error) {
	within, stop := e.whileAlive(ctx)
	defer stop()
	ran, err := e.Endpoint.Run(within, p, sink)
	if err == nil && e.alive.Err() == nil {
		return ran, nil
	}
	return ran, e.reason(within, err)
}

// Close stops the engine and all it started, also when ctx has ended, and gives
// its GPUs back when nothing is left.
func (e *processEngine) Close(context.Context) error {
	if e.closed {
		return nil
	}
	e.closed = true
	if e.Endpoint != nil {
		e.target.Close()
	}
	defer e.bench.freePort(e.port)
	if e.child != nil {
		if err := e.child.stop(e.bench.cfg.Grace); err != nil {
			return err // its GPUs are not free
		}
		<-e.alive.Done()
	}
	e.bench.pool.put(e.gpus)
	if e.entry.ID == "" {
		return nil
	}
	return e.bench.cfg.Ledger.Gone(e.entry)
}
