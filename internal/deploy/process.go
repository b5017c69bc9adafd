package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"headway/internal/fault"
	"headway/internal/profile"
)

// ProcessConfig says how engines are started on this host.
type ProcessConfig struct {
	// Command is the engine's command; Prefill, which may be nil, is the one
	// for prefill candidates, whose prefix cache has to be off.
	Command, Prefill *Command
	// Model is what {model} stands for, Backend whose options {mapping} and
	// {caching} give, and whose words a log is searched for.
	Model, Backend string
	// GPUs are the ids of those that may be used.
	GPUs []string
	// MaxLen is the longest sequence in tokens that will be asked for.
	MaxLen int
	// KVTokens is how many tokens the engines' caches hold, all ranks
	// together; 0 reads it from the log with ReadKV.
	KVTokens int
	// ReadKV finds it in a log; its error says what it looked for.
	ReadKV func(log io.Reader, attentionDP int) (int, error)
	// Dir is where each candidate has a folder for its logs.
	Dir string
	// Health is the path that answers 200 when an engine is ready; empty is
	// /v1/models, which has to list the model.
	Health string
	// StartTimeout is how long an engine may take until it answers (default
	// 30 min), Grace how long until it has stopped by itself (default 30 s).
	StartTimeout, Grace time.Duration
	// Environ is the environment engines get.
	Environ []string
	// Endpoint says how to speak to an engine; the address and the facts are
	// filled in for each.
	Endpoint EndpointConfig
	// Ledger lists what runs.
	Ledger *Ledger
}

// validate lists every fault.
func (c *ProcessConfig) validate() error {
	var bad fault.List
	bad.When(c.Command == nil,
		"%s: say how an engine is started, or name a %s whose server is known (vllm, sglang, trtllm)",
		fault.Field("engine-command"), fault.Field("backend"))
	bad.When(len(c.GPUs) == 0, "%s: names no GPU", fault.Field("gpus"))
	bad.When(len(c.Endpoint.Client.Models) != 1, "the name that requests ask for: exactly one is needed, not %d",
		len(c.Endpoint.Client.Models))
	bad.When(c.StartTimeout < 0, "%s %v: must not be negative", fault.Field("engine-start-timeout"), c.StartTimeout)
	bad.When(c.Grace < 0, "%s %v: must not be negative", fault.Field("engine-stop-grace"), c.Grace)
	bad.When(c.KVTokens < 0, "%s %d: must not be negative", fault.Field("max-kv-tokens"), c.KVTokens)
	bad.When(c.KVTokens == 0 && c.ReadKV == nil,
		"%s: how many tokens the cache holds cannot be read from the log of backend %q; say it",
		fault.Field("max-kv-tokens"), c.Backend)
	for _, cmd := range []*Command{c.Command, c.Prefill} {
		if cmd == nil {
			continue
		}
		bad.When(!cmd.Asks("port"), "the command %q: has no {port}, so nobody knows where the engine answers", cmd)
		bad.When(cmd.Asks("kv") && c.KVTokens == 0, "the command %q: has {kv}, which needs %s", cmd,
			fault.Field("max-kv-tokens"))
		bad.When(cmd.Asks("max_len") && c.MaxLen <= 0, "the command %q: has {max_len}, and no length is known", cmd)
		bad.When((cmd.Asks("mapping") || cmd.Asks("caching")) && DefaultCommand(c.Backend) == "",
			"the command %q: {mapping} and {caching} need a %s of vllm, sglang or trtllm, not %q", cmd,
			fault.Field("backend"), c.Backend)
	}
	return bad.Err()
}

// Process is a profile.Bench that starts engines as processes of this host,
// measures them through an Endpoint and stops them with everything they
// started.
type Process struct {
	cfg  ProcessConfig
	pool *gpuPool

	mu    sync.Mutex
	n     int
	ports map[int]bool
}

// NewProcess checks the configuration and starts nothing. The error lists
// every fault.
func NewProcess(cfg ProcessConfig) (*Process, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg.StartTimeout, cfg.Grace = cmp.Or(cfg.StartTimeout, 30*time.Minute), cmp.Or(cfg.Grace, 30*time.Second)
	return &Process{cfg: cfg, pool: newGPUPool(cfg.GPUs), ports: map[int]bool{}}, nil
}

// Open waits for GPUs, starts the candidate's engine on them and returns when
// it has answered a request. The engine has stopped again when there is an
// error.
func (p *Process) Open(ctx context.Context, c profile.Candidate) (profile.Subject, error) {
	need := c.Mapping.GPUs()
	if need > len(p.cfg.GPUs) {
		return nil, &profile.DeadError{Reason: profile.ReasonUnschedulable,
			Message: fmt.Sprintf("%s needs %d GPUs and there are %d (%s)", c.Tag(), need, len(p.cfg.GPUs),
				strings.Join(p.cfg.GPUs, ",")),
			Advice: "give more with --gpus, or lower --max-num-gpus-per-engine"}
	}
	cmd := p.command(c.Phase)
	if cmd.Asks("mapping") && len(mappingWords(p.cfg.Backend, c.Mapping)) == 0 {
		return nil, &profile.DeadError{Reason: profile.ReasonUnschedulable,
			Message: fmt.Sprintf("%s has no options on its command line for %s", p.cfg.Backend, c.Mapping),
			Advice:  "write them into --engine-command with {kind} and {size} instead of {mapping}"}
	}
	gpus, err := p.pool.take(ctx, need)
	if err != nil {
		return nil, err
	}
	e := &processEngine{bench: p, candidate: c, name: c.Tag(), gpus: gpus}
	if err := e.open(ctx, cmd); err != nil {
		return nil, errors.Join(err, e.Close(ctx))
	}
	return e, nil
}

func (p *Process) command(phase profile.Phase) *Command {
	if phase == profile.Prefill && p.cfg.Prefill != nil {
		return p.cfg.Prefill
	}
	return p.cfg.Command
}

// folder makes the folder of a candidate's logs. One that is opened again gets
// another, so that the log of a death is kept.
func (p *Process) folder(c profile.Candidate) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n := 1; ; n++ {
		dir := filepath.Join(p.cfg.Dir, c.Tag(), "logs")
		if n > 1 {
			dir += "-" + strconv.Itoa(n)
		}
		if err := os.MkdirAll(filepath.Dir(dir), 0o777); err != nil {
			return "", fmt.Errorf("making a folder for the engine's log: %w", err)
		}
		err := os.Mkdir(dir, 0o777)
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, os.ErrExist) {
			return "", fmt.Errorf("making a folder for the engine's log: %w", err)
		}
	}
}

// marker is what the descendants of the next engine are known by.
func (p *Process) marker() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	return fmt.Sprintf("%d-%d-%d", os.Getpid(), time.Now().UnixNano(), p.n)
}

// port chooses one that is free now and that no other engine of ours was
// given.
func (p *Process) port() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range 64 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return 0, fmt.Errorf("choosing a port for an engine: %w", err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		if err := l.Close(); err != nil {
			return 0, fmt.Errorf("choosing a port for an engine: %w", err)
		}
		if !p.ports[port] {
			p.ports[port] = true
			return port, nil
		}
	}
	return 0, errors.New("choosing a port for an engine: the system offers only those that are taken")
}

func (p *Process) freePort(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.ports, port)
}

// RemoveProcess is the Remover of what a Process bench starts. The first
// process of an engine that a dead headway left has ended, as a rule, by the
// signal that the system sends it.
func RemoveProcess(_ context.Context, e Entry) (ended bool, err error) {
	return removeProcess(e, 5*time.Second)
}
