package dgd

import (
	"errors"
	"fmt"
	"strings"

	"headway/internal/model"
)

// Limits bound the steps of a worker's engine, for each of its attention ranks. 0
// leaves what the deployment says, or the engine's default.
type Limits struct {
	// Sequences and Tokens are the most in one step, Context the longest sequence
	// in tokens.
	Sequences, Tokens, Context int
	// AsCandidate gives a prefill worker the limits of [Document.Candidate]; other
	// candidates have none.
	AsCandidate bool
}

// Pool is equal workers.
type Pool struct {
	Mapping model.Mapping
	Workers int
	Limits  Limits
}

// Fleet is the workers of a deployment: a pool for each half of a request, or
// Aggregated alone.
type Fleet struct {
	Prefill, Decode, Aggregated *Pool
	GPUsPerNode                 int
}

// Fleet is the deployment with workers as they were found: their mappings, their
// number and their limits. A planner is taken out, since it would change the
// number. One worker becomes two where the fleet has two pools, and two become
// one, with the decode worker's name, where it has one; a word "disagg" or "agg"
// of the deployment's name follows. A mapping of more GPUs than a node has goes
// over several nodes. The error has all faults of [Document.Check].
func (d *Document) Fleet(backend string, f Fleet) (*Document, error) {
	fail := func(err error) (*Document, error) {
		return nil, fmt.Errorf("configuring the workers of the %s %q: %w", Kind, d.Name(), err)
	}
	if err := d.Check(backend); err != nil {
		return fail(err)
	}
	if err := f.check(); err != nil {
		return fail(err)
	}
	next, err := d.pooled(backend, f)
	if err != nil {
		return fail(err)
	}
	return next, nil
}

func (f Fleet) check() error {
	var faults []error
	for _, p := range []*Pool{f.Prefill, f.Decode, f.Aggregated} {
		switch {
		case p == nil:
		case p.Workers < 1:
			faults = append(faults, fmt.Errorf("%d workers with %s, and at least 1 is needed", p.Workers, p.Mapping))
		default:
			faults = append(faults, checkMapping(p.Mapping))
		}
	}
	if (f.Prefill == nil) != (f.Decode == nil) || (f.Prefill == nil) == (f.Aggregated == nil) {
		faults = append(faults, errors.New("a fleet is a prefill and a decode pool, or an aggregated one"))
	}
	return errors.Join(faults...)
}

func (d *Document) pooled(backend string, f Fleet) (next *Document, err error) {
	if f.Aggregated != nil {
		return d.whole(backend, f)
	}
	if next, err = d.split(backend); err != nil {
		return nil, err
	}
	return next.edited(func(e *editor) error {
		services, err := viewOf(e.object)
		if err != nil {
			return err
		}
		if err := e.withoutPlanner(backend, services); err != nil {
			return err
		}
		if err := e.pool(backend, rolePrefill, *f.Prefill, f.GPUsPerNode); err != nil {
			return err
		}
		return e.pool(backend, roleDecode, *f.Decode, f.GPUsPerNode)
	})
}

// pool makes the worker of a role a pool.
func (e *editor) pool(backend, role string, p Pool, gpusPerNode int) error {
	s, err := e.worker(backend, role, p.Mapping, gpusPerNode, func(eng engine, c *commandLine) error {
		return p.limit(eng, c, role)
	})
	if err != nil {
		return err
	}
	e.setReplicas(s, p.Workers)
	return e.err
}

// limit sets the limits of a pool's workers.
func (p Pool) limit(eng engine, c *commandLine, phase string) error {
	ranks := p.Mapping.AttentionDP()
	if p.Limits.AsCandidate && phase == PhasePrefill {
		return eng.limit(c, ranks, PrefillTokens*ranks, ranks)
	}
	return eng.bound(c, p.Limits, ranks)
}

// whole is the deployment with one pool of workers that do both halves.
func (d *Document) whole(backend string, f Fleet) (*Document, error) {
	p := *f.Aggregated
	was, err := standardArguments(backend, roleDecode)
	if err != nil {
		return nil, err
	}
	next, err := d.edited(func(e *editor) error {
		s, err := e.single(backend, PhaseAggregated)
		if err != nil {
			return err
		}
		err = e.configure(backend, s, p.Mapping, f.GPUsPerNode, func(eng engine, c *commandLine) error {
			if err := eng.aggregate(c, PhaseAggregated, p.Mapping.Kind != model.TP); err != nil {
				return err
			}
			standard, _ := was.value(transferFlag)
			if v, ok := c.value(transferFlag); ok && v == standard {
				c.drop(transferFlag)
			}
			return p.limit(eng, c, PhaseAggregated)
		})
		if err != nil {
			return err
		}
		e.tell(s, roleWorker)
		e.setReplicas(s, p.Workers)
		return e.err
	})
	if err != nil {
		return nil, err
	}
	return next.retold("disagg", "agg")
}

// Commented is the file with lines of comment before everything else.
func (d *Document) Commented(lines ...string) *Document {
	next := *d
	next.parts = append([]string(nil), d.parts...)
	var head strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&head, "# %s\n", strings.ReplaceAll(l, "\n", " "))
	}
	next.parts[0] = head.String() + next.parts[0]
	return &next
}
