package dgd

import (
	"fmt"
	"strconv"

	"headway/internal/model"
)

// nodes is over how many nodes a mapping goes, and how many GPUs it takes of
// each: all alike.
func nodes(m model.Mapping, gpusPerNode int) (count, each int, err error) {
	if gpusPerNode < 1 {
		return 0, 0, fmt.Errorf("GPUs per node is %d and must be at least 1", gpusPerNode)
	}
	gpus := m.GPUs()
	count = (gpus + gpusPerNode - 1) / gpusPerNode
	if gpus%count != 0 {
		return 0, 0, fmt.Errorf("%s takes %d GPUs, which do not divide over %d nodes of %d GPUs", m, gpus, count,
			gpusPerNode)
	}
	return count, gpus / count, nil
}

// setResources gives a worker the GPUs of a mapping and the nodes to hold them.
func (e *editor) setResources(s service, m model.Mapping, gpusPerNode int) error {
	count, each, err := nodes(m, gpusPerNode)
	if err != nil {
		return err
	}
	if s.beta {
		e.betaResources(s, each)
	} else {
		e.alphaResources(s, each)
	}
	multinode := s.at.plus("multinode")
	roles, _ := lookup(e.object, s.at.plus("roles"))
	list, _ := roles.([]any)
	if count == 1 {
		e.remove(multinode)
		e.remove(s.at.plus("roles"))
		return nil
	}
	e.put(multinode.plus("nodeCount"), number(count))
	for i, r := range list { // of a leader and its workers
		role, _ := r.(map[string]any)
		if _, ok := role["replicas"]; ok && role["name"] == roleWorker {
			e.put(s.at.plus("roles", i, "replicas"), number(count-1))
		}
	}
	return nil
}

// rdma is the resource of the network between nodes; where a service asks for
// it, it asks for one for each GPU.
const rdma = "rdma/ib"

func (e *editor) alphaResources(s service, gpus int) {
	amount := text(strconv.Itoa(gpus))
	at := s.at.plus("resources")
	e.put(at.plus("limits", "gpu"), amount)
	if v, ok := lookup(e.object, at.plus("requests")); ok && v != nil {
		e.put(at.plus("requests", "gpu"), amount)
	}
	for _, side := range []string{"limits", "requests"} {
		e.swap(at.plus(side, "custom", rdma), amount)
	}
}

func (e *editor) betaResources(s service, gpus int) {
	const gpu = "nvidia.com/gpu"
	amount := text(strconv.Itoa(gpus))
	at := e.mainContainer(s).plus("resources")
	e.put(at.plus("limits", gpu), amount)
	e.swap(at.plus("requests", gpu), amount)
	for _, side := range []string{"limits", "requests"} {
		e.swap(at.plus(side, rdma), amount)
	}
}

// swap sets a value where there is one.
func (e *editor) swap(at path, n node) {
	if v, ok := lookup(e.object, at); ok && v != nil {
		e.put(at, n)
	}
}

// setReplicas makes a service run so often.
func (e *editor) setReplicas(s service, n int) {
	e.put(s.at.plus("replicas"), number(n))
	if v, ok := lookup(e.object, s.at.plus("minAvailable")); ok && v != nil {
		e.put(s.at.plus("minAvailable"), number(min(n, 1)))
	}
}
