package dgd

import (
	"fmt"
	"strconv"

	"headway/internal/model"
)

// Holding is the deployment with at least the GPUs of a mapping for each worker:
// one that has fewer gets the mapping. prefill and decode are the smallest that
// hold the model; one worker that does both halves gets decode's.
func (d *Document) Holding(backend string, prefill, decode model.Mapping, gpusPerNode int) (*Document, error) {
	services, err := d.view()
	if err != nil {
		return nil, err
	}
	first, second, err := workers(d.objects[d.at], services, backend)
	if err != nil {
		return nil, err
	}
	next, err := d.edited(func(e *editor) error {
		if first.name != second.name {
			if err := e.hold(backend, first, prefill, gpusPerNode); err != nil {
				return err
			}
		}
		return e.hold(backend, second, decode, gpusPerNode)
	})
	if err != nil {
		return nil, fmt.Errorf("giving the workers of the %s %q GPUs that hold the model: %w", Kind, d.Name(), err)
	}
	return next, nil
}

// hold gives a worker a mapping if it has fewer GPUs.
func (e *editor) hold(backend string, s service, m model.Mapping, gpusPerNode int) error {
	if e.gpus(s) >= m.GPUs() {
		return nil
	}
	return e.configure(backend, s, m, gpusPerNode, nil)
}

// gpus is how many a worker has on all its nodes; 0 where it asks for none.
func (e *editor) gpus(s service) int {
	at := s.at.plus("resources")
	name := "gpu"
	if s.beta {
		at, name = s.main.plus("resources"), "nvidia.com/gpu"
	}
	for _, side := range []string{"limits", "requests"} {
		v, ok := lookup(e.object, at.plus(side, name))
		if !ok {
			continue
		}
		if n, err := strconv.Atoi(fmt.Sprint(v)); err == nil {
			return n * e.nodes(s)
		}
	}
	return 0
}

// nodes is over how many a worker goes.
func (e *editor) nodes(s service) int {
	v, ok := lookup(e.object, s.at.plus("multinode"))
	if !ok || v == nil {
		return 1
	}
	if n, ok := lookup(v, path{"nodeCount"}); ok {
		if n, err := strconv.Atoi(fmt.Sprint(n)); err == nil {
			return max(n, 1)
		}
	}
	return 2 // the default of a worker that goes over several
}
