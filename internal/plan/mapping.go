package plan

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"headway/internal/cluster"
	"headway/internal/router"
	"headway/internal/twin"
	"headway/workload"
)

// Mapping is an engine on so many GPUs, as it was calibrated.
type Mapping struct {
	Name string
	// GPUs is those of one replica, 1 or more.
	GPUs int
	Twin *twin.File
	// Tiers are stores of KV blocks of the twin's size below its GPUs, of which candidates
	// have the first ones or none.
	Tiers []cluster.TierConfig
}

// Layout is how replicas share the work.
type Layout string

// The layouts: prompts and replies on the same replicas, or on some the prompts and on
// others the replies.
const (
	Aggregated    Layout = "aggregated"
	Disaggregated Layout = "disaggregated"
)

// Link is how a KV cache travels. BytesPerToken is its size, Bandwidth is in bytes per
// second, below 0 without limit.
type Link struct {
	BytesPerToken int
	Bandwidth     float64
}

// String says what is taken of the link.
func (l Link) String() string {
	if l.Bandwidth <= 0 {
		return "the KV cache to travel in no time"
	}
	return fmt.Sprintf("the KV cache to travel at %g GB/s (%d bytes a token)", l.Bandwidth/1e9, l.BytesPerToken)
}

// Candidate is a plan that does not change.
type Candidate struct {
	Mapping  int // index
	Router   int // index
	Replicas int // of prefill and decode together
	Prefill  int // of Replicas that only compute prompts; 0 is Aggregated
	Tiers    int // how many of the mapping's
}

// kind is what a twin is calibrated for, or not.
type kind struct {
	layout Layout
	tiers  int
}

func (c Candidate) kind() kind {
	if c.Prefill > 0 {
		return kind{Disaggregated, c.Tiers}
	}
	return kind{Aggregated, c.Tiers}
}

// coarsest is the largest block of a simulated cache, tokens. Finer ones change means by
// less than 0.5 % and take up to twice the time.
const coarsest = 64

// config is the cluster of a candidate.
func (a *Asked) config(c Candidate, m *twin.Model, seed uint64) cluster.Config {
	f := a.Mappings[c.Mapping].Twin
	e := f.Engine.Coarse()
	if n := coarsest / max(e.BlockSize, 1); n > 1 && e.Blocks >= n {
		e.BlockSize, e.Blocks = e.BlockSize*n, e.Blocks/n
	}
	cfg := e.Config(m)
	cfg.Workers, cfg.PrefillWorkers = c.Replicas-c.Prefill, c.Prefill
	cfg.Engine.KVBytesPerToken, cfg.Engine.TransferBandwidth = a.Link.BytesPerToken, a.Link.Bandwidth
	for _, t := range a.Mappings[c.Mapping].Tiers[:c.Tiers] {
		t.Blocks = max(t.Blocks*max(f.Engine.BlockSize, 1)/max(e.BlockSize, 1), 1)
		cfg.Tiers = append(cfg.Tiers, t)
	}
	cfg.TokenArrivals = false
	cfg.Seed = workload.Seed(seed)
	cfg.Router = router.Defaults()
	cfg.Router.Mode = a.Routers[c.Router]
	return cfg
}

// replay runs a part of the load on a candidate. Unless whole is set it ends with the
// first window that is lost. Nothing comes of a replay whose ctx ended, whatever the judge
// says of it: requests that were cancelled have missed every bound there.
func (a *Asked) replay(ctx context.Context, c Candidate, m *twin.Model, p part, whole bool) (*outcome, error) {
	return a.replayOf(ctx, a.Load, c, m, p, whole, a.Seed)
}

// replayOf is replay of any load, with the randomness of a seed.
func (a *Asked) replayOf(ctx context.Context, l *Load, c Candidate, m *twin.Model, p part, whole bool,
	seed uint64) (*outcome, error) {
	source, n := l.source(p)
	j := newJudge(l, a.goals, p, whole)
	_, _, err := cluster.Replay(ctx, a.config(c, m, seed), workload.Plan{Source: source, Requests: n}, j)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, errLost):
		return &outcome{judge: j, miss: j.miss}, nil
	case err != nil:
		return nil, fmt.Errorf("replaying %s on %s: %w", a.Load.Name, a.name(c), err)
	}
	return j.verdict(), nil
}

// name is a candidate in words.
func (a *Asked) name(c Candidate) string {
	m := &a.Mappings[c.Mapping]
	text := fmt.Sprintf("%s × %s behind %s", c.replicas(), m.Name, a.Routers[c.Router])
	if c.Tiers > 0 {
		text += " with " + m.tiers(c.Tiers)
	}
	return text
}

// replicas are those of a candidate in words.
func (c Candidate) replicas() string {
	if c.Prefill == 0 {
		return fmt.Sprint(c.Replicas)
	}
	return fmt.Sprintf("(%d prefill + %d decode)", c.Prefill, c.Replicas-c.Prefill)
}

// tiers are the names of the first n.
func (m *Mapping) tiers(n int) string {
	var names []string
	for _, t := range m.Tiers[:n] {
		names = append(names, t.Name)
	}
	return strings.Join(names, "+")
}

// gpus is how many a candidate takes.
func (a *Asked) gpus(c Candidate) int { return c.Replicas * a.Mappings[c.Mapping].GPUs }
