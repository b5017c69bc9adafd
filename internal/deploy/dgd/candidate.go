package dgd

import (
	"fmt"

	"headway/internal/model"
)

// edited runs edits on the deployment's text.
func (d *Document) edited(change func(*editor) error) (*Document, error) {
	e := &editor{text: d.parts[d.at], object: copyValue(d.objects[d.at]).(map[string]any), others: d.Others()}
	if err := change(e); err != nil {
		return nil, err
	}
	if e.err != nil {
		return nil, e.err
	}
	return d.with(e.text)
}

// Candidate is the deployment that measures one mapping: the frontend and one
// worker that takes whole requests, under the decode worker's name.
//
// For phase prefill it is the prefill worker, without a prefix cache, and with
// limits so wide that no prompt of up to [PrefillTokens] is cut; for phase
// decode the decode worker with its prefix cache on; for phase agg the decode
// worker with the prefix cache as configured. Prefill and decode workers that
// are not measured are left out, as is the planner. Of an aggregated deployment
// it is the one worker in every phase. It is called sglang-agg,
// vllm-agg or trtllm-agg; see [Document.Rename].
//
// A mapping of more than gpusPerNode GPUs goes over several nodes. The error
// has all faults of [Document.Check].
func (d *Document) Candidate(backend, phase string, m model.Mapping, gpusPerNode int) (*Document, error) {
	fail := func(err error) (*Document, error) {
		return nil, fmt.Errorf("configuring a %s worker with %s for %s: %w", backend, m, phase, err)
	}
	if err := d.Check(backend); err != nil {
		return fail(err)
	}
	if err := checkMapping(m); err != nil {
		return fail(err)
	}
	if phase != PhasePrefill && phase != PhaseDecode && phase != PhaseAggregated {
		return fail(fmt.Errorf("phase %q is not known: %s, %s and %s are", phase, PhasePrefill, PhaseDecode,
			PhaseAggregated))
	}
	next, err := d.edited(func(e *editor) error {
		s, err := e.single(backend, phase)
		if err != nil {
			return err
		}
		return e.configure(backend, s, m, gpusPerNode, func(eng engine, c *commandLine) error {
			if err := eng.aggregate(c, phase, m.Kind != model.TP); err != nil {
				return err
			}
			if phase == PhasePrefill {
				ranks := m.AttentionDP()
				return eng.limit(c, ranks, PrefillTokens*ranks, ranks)
			}
			return nil
		})
	})
	if err != nil {
		return fail(err)
	}
	next, err = next.Rename(backend + "-agg")
	if err != nil {
		return fail(err)
	}
	return next, nil
}

func checkMapping(m model.Mapping) error {
	if m.Kind != model.TP && m.Kind != model.TEP && m.Kind != model.DEP || m.Size < 1 || m.Pipeline < 0 {
		return fmt.Errorf("the mapping %s is not TP, TEP or DEP over at least 1 GPU", m)
	}
	return nil
}

// single leaves one worker, under the decode worker's name.
func (e *editor) single(backend, phase string) (service, error) {
	services, err := viewOf(e.object)
	if err != nil {
		return service{}, err
	}
	prefill, decode, err := workers(e.object, services, backend)
	if err != nil {
		return service{}, err
	}
	kept, left := decode, prefill
	if phase == PhasePrefill {
		kept, left = prefill, decode
	}
	if left.name != kept.name {
		e.dropService(left.name)
	}
	if err := e.withoutPlanner(backend, services); err != nil {
		return service{}, err
	}
	return e.asDecode(kept.name, decode.name)
}

// withoutPlanner takes out what is not deployed with fixed workers, and writes
// down which service is the frontend.
func (e *editor) withoutPlanner(backend string, services []service) error {
	e.remove(path{"spec", "restart"}) // names services, and is refused on creation
	for _, s := range services {
		if isPlanner(s) {
			e.dropService(s.name)
		}
	}
	return e.tellFrontend(backend)
}

// dropService takes a service out, wherever it is by now.
func (e *editor) dropService(name string) {
	if s, ok := e.service(name); ok {
		e.remove(s.at)
	}
}

// service finds a service by its name.
func (e *editor) service(name string) (service, bool) {
	services, err := viewOf(e.object)
	if err != nil {
		e.fail(err)
		return service{}, false
	}
	for _, s := range services {
		if s.name == name {
			return s, true
		}
	}
	return service{}, false
}

// asDecode makes a worker the one decode worker, under a name.
func (e *editor) asDecode(name, as string) (service, error) {
	s, _ := e.service(name)
	switch {
	case s.beta:
		if name != as {
			e.put(s.at.plus("name"), text(as))
		}
		if e.string(s.at.plus("type")) != roleDecode {
			e.put(s.at.plus("type"), text(roleDecode))
		}
	default:
		if name != as {
			e.rename(s.at, as)
		}
		at := path{"spec", "services", as}
		if e.string(at.plus("componentType")) == rolePrefill {
			e.put(at.plus("componentType"), text(roleDecode))
		}
		if sub := at.plus("subComponentType"); e.string(sub) != roleDecode {
			e.put(sub, text(roleDecode))
		}
	}
	s, ok := e.service(as)
	if e.err != nil || !ok {
		return service{}, fmt.Errorf("making %s the decode worker %s: %w", name, as, e.err)
	}
	e.setReplicas(s, 1)
	return s, e.err
}

// configure applies a mapping to a worker, after another change of its
// arguments where one is given.
func (e *editor) configure(backend string, s service, m model.Mapping, gpusPerNode int,
	change func(engine, *commandLine) error) error {
	eng, err := engineOf(backend)
	if err != nil {
		return err
	}
	if err := e.setResources(s, m, gpusPerNode); err != nil {
		return err
	}
	c, err := readCommandLine(e.object, s.main)
	if err != nil {
		return err
	}
	if err := eng.spread(c, m, gpusPerNode); err != nil {
		return err
	}
	if change != nil {
		if err := change(eng, c); err != nil {
			return err
		}
	}
	e.write(s.main, c)
	return e.err
}
